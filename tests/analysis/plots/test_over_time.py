import numpy as np
import pytest
from viewed_by_hand import measured, run_of, timeline_of, view

from analysis.plots.over_time import (
    in_flight_of,
    latency_of,
    latency_steps,
    picture,
    rates_of,
    reading,
)
from analysis.plots.steps import Steps
from analysis.run import Source

RNG = np.random.default_rng(7)
TIMES_US = RNG.lognormal(np.log(80_000), 0.5, (100, 50)).astype(int)
BUSY = run_of(
    [row for s, of_second in enumerate(TIMES_US) for us in of_second for row in measured(s, "ok", int(us), 1)]
)


def test_percentiles_of_each_step_are_numpys():
    """50 requests support p50 and p90 (36 are needed), not p99."""
    lines = latency_of(view(BUSY))
    exact = {name: np.quantile(TIMES_US, q, axis=1, method="inverted_cdf") for name, q in (("p50", 0.5), ("p90", 0.9))}

    assert list(lines.values) == ["p50", "p90", "slowest"]
    assert lines.steps == Steps(1, 100)
    for name, expected_us in exact.items():
        np.testing.assert_allclose(lines.values[name], expected_us / 1e6, rtol=0.001)
    np.testing.assert_allclose(lines.values["slowest"], TIMES_US.max(axis=1) / 1e6, rtol=0.001)


def test_a_step_without_enough_requests_is_a_gap():
    """6 requests support a median, 5 do not; second 2 has none at all."""
    rows = [*measured(0, "ok", 80_000, 6), *measured(1, "ok", 80_000, 5), *measured(3, "ok", 90_000, 6)]
    lines = latency_of(view(run_of(rows)))

    assert lines.values["p50"].tolist() == pytest.approx([0.08, np.nan, np.nan, 0.09], nan_ok=True)
    assert lines.values["slowest"].tolist() == pytest.approx([0.08, 0.08, np.nan, 0.09], nan_ok=True)


def test_a_percentile_among_timeouts_is_a_bound():
    rows = [*measured(0, "ok", 80_000, 9), *measured(1, "gateway_timeout", 40_000_000, 9)]
    lines = latency_of(view(run_of(rows)))

    assert lines.bounds["p50"].tolist() == [False, True]
    assert reading([lines]) == "Second by second, the median was 80 ms to 40 s or more."


@pytest.mark.parametrize(
    ("seconds", "n", "width_s"),
    [
        (100, 50_000, 1),  # 500 a second: enough for p99
        (100, 10_000, 5),  # 100 a second: 4 s for 368
        (110, 4_400, 1),  # 40 a second: p99 would leave 11 steps
        (60, 60, 1),  # 1 a second: not even p90
        (3_600, 3_600_000, 30),
    ],
)
def test_steps_are_long_enough_for_a_high_percentile_while_enough_of_them_remain(seconds, n, width_s):
    assert latency_steps(seconds, n, 0.95).width_s == width_s


def test_a_second_that_was_not_recorded_is_a_gap_and_not_0():
    timeline = timeline_of(5, 4, second=np.array([0, 1, 2, 6, 7]), planned=np.array([4, 4, 0, 4, 8]))
    rates = rates_of(view(run_of([], timeline))).values

    assert rates["planned"].tolist() == pytest.approx([4, 4, 0, np.nan, np.nan, np.nan, 4, 8], nan_ok=True)
    assert rates["target"].tolist() == pytest.approx([4, 4, 4, np.nan, np.nan, np.nan, 4, 4], nan_ok=True)


def test_another_tools_requests_are_counted_where_it_has_no_timeline():
    rows = [(s, "json", "ok", "response", 90_000, 1 + s) for s in range(3)]
    seen = view(run_of(rows, source=Source("JMeter JTL", ())))

    assert {name: line.tolist() for name, line in rates_of(seen).values.items()} == {"requests": [1, 2, 3]}
    assert in_flight_of(seen).values == {}
    assert [axes.get_title() for axes in picture(seen).figure.axes] == [
        "Response time",
        "Requests per second",
    ]


def test_what_a_timeline_never_counts_is_not_drawn():
    none = np.zeros(3, np.int64)
    seen = view(run_of([], timeline_of(3, planned=none, sent=none, in_flight=none, target_per_s=np.full(3, np.nan))))

    assert list(rates_of(seen).values) == ["finished"]
    assert in_flight_of(seen).values == {}


def test_the_reading_says_the_range_of_the_median_and_the_highest_rates():
    seen = view(run_of([row for s in range(9) for row in measured(s, "ok", 80_000 + s * 1_000, 9)], timeline_of(9, 9)))

    assert picture(seen).reading == (
        "Second by second, the median was 80 to 88 ms; at most 9 sent and 9 finished per second; at most 4 in flight."
    )


@pytest.mark.parametrize(("sent", "shown"), [([5, 5, 5], ["finished"]), ([6, 5, 4], ["sent", "finished"])])
def test_of_another_tool_no_plan_is_drawn_nor_a_sending_that_it_did_not_record(sent, shown):
    """k6 and Locust's --csv say when requests ended: sent, planned and in flight only repeat that."""
    timeline = timeline_of(3, sent=np.array(sent), in_flight=np.zeros(3, np.int64))
    seen = view(run_of([], timeline, source=Source("k6 CSV", ())))

    assert list(rates_of(seen).values) == shown
    assert in_flight_of(seen).values == {}
