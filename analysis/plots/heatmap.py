"""How many requests took how long, second by second: time on both axes, the count as shade.

Shades are one colour of the page at several strengths, so they follow its theme and stay in order in grey. Each is
painted over all cells that have at least its count, the strongest last: few large shapes instead of many cells.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from analysis.percentiles import nearest_rank
from analysis.plots.axes import HIGHEST, SMALLEST_S, figure_of, gateway_limit, log_axis, mark_cut, run_axis
from analysis.plots.plot import Picture
from analysis.plots.steps import Steps
from analysis.plots.style import BLUE, SMALL_PT
from analysis.plots.view import Times, View
from analysis.plots.words import most_text, range_text, sentence
from analysis.wording import count_text, time_text

MOST_LIE = (Fraction(1, 10), Fraction(1, 2), Fraction(9, 10))
SLOW = 5  # times the median
ROWS = 44
LEAST_RANGE = 2.0  # from the lowest to the highest time of the axis
MOST_SHADES = 6
FAINTEST = 0.2  # strength of the first shade; the last has 1
ROUND = np.outer(10 ** np.arange(10), (1, 2, 3, 5)).ravel()

Numbers = NDArray[np.float64]
Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class Heat:
    steps: Steps
    edges_s: Numbers  # of the rows of cells, ascending
    count: Numbers  # by row and by step
    levels: list[int]  # the lowest count of each shade, ascending


def picture(view: View) -> Picture | None:
    """Draw the measured times; None if there are none."""
    if view.shown is None or not view.is_whole:
        return None
    heat = heat_of(view.times[view.shown], view.steps)
    figure, (axes,) = figure_of(3.4)
    _draw(axes, heat)
    mark_cut(axes, view.window)
    low_s, high_s = heat.edges_s[0], heat.edges_s[-1]
    log_axis(axes.yaxis, low_s, low_s * (high_s / low_s) ** (1 / HIGHEST))
    axes.set_ylabel(f"{view.shown} time")
    run_axis(axes, view.seconds, f"; a cell is {heat.steps.width_s:,} s wide")
    gateway_limit(axes, view.run.manifest["gateway"])
    _key(axes, heat.levels)
    return Picture("Latency over time", reading(view), figure)


def heat_of(times: Times, steps: Steps) -> Heat:
    """Count requests by cell; of a request without an answer, where it is known to have got to."""
    value_s = np.maximum(times.value_us / 1e6, SMALLEST_S)
    edges_s = _edges(value_s[0], value_s[-1])
    counts = times.counted(steps).sum(axis=1)
    row = np.searchsorted(edges_s, value_s, side="right") - 1
    count = np.zeros((ROWS, len(steps)))
    np.add.at(count, row, counts.T)
    return Heat(steps, edges_s, count, levels_of(int(count.max())))


def _edges(low_s: float, high_s: float) -> Numbers:
    """Space rows evenly on a logarithmic axis, a little beyond both ends."""
    spare = max(1.0, math.sqrt(LEAST_RANGE * low_s / high_s)) * 1.05
    return np.geomspace(low_s / spare, high_s * spare, ROWS + 1)


def levels_of(highest: int) -> list[int]:
    """Choose the counts at which the shade changes: even factors apart from 1 up to *highest*, and round."""
    exact = highest ** (np.arange(MOST_SHADES) / MOST_SHADES)
    levels = ROUND[np.searchsorted(ROUND, exact * 1.001, side="right") - 1]
    return [int(level) for level in np.unique(levels)]


def rectangles(cells: Cells) -> list[tuple[int, int, int, int]]:
    """Cover *cells* (rows x steps) with rectangles: from step, from row, and before which step and row they end."""
    padded = np.zeros((cells.shape[0], cells.shape[1] + 2), np.int8)
    padded[:, 1:-1] = cells
    change = np.diff(padded, axis=1)
    growing: dict[tuple[int, int], int] = {}  # the row from which a run of cells has gone on
    found = []
    for row in range(cells.shape[0] + 1):
        here = _runs(change[row]) if row < cells.shape[0] else set()
        found += [(run[0], since, run[1], row) for run, since in growing.items() if run not in here]
        growing = {run: growing.get(run, row) for run in sorted(here)}
    return found


def _runs(change: NDArray[np.int8]) -> set[tuple[int, int]]:
    return set(zip(np.flatnonzero(change > 0).tolist(), np.flatnonzero(change < 0).tolist(), strict=True))


def strengths(shades: int) -> list[float]:
    """Give each shade's opacity so that, painted one over the other, they grow evenly from `FAINTEST` to 1."""
    sums = np.linspace(FAINTEST, 1, shades) if shades > 1 else np.array([0.8])
    before = np.concatenate(([0.0], sums[:-1]))
    return [float(strength) for strength in 1 - (1 - sums) / (1 - before)]


def _draw(axes: Axes, heat: Heat) -> None:
    for level, strength in zip(heat.levels, strengths(len(heat.levels)), strict=True):
        path = _path(rectangles(heat.count >= level), heat)
        axes.add_artist(PathPatch(path, facecolor=BLUE, alpha=strength, linewidth=0))


def _path(found: list[tuple[int, int, int, int]], heat: Heat) -> Path:
    corners = np.array(found).reshape(-1, 4)
    left, right = heat.steps.edges_s[corners[:, 0]], heat.steps.edges_s[corners[:, 2]]
    bottom, top = heat.edges_s[corners[:, 1]], heat.edges_s[corners[:, 3]]
    x = np.stack([left, right, right, left, left], axis=1)
    y = np.stack([bottom, bottom, top, top, bottom], axis=1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
    return Path(np.stack([x.ravel(), y.ravel()], axis=1), codes)


def _key(axes: Axes, levels: list[int]) -> None:
    """Say how many requests each shade stands for."""
    sums = 1 - np.cumprod([1 - strength for strength in strengths(len(levels))])
    shades = [Patch(facecolor=BLUE, alpha=strength) for strength in sums]
    labels = [count_text(level) for level in levels]
    labels[-1] += " or more requests in a cell"
    marked, names = axes.get_legend_handles_labels()
    axes.legend(
        [*marked, *shades],
        [*names, *labels],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=len(marked) + len(shades),
        borderaxespad=0.2,
        columnspacing=1,
        handlelength=1.2,
        handletextpad=0.4,
        fontsize=SMALL_PT,
    )


def reading(view: View) -> str:
    """Say between which times most requests of the window lie, and when most of the slow ones were."""
    population, times = view.populations[view.shown or ""], view.times[view.shown or ""]
    low_s, median_s, high_s = (population.at_least_s(nearest_rank(population.n, share)) for share in MOST_LIE)
    or_more = "" if population.at_most_s(nearest_rank(population.n, MOST_LIE[-1])) == high_s else " or more"
    text = f"eight of ten requests took {range_text(low_s, high_s)}{or_more}"
    slow = times.value_us / 1e6 >= max(SLOW * median_s, SMALLEST_S)
    counts = times.counted(view.steps)[:, :, slow].sum(axis=(1, 2))
    slowest = f"took {SLOW} times the median of {time_text(median_s)} or longer"
    if not counts.any():
        waited = times.counted(view.steps)[:, 1].sum()
        known = f", as far as is known: {waited:,.0f} got no answer" if waited else ""
        return sentence(f"{text}; none {slowest}{known}")
    return sentence(f"{text}; {counts.sum():,.0f} {slowest}, {most_text(counts, view.steps)}")
