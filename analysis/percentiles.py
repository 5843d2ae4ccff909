"""Percentiles by nearest rank, with confidence intervals from order statistics.

The p-th percentile of n requests is the ceil(p n)-th smallest. Where timeouts are only known to have taken
*at least* some time, it is found twice: with them at their bounds and with them at infinity. If both agree it
is exact (always so below the first censored request); if not, the first is a lower bound for it and is marked
`censored`.

Interval: with independent requests, the number at or below the true percentile is binomial(n, p), so the r-th
and the s-th smallest enclose it when the binomial's tails below r and from s on are at most 2.5 % each (at 95 %
confidence); exact for every distribution of times (David & Nagaraja, Order Statistics, 3rd ed. 2003, section 7.1;
Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2). Requests that depend on their neighbours tell
less: the ranks are those of the effective number of requests (`correlation`), stretched to n. The low end takes
censored requests at their bounds, the high end at infinity, so both stay valid.

A percentile is supported, and given at all, when both ranks exist. For p99 at 95 % that takes 368 independent requests:
with fewer, chances are above 2.5 % that all of them are below it. (One-sided, it would be 299.)
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from analysis.correlation import FEWEST_SECONDS, design_effects
from analysis.population import Population
from analysis.totals import totals

PERCENTILES = {
    "p50": Fraction(50, 100),
    "p90": Fraction(90, 100),
    "p95": Fraction(95, 100),
    "p99": Fraction(99, 100),
    "p99.9": Fraction(999, 1000),
}
MOST_COUNTS = 4_000_000  # held at once, of seconds x percentiles


@dataclass(frozen=True)
class Estimate:
    value_s: float | None  # None: nothing measured, or too few requests for it
    low_s: float | None
    high_s: float | None  # None: no upper limit is known
    censored: bool = False  # the true value is at least `value_s`
    widened: float | None = None  # how much wider the interval is than for independent requests; None: cannot be told
    needed: int | None = None  # how many requests of this kind would support it; None if these do


UNSUPPORTED = Estimate(None, None, None)


def estimates(
    population: Population,
    percentiles: Sequence[Fraction],
    confidence: float = 0.95,
    known: Collection[Fraction] | None = None,
) -> list[Estimate]:
    """Estimate each of *percentiles* (0 < p < 1, ascending) with its interval at *confidence*.

    An aggregate has those *known* alone, and how far they can be trusted cannot be told.
    """
    if known is not None:
        return [_aggregated(population, p, confidence) if p in known else UNSUPPORTED for p in percentiles]
    effects = _design_effects(population, percentiles, confidence)
    if effects is None:
        return _consistent([_estimate(population, p, 1.0, confidence) for p in percentiles])
    found = zip(percentiles, effects.tolist(), strict=True)
    return _consistent(
        [replace(_estimate(population, p, effect, confidence), widened=math.sqrt(effect)) for p, effect in found]
    )


def _consistent(found: list[Estimate]) -> list[Estimate]:
    """Narrow intervals by each other: a percentile is not below what a lower one reaches, nor above a higher one."""
    lowest, highest = -math.inf, math.inf
    for at, estimate in enumerate(found):
        if estimate.low_s is not None:
            lowest = max(lowest, estimate.low_s)
            found[at] = replace(estimate, low_s=lowest)
    for at, estimate in reversed(list(enumerate(found))):
        if estimate.high_s is not None:
            highest = min(highest, estimate.high_s)
        if estimate.value_s is not None and highest < math.inf:
            found[at] = replace(estimate, high_s=highest)
    return found


def percentile(population: Population, p: Fraction) -> float | None:
    """Give the percentile *p* in seconds if every censored request had ended at its bound; None of nothing."""
    return population.at_least_s(nearest_rank(population.n, p)) if population.n else None


def _aggregated(population: Population, p: Fraction, confidence: float) -> Estimate:
    if population.n < requests_needed(p, confidence):
        return Estimate(None, None, None, needed=requests_needed(p, confidence) if population.n else None)
    return Estimate(percentile(population, p), None, None)


def _estimate(population: Population, p: Fraction, effect: float, confidence: float) -> Estimate:
    low, high = effective_ranks(population.n, p, effect, confidence)
    if low is None or high is None:
        needed = math.ceil(requests_needed(p, confidence) * effect)
        return Estimate(None, None, None, needed=needed if population.n else None)
    rank = nearest_rank(population.n, p)
    value_s = population.at_least_s(rank)
    return Estimate(
        value_s,
        population.at_least_s(low),
        population.at_most_s(high),
        censored=population.at_most_s(rank) != value_s,
    )


def _design_effects(
    population: Population, percentiles: Sequence[Fraction], confidence: float
) -> NDArray[np.float64] | None:
    """Compare seconds with each other; None where there are too few."""
    if not population.n:
        return None
    first, last = int(population.second.min()), int(population.second.max())
    seconds = last - first + 1
    if seconds < FEWEST_SECONDS:
        return None
    at_once = max(1, MOST_COUNTS // seconds)
    found = [
        design_effects(*_deviations(population, (first, seconds), percentiles[start : start + at_once]), confidence)
        for start in range(0, len(percentiles), at_once)
    ]
    return np.concatenate(found)


def _deviations(
    population: Population, seconds: tuple[int, int], percentiles: Sequence[Fraction]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count, second by second, who was at or below each percentile, less the expected number; of those exactly on it,
    the share that fits. Give the variance of the sums as well, if requests were independent.
    """
    n, shares = population.n, np.array([float(p) for p in percentiles])
    on = np.searchsorted(population.bounds_rank, [nearest_rank(n, p) for p in percentiles])
    places, place = np.unique(on, return_inverse=True)
    # Every time is in a part: below the first percentile, on it, between it and the second, on that, ...
    parts = 2 * len(places) + 1
    part = 2 * np.searchsorted(places, np.arange(len(population.value_us)))
    part[places] += 1
    first, length = seconds
    counts = totals(
        lambda rows: (population.second[rows] - np.int64(first)) * parts + part[population.at[rows]],
        population.count,
        length * parts,
    ).reshape(length, parts)
    up_to = np.cumsum(counts, axis=1)
    below, equal = up_to[:, 2 * place], counts[:, 2 * place + 1]
    all_below, all_equal = below.sum(axis=0), equal.sum(axis=0)
    fits = np.clip((shares * n - all_below) / all_equal, 0.0, 1.0)
    deviation = below + fits * equal - shares * up_to[:, -1:]
    return deviation, all_below + fits**2 * all_equal - shares**2 * n


