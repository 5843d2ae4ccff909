"""Whether a series has a trend: Mann-Kendall's test, made safe for neighbours that resemble each other; Sen's slope.

The test counts how many pairs rise and how many fall, so one wild value does not matter (Mann, Nonparametric Tests
Against Trend, Econometrica 13 (1945); Kendall, Rank Correlation Methods, 4th ed. 1975). Its variance holds for
independent values. Where they are not, it is multiplied by the factor of Hamed & Rao, A modified Mann-Kendall trend
test for autocorrelated data, Journal of Hydrology 204 (1998).

That factor takes the correlations of the ranks at every distance. Estimated one by one from a short series they are
mostly noise, and too small, because the trend is removed first: the test then finds trends in 6 to 12 of 100 series
that have none, at a nominal 1 in 100 (AR(1) series of 20 to 100 values with a correlation of 0.5). So only the
correlation of neighbours is estimated, its bias put right as in Hamed, Enhancing the effectiveness of prewhitening in
trend analysis of hydrologic data, Journal of Hydrology 368 (2009), and the others follow from it as in an AR(1)
series. The same series then give 2 in 100, independent ones 1 or fewer.
"""

import math

import numpy as np
from numpy.typing import NDArray

from analysis.window.medians import median_of

MOST_ALIKE = 0.95  # correlation of neighbours; with more, the series is one slow wave and tells nothing of a trend

Series = NDArray[np.float64]


def trend_p_value(series: Series) -> float:
    """Give the two-sided p-value of no trend, for a series of at least 5 values."""
    score, variance = mann_kendall(series)
    if variance == 0:
        return 1.0
    n = len(series)
    detrended = series - sens_slope(series) * np.arange(n)
    return p_value(score, variance * variance_factor(n, neighbours_alike(detrended)))


def mann_kendall(series: Series) -> tuple[int, float]:
    """Give S, rising pairs less falling ones, and its variance if the values were independent, ties allowed for."""
    n = len(series)
    first, second = np.triu_indices(n, 1)
    score = int(np.sign(series[second] - series[first]).sum())
    tied = np.unique(series, return_counts=True)[1]
    return score, float(n * (n - 1) * (2 * n + 5) - (tied * (tied - 1) * (2 * tied + 5)).sum()) / 18


def p_value(score: int, variance: float) -> float:
    """Give the two-sided p-value of *score*, which is nearly normal; S moves in steps of 2, hence the 1."""
    return math.erfc(max(abs(score) - 1, 0) / math.sqrt(2 * variance))


def sens_slope(series: Series) -> float:
    """Give the median of the slopes of all pairs (Sen, Estimates of the Regression Coefficient Based on Kendall's
    Tau, Journal of the American Statistical Association 63 (1968)), per step.
    """
    first, second = np.triu_indices(len(series), 1)
    return median_of((series[second] - series[first]) / (second - first))


def neighbours_alike(detrended: Series) -> float:
    """Estimate the correlation of the ranks of neighbours, from 0 to `MOST_ALIKE`; at least 5 values."""
    n = len(detrended)
    ranks = _ranks(detrended) - (n + 1) / 2
    power = float(ranks @ ranks)
    if power == 0:
        return 0.0
    measured = float(ranks[1:] @ ranks[:-1]) / power
    return min(max((n * measured + 2) / (n - 4), 0.0), MOST_ALIKE)


def variance_factor(n: int, alike: float) -> float:
    """How much larger the variance of S is when values k apart have the rank correlation *alike* ** k."""
    apart = np.arange(1, n)
    pairs = (n - apart) * (n - apart - 1) * (n - apart - 2.0)
    return float(1 + 2 / (n * (n - 1) * (n - 2)) * (pairs @ alike**apart))


def _ranks(series: Series) -> Series:
    """Rank from 1; equal values share the mean of their ranks."""
    _, at, tied = np.unique(series, return_inverse=True, return_counts=True)
    ranks: Series = (np.cumsum(tied) - (tied - 1) / 2)[at]
    return ranks
