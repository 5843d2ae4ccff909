"""How much of the beginning of a run is warm-up, by MSER-5.

MSER cuts where the rest tells its own mean best: it minimises the marginal standard error, the sum of the squared
deviations of what stays over the square of how much that is (White, An Effective Truncation Heuristic for Bias
Reduction in Simulation Output, Simulation 69 (1997)). In batches of 5 it is MSER-5, the most effective and robust of
the rules compared by White, Cobb & Spratt, A Comparison of Five Steady-State Truncation Heuristics for Simulation,
Winter Simulation Conference 2000. An optimum in the second half says that the series is too short, or has no steady
state (Hoad & Robinson, Implementing MSER-5 in Commercial Simulation Software and Its Wider Implications, Winter
Simulation Conference 2011).

Here it looks at the medians of seconds, and there are two additions. A slow second or two in mid-run are not warm-up,
but a square would make them the whole of it, so they are levelled before. And the rule cuts a little from pure noise:
a cut is made only if what it would take away differs from the rest, by more than chance and by enough to matter.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.samples import Array
from analysis.window.medians import median_of

BATCH_S = 5
LEAST_BATCHES = 10
LEAST_S = BATCH_S * LEAST_BATCHES
LEAST_LEFT = 5  # batches; of the last few the error is small by chance
MATERIAL_SHARE = 0.05  # a cut must change the median by more than this ...
CLEAR_DEVIATIONS = 6.0  # ... and by more than this many standard errors
SPIKE_S = 2  # so long a slow moment is levelled

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Warmup:
    ends_s: int  # the first second that is kept
    steady: bool = True  # False: what differs is more than the first half; nothing is cut then
    change: float | None = None  # of the median, as a share of it, where that happens


def warmup(second: Array, median: Series, start_s: int) -> Warmup | None:
    """Find the warm-up of a series from *start_s* on, seconds of which may be missing; None: too short to tell."""
    batch, means = _batches(second - start_s, median)
    if len(batch) < LEAST_BATCHES:
        return None
    errors = marginal_errors(means)[: len(means) - LEAST_LEFT + 1]
    half = len(means) // 2
    cut = _differing(means, int(errors[: half + 1].argmin()))
    cut = cut if _differ(means, cut) else 0
    best = int(errors.argmin())
    if best > half and _differ(means[cut:], best - cut):
        return Warmup(start_s, False, _change(means[cut:best], means[best:]))
    return Warmup(start_s + int(batch[cut]) * BATCH_S if cut else start_s)


def marginal_errors(means: Series) -> Series:
    """Give MSER for each number of batches cut, from none to all but one."""
    centred = means - means.mean()
    left = np.arange(len(means), 0, -1)
    total, squares = (np.cumsum(values[::-1])[::-1] for values in (centred, centred**2))
    errors: Series = np.maximum(squares - total**2 / left, 0) / left**2
    return errors


def _batches(second: Array, median: Series) -> tuple[Array, Series]:
    """Give the numbers of the batches that are not empty, and the mean of each."""
    batch, at = np.unique(second // BATCH_S, return_inverse=True)
    means = np.bincount(at, _levelled(median)) / np.bincount(at) if len(batch) else median
    return batch, means


def _levelled(series: Series) -> Series:
    """Bring peaks of up to `SPIKE_S` values down to their surroundings, but not at the ends: a start is no peak."""
    reach = SPIKE_S + 1
    padded = np.pad(series, SPIKE_S, constant_values=np.inf)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, reach).min(axis=1)
    levelled: Series = np.lib.stride_tricks.sliding_window_view(lowest, reach).max(axis=1)
    return levelled


def _differing(means: Series, most: int) -> int:
    """How many of the first *most* batches differ, one after the other, from the rest by enough to matter.

    In little noise MSER cuts until a thousandth is left, and in much noise it goes on a while by chance.
    """
    level = median_of(means[most:])
    matters = np.abs(np.append(means[:most], level) - level) > MATERIAL_SHARE * level
    return int(matters.argmin())


def _differ(means: Series, cut: int) -> bool:
    """Whether the batches before *cut* differ, half of them by enough to matter, and all of them together clearly."""
    if cut == 0:
        return False
    before, after = means[:cut], means[cut:]
    level = median_of(after)
    matters = abs(median_of(before) - level) > MATERIAL_SHARE * level
    error = float(after.std(ddof=1)) * math.sqrt(1 / len(before) + 1 / len(after))
    return matters and abs(float(before.mean()) - level) > CLEAR_DEVIATIONS * error


def _change(before: Series, after: Series) -> float | None:
    level = median_of(before)
    return median_of(after) / level - 1 if level > 0 else None
