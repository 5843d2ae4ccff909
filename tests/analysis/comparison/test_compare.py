"""Hand-made pairs with answers worked out, and pairs drawn by chance whose truth is known."""

from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest
from made_by_chance import random_run, run_of, side_of, true_percentile_s

from analysis.comparison.compare import TOLERANCE, compare
from analysis.comparison.measured import AGGREGATE, BOOTSTRAP, ORDER_STATISTICS
from analysis.percentiles import estimates
from analysis.population import population_of
from analysis.run import Source
from analysis.samples import OUTCOMES

OK, TIMEOUT, THROTTLED = (OUTCOMES.index(name) for name in ("ok", "gateway_timeout", "throttled"))


def constant_run(*parts, seconds=20, measures=("response",), **manifest):
    """In each second `count` requests of `value_us` and outcome for each of *parts*."""
    columns = [
        (second, value_us, outcome)
        for second in range(seconds)
        for value_us, outcome, count in parts
        for _ in range(count)
    ]
    second, value_us, outcome = (np.array(column) for column in zip(*columns, strict=True))
    return run_of(second, value_us, outcome, measures, seconds, **manifest)


def compared(one, two, tolerance=TOLERANCE, **choices):
    return compare(side_of(one, **choices), side_of(two, **choices), tolerance)


def figures(one, two, tolerance=TOLERANCE):
    return {f"{each.kind} {each.name}": each for each in compared(one, two, tolerance).figures}


def test_a_slower_run_is_slower_by_as_much():
    found = figures(constant_run((100_000, OK, 100)), constant_run((120_000, OK, 100)))["response p99"]

    assert (found.baseline, found.other) == (pytest.approx(0.1), pytest.approx(0.12))
    assert [found.difference.low, found.difference.value, found.difference.high] == pytest.approx([0.02] * 3, rel=1e-3)
    assert [found.share.low, found.share.value, found.share.high] == pytest.approx([0.2] * 3, rel=1e-2)
    assert (found.judgement, found.worse, found.significant, found.longer) == ("slower", True, True, None)


@pytest.mark.parametrize(
    ("factor", "tolerance", "judgement"),
    [(1.2, 0.05, "slower"), (0.8, 0.05, "faster"), (1.04, 0.05, "same"), (1.04, 0.0, "slower"), (1.2, 0.25, "same")],
)
def test_what_does_not_matter_is_the_same(factor, tolerance, judgement):
    two = constant_run((round(factor * 100_000), OK, 100))

    assert figures(constant_run((100_000, OK, 100)), two, tolerance=tolerance)["response p50"].judgement == judgement


def test_a_run_is_the_same_as_itself_whatever_it_holds():
    for run in (
        random_run(1, failed=0.2),
        random_run(1, seconds=3),
        constant_run((40_000_000, TIMEOUT, 90), (1, OK, 9)),
    ):
        found = compared(run, run).figures
        known = [each for each in found if each.baseline is not None]

        assert len(known) >= 4
        assert {(each.judgement, each.difference.value, each.p_value) for each in known} == {("same", 0.0, 1.0)}
        assert not any(each.difference.low or each.difference.high for each in known)


def test_the_same_runs_give_the_same_figures():
    one, two = random_run(1), random_run(2)

    assert compared(one, two) == compared(one, two)


@pytest.mark.parametrize("seconds", [40, 5])
def test_exchanging_the_runs_turns_every_difference_around(seconds):
    one, two = random_run(1, seconds=seconds, failed=0.1), random_run(2, seconds=seconds, failed=0.15, scale_s=0.12)
    there, back = figures(one, two), figures(two, one)
    opposite = {"slower": "faster", "more": "fewer", "fewer": "more", "faster": "slower"}

    assert there["response p50"].judgement == "slower"
    for name, each in there.items():
        other = back[name]
        if each.difference.value is not None:
            ends = each.difference
            assert [-other.difference.high, -other.difference.value, -other.difference.low] == pytest.approx(
                [ends.low, ends.value, ends.high]
            )
            assert each.p_value == pytest.approx(other.p_value)
            if each.judgement in opposite and other.judgement in opposite:
                assert other.judgement == opposite[each.judgement]