def largest(population: Population) -> Estimate:
    """Give the largest time of the sample: a fact about these requests, so it has no interval."""
    if population.n == 0:
        return UNSUPPORTED
    value_s = population.at_least_s(population.n)
    return Estimate(value_s, None, None, censored=population.at_most_s(population.n) != value_s)


def nearest_rank(n: int, p: Fraction | float) -> int:
    """Count from 1; with a Fraction in whole numbers, because 0.95 * n as a float can land on the wrong side."""
    return max(1, math.ceil(p * n))


def confidence_ranks(n: int, p: Fraction, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """Give the ranks whose values enclose the percentile of n independent requests; None where there is no such
    rank.
    """
    if n == 0:
        return None, None
    tail = (1 - confidence) / 2
    first, cumulative = _binomial_cdf(n, float(p))
    low = first + int(np.searchsorted(cumulative, tail, side="right"))
    high = first + int(np.searchsorted(cumulative, 1 - tail)) + 1
    return low if low >= 1 else None, high if high <= n else None


def effective_ranks(n: int, p: Fraction, effect: float, confidence: float) -> tuple[int | None, int | None]:
    """Give the ranks, of n, that n / *effect* independent requests would have."""
    effective = max(1, round(n / effect)) if n else 0
    low, high = confidence_ranks(effective, p, confidence)
    return (
        None if low is None else max(1, round(low * n / effective)),
        None if high is None else round(high * n / effective),
    )


def requests_needed(p: Fraction | float, confidence: float = 0.95) -> int:
    """Give the smallest n of independent requests that supports the percentile: p^n, or (1-p)^n below the median, is
    at most the tail.
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(p, 1 - p)))


def _binomial_cdf(n: int, p: float) -> tuple[int, NDArray[np.float64]]:
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
