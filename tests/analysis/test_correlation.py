"""The design effect against bootstraps made by resampling, and intervals against the truth of synthetic runs."""

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from analysis.correlation import FEWEST_SECONDS, _block_variance, design_effects
from analysis.percentiles import estimates
from analysis.population import population

P50, P90, P99 = Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)
RHO = 0.5


def test_the_block_variance_is_that_of_resampled_blocks():
    """200 seconds cut into overlapping blocks of 5, of which 40 are drawn with replacement, 20,000 times."""
    rng = np.random.default_rng(3)
    seconds, length = 200, 5
    series = rng.standard_normal(seconds) + np.repeat(rng.standard_normal(seconds // 4), 4)
    series -= series.mean()
    blocks = np.convolve(series, np.ones(length), "valid")
    sums = rng.choice(blocks, (20_000, seconds // length)).sum(axis=1)
    mean_square = np.mean((sums - sums.mean()) ** 2) + (seconds / length) * blocks.mean() ** 2
    expected = mean_square * seconds / (seconds - length)

    assert _block_variance(series[:, None], length)[0] == pytest.approx(expected, rel=0.03)


def test_independent_requests_count_nearly_in_full():
    """The sums of 300 independent seconds: the estimate of 1 scatters by about 0.15, and never falls below."""
    deviation = np.random.default_rng(5).standard_normal((300, 200)) * 7
    effects = design_effects(deviation, np.full(200, 300 * 49.0), 0.95)

    assert effects.min() >= 1
    assert np.median(effects) < 1.1


def test_a_second_that_carries_half_into_the_next_counts_a_third():
    """An AR(1) series of rho 0.5 has (1 + rho) / (1 - rho) = 3 times the variance of an independent one."""
    deviation = autoregressive(np.random.default_rng(6), (4000, 50))
    effects = design_effects(deviation, np.full(50, 4000.0), 0.95)

    assert np.median(effects) == pytest.approx(3, rel=0.1)


def test_what_does_not_vary_has_no_design_effect():
    assert design_effects(np.zeros((20, 1)), np.zeros(1), 0.95) == [1.0]


def test_too_few_seconds_cannot_be_compared():
    second = np.arange(1000) % (FEWEST_SECONDS - 1)
    one, exact = np.ones(1000, np.int64), np.zeros(1000, bool)

    assert estimates(population(second, one, exact, second), [P50])[0].widened is None
    assert estimates(population(second, one, exact, second * 2), [P50])[0].widened >= 1


def autoregressive(rng, shape):
    """An AR(1) series of unit variance along the first axis, from its stationary state."""
    series = rng.standard_normal(shape)
    for second in range(1, shape[0]):
        series[second] = RHO * series[second - 1] + math.sqrt(1 - RHO**2) * series[second]
    return series


def independent(rng, runs, seconds, each):
    """Logarithms of times, runs x seconds x each, and the deviation of their distribution."""
    return rng.standard_normal((runs, seconds, each)), 1.0


def slow_and_fast_seconds(rng, runs, seconds, each):
    """All requests of a second share its level, and neighbouring seconds half of it."""
    level = autoregressive(rng, (seconds, runs)).T[:, :, None]
    return 0.75 * level + rng.standard_normal((runs, seconds, each)), 1.25


def slow_and_fast_requests(rng, runs, seconds, each):
    """Each request shares half of its deviation with the next."""
    return autoregressive(rng, (seconds * each, runs)).T.reshape(runs, seconds, each), 1.0


@pytest.mark.parametrize("make", [independent, slow_and_fast_seconds, slow_and_fast_requests])
def test_intervals_cover_the_truth_as_often_as_they_say(make):
    """1,000 runs of 300 s at 20/s: 95 % intervals cover the true percentile in 93 to 97 %."""
    percentiles, runs, rng = (P50, P90, P99), 1000, np.random.default_rng(10)
    covered, supported = np.zeros(len(percentiles)), np.zeros(len(percentiles))
    second = np.repeat(np.arange(300), 20)
    one, exact = np.ones(len(second), np.int64), np.zeros(len(second), bool)
    logs, deviation = make(rng, runs, 300, 20)
    for run in logs:
        times_us = np.rint(1e5 * np.exp(0.4 * run)).astype(np.int64).ravel()
        found = estimates(population(times_us, one, exact, second), percentiles)
        true_s = [0.1 * math.exp(0.4 * deviation * NormalDist().inv_cdf(float(p))) for p in percentiles]
        given = [e.value_s is not None for e in found]
        supported += given
        covered += [g and e.low_s <= true <= e.high_s for g, e, true in zip(given, found, true_s, strict=True)]

    assert (supported >= 0.99 * runs).all()
    assert (covered >= 0.93 * supported).all(), covered
    assert (covered <= 0.97 * supported).all(), covered


def test_intervals_that_take_requests_for_independent_miss_the_truth():
    """Why the design effect is there: without it, 95 % intervals of the same runs cover the truth in less than 70 %."""
    rng, covered = np.random.default_rng(2), 0
    second = np.zeros(6000, np.int64)
    for run in slow_and_fast_seconds(rng, 200, 300, 20)[0]:
        times_us = np.rint(1e5 * np.exp(0.4 * run)).astype(np.int64).ravel()
        (median,) = estimates(population(times_us, np.ones(6000, np.int64), second > 0, second), [P50])
        covered += median.low_s <= 0.1 <= median.high_s

    assert covered < 140
