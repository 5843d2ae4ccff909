"""Whose times make up a percentile, sorted, and which of them are only lower bounds (censored).

`response`, `service`, `first_byte` and `backend` end with the answer: their population is `ok` plus the outcomes
that waited in vain, which took *at least* the time recorded. Rejections are left out: a fast 429 must not improve
p50. `gateway` is of the same requests, but the gateway's own part of a request does not grow with the wait, so it
is exact. The other measures end before there is an answer, so they are exact too, and every request that has one
counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import CENSORED, POPULATION
from analysis.run_format import CONNECT, GATEWAY, LATENESS, UPLOAD
from analysis.samples import OUTCOMES, UNMEASURED, Array, Samples

BEFORE_THE_ANSWER = frozenset({LATENESS, UPLOAD, CONNECT})
EXACT = BEFORE_THE_ANSWER | {GATEWAY}

_IN_POPULATION = np.array([outcome in POPULATION for outcome in OUTCOMES])
_IS_CENSORED = np.array([outcome in CENSORED for outcome in OUTCOMES])


@dataclass(frozen=True)
class Population:
    """Sorted times with the rank that each reaches: once with the censored at their bounds, once without
    them.
    """

    n: int
    bounds_us: Array
    bounds_count: Array
    bounds_second: Array  # of each row of `bounds_us`; from 0 on
    bounds_rank: Array  # how many requests are at or below each of `bounds_us`
    exact_us: Array
    exact_rank: Array

    def at_least_s(self, rank: int) -> float:
        """Give the *rank*-th smallest time if every censored request had ended at its bound.

        No true time is below its bound, so the true order statistic is at least this.
        """
        return float(self.bounds_us[np.searchsorted(self.bounds_rank, rank)] / 1e6)

    def at_most_s(self, rank: int) -> float | None:
        """Give the *rank*-th smallest time if no censored request had ever ended; None is no upper limit."""
        at = int(np.searchsorted(self.exact_rank, rank))
        return float(self.exact_us[at] / 1e6) if at < len(self.exact_us) else None

    def mean_s(self) -> float | None:
        """Give the mean with the censored at their bounds: the true one is at least this. None of nothing."""
        return float(self.bounds_us @ self.bounds_count / self.n / 1e6) if self.n else None


def population(value_us: Array, count: Array, censored: NDArray[np.bool_], second: Array | None = None) -> Population:
    """Sort weighted times; without *second* they are all of one."""
    order = np.argsort(value_us)
    bounds_us, bounds_count = value_us[order], count[order]
    bounds_second = np.zeros(len(order), np.int32) if second is None else second[order]
    if len(order):
        bounds_second = bounds_second - bounds_second.min()
    exact = ~censored[order]
    all_exact = bool(exact.all())
    bounds_rank = np.cumsum(bounds_count)
    exact_us, exact_rank = (bounds_us, bounds_rank) if all_exact else (bounds_us[exact], np.cumsum(bounds_count[exact]))
    return Population(int(count.sum()), bounds_us, bounds_count, bounds_second, bounds_rank, exact_us, exact_rank)


def population_of(samples: Samples, measure: str) -> Population:
    """Sort the times of *measure* of those requests that make up its percentiles."""
    measured = samples.of_measure(measure)
    if measure not in BEFORE_THE_ANSWER:
        measured = measured.where(_IN_POPULATION[measured.outcome])
    return times_of(measured, exact=measure in EXACT)


def times_of(measured: Samples, exact: bool = False) -> Population:
    """Sort all times of *measured*, whatever became of the requests; unless *exact*, timeouts are lower bounds."""
    measured = measured.where(measured.value_us != UNMEASURED)
    censored = _IS_CENSORED[measured.outcome] & (not exact)
    return population(measured.value_us, measured.count, censored, measured.second)
