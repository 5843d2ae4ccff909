import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_by_hand import samples_of

from analysis.percentiles import nearest_rank
from analysis.population import bounded, distinct, main_measure, population_of
from analysis.run_format import bucketed
from analysis.totals import ROWS


def of(measure, *rows):
    return population_of(samples_of(*[(0, "a", outcome, m, value, n) for outcome, m, value, n in rows]), measure)


def test_ranks_walk_through_the_sorted_weighted_times():
    population = of("response", ("ok", "response", 3_000_000, 1), ("ok", "response", 1_000_000, 2))

    assert population.n == 3
    assert [population.at_least_s(rank) for rank in (1, 2, 3)] == [1.0, 1.0, 3.0]
    assert [population.at_most_s(rank) for rank in (1, 2, 3)] == [1.0, 1.0, 3.0]


@pytest.mark.parametrize("outcome", ["gateway_timeout", "client_timeout", "unfinished"])
def test_a_request_that_waited_in_vain_counts_as_at_least_that(outcome):
    population = of("response", ("ok", "response", 5_000_000, 1), (outcome, "response", 2_000_000, 1))

    assert [population.at_least_s(1), population.at_least_s(2)] == [2.0, 5.0]
    assert [population.at_most_s(1), population.at_most_s(2)] == [5.0, None]


@pytest.mark.parametrize("outcome", ["oversize", "throttled", "unauthorized", "server_error", "bad_answer", "dropped"])
def test_a_rejection_is_not_a_latency(outcome):
    assert of("response", ("ok", "response", 5, 1), (outcome, "response", 1, 9)).n == 1


def test_lateness_is_exact_and_of_every_request_sent():
    population = of("lateness", ("throttled", "lateness", 1_000_000, 1), ("unfinished", "lateness", 2_000_000, 1))

    assert population.n == 2
    assert population.at_most_s(2) == 2.0


def test_the_models_part_is_at_least_that_where_the_gateway_stopped_waiting():
    population = of("backend", ("ok", "backend", 0, 1), ("gateway_timeout", "backend", 2_000_000, 1))

    assert [population.at_least_s(1), population.at_least_s(2)] == [0.0, 2.0]
    assert [population.at_most_s(1), population.at_most_s(2)] == [0.0, None]


def test_the_gateways_own_part_is_exact():
    population = of("gateway", ("ok", "gateway", 1_000, 1), ("gateway_timeout", "gateway", 2_000_000, 1))

    assert population.at_most_s(2) == 2.0


@pytest.mark.parametrize("measure", ["gateway", "backend"])
def test_a_rejection_is_no_part_of_what_the_gateway_says(measure):
    assert of(measure, ("ok", measure, 5, 1), ("throttled", measure, 1, 9)).n == 1


def test_a_request_that_was_not_measured_has_no_latency():
    assert of("service", ("ok", "service", -1, 4), ("ok", "response", 5, 4)).n == 0


def test_a_row_that_counts_nothing_is_no_request():
    population = of("response", ("gateway_timeout", "response", 9_000_000, 0), ("ok", "response", 5_000_000, 1))

    assert population.n == 1
    assert population.at_least_s(1) == 5.0


@pytest.mark.parametrize(
    ("response", "service", "measure"), [(1, 1, "response"), (0, 1, "service"), (0, 0, "response")]
)
def test_latency_means_the_response_where_there_is_one(response, service, measure):
    samples = samples_of((0, "a", "ok", "response", 5, response), (0, "a", "ok", "service", 5, service))

    assert main_measure({name: population_of(samples, name) for name in ("response", "service")}) == measure


@pytest.mark.parametrize("limit_s", [None, 2.0])
@pytest.mark.parametrize("measure", ["response", "service", "first_byte", "backend"])
def test_a_timeout_that_came_at_once_counts_as_at_least_the_limit_and_the_slowest_answer(measure, limit_s):
    samples = samples_of(
        (0, "a", "ok", measure, 3_000_000, 1),
        (0, "a", "gateway_timeout", measure, 1_000, 1),
        (0, "a", "client_timeout", measure, 45_000_000, 1),
        (0, "a", "client_timeout", measure, 2_000_000, 1),
        (0, "a", "unfinished", measure, 1_000, 1),
    )

    assert bounded(samples, limit_s).value_us.tolist() == [3_000_000, 3_000_000, 45_000_000, 3_000_000, 1_000]
    assert bounded(samples, 40.0).value_us.tolist() == [3_000_000, 40_000_000, 45_000_000, 3_000_000, 1_000]


@pytest.mark.parametrize("measure", ["lateness", "upload", "connect", "gateway"])
def test_what_does_not_end_with_the_answer_is_left_as_it_was(measure):
    samples = samples_of((0, "a", "gateway_timeout", measure, 1_000, 1))

    assert bounded(samples, 40.0).value_us.tolist() == [1_000]


TIMES = st.lists(
    st.tuples(st.sampled_from(["ok", "gateway_timeout"]), st.integers(0, 5 * 10**7)), min_size=1, max_size=60
)


@given(TIMES, st.integers(0, 5 * 10**7), st.sampled_from([None, 0.5, 40.0]), st.integers(1, 99))
def test_adding_a_timeout_never_lowers_a_percentile_however_fast_it_came(rows, added_us, limit_s, percent):
    """Where it was a bound already, the bound may become another one, but not one below the slowest answer."""
    before, after = (
        population_of(bounded(samples_of(*[(0, "a", o, "response", us, 1) for o, us in these]), limit_s), "response")
        for these in (rows, [*rows, ("gateway_timeout", added_us)])
    )
    ranks = (nearest_rank(before.n, percent / 100), nearest_rank(after.n, percent / 100))
    was_s, is_s = before.at_least_s(ranks[0]), after.at_least_s(ranks[1])
    slowest_s = max((us / 1e6 for outcome, us in rows if outcome == "ok"), default=0.0)

    assert is_s >= min(was_s, max(slowest_s, limit_s or 0.0, added_us / 1e6))
    assert is_s >= was_s or before.at_most_s(ranks[0]) is None


@given(TIMES, st.sampled_from(["oversize", "throttled", "server_error"]), st.integers(0, 5 * 10**7))
def test_adding_a_rejection_never_changes_a_percentile(rows, outcome, added_us):
    before, after = (
        population_of(bounded(samples_of(*[(0, "a", o, "response", us, 1) for o, us in these]), 40.0), "response")
        for these in (rows, [*rows, (outcome, added_us)])
    )

    assert after.value_us.tolist() == before.value_us.tolist()
    assert after.bounds_rank.tolist() == before.bounds_rank.tolist()


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64])
@pytest.mark.parametrize("recorded", [bucketed, np.copy], ids=["as a histogram", "to the microsecond"])
def test_distinct_times_are_ascending_and_each_row_has_its_own(recorded, dtype):
    """Of a histogram or not, and of so many rows that they are gone through in pieces."""
    times_us = recorded(np.random.default_rng(1).integers(0, 200_000_000, 3 * ROWS)).astype(dtype)
    found, at = distinct(times_us)

    assert (np.diff(found) > 0).all()
    assert np.bincount(at, minlength=len(found)).min() > 0
    assert (found[at] == times_us).all()
