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
from analysis.plots.steps import Steps, steps_of
from analysis.population import Population, population, population_of
from analysis.run import Run
from analysis.run_format import LATENESS, RESPONSE, SERVICE, bucketed
from analysis.samples import Array
from analysis.window import Window

MEASURES_DRAWN = (RESPONSE, SERVICE, LATENESS)


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
    inside = run.bounded.within(window.from_s, window.to_s)
    for measure in MEASURES_DRAWN:
        of_run = run.population(measure)
        of_window = of_run if inside is run.bounded else population_of(inside, measure)
        if of_window.n:
            times[measure], populations[measure] = _times(of_run), of_window
    return View(run, choices, window, _seconds(run), times, populations)


def _seconds(run: Run) -> int:
    ends = [array.max() + 1 for array in (run.samples.second, run.timeline.second) if len(array)]
    return max(math.ceil(run.duration_s or 0), *map(int, ends), 0)


def _times(of_run: Population) -> Times:
    """Take the times of one histogram bucket for one: another tool may have recorded each in nanoseconds."""
    bucket_us = bucketed(of_run.value_us.astype(np.int64, copy=False))
    is_first = np.diff(bucket_us, prepend=-1) > 0
    at = (np.cumsum(is_first) - 1)[of_run.at]
    return Times(of_run.second, at, of_run.censored, of_run.count, of_run.value_us[is_first])