def test_service_time_stands_in_where_there_is_no_response():
    unmeasured = constant_run((100_000, OK, 100), measures=("service",))
    both = constant_run((100_000, OK, 100), measures=("response", "service"))

    assert {name.split()[0] for name in figures(unmeasured, unmeasured)} == {"service", "rate"}
    assert {name.split()[0] for name in figures(both, both)} == {"response", "service", "rate", "outcome"}


def test_the_rate_of_good_answers_and_the_outcomes_are_compared():
    found = figures(constant_run((1_000, OK, 50)), constant_run((1_000, OK, 40), (900, THROTTLED, 10)))
    rate, ok, throttled = found["rate ok_per_s"], found["outcome ok"], found["outcome throttled"]

    assert (rate.baseline, rate.other, rate.difference.value, rate.share.value) == (50, 40, -10, pytest.approx(-0.2))
    assert (ok.baseline, ok.other, throttled.difference.value) == (1, 0.8, pytest.approx(0.2))
    assert throttled.share.value is None
    assert [each.judgement for each in (rate, ok, throttled)] == ["fewer", "fewer", "more"]
    assert all(each.worse for each in (rate, ok, throttled))


def test_fewer_failures_and_more_good_answers_are_not_worse():
    found = compared(constant_run((1_000, OK, 40), (900, THROTTLED, 10)), constant_run((1_000, OK, 50)))

    assert {each.judgement for each in found.figures if each.kind != "response"} == {"more", "fewer"}
    assert found.worse == []


def test_no_failure_in_few_requests_is_no_proof():
    """0 and 4 of 400: by Fisher's exact test they differ with p = 0.12, though the resamples of the first vary by 0."""
    one, two = constant_run((1_000, OK, 20)), random_run(1, seconds=20, per_s=20)
    outcome = two.samples.outcome.copy()
    outcome[[50, 100, 150, 200]] = THROTTLED
    two = replace(two, samples=replace(two.samples, outcome=outcome))
    found = figures(one, two)["outcome throttled"]

    assert found.difference.value == pytest.approx(0.01, rel=0.3)
    assert found.difference.low < 0
    assert found.judgement == "not decided"
    assert found.longer > 1


CENSORED = constant_run((1_000_000, OK, 60), (40_000_000, TIMEOUT, 40))
EXACT = constant_run((1_000_000, OK, 60), (2_000_000, OK, 40))


def test_a_timeout_against_a_time_shows_the_sign_and_a_bound():
    found = figures(EXACT, CENSORED)["response p99"]

    assert (found.baseline_censored, found.other_censored) == (False, True)
    assert found.difference.value == pytest.approx(38, rel=1e-3)
    assert found.difference.low == pytest.approx(38, rel=1e-3)
    assert found.difference.high is None
    assert found.share.high is None
    assert (found.judgement, found.worse) == ("slower", True)


def test_a_time_against_a_timeout_is_faster_by_at_least_a_bound():
    found = figures(CENSORED, EXACT)["response p99"]

    assert found.difference.value == pytest.approx(-38, rel=1e-3)
    assert (found.difference.low, found.share.low) == (None, None)
    assert found.judgement == "faster"


def test_two_timeouts_decide_nothing():
    two = constant_run((1_000_000, OK, 50), (30_000_000, TIMEOUT, 50))
    found = figures(CENSORED, two)["response p99"]

    assert (found.difference.value, found.p_value, found.judgement) == (None, None, "not decided")
    assert found.note == "both are only known to be at least this"


def test_a_timeout_that_is_barely_above_a_time_decides_nothing():
    two = constant_run((1_000_000, OK, 60), (2_020_000, TIMEOUT, 40))
    two = replace(two, manifest=two.manifest | {"gateway": {"timeout_s": 2.02}})
    found = figures(EXACT, two)["response p99"]

    assert (found.judgement, found.difference.high, found.longer) == ("not decided", None, None)


