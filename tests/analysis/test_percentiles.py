"""Percentiles against answers worked out by hand, against numpy on raw data, and against the binomial itself."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.percentiles import (
    PERCENTILES,
    UNSUPPORTED,
    Estimate,
    _consistent,
    confidence_ranks,
    estimates,
    largest,
    nearest_rank,
    requests_needed,
)
from analysis.population import population

P50, P90, P95, P99, P999 = PERCENTILES.values()
SECOND = 1_000_000

rows = st.lists(st.tuples(st.integers(0, 50 * SECOND), st.integers(1, 900), st.booleans()), min_size=1, max_size=30)


def percentile(population, p):
    return estimates(population, [p])[0]


def of(*rows):
    """Build a population of (value_us, count, censored)."""
    value, count, censored = (np.array(column) for column in zip(*rows, strict=True))
    return population(value, count, censored.astype(bool))


def ok(*seconds):
    return of(*[(int(s * SECOND), 1, False) for s in seconds])


def test_the_median_of_ten_is_the_fifth():
    """n = 10: P(X <= 1) = 0.011 and P(X <= 8) = 0.989, so ranks 2 and 9 enclose the median."""
    estimate = percentile(ok(*range(1, 11)), P50)

    assert (estimate.value_s, estimate.low_s, estimate.high_s, estimate.censored) == (5.0, 2.0, 9.0, False)


def test_a_percentile_on_a_timeout_is_at_least_the_limit():
    """90 at 0.1 s, 10 at the limit of 40 s: p90 is the 90th, p95 is a timeout, whose interval starts at the 90th."""
    population = of((SECOND // 10, 90, False), (40 * SECOND, 10, True))
    p90, p95 = percentile(population, P90), percentile(population, P95)

    assert (p90.value_s, p90.censored, p90.high_s) == (0.1, False, None)
    assert (p95.value_s, p95.censored, p95.high_s) == (40.0, True, None)
    assert p95.low_s == 0.1


def test_above_the_first_censored_request_a_percentile_is_a_lower_bound():
    """One unfinished after 3 s: of 1..10 s its rank is 3 or higher, so the median is 5 s or 6 s, at least 5 s."""
    population = of(*[(second * SECOND, 1, False) for second in range(1, 11)], (3 * SECOND, 1, True))
    estimate = percentile(population, P50)

    assert (estimate.value_s, estimate.censored) == (5.0, True)


def test_a_bound_that_cannot_matter_leaves_the_percentile_exact():
    """All answered requests took 5 s, so wherever the unfinished one ends, the median is 5 s."""
    estimate = percentile(of((5 * SECOND, 99, False), (3 * SECOND, 1, True)), P50)

    assert (estimate.value_s, estimate.censored, estimate.high_s) == (5.0, False, 5.0)


def test_an_answer_at_the_limit_sorts_before_a_timeout_at_the_limit():
    population = of((40 * SECOND, 1, True), (40 * SECOND, 9, False))

    assert not percentile(population, P50).censored
    assert largest(population).censored


def test_the_largest_is_given_for_any_number():
    assert largest(ok(2)).value_s == 2.0
    assert largest(population(*[np.array([], np.int64)] * 2, np.array([], bool))) == UNSUPPORTED


def test_the_largest_is_at_least_a_slow_answer_if_a_timeout_never_ended():
    estimate = largest(of((41 * SECOND, 1, False), (40 * SECOND, 1, True)))

    assert (estimate.value_s, estimate.censored) == (41.0, True)


@pytest.mark.parametrize(("p", "n"), [(P50, 6), (P90, 36), (P95, 72), (P99, 368), (P999, 3688)])
def test_a_percentile_is_given_from_its_smallest_supporting_number_on(p, n):
    assert requests_needed(p) == n
    assert percentile(of((SECOND, n, False)), p).value_s == 1.0
    assert percentile(of((SECOND, n - 1, False)), p) == Estimate(None, None, None, needed=n)


def test_nothing_measured_is_not_zero():
    assert percentile(of((SECOND, 0, False)), P50) == UNSUPPORTED


@pytest.mark.parametrize("n", [1, 5, 36, 100, 400])
@pytest.mark.parametrize("p", [P50, P90, P99])
def test_the_interval_is_the_narrowest_with_equal_tails(n, p):
    """Against the binomial distribution summed up term by term."""
    at_most = np.cumsum([math.comb(n, k) * float(p) ** k * float(1 - p) ** (n - k) for k in range(n + 1)])
    low = max((r for r in range(1, n + 1) if at_most[r - 1] <= 0.025), default=None)
    high = min((s for s in range(1, n + 1) if at_most[s - 1] >= 0.975), default=None)

    assert confidence_ranks(n, p) == (low, high)


def test_the_interval_of_a_million_agrees_with_the_normal_one():
    low, high = confidence_ranks(1_000_000, P99)

    assert low == pytest.approx(990_000 - 1.96 * math.sqrt(9_900), abs=3)
    assert high == pytest.approx(990_000 + 1.96 * math.sqrt(9_900), abs=3)


def test_the_interval_encloses_the_true_percentile_as_often_as_it_says():
    """2,000 samples of 400 uniform times: the true p90 is 0.9; 95 % coverage has a deviation of 0.5 %."""
    low, high = confidence_ranks(400, P90)
    samples = np.sort(np.random.default_rng(7).random((2_000, 400)), axis=1)
    enclosed = (samples[:, low - 1] <= 0.9) & (samples[:, high - 1] >= 0.9)

    assert 0.94 <= enclosed.mean() <= 0.98


@given(st.lists(st.integers(0, 10**8), min_size=6, max_size=500), st.sampled_from([P50, P90, P95, P99]))
def test_percentiles_are_those_of_numpy(values, p):
    values = np.array(values)
    estimate = percentile(of(*[(value, 1, False) for value in values]), p)

    assert estimate.value_s in (None, np.quantile(values, float(p), method="inverted_cdf") / 1e6)
    assert (estimate.value_s is None) == (len(values) < requests_needed(p))


@given(rows)
def test_percentiles_never_fall_from_one_to_the_next(rows):
    values = [percentile(of(*rows), p).value_s for p in PERCENTILES.values()]
    values = [value for value in [*values, largest(of(*rows)).value_s] if value is not None]

    assert values == sorted(values)


@given(rows)
def test_an_interval_encloses_its_percentile(rows):
    for p in PERCENTILES.values():
        estimate = percentile(of(*rows), p)

        assert estimate.value_s is None or estimate.low_s <= estimate.value_s <= (estimate.high_s or math.inf)


@given(rows, st.integers(1, 500), st.sampled_from(list(PERCENTILES.values())))
def test_a_timeout_at_the_limit_never_lowers_a_percentile(rows, count, p):
    before, after = percentile(of(*rows), p), percentile(of(*rows, (50 * SECOND, count, True)), p)

    assert before.value_s is None or after.value_s >= before.value_s


@given(rows, st.sampled_from(list(PERCENTILES.values())), st.data())
def test_the_true_percentile_is_never_below_the_bound_and_equal_where_it_is_exact(rows, p, data):
    """However long the censored requests would have taken."""
    truth = [(value + censored * data.draw(st.integers(0, 9**9)), count, False) for value, count, censored in rows]
    estimate, true = percentile(of(*rows), p), percentile(of(*truth), p)

    assert estimate.value_s is None or estimate.value_s <= true.value_s
    assert estimate.value_s is None or estimate.censored or estimate.value_s == true.value_s
    assert estimate.high_s is None or estimate.high_s >= true.high_s


@given(rows, rows)
def test_concatenated_rows_are_the_same_as_added_counts(first, second):
    added = {}
    for value, count, censored in first + second:
        added[value, censored] = added.get((value, censored), 0) + count
    merged = of(*[(value, count, censored) for (value, censored), count in added.items()])

    for p in PERCENTILES.values():
        assert percentile(of(*first, *second), p) == percentile(merged, p)


def test_a_rank_is_counted_in_whole_numbers():
    assert nearest_rank(100, Fraction(7, 100)) == 7, "0.07 * 100 is 7.000000000000001"
    assert nearest_rank(3, Fraction(1, 1000)) == 1


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50 * SECOND), st.integers(1, 99), st.booleans()), min_size=12)
)
def test_intervals_rise_with_their_percentiles_and_enclose_them(rows):
    second, value, count, censored = (np.array(column) for column in zip(*rows, strict=True))
    found = estimates(population(value, count, censored.astype(bool), second), list(PERCENTILES.values()))
    given = [estimate for estimate in found if estimate.value_s is not None]
    lows, highs = [e.low_s for e in given], [math.inf if e.high_s is None else e.high_s for e in given]

    assert lows == sorted(lows)
    assert highs == sorted(highs)
    assert all(low <= e.value_s <= high for low, e, high in zip(lows, given, highs, strict=True))


def test_an_aggregate_has_its_own_percentiles_as_far_as_its_requests_support_them():
    found = estimates(of((SECOND, 36, False)), [P90, P95, P99], known={P90, P99})

    assert [estimate.value_s for estimate in found] == [1.0, None, None]
    assert (found[0].low_s, found[1].needed, found[2].needed) == (None, None, 368)


def test_an_interval_that_is_wider_than_a_higher_percentiles_is_narrowed_by_it():
    found = [Estimate(5.0, 1.0, None), UNSUPPORTED, Estimate(6.0, 0.5, 9.0), Estimate(7.0, 6.0, 8.0)]

    assert [(one.low_s, one.high_s) for one in _consistent(found)] == [(1.0, 8.0), (None, None), (1.0, 8.0), (6.0, 8.0)]
