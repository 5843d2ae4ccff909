"""How many requests took how long, as a histogram; those without an answer stand at the least they took."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.percentiles import estimates
from analysis.plots.axes import SMALLEST_S, count_axis, figure_of, is_wide, legend_above, linear_axis, log_axis
from analysis.plots.plot import Picture
from analysis.plots.style import DASHED, INK, SKY, SMALL_PT, VERMILLION, Style
from analysis.plots.view import View
from analysis.plots.words import sentence
from analysis.samples import Array
from analysis.wording import estimate_text, share_text, time_text

BINS = 60
ROW = 0.065  # height of a name above the axes, as a share of theirs
MOST_RIGHT = 0.86  # of the axis, up to which a mark may lie
LEAST_RANGE = 0.1  # of the axis, as a share of its times
LEAST_HEIGHT = 0.012  # of a bar, as a share of the highest
FINEST = 0.01  # width of a bar as a share of its time: ten of the histogram's buckets, else some bars hold one more
MARKED = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p99": Fraction(99, 100)}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Bars:
    edges_s: Numbers
    answered: Numbers
    unanswered: Numbers  # at the least they took
    is_wide: bool  # the axis is logarithmic


def picture(view: View) -> Picture | None:
    """Draw the times of the window; None if there are none."""
    if view.shown is None or not view.is_whole:
        return None
    times = view.times[view.shown]
    counts = times.within(view.window.from_s, view.window.to_s)
    bars = bars_of(times.value_us, counts)
    figure, (axes,) = figure_of(3.0, top_in=0.95)
    _draw(axes, bars)
    marks = _marks(view)
    _taken_axis(axes, bars, marks[-1][0] if marks else bars.edges_s[-1])
    _mark(axes, marks)
    axes.set_ylabel("requests")
    axes.set_xlabel(f"{view.shown} time")
    legend_above(axes, height=1 + ROW * len(MARKED))
    return Picture("Distribution", reading(view, counts), figure)


def bars_of(value_us: Array, counts: Numbers) -> Bars:
    """Count times (of *counts*, by censored and by place in *value_us*) by bars of equal width on their axis."""
    held = np.flatnonzero(counts.any(axis=0))
    value_us, counts = np.maximum(value_us[held], 1), counts[:, held]
    wide = is_wide(value_us[0] / 1e6, value_us[-1] / 1e6)
    edges_us = _edges(value_us, wide)
    answered, unanswered = (np.histogram(value_us, edges_us, weights=count)[0] for count in counts)
    return Bars(edges_us / 1e6, answered, unanswered, wide)


def _edges(value_us: Array, wide: bool) -> Numbers:
    """Place edges half way between times that can occur: whole microseconds, or whole milliseconds if all are."""
    unit = 1000 if (value_us % 1000 == 0).all() else 1
    low, high = int(value_us[0]) - unit / 2, int(value_us[-1]) + unit / 2
    if wide:
        spread = np.geomspace(low, high, BINS + 1)
        return np.unique(np.rint(spread / unit - 0.5) * unit + unit / 2)
    width = np.ceil(max((high - low) / BINS, FINEST * low) / unit) * unit
    edges: Numbers = low + width * np.arange(np.ceil((high - low) / width) + 1)
    return edges


def _draw(axes: Axes, bars: Bars) -> None:
    """Stack what has no answer on what has one; a bar of a single request among millions can still be seen."""
    total = bars.answered.sum() + bars.unanswered.sum()
    highest = (bars.answered + bars.unanswered).max()
    hatched: Style = {"facecolor": VERMILLION, "edgecolor": INK, "hatch": "xxxx"}
    for held, below, label, style in (
        (bars.answered, np.zeros_like(bars.answered), "ok", {"color": SKY}),
        (bars.unanswered, bars.answered, "no answer, took at least this", hatched),
    ):
        if held.any():
            top = below + np.where(held, np.maximum(held, LEAST_HEIGHT * highest), 0)
            name = f"{label}: {held.sum():,.0f} ({share_text(held.sum(), total)})"
            axes.stairs(top, bars.edges_s, baseline=below, fill=True, label=name, **style)
    count_axis(axes, highest, ticks=5)


def _marks(view: View) -> list[tuple[float, str]]:
    """Name what is marked on the axis, the shortest time first."""
    population = view.populations[view.shown or ""]
    found = zip(MARKED, estimates(population, tuple(MARKED.values()), view.choices.confidence), strict=True)
    marks = [(one.value_s, f"{name} {estimate_text(vars(one))}") for name, one in found if one.value_s is not None]
    return sorted((max(value_s, SMALLEST_S), text) for value_s, text in marks)


def _taken_axis(axes: Axes, bars: Bars, last_s: float) -> None:
    """Leave room to the right of *last_s*, the last mark, for its name."""
    low, high = bars.edges_s[0], bars.edges_s[-1]
    if bars.is_wide:
        log_axis(axes.xaxis, low, max(low * (high / low) ** 1.02, low * (last_s / low) ** (1 / MOST_RIGHT)))
    else:
        spare = max(1.04 * (high - low), LEAST_RANGE * high) / 2
        low = max(0.0, (low + high) / 2 - spare)
        linear_axis(axes.xaxis, low, max(high, (low + high) / 2 + spare, low + (last_s - low) / MOST_RIGHT))


def _mark(axes: Axes, marks: list[tuple[float, str]]) -> None:
    """Name each mark in a row of its own above the axes, the first highest, so that no name meets another."""
    for row, (value_s, text) in enumerate(reversed(marks)):
        height = 1 + ROW * (row + 1)
        line = Line2D([value_s] * 2, [0, height], color=INK, linewidth=1, linestyle=DASHED, clip_on=False)
        line.set_transform(axes.get_xaxis_transform())
        axes.add_artist(line)
        place: Style = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points", "fontsize": SMALL_PT}
        axes.annotate(text, (value_s, height), (3, -8), annotation_clip=False, **place)


def reading(view: View, counts: Numbers) -> str:
    """Say what 90 % of the requests took, and how many never got an answer."""
    population = view.populations[view.shown or ""]
    (most,) = estimates(population, (MARKED["p90"],), view.choices.confidence)
    unanswered, total = counts[1].sum(), counts.sum()
    text = f"the fastest request took {time_text(population.at_least_s(1))}"
    if most.value_s is not None and not most.censored:
        text = f"90 % of the requests took {time_text(most.value_s)} or less"
    if not unanswered:
        return sentence(f"{text}; all {total:,.0f} got an answer" if total > 1 else text)
    least_s = view.times[view.shown or ""].value_us[counts[1] > 0][0] / 1e6
    share = f"{unanswered:,.0f} of {total:,.0f} ({share_text(unanswered, total)})"
    return sentence(f"{text}; {share} got no answer and took {time_text(least_s)} or more")
