"""A run drawn anew, many times, from its own seconds: the moving-block bootstrap.

Requests of one second wait in the same queue, and a slow second is followed by a slow one, so requests are not
drawn one by one: blocks of consecutive seconds are, with all that is in them (Künsch, The jackknife and the
bootstrap for general stationary observations, Annals of Statistics 17, 1989; circular, so that the first and
the last second are drawn as often as the others: Politis & Romano 1992).

A resample is how often it holds each second. Its histogram is then the sum of the seconds' histograms by those
counts: one matrix product gives the cumulative histograms of all resamples, and with them their percentiles.
The columns are first every so-many-th of the distinct times, then only those between which the percentiles of
all resamples lie: the result is that of all columns, at a fraction of the work.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.population import Population
from analysis.run_format import bucketed
from analysis.samples import Array

RESAMPLES = 2_000  # 50 of them beyond each end of a 95 % interval
MOST_STEPS = 3_600  # a longer window is cut into as many steps of several seconds
EXACT_UP_TO = 1 << 23  # requests: float32 counts to twice that without rounding, and a resample can be the larger
FIRST_COLUMNS = 128
MOST_COLUMNS = 512  # of one matrix product

Number = NDArray[np.float64]


@dataclass(frozen=True)
class Resamples:
    """How often each resample holds each step of the window. Row 0 is the window itself."""

    drawn: NDArray[np.float32]  # [1 + RESAMPLES, steps]
    from_s: int
    step_s: int
    blocks: float  # as many as are independent of each other: steps / block length

    def per_step(self, second: Array, count: Array) -> Number:
        """Add up the *count* of rows by the step that their *second* is in."""
        counts: Number = np.bincount(self.step(second), weights=count, minlength=self.drawn.shape[1]).astype(np.float64)
        return counts

    def step(self, second: Array) -> NDArray[np.int64]:
        return (second.astype(np.int64) - self.from_s) // self.step_s

    def totals(self, per_step: Number) -> Number:
        """Give what each resample holds of what the steps hold."""
        held: Number = self.drawn @ per_step
        return held


def block_length(steps: int) -> int:
    """Choose how many steps a block has: 2.5 times the cube root of their number, and at most a quarter of them.

    The cube root is the growth that estimates a variance best (Künsch 1989; Hall, Horowitz & Jing, Biometrika 82,
    1995). The factor is what Politis & White (Econometric Reviews 23, 2004) give for seconds that are correlated by
    about 0.74: where there is less, longer blocks than needed cost a little width and no truth.
    """
    return max(1, min(math.ceil(2.5 * math.cbrt(steps)), steps // 4))


def resamples(from_s: int, to_s: int, seed: Sequence[int]) -> Resamples:
    """Draw the seconds from *from_s* on and before *to_s*; the same *seed* draws the same."""
    step_s = math.ceil((to_s - from_s) / MOST_STEPS)
    steps = math.ceil((to_s - from_s) / step_s)
    length = block_length(steps)
    starts = np.random.default_rng(seed).integers(steps, size=(RESAMPLES, math.ceil(steps / length)))
    last = steps - (starts.shape[1] - 1) * length  # the last block is cut, so that all resamples are as long
    drawn = np.ones((1 + RESAMPLES, steps), np.float32)
    drawn[1:] = _held(starts[:, :-1], length, steps)
    drawn[1:] += _held(starts[:, -1:], last, steps)
    return Resamples(drawn, from_s, step_s, steps / length)


def percentiles_s(resamples: Resamples, population: Population, shares: Sequence[Fraction]) -> tuple[Number, Number]:
    """Give the percentiles by nearest rank of every resample, in seconds: [resamples, *shares*].

    First with the censored requests at their bounds, then as if they had never ended: a percentile among them is
    infinite. Times are those of their histogram bucket (within 0.05 %).
    """
    step, count = resamples.step(population.second), population.count
    n = np.rint(resamples.totals(resamples.per_step(population.second, count))).astype(np.int64)
    ranks = np.stack([np.maximum(1, -(-share.numerator * n // share.denominator)) for share in shares], axis=1)
    times_us, bucket = np.unique(bucketed(population.value_us.astype(np.int64)), return_inverse=True)
    times_s, column = np.append(times_us / 1e6, np.inf), bucket[population.at]
    low = times_s[_Table(resamples.drawn, step, column, count).first_reaching(ranks, len(times_us))]
    if not population.censored.any():
        return low, low
    ended = ~population.censored
    exact = _Table(resamples.drawn, step[ended], column[ended], count[ended])
    return low, times_s[exact.first_reaching(ranks, len(times_us))]


def _held(starts: NDArray[np.int64], length: int, steps: int) -> NDArray[np.int32]:
    """Count how often each step is in the blocks of *length* that begin at *starts*, row by row."""
    row = steps * np.arange(len(starts))[:, None]
    begun = np.bincount((starts + row).ravel(), minlength=steps * len(starts)).reshape(-1, steps).astype(np.int32)
    so_far = np.cumsum(np.hstack((begun[:, steps - length :], begun)), axis=1, dtype=np.int32)
    return so_far[:, length:] - so_far[:, :-length]


@dataclass(frozen=True)
class _Table:
    drawn: NDArray[np.float32]
    step: NDArray[np.int64]
    column: NDArray[np.int64]
    count: Array

    def first_reaching(self, ranks: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
        """Give for every resample and rank the first column with as many requests up to it, or *columns*."""
        coarse = np.arange(0, columns, max(1, columns // FIRST_COLUMNS))
        ends = np.append(coarse, columns)
        at = self._below(coarse, ranks)
        between = [
            np.arange(ends[max(0, low - 1)], ends[high] + 1) for low, high in zip(at.min(0), at.max(0), strict=True)
        ]
        fine = np.unique(np.concatenate(between))
        fine = fine[fine < columns]
        return np.append(fine, columns)[self._below(fine, ranks)]

    def _below(self, columns: NDArray[np.int64], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count the *columns* up to which there are fewer requests than the rank."""
        below = np.zeros(ranks.shape, np.int64)
        for chunk in np.split(columns, range(MOST_COLUMNS, len(columns), MOST_COLUMNS)):
            reached = self.drawn @ self._cumulative(chunk)
            for rank in range(ranks.shape[1]):
                below[:, rank] += (reached < ranks[:, rank, None]).sum(axis=1)
        return below

    def _cumulative(self, columns: NDArray[np.int64]) -> NDArray[Any]:
        """Count the requests of each step up to each of *columns*: [steps, columns]."""
        width, steps = len(columns) + 1, self.drawn.shape[1]
        place = self.step * width + np.searchsorted(columns, self.column)
        counts = np.bincount(place, weights=self.count, minlength=steps * width).reshape(steps, width)
        kind = np.float32 if counts.sum() <= EXACT_UP_TO else np.float64
        return counts[:, :-1].cumsum(axis=1).astype(kind)
