"""Whose times make up a percentile, sorted, and which of them are only lower bounds (censored).

`response`, `service`, `first_byte` and `backend` end with the answer: their population is `ok` plus the outcomes
that waited in vain, which took *at least* the time recorded (a timeout at least what `bounded` says). Rejections are
left out: a fast 429 must not improve p50. `gateway` is of the same requests, but the gateway's own part of a request
does not grow with the wait, so it is exact. The other measures end before there is an answer, so they are exact too,
and every request that has one counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import CENSORED, POPULATION, Outcome
from analysis.run_format import CONNECT, GATEWAY, LATENESS, MEASURES, RESPONSE, SERVICE, UPLOAD
from analysis.samples import OUTCOMES, UNMEASURED, Array, Samples
from analysis.totals import pieces, totals

BEFORE_THE_ANSWER = frozenset({LATENESS, UPLOAD, CONNECT})
EXACT = BEFORE_THE_ANSWER | {GATEWAY}
TIMEOUTS = (Outcome.GATEWAY_TIMEOUT, Outcome.CLIENT_TIMEOUT)

# What is left of a float32 above these bits is the histogram bucket that `run_format.bucketed` rounds to.
_BELOW_THE_BUCKET = 13


@dataclass(frozen=True)
class Population:
    """Times, each once and ascending, with the rank that each reaches; and the rows that they came in."""

    n: int
    value_us: Array
    bounds_rank: Array  # how many requests are at or below each time, the censored at their bounds
    exact_rank: Array  # the same if the censored had never ended
    second: Array  # of each row
    at: Array  # where in `value_us` the row's time is
    count: Array
    censored: NDArray[np.bool_]

    def at_least_s(self, rank: int) -> float:
        """Give the *rank*-th smallest time if every censored request had ended at its bound.

        No true time is below its bound, so the true order statistic is at least this.
        """
        return float(self.value_us[np.searchsorted(self.bounds_rank, rank)] / 1e6)

    def at_most_s(self, rank: int) -> float | None:
        """Give the *rank*-th smallest time if no censored request had ever ended; None is no upper limit."""
        at = int(np.searchsorted(self.exact_rank, rank))
        return float(self.value_us[at] / 1e6) if at < len(self.value_us) else None


def population(value_us: Array, count: Array, censored: NDArray[np.bool_], second: Array | None = None) -> Population:
    """Sort weighted times; without *second* they are all of one."""
    distinct_us, at = distinct(value_us)
    bounds_rank = _ranks(at, count, len(distinct_us))
    exact_rank = _ranks(at[~censored], count[~censored], len(distinct_us)) if censored.any() else bounds_rank
    second = np.zeros(len(at), np.int32) if second is None else second
    return Population(int(count.sum()), distinct_us, bounds_rank, exact_rank, second, at, count, censored)


def distinct(value_us: Array) -> tuple[Array, Array]:
    """Give the distinct times, all of 0 or more, ascending, and the place of each among them.

    Of a histogram, the bucket tells the time: millions need no sorting then.
    """
    if not len(value_us):
        return value_us, np.zeros(0, np.int64)
    first, last = _buckets(np.array([value_us.min(), value_us.max()]))
    at = np.empty(len(value_us), np.int64)
    is_used, value_of = np.zeros(last - first + 1, np.bool_), np.zeros(last - first + 1, value_us.dtype)
    for rows in pieces(len(at)):
        at[rows] = bucket = _buckets(value_us[rows]) - first
        is_used[bucket], value_of[bucket] = True, value_us[rows]
    place = np.cumsum(is_used) - 1
    for rows in pieces(len(at)):
        if not np.array_equal(value_of[at[rows]], value_us[rows]):
            return np.unique(value_us, return_inverse=True)
        at[rows] = place[at[rows]]
    return value_of[is_used], at


def _buckets(value_us: Array) -> NDArray[np.int64]:
    return np.right_shift(value_us.astype(np.float32).view(np.int32), _BELOW_THE_BUCKET, dtype=np.int64)


def bounded(samples: Samples, limit_s: float | None) -> Samples:
    """Raise every timeout to at least the slowest answer, and the gateway's to its limit, in all measures that end
    with an answer.

    Somebody on the way may say after a millisecond that time is up. That is no fast answer, so it must not lower a
    percentile. How long a client waits before it gives up is its own choice: the gateway's limit says nothing of that.
    """
    timed_out = samples.ended_as(TIMEOUTS)
    if timed_out.any():
        timed_out &= samples.value_us != UNMEASURED
    if not timed_out.any():
        return samples
    value_us, limit_us = samples.value_us.astype(np.int64), round(1e6 * (limit_s or 0))
    answered = samples.outcome == OUTCOMES.index(Outcome.OK)
    least_us = np.where(samples.outcome == OUTCOMES.index(Outcome.GATEWAY_TIMEOUT), limit_us, 0)[timed_out]
    for code, measure in enumerate(MEASURES):
        if measure not in EXACT:
            of_measure = samples.measure == code
            slowest_us = value_us[of_measure & answered].max(initial=0)
            raised = of_measure[timed_out]
            least_us[raised] = np.maximum(least_us[raised], slowest_us)
        else:
            least_us[samples.measure[timed_out] == code] = 0
    value_us[timed_out] = np.maximum(value_us[timed_out], least_us)
    return replace(samples, value_us=value_us)


def main_measure(populations: Mapping[str, Population]) -> str:
    """Choose what is meant by latency: the response, or the service time of a tool that records no plan."""
    return SERVICE if populations[SERVICE].n and not populations[RESPONSE].n else RESPONSE


def population_of(samples: Samples, measure: str) -> Population:
    """Sort the times of *measure* of those requests that make up its percentiles."""
    measured = samples.of_measure(measure)
    if measure not in BEFORE_THE_ANSWER:
        measured = measured.where(measured.ended_as(POPULATION))
    return times_of(measured, exact=measure in EXACT)


def times_of(measured: Samples, exact: bool = False) -> Population:
    """Sort all times of *measured*, whatever became of the requests; unless *exact*, timeouts are lower bounds."""
    measured = measured.where(measured.value_us != UNMEASURED)
    censored = measured.ended_as(CENSORED) & (not exact)
    return population(measured.value_us, measured.count, censored, measured.second)


def _ranks(at: Array, count: Array, times: int) -> Array:
    return np.cumsum(totals(lambda rows: at[rows], count, times))