def test_too_few_requests_for_a_percentile_are_said():
    found = figures(random_run(1, per_s=5), random_run(2, per_s=50))["response p99"]

    assert (found.baseline, found.judgement, found.p_value) == (None, "not decided", None)
    assert found.other is not None
    assert found.note == "the baseline has 300 of the 368 latencies that p99 takes"


def test_runs_without_good_answers_have_only_outcomes():
    failed = constant_run((900, THROTTLED, 10))
    found = figures(failed, constant_run((100_000, OK, 100)))

    assert found["response p50"].note == "the baseline has no latencies"
    assert found["outcome ok"].judgement == "more"
    assert found["rate ok_per_s"].share.value is None  # of a rate of 0


def test_an_empty_window_is_compared_with_nothing():
    run = random_run(1)
    nothing = run.manifest | {"load": run.manifest["load"] | {"duration_s": None}}
    empty = replace(run, manifest=nothing, samples=run.samples.where(run.samples.second < 0))
    found = compared(run, empty)

    assert {each.judgement for each in found.figures} == {"not decided"}


def test_short_runs_are_compared_by_their_own_intervals():
    """The distances to the ends are the roots of the summed squares of those of both runs (MOVER)."""
    one, two = random_run(1, seconds=8), random_run(2, seconds=8)
    comparison = compared(one, two)
    found = next(each for each in comparison.figures if each.name == "p50")
    long = compared(random_run(1), random_run(2))
    found_alone = [estimates(population_of(run.samples, "response"), [Fraction(1, 2)])[0] for run in (one, two)]

    assert (comparison.method, long.method) == (ORDER_STATISTICS, BOOTSTRAP)
    assert compared(one, random_run(2)).method == ORDER_STATISTICS
    before, after = found_alone
    value_s = after.value_s - before.value_s
    below = np.hypot(after.value_s - after.low_s, before.high_s - before.value_s)
    above = np.hypot(after.high_s - after.value_s, before.value_s - before.low_s)
    assert [found.difference.low, found.difference.high] == pytest.approx([value_s - below, value_s + above])


@pytest.mark.parametrize(
    ("one", "two", "ends"),
    [
        ((48, 80), (56, 70), (0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.1705, 0.8090)),
        ((2, 7), (6, 7), (0.0582, 0.8062)),
        ((0, 29), (5, 56), (-0.0381, 0.1926)),
        ((0, 20), (10, 10), (0.6791, 1.0)),
    ],
)
def test_a_share_of_a_short_run_has_newcombes_interval(one, two, ends):
    """Table II of Newcombe, Statistics in Medicine 17, 1998: method 10."""
    runs = [constant_run((1_000, THROTTLED, k), (900, OK, n - k), seconds=1) for k, n in (one, two)]
    found = figures(*runs)["outcome throttled"].difference

    assert [found.low, found.high] == pytest.approx(ends, abs=1e-4)


@pytest.mark.parametrize("seconds", [8, 20])
def test_a_rate_is_never_more_than_100_percent_less(seconds):
    one, two = random_run(1, seconds=seconds, per_s=2), random_run(2, seconds=seconds, per_s=2, failed=0.9)
    found = figures(one, two)["rate ok_per_s"]

    assert found.judgement == "fewer"
    assert -1 <= found.share.low <= found.share.value <= found.share.high < 0


def test_what_only_the_number_of_figures_leaves_open_says_so():
    one, two = random_run(1, seconds=20), random_run(4, seconds=20, scale_s=0.11)
    tested = [each for each in compared(one, two).figures if each.p_value is not None]
    noted = [each for each in tested if each.note]

    assert noted
    for each in noted:
        assert each.note == f"not clear enough among {len(tested)} figures"
        assert (each.judgement, each.significant) == ("not decided", False)
        assert each.difference.low > 0
        assert each.difference.value > each.matters


