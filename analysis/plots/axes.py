"""Axes that several pictures share: time taken, time of the run, percentiles, and what is marked on them."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from analysis.plots.style import INK, SMALL_PT, WIDTH_IN, Style
from analysis.window import Window
from analysis.wording import time_text

LOG_RATIO = 8  # highest over lowest time from which the axis is logarithmic
HIGHEST = 0.84  # where the highest time stands, as a share of the axis
FEWEST_TICKS, MOST_TICKS = 3, 9
LOG_STEPS: tuple[tuple[float, ...], ...] = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))
SMALLEST_S = 1e-6  # a time of 0 stands here on a logarithmic axis: times are recorded in whole microseconds
# Seconds between two ticks of the run's time, in the units that it is then written in.
TICKS_S = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 21600, 43200, 86400)
LEFT_IN, RIGHT_IN, TOP_IN, BOTTOM_IN = 1.05, 0.25, 0.35, 0.55


def figure_of(*heights_in: float, share_x: bool = True, top_in: float = TOP_IN) -> tuple[Figure, list[Axes]]:
    """Stack axes of *heights_in*. Margins are fixed, so that the time axes of all pictures are one above the other."""
    between_in = TOP_IN + (0.1 if share_x else BOTTOM_IN)
    total_in = sum(heights_in) + between_in * (len(heights_in) - 1) + top_in + BOTTOM_IN
    figure = Figure(figsize=(WIDTH_IN, total_in))
    rows = figure.subplots(len(heights_in), 1, sharex=share_x, height_ratios=heights_in, squeeze=False)
    figure.subplots_adjust(
        left=LEFT_IN / WIDTH_IN,
        right=1 - RIGHT_IN / WIDTH_IN,
        bottom=BOTTOM_IN / total_in,
        top=1 - top_in / total_in,
        hspace=between_in * len(heights_in) / sum(heights_in),
    )
    for axes, height_in in zip(rows[:, 0], heights_in, strict=True):
        # Fixed as well: matplotlib would draw all ticks twice to find a place.
        axes.yaxis.set_label_coords(-0.84 / (WIDTH_IN - LEFT_IN - RIGHT_IN), 0.5)
        axes.xaxis.set_label_coords(0.5, -0.32 / height_in)
    return figure, list(rows[:, 0])


def legend_above(axes: Axes, height: float = 1) -> None:
    """Name the marks above the axes on the right, where no mark can be; *height* is in heights of the axes."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1, height),
            ncols=len(handles),
            borderaxespad=0.2,
            columnspacing=1.3,
            handlelength=2.4,
        )


def is_wide(low_s: float, high_s: float) -> bool:
    """Tell whether times from *low_s* to *high_s* need a logarithmic axis."""
    return high_s > LOG_RATIO * max(low_s, SMALLEST_S)


def taken_axis(axes: Axes, low_s: float, high_s: float) -> None:
    """Let the vertical axis show times from *low_s* to *high_s*: from 0, or logarithmic where that would hide most.

    Above them is room for the name of a line.
    """
    if is_wide(low_s, high_s):
        low_s = max(low_s, SMALLEST_S) / 1.3
        log_axis(axes.yaxis, low_s, low_s * (high_s / low_s) ** (1 / HIGHEST))
    else:
        linear_axis(axes.yaxis, 0, high_s / HIGHEST or 10 * SMALLEST_S)


def log_axis(axis: Any, low_s: float, high_s: float) -> None:
    axis.axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low_s, high_s)})
    _tick(axis, log_ticks(low_s, high_s))


def linear_axis(axis: Any, low_s: float, high_s: float) -> None:
    axis.axes.set(**{f"{axis.axis_name}lim": (low_s, high_s)})
    _tick(axis, _round_ticks(low_s, high_s))


def log_ticks(low: float, high: float) -> list[float]:
    """Choose 3 to 9 round values from *low* to *high*: whole powers of ten if they are enough, else ones between."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in LOG_STEPS:
        ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= FEWEST_TICKS:
            return inside[:: math.ceil(len(inside) / MOST_TICKS)]
    return _round_ticks(low, high)


def _round_ticks(low: float, high: float) -> list[float]:
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _tick(axis: Any, ticks: Sequence[float]) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: time_text(value))


def run_axis(axes: Axes, seconds: int, note: str = "") -> None:
    """Let the horizontal axis show *seconds* of the run, written in seconds, minutes or hours; *note* says more."""
    step_s = next((step for step in TICKS_S if seconds / step <= 10), math.ceil(seconds / 864_000) * 86_400)
    unit, unit_s = next(unit for unit in (("hours", 3600), ("minutes", 60), ("seconds", 1)) if step_s >= unit[1])
    ticks = np.arange(0, seconds + 1, step_s)
    axes.set_xlim(0, seconds)
    axes.set_xticks(ticks, [f"{tick / unit_s:g}" for tick in ticks])
    axes.set_xlabel(f"{unit} since the start{note}")


def count_axis(axes: Axes, highest: float, *, ticks: int = 4) -> None:
    """Let the vertical axis count from 0 to a little over *highest*."""
    axes.set_ylim(0, max(1.0, 1.1 * highest))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=ticks, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def nines_axis(axes: Axes, most: float) -> None:
    """Let the horizontal axis show percentiles up to *most* nines: 1 is p90, 2 is p99."""
    shares = [Fraction(0), Fraction(1, 2)] + ([Fraction(3, 4)] if most < 2 else [])
    shares += [1 - Fraction(1, 10**nines) for nines in range(1, math.floor(most) + 1)]
    axes.set_xticks([nines_of(share) for share in shares], [f"p{float(100 * share):.10g}" for share in shares])
    axes.set_xlim(0, most * 1.05)
    axes.set_xlabel("percentile: the share of requests that took no longer")


def nines_of(share: Fraction) -> float:
    return -math.log10(1 - share)


def limit_line(axes: Axes, limit_s: float | None, text: str, *, above: bool = True) -> None:
    """Draw a limit on the time taken, named *text*; if it is higher than the axis, say so where *above*."""
    low, high = axes.get_ylim()
    if limit_s and low <= limit_s <= high:
        axes.axhline(limit_s, color=INK, linestyle="-.", linewidth=1)
        place: Style = {"xytext": (0, 3), "textcoords": "offset points", "fontsize": SMALL_PT}
        axes.annotate(text, (0.005, limit_s), xycoords=("axes fraction", "data"), **place)
    elif limit_s and limit_s > high and above:
        axes.annotate(f"{text}: above this picture", (0.005, 0.955), xycoords="axes fraction", fontsize=SMALL_PT)


def gateway_limit(axes: Axes, gateway: Mapping[str, Any], *, above: bool = True) -> None:
    """Draw the gateway's time limit, if it has one."""
    limit_s = gateway.get("timeout_s")
    limit_line(axes, limit_s, f"gateway limit {time_text(limit_s)}", above=above)


def mark_cut(axes: Axes, window: Window, *, named: bool = True) -> None:
    """Shade what is left out of the latencies; its name goes to the legend."""
    reasons = dict.fromkeys(cut.why for cut in window.cut)
    label = "left out: " + ", ".join(reasons) if set(reasons) != {"chosen"} else "left out"
    for number, cut in enumerate(window.cut):
        name = label if named and number == 0 else None
        axes.axvspan(cut.from_s, cut.to_s, facecolor=(INK, 0.15), edgecolor="none", zorder=0.4, label=name)
        axes.axvspan(cut.from_s, cut.to_s, facecolor="none", edgecolor=(INK, 0.3), hatch="//", zorder=0.5)
