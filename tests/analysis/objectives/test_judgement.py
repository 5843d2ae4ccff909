import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_by_chance import SIGMA, no_timeline, random_run, true_percentile_s
from made_by_hand import manifest_of, samples_of

from analysis.objectives.judgement import MET, MISSED, UNDECIDED, judged, verdict
from analysis.objectives.objective import objective
from analysis.percentiles import estimates
from analysis.population import population_of
from analysis.run import Run, Source

SECONDS = 30


def run_of(*rows, seconds=SECONDS, **manifest):
    """A run of these rows, (second, name, outcome, measure, value_us, count)."""
    return Run(manifest_of(load={"duration_s": float(seconds)}, **manifest), samples_of(*rows), no_timeline(), [])


def steady(*rows, seconds=SECONDS):
    """The same rows in every second: (name, outcome, measure, value_us, count)."""
    return run_of(*((second, *row) for second in range(seconds) for row in rows), seconds=seconds)


def judge(run, *texts, window=None, confidence=0.95):
    end_s = math.ceil(run.duration_s or 0)
    return judged([objective(text) for text in texts], run, window or (0, end_s), "response", confidence)


def result(run, text, **more):
    [found] = judge(run, text, **more)
    return found.result


HALF = steady(("a", "ok", "response", 100_000, 50), ("a", "ok", "response", 200_000, 50))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p90<201ms", MET),
        ("p90<200ms", MISSED),
        ("p90<=200ms", MET),
        ("p90>200ms", MISSED),
        ("p90>=200ms", MET),
        ("p10<101ms", MET),
        ("p50<150ms", UNDECIDED),  # half of them are: the interval reaches from 100 to 200
        ("mean<150ms", UNDECIDED),
        ("mean<160ms", MET),
        ("mean>160ms", MISSED),
        ("rate>=100/s", MET),
        ("rate>100/s", MISSED),
        ("ok_rate<=100/s", MET),
        ("errors<1%", MET),
        ("errors<=0%", MET),
        ("ok>=100%", MET),
        ("ok>99.9%", UNDECIDED),  # 3,000 of 3,000: 99.87 % is possible
        ("timeouts>1%", MISSED),
        ("p99.9<1s", UNDECIDED),
        ("service.p50<1s", UNDECIDED),  # not measured
        ("p50<1s of b", UNDECIDED),
        ("p90<=200ms of a", MET),
        ("p90<=200ms in every 10s", MET),
        ("p90<200ms in every 10s", MISSED),
        ("p90<1s in every 31s", UNDECIDED),  # there is no such part
    ],
)
def test_an_objective_is_met_or_missed_by_the_whole_interval(text, expected):
    assert result(HALF, text) == expected


def test_what_was_not_measured_decides_nothing_and_is_no_number():
    [found] = judge(HALF, "service.p50<1s")

    assert (found.n, found.value, found.low, found.high, found.needs_s) == (0, None, None, None, None)


@pytest.mark.parametrize("run", [run_of(), run_of((0, "a", "dropped", "response", -1, 5), seconds=1)])
@pytest.mark.parametrize("text", ["p99<1s", "mean<1s", "rate>1/s", "p50<1s in every 1s"])
def test_an_empty_run_meets_nothing(run, text):
    assert result(run, text) in (UNDECIDED, MISSED if text.startswith("rate") else UNDECIDED)


def test_a_timeout_is_at_least_the_limit():
    run = steady(("a", "ok", "response", 100_000, 90), ("a", "gateway_timeout", "response", 1_000, 10))

    assert result(run, "p95<1s") == MISSED
    assert result(run, "p80<1s") == MET
    assert result(run, "p95>39s") == MET  # the gateway's limit is 40 s
    assert result(run, "p95<=40s") == UNDECIDED  # nobody knows how much longer
    assert result(run, "timeouts<5%") == MISSED
    [mean] = judge(run, "mean<5s")
    assert (mean.censored, mean.high, mean.result, mean.needs_s) == (True, None, UNDECIDED, None)
    assert result(run, "mean<3s") == MISSED


def test_one_end_of_the_interval_is_enough_to_miss():
    """50 requests support no p99, but all of them are too slow."""
    run = run_of(*((second, "a", "ok", "response", 900_000, 5) for second in range(10)), seconds=10)

    assert result(run, "p99<800ms") == MISSED
    assert result(run, "p99<1s") == UNDECIDED


def test_shares_are_of_the_whole_run_and_latencies_of_the_window():
    rows = [(second, "a", "ok", "response", 100_000, 100) for second in range(10, 30)]
    run = run_of(*((second, "a", "throttled", "response", 1_000, 100) for second in range(10)), *rows)

    share, rate = judge(run, "throttled<50%", "ok_rate>=100/s", window=(10, 30))
    assert (share.n, share.value) == (3000, pytest.approx(1 / 3))
    assert (rate.n, rate.value) == (2000, 100.0)


def test_the_worst_part_is_shown():
    rows = [(second, "a", "ok", "response", 100_000 if second < 20 else 900_000, 100) for second in range(30)]
    [found] = judge(run_of(*rows), "p50<500ms in every 10s")

    assert (found.result, found.value, found.every_s, found.n) == (MISSED, 0.9, 10.0, 1000)


