"""Percentiles by nearest rank, with 95 % confidence intervals from order statistics.

The p-th percentile of n requests is the ceil(p n)-th smallest. Where timeouts are only known to have taken
*at least* some time, it is found twice: with them at their bounds and with them at infinity. If both agree it
is exact (always so below the first censored request); if not, the first is a lower bound for it and is marked
`censored`.

Interval: with independent requests, the number at or below the true percentile is binomial(n, p), so the r-th
and the s-th smallest enclose it when the binomial's tails below r and from s on are at most 2.5 % each; exact
for every distribution of times (David & Nagaraja, Order Statistics, 3rd ed. 2003, section 7.1; Conover,
Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2). Requests that depend on their neighbours make
the true interval wider. The low end takes censored requests at their bounds, the high end at infinity, so
both stay valid.

A percentile is supported, and given at all, when both ranks exist. For p99 that takes 368 requests: with
fewer, chances are above 2.5 % that all of them are below it. (One-sided at 95 %, it would be 299.)
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from analysis.population import Population

PERCENTILES = {
    "p50": Fraction(50, 100),
    "p90": Fraction(90, 100),
    "p95": Fraction(95, 100),
    "p99": Fraction(99, 100),
    "p99.9": Fraction(999, 1000),
}
TAIL = 0.025  # what the 95 % interval leaves out on each side


@dataclass(frozen=True)
class Estimate:
    value_s: float | None  # None: nothing measured, or too few requests for it
    low_s: float | None
    high_s: float | None  # None: no upper limit is known
    censored: bool  # the true value is at least `value_s`


UNSUPPORTED = Estimate(None, None, None, censored=False)


def estimates(population: Population, percentiles: Iterable[Fraction], confidence: float = 0.95) -> list[Estimate]:
    """Estimate each of *percentiles* with its interval at *confidence*, or `UNSUPPORTED`."""
    return [percentile(population, p) for p in percentiles]


def percentile(population: Population, p: Fraction) -> Estimate:
    """Estimate the percentile *p* (0 < p < 1), or `UNSUPPORTED`."""
    low, high = confidence_ranks(population.n, p)
    if low is None or high is None:
        return UNSUPPORTED
    rank = nearest_rank(population.n, p)
    value_s = population.at_least_s(rank)
    return Estimate(
        value_s,
        population.at_least_s(low),
        population.at_most_s(high),
        censored=population.at_most_s(rank) != value_s,
    )


def largest(population: Population) -> Estimate:
    """Give the largest time of the sample: a fact about these requests, so it has no interval."""
    if population.n == 0:
        return UNSUPPORTED
    value_s = population.at_least_s(population.n)
    return Estimate(value_s, None, None, censored=population.at_most_s(population.n) != value_s)


def nearest_rank(n: int, p: Fraction) -> int:
    """Count from 1; in whole numbers, because 0.95 * n as a float can land on the wrong side of a rank."""
    return max(1, math.ceil(p * n))


def confidence_ranks(n: int, p: Fraction) -> tuple[int | None, int | None]:
    """Give the ranks whose values enclose the percentile; None where no such rank exists."""
    if n == 0:
        return None, None
    first, cumulative = _binomial_cdf(n, float(p))
    low = first + int(np.searchsorted(cumulative, TAIL, side="right"))
    high = first + int(np.searchsorted(cumulative, 1 - TAIL)) + 1
    return low if low >= 1 else None, high if high <= n else None


def requests_needed(p: Fraction | float) -> int:
    """Give the smallest n that supports the percentile: p^n, or (1-p)^n below the median, is at most
    `TAIL`.
    """
    return math.ceil(math.log(TAIL) / math.log(max(p, 1 - p)))


def _binomial_cdf(n: int, p: float) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Sum up binomial(n, p) around its mean: the first k of the window and P(X <= k) from there.

    What lies outside the window (8 standard deviations and 20) is far below any tail asked for. Terms follow
    from each other by their ratio, so no factorial of a million is needed.
    """
    reach = 8 * math.sqrt(n * p * (1 - p)) + 20
    first, last = max(0, math.floor(n * p - reach)), min(n, math.ceil(n * p + reach))
    k = np.arange(first, last, dtype=np.float64)
    steps = np.log(n - k) - np.log(k + 1) + math.log(p / (1 - p))
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    weights = np.exp(logs - logs.max())
    return first, np.cumsum(weights / weights.sum())
