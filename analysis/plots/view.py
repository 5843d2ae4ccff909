"""What of a run the pictures show, counted once for all of them.

A run of an hour has ten million rows of samples. They are gone through once for each measure that is drawn, and only
counts are kept: by step of time, by distinct time, and by whether the time is only a lower bound.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.choices import Choices
from analysis.outcomes import CENSORED, POPULATION
from analysis.plots.steps import Steps, steps_of
from analysis.population import BEFORE_THE_ANSWER, EXACT, Population, population
from analysis.run import Run
from analysis.run_format import LATENESS, MEASURES, RESPONSE, SERVICE
from analysis.samples import OUTCOMES, UNMEASURED, Array, Samples
from analysis.window import Window

MEASURES_DRAWN = (RESPONSE, SERVICE, LATENESS)

_IN_POPULATION = np.array([outcome in POPULATION for outcome in OUTCOMES])
_IS_CENSORED = np.array([outcome in CENSORED for outcome in OUTCOMES])
_SAME_BUCKET_BITS = 42  # what is left of a float64 above these is the histogram bucket of run_format.bucketed


@dataclass(frozen=True)
class Times:
    """One measure's times, by the second in which their requests were planned."""

    second: Array
    at: Array  # where in `value_us` each row's time is
    censored: NDArray[np.bool_]
    count: Array
    value_us: Array  # ascending, each once; within 0.05 % of what was recorded, exact if a histogram was

    def counted(self, steps: Steps) -> NDArray[np.float64]:
        """Count requests by step, by censored (0 or 1), and by place in `value_us`."""
        shape = (len(steps), 2, len(self.value_us))
        where = (steps.of(self.second) * 2 + self.censored) * shape[2] + self.at
        return np.bincount(where, self.count, math.prod(shape)).astype(np.float64).reshape(shape)

    def within(self, from_s: int, to_s: int) -> NDArray[np.float64]:
        """Count requests planned from *from_s* on and before *to_s*, by censored and by place in `value_us`."""
        inside = (self.second >= from_s) & (self.second < to_s)
        where = self.censored[inside] * len(self.value_us) + self.at[inside]
        return np.bincount(where, self.count[inside], 2 * len(self.value_us)).astype(np.float64).reshape(2, -1)

    def population(self, counts: NDArray[np.float64]) -> Population:
        """Sort the times that *counts* (by censored and by place) has any of."""
        censored, at = np.nonzero(counts)
        return population(self.value_us[at], counts[censored, at].astype(np.int64), censored > 0)


@dataclass(frozen=True)
class View:
    run: Run
    choices: Choices
    window: Window
    seconds: int  # of all that was recorded, waiting for the last answers included
    times: Mapping[str, Times]  # by measure, those only that were measured in the window
    populations: Mapping[str, Population]  # of the window; the times as recorded

    @property
    def steps(self) -> Steps:
        return steps_of(self.seconds)

    @property
    def shown(self) -> str | None:
        """Name the measure that stands for how long a request took; None if nothing was measured."""
        return next((measure for measure in (RESPONSE, SERVICE) if measure in self.times), None)

    @property
    def is_whole(self) -> bool:
        """Whether each request's time is known, and not only some percentiles of them."""
        return self.run.source.known is None


def view_of(run: Run, choices: Choices, window: Window) -> View:
    times, populations = {}, {}
    for measure in MEASURES_DRAWN:
        rows = _rows(run.samples, measure)
        found = _times(run.samples, measure, rows)
        if measure == LATENESS:  # it is drawn without intervals, so its counts are enough
            of_window = found.population(found.within(window.from_s, window.to_s))
        else:
            of_window = _population(run.samples, rows, found, window)
        if of_window.n:
            times[measure], populations[measure] = found, of_window
    return View(run, choices, window, _seconds(run), times, populations)


def _seconds(run: Run) -> int:
    ends = [array.max() + 1 for array in (run.samples.second, run.timeline.second) if len(array)]
    return max(math.ceil(run.duration_s or 0), *map(int, ends), 0)


def _rows(samples: Samples, measure: str) -> NDArray[np.intp]:
    """Find the rows of the measure's population; as `analysis.population` says."""
    chosen = (samples.measure == MEASURES.index(measure)) & (samples.value_us != UNMEASURED)
    if measure not in BEFORE_THE_ANSWER:
        chosen &= _IN_POPULATION[samples.outcome]
    return np.flatnonzero(chosen)


def _times(samples: Samples, measure: str, rows: NDArray[np.intp]) -> Times:
    value_us, at = _distinct(samples.value_us[rows])
    censored = _IS_CENSORED[samples.outcome[rows]] & (measure not in EXACT)
    return Times(samples.second[rows], at, censored, samples.count[rows], value_us)


def _distinct(value_us: Array) -> tuple[Array, Array]:
    """Give the distinct times, ascending, and the place of each; those of one histogram bucket are taken as one."""
    bucket = value_us.astype(np.float64).view(np.int64) >> _SAME_BUCKET_BITS
    used = np.bincount(bucket) > 0
    place = np.cumsum(used) - 1
    at = place[bucket]
    distinct = np.zeros(np.count_nonzero(used), np.int64)
    distinct[at] = value_us
    return distinct, at


def _population(samples: Samples, rows: NDArray[np.intp], times: Times, window: Window) -> Population:
    """Sort the window's times as recorded, with their seconds, which intervals need."""
    inside = np.flatnonzero((times.second >= window.from_s) & (times.second < window.to_s))
    if len(times.value_us) <= np.iinfo(np.uint16).max:
        # numpy sorts 16 bits in linear time, and `population` is three times as fast with what is in order.
        inside = inside[np.argsort(times.at[inside].astype(np.uint16), kind="stable")]
    value_us = samples.value_us[rows[inside]]
    return population(value_us, times.count[inside], times.censored[inside], times.second[inside])