def test_an_aggregate_has_values_but_decides_nothing():
    source = Source("Locust statistics", (), known=(Fraction(1, 2),))
    one, two = (replace(random_run(seed), source=source) for seed in (1, 2))
    comparison = compared(one, two)
    found = {each.name: each for each in comparison.figures}

    assert comparison.method == AGGREGATE
    assert found["p50"].difference.value is not None
    assert found["p50"].difference.low is None
    assert found["p99"].note == "both have no p99 in its file"
    assert {each.judgement for each in comparison.figures} == {"not decided"}


def test_a_figure_says_how_much_longer_runs_would_decide_it():
    """As many times as long as the open figure says, the same difference is decided."""
    found = figures(random_run(1), random_run(2, scale_s=0.101))["response p99"]

    assert found.judgement == "not decided"
    assert 2 < found.longer < 20


def test_only_the_chosen_percentiles_are_compared():
    names = {each.name for each in compared(random_run(1), random_run(2), percentiles={"p75": Fraction(3, 4)}).figures}

    assert names == {"p75", "ok_per_s", "ok"}


def test_a_comparison_is_plain_values():
    assert asdict(compared(random_run(1), random_run(2)))["figures"][0]["difference"].keys() == {
        "value",
        "low",
        "high",
    }


SHORT = {"seconds": 30, "per_s": 30}


@pytest.mark.parametrize("dependent", [{}, {"rho": 0.5, "slow": 0.1}], ids=["independent", "correlated"])
def test_equal_runs_seldom_differ_and_intervals_hold_the_truth(dependent):
    """Of 40 equal pairs one expects 2 with a difference at most, and of 160 intervals 152 that hold the 0."""
    significant, held, intervals = 0, 0, 0
    for seed in range(40):
        found = compared(*(random_run((seed, number), **SHORT, **dependent) for number in (0, 1)))
        times = [each for each in found.figures if each.kind == "response" and each.p_value is not None]
        significant += any(each.significant for each in found.figures)
        held += sum(each.difference.low <= 0 <= each.difference.high for each in times)
        intervals += len(times)

    assert significant <= 2
    assert 0.9 <= held / intervals <= 0.99


def test_a_slower_service_is_found_and_its_interval_holds_the_truth():
    found, held = 0, 0
    truth_s = 0.2 * true_percentile_s(0.9)
    for seed in range(20):
        comparison = figures(random_run((seed, 0)), random_run((seed, 1), scale_s=0.12))
        found += any(each.judgement == "slower" for each in comparison.values())
        held += comparison["response p90"].difference.low <= truth_s <= comparison["response p90"].difference.high

    assert found == 20
    assert held >= 17


def test_a_window_that_is_mostly_empty_is_not_drawn_anew():
    """Resamples of it would hold no request at all."""
    second = np.repeat([0, 11], 500)
    run = run_of(second, np.full(1000, 100_000), np.full(1000, OK), ("response", "service"), 12)

    assert compared(run, run).method == ORDER_STATISTICS


def test_a_percentile_of_a_few_seconds_is_not_drawn_anew():
    """All requests of the other seconds were refused: resamples without these seconds have no such percentile."""
    second, refused = np.repeat([0, 40], 500), np.repeat(np.arange(60), 10)
    run = run_of(
        np.concatenate([second, refused]),
        np.full(1600, 100_000),
        np.concatenate([np.full(1000, OK), np.full(600, OUTCOMES.index("throttled"))]),
        ("response", "service"),
        60,
    )
    side = side_of(run)

    assert side.method == BOOTSTRAP
    assert side.times["response"]["p50"].drawn_low is None
    assert np.isfinite(side.share("throttled").drawn_low).all()


def test_timeouts_that_come_at_once_make_a_run_slower_and_not_faster():
    slow = constant_run((50_000, OK, 40), (1_000, TIMEOUT, 60))
    found = figures(constant_run((50_000, OK, 100)), slow)["response p50"]

    assert (found.other, found.other_censored, found.judgement) == (40.0, True, "slower")
