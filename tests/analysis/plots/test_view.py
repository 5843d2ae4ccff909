import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from viewed_by_hand import NO_TIMELINE, measured, run_of, timeline_of, view

from analysis.plots.steps import steps_of
from analysis.population import population_of
from analysis.run_format import bucketed
from analysis.window import Window

OUTCOMES = st.sampled_from(["ok", "gateway_timeout", "throttled"])
REQUESTS = st.lists(st.tuples(st.integers(0, 9), OUTCOMES, st.integers(0, 5 * 10**7), st.integers(1, 9)), min_size=1)


def rows_of(requests):
    return [row for request in requests for row in measured(*request)]


@given(REQUESTS)
def test_the_windows_times_are_those_of_the_report(requests):
    """The same order, ranks and bounds as `analysis.population` has, to the microsecond."""
    run = run_of(rows_of(requests))
    inside = run.bounded.within(2, 7)
    seen = view(run, Window(2, 7))

    for measure in ("response", "service", "lateness"):
        expected, found = population_of(inside, measure), seen.populations.get(measure)
        if found is None:
            assert expected.n == 0
        else:
            ranks = range(1, expected.n + 1)
            assert [found.at_least_s(rank) for rank in ranks] == [expected.at_least_s(rank) for rank in ranks]
            assert [found.at_most_s(rank) for rank in ranks] == [expected.at_most_s(rank) for rank in ranks]


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_distinct_times_are_those_of_the_histogram(times_us):
    run = run_of([(0, "json", "ok", "response", int(us), 1) for us in bucketed(np.array(times_us, np.int64))])

    found = view(run).times["response"]

    assert found.value_us.tolist() == np.unique(run.samples.value_us).tolist()
    assert found.value_us[found.at].tolist() == run.samples.value_us.tolist()


@given(st.lists(st.integers(1, 10**9), min_size=1))
def test_times_that_no_histogram_recorded_are_drawn_within_a_thousandth(times_us):
    run = run_of([(0, "json", "ok", "response", us, 1) for us in times_us])

    found = view(run).times["response"]

    assert (np.diff(found.value_us) > 0).all()
    np.testing.assert_allclose(found.value_us[found.at], times_us, rtol=0.001)


def test_requests_are_counted_by_step_by_bound_and_by_time():
    rows = [*measured(0, "ok", 100, 3), *measured(1, "ok", 200, 5), *measured(9, "gateway_timeout", 41_000_000, 7)]
    found = view(run_of([*rows, *measured(9, "throttled", 1, 9)])).times["response"]

    assert found.value_us.tolist() == [100, 200, 41_000_000]
    assert found.counted(steps_of(10, 5)).tolist() == [[[3, 5, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 7]]]
    assert found.within(1, 9).tolist() == [[0, 5, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("rows", "timeline", "seconds"),
    [
        ([], NO_TIMELINE, 0),
        (measured(4, "ok", 100, 1), NO_TIMELINE, 5),
        (measured(4, "ok", 100, 1), timeline_of(8), 8),
    ],
)
def test_a_picture_reaches_to_the_last_second_recorded(rows, timeline, seconds):
    assert view(run_of(rows, timeline)).seconds == seconds


def test_the_service_stands_for_a_request_where_no_response_was_measured():
    unmeasured = [(0, "json", "ok", "response", -1, 1), (0, "json", "ok", "service", 100, 1)]

    assert view(run_of(unmeasured)).shown == "service"
    assert view(run_of(measured(0, "ok", 100, 1))).shown == "response"
    assert view(run_of([])).shown is None


def test_a_timeout_that_came_at_once_is_drawn_at_the_limit():
    found = view(run_of([*measured(0, "ok", 50_000, 9), *measured(0, "gateway_timeout", 1_000, 9)]))

    assert found.times["response"].value_us.tolist() == [50_000, 40_000_000]
    assert found.populations["response"].at_least_s(18) == 40.0
