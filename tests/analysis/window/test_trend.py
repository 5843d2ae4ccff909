"""Mann-Kendall against a published example, brute force, permutations, and series that depend on themselves."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest

from analysis.window.trend import mann_kendall, neighbours_alike, p_value, sens_slope, trend_p_value, variance_factor

# The worked example with ties of the US EPA's Data Quality Assessment: Statistical Methods for Practitioners (QA/G-9S).
EPA = np.array([10.0, 10, 10, 5, 10, 20, 18, 17, 15, 24, 15])


def test_the_published_example_comes_out():
    score, variance = mann_kendall(EPA)

    assert score == 22
    assert variance == pytest.approx(155.33, abs=0.005)
    assert (score - 1) / math.sqrt(variance) == pytest.approx(1.685, abs=0.0005)
    assert p_value(score, variance) == pytest.approx(0.092, abs=0.0005)  # of a normal 1.685, two-sided, by its table


@pytest.mark.parametrize("seed", range(5))
def test_score_and_slope_are_those_of_all_pairs(seed):
    series = np.random.default_rng(seed).integers(0, 9, 15).astype(float)
    pairs = list(combinations(range(15), 2))

    assert mann_kendall(series)[0] == sum(int(np.sign(series[b] - series[a])) for a, b in pairs)
    assert sens_slope(series) == pytest.approx(np.median([(series[b] - series[a]) / (b - a) for a, b in pairs]))


@pytest.mark.parametrize("series", [[1.0, 2, 3, 4, 5, 6, 7], [1.0, 1, 2, 2, 2, 3, 4]])
def test_the_variance_is_that_of_all_orders(series):
    scores = [mann_kendall(np.array(order))[0] for order in permutations(series)]

    assert mann_kendall(np.array(series))[1] == pytest.approx(np.var(scores))


@pytest.mark.parametrize("n", [10, 20, 40])
def test_p_values_are_those_of_drawn_orders(n):
    """20,000 random orders: how often their score is as far from 0."""
    rng = np.random.default_rng(n)
    orders = rng.permuted(np.tile(np.arange(n, dtype=float), (20_000, 1)), axis=1)
    first, second = np.triu_indices(n, 1)
    scores = np.abs(np.sign(orders[:, second] - orders[:, first]).sum(axis=1))
    variance = mann_kendall(np.arange(n, dtype=float))[1]

    for share in (0.3, 0.05, 0.01):
        score = int(np.quantile(scores, 1 - share))
        expected = np.mean(scores >= score)
        assert p_value(score, variance) == pytest.approx(expected, abs=0.003 + 0.1 * expected)


def test_a_series_of_equal_values_has_no_trend():
    assert trend_p_value(np.full(20, 7.0)) == 1.0


def test_a_straight_line_is_a_trend():
    assert trend_p_value(np.arange(20.0)) < 1e-6
    assert sens_slope(3 - 2 * np.arange(20.0)) == -2


def test_independent_values_need_no_factor_and_like_ones_the_factor_of_their_number():
    """Values that are all alike are one value: an AR(1) series has n (1 - r) / (1 + r) independent ones in the end."""
    assert variance_factor(50, 0.0) == 1
    assert variance_factor(100_000, 0.5) == pytest.approx(3, rel=1e-3)


def ar1(rng, rho, n, runs=1):
    """Series with the correlation *rho* of neighbours, and 50 values of running in."""
    series = rng.standard_normal((runs, n + 50))
    for at in range(1, n + 50):
        series[:, at] += rho * series[:, at - 1]
    return series[:, 50:]


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_the_correlation_of_neighbours_is_found_without_bias(rho):
    """On the way the trend is taken out of it, which takes some of the correlation along."""
    runs = ar1(np.random.default_rng(1), rho, 50, runs=300)
    found = [neighbours_alike(series - sens_slope(series) * np.arange(50)) for series in runs]

    ranks = 6 / math.pi * math.asin(rho / 2)  # what the ranks of normal values have
    assert np.mean(found) == pytest.approx(max(ranks, 0.06), abs=0.05)  # a negative one counts as none


@pytest.mark.parametrize(
    ("n", "rho", "most"),  # measured over these 1,000: 0.3, 0.6, 1.2 % and 2.3, 1.7, 1.6 %
    [(20, 0.0, 0.01), (50, 0.0, 0.013), (100, 0.0, 0.02), (20, 0.5, 0.035), (50, 0.5, 0.03), (100, 0.5, 0.03)],
)
def test_few_series_without_a_trend_show_one(n, rho, most):
    """Nominal is 1 in 100. Without the factor it is 9 to 13 in 100 at a correlation of 0.5."""
    p_values = np.array([trend_p_value(series) for series in ar1(np.random.default_rng(7), rho, n, runs=1000)])

    assert np.mean(p_values < 0.01) <= most


def test_a_trend_is_found_in_noise():
    """A fifth more at the end, in noise of 5 %: found in 99 of 100 series."""
    rng = np.random.default_rng(2)
    series = 1 + np.linspace(0, 0.2, 50) + 0.05 * rng.standard_normal((100, 50))

    assert np.mean([trend_p_value(one) < 0.01 for one in series]) >= 0.99
