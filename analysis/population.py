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


def population(value_us: Array, count: Array, censored: NDArray[np.bool_]) -> Population:
    """Sort weighted times."""
    bounds_us, bounds_rank = _ranked(value_us, count)
    exact_us, exact_rank = _ranked(value_us[~censored], count[~censored])
    return Population(int(count.sum()), bounds_us, bounds_rank, exact_us, exact_rank)


def population_of(samples: Samples, measure: str) -> Population:
    measured = samples.of_measure(measure)
    measured = measured.where(measured.value_us != UNMEASURED)
    if measure not in BEFORE_THE_ANSWER:
        measured = measured.where(_IN_POPULATION[measured.outcome])
    censored = _IS_CENSORED[measured.outcome] & (measure not in EXACT)
    return population(measured.value_us, measured.count, censored)


def _ranked(value_us: Array, count: Array) -> tuple[Array, Array]:
    order = np.argsort(value_us, kind="stable")
    return value_us[order], np.cumsum(count[order])