def test_the_objective_that_stopped_a_run_was_missed():
    run = run_of(
        *((second, "a", "ok", "response", 100_000, 100) for second in range(30)), stopped_by="p50<1s over 5s stop"
    )

    assert [found.result for found in judge(run, "p50<1s over 5s stop", "p90<1s")] == [MISSED, MET]


def test_an_aggregate_without_intervals_decides_nothing():
    run = Run(HALF.manifest, HALF.samples, HALF.timeline, [], source=Source("Locust", (), known=(Fraction(9, 10),)))

    assert result(run, "p90<1s") == UNDECIDED


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), "none"),
        (("p90<1s",), "pass"),
        (("p90<1s", "p99.9<1s"), "undecided"),
        (("p90<1s", "p99.9<1s", "p90<1ms"), "fail"),
    ],
)
def test_one_missed_objective_is_enough_to_fail(results, expected):
    assert verdict(judge(HALF, *results)) == expected


def test_the_interval_is_that_of_the_reports_table():
    run = random_run(5, seconds=120, per_s=50, slow=0.2, rho=0.5)
    [found] = judge(run, "p90<1s")
    [estimate] = estimates(population_of(run.bounded, "response"), [Fraction(9, 10)])

    assert (found.value, found.low, found.high) == (estimate.value_s, estimate.low_s, estimate.high_s)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 29),
        st.just("a"),
        st.sampled_from(["ok", "gateway_timeout", "throttled"]),
        st.just("response"),
        st.integers(1, 10**6),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=40,
)
TEXTS = ("p50<500ms", "p99<500ms", "mean<500ms", "timeouts<20%", "errors<20%")


@given(ROWS, st.randoms())
def test_the_order_of_rows_changes_nothing(rows, random):
    mixed = rows.copy()
    random.shuffle(mixed)

    assert judge(run_of(*mixed), *TEXTS) == judge(run_of(*rows), *TEXTS)


@given(ROWS, st.sampled_from(["p50{}500ms", "p99{}500ms", "mean{}500ms", "errors{}20%"]))
def test_an_objective_and_its_opposite_are_never_both_met(rows, text):
    one, other = judge(run_of(*rows), text.format("<"), text.format(">="))

    assert (one.result, other.result) in ((MET, MISSED), (MISSED, MET), (UNDECIDED, UNDECIDED))


@given(ROWS, st.integers(0, 29))
def test_a_timeout_more_never_turns_missed_into_met(rows, second):
    more = [*rows, (second, "a", "gateway_timeout", "response", 5, 1)]
    for before, after in zip(judge(run_of(*rows), *TEXTS), judge(run_of(*more), *TEXTS), strict=True):
        if before.figure in ("p50", "p99", "timeouts"):
            assert (before.result, after.result) != (MISSED, MET)


# ---- how often it is right

RUNS = 200


def results_of(texts_of, **how):
    """Judge RUNS seeded runs of 120 s."""
    found = Counter()
    for seed in range(RUNS):
        run = random_run(seed, seconds=120, per_s=20, **how)
        found[result(run, texts_of)] += 1
    return found


KINDS = [{}, {"slow": 0.2, "rho": 0.5}]


@pytest.mark.parametrize("how", KINDS, ids=["independent", "correlated"])
@pytest.mark.parametrize("figure", ["p90", "mean", "throttled"])
def test_at_its_limit_a_run_is_mostly_not_decided(figure, how):
    slow = how.get("slow", 0.0)
    truth_s = {
        "p90": true_percentile_s(0.9, slow=slow),
        "mean": 0.1 * math.exp((SIGMA**2 + slow**2) / 2),
    }
    text = "throttled<10%" if figure == "throttled" else f"{figure}<{1e6 * truth_s[figure]:.0f}us"
    found = results_of(text, failed=0.1 if figure == "throttled" else 0.0, **how)

    assert found[UNDECIDED] >= 0.9 * RUNS
    assert max(found[MET], found[MISSED]) <= 0.07 * RUNS


@pytest.mark.parametrize("how", KINDS, ids=["independent", "correlated"])
@pytest.mark.parametrize(("factor", "expected"), [(1 / 0.8, MET), (0.8, MISSED)])
def test_a_fifth_away_from_its_limit_a_run_is_decided(factor, expected, how):
    truth_s = true_percentile_s(0.9, slow=how.get("slow", 0.0))

    assert results_of(f"p90<{1e6 * truth_s * factor:.0f}us", **how)[expected] >= 0.95 * RUNS


def test_a_run_as_long_as_it_says_decides_in_about_half_of_all_cases():
    truth_s, decided, needs = true_percentile_s(0.9), 0, []
    text = f"p90<{1e6 * truth_s * 1.06:.0f}us"
    for seed in range(60):
        [found] = judge(random_run(seed, seconds=20, per_s=20), text)
        if found.result == UNDECIDED and found.needs_s is not None:
            needs.append(found.needs_s)
    for seed in range(60):
        length = math.ceil(np.median(needs))
        decided += result(random_run(1000 + seed, seconds=length, per_s=20), text) != UNDECIDED

    assert 0.3 <= decided / 60 <= 0.95
