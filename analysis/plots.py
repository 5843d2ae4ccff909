"""The report's two pictures, each as SVG (to be inlined) and PNG: percentiles, and the run second by second.

Built with matplotlib's object API: no pyplot, so no state is left behind. Colours are Okabe and Ito's, which
colour-blind people tell apart, and every line has a style of its own for black and white. In the SVG the
colours become CSS variables of the page, so one picture serves light and dark.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from analysis.choices import Choices
from analysis.outcomes import Outcome
from analysis.percentiles import estimates
from analysis.population import population_of
from analysis.run import Run
from analysis.run_format import RESPONSE, SERVICE
from analysis.samples import OUTCOMES, Array, Samples
from analysis.window import Window
from analysis.wording import time_text

INK = "#333334"  # text and axes; not a grey that matplotlib uses itself
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9"
CSS_COLOURS = {
    INK: "var(--ink)",
    BLUE: "var(--blue)",
    VERMILLION: "var(--vermillion)",
    GREEN: "var(--green)",
    ORANGE: "var(--orange)",
    PURPLE: "var(--purple)",
    SKY: "var(--sky)",
}
CURVES = {RESPONSE: (BLUE, "-"), SERVICE: (VERMILLION, (0, (5, 2)))}
# 15 pairs, all different, because 5 and 3 have no common divisor.
OUTCOME_STYLES = [
    ((VERMILLION, BLUE, GREEN, PURPLE, ORANGE)[i % 5], ("-", (0, (5, 2)), (0, (1, 1.5)))[i % 3]) for i in range(15)
]
WIDTH_IN = 9.0
LOG_RATIO = 8  # largest over median time from which the axis is logarithmic
MOST_POINTS = 400  # of the timeline; a longer run is shown in steps of several seconds
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": INK,
    "grid.alpha": 0.15,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "patch.linewidth": 0,
}


@dataclass(frozen=True)
class Plot:
    name: str
    svg: str
    png: bytes


def plots_of(run: Run, choices: Choices, window: Window) -> list[Plot]:
    """Draw *run*; a run without latencies has no percentiles to draw, one without seconds no timeline."""
    with mpl.rc_context(STYLE):
        figures = {"percentiles": _percentiles(run), "timeline": _timeline(run)}
        return [_rendered(name, figure) for name, figure in figures.items() if figure]


def _rendered(name: str, figure: Figure) -> Plot:
    FigureCanvasAgg(figure)
    png, svg = BytesIO(), BytesIO()
    figure.savefig(png, format="png", dpi=110, facecolor="white", metadata={"Software": None})
    with mpl.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(svg, format="svg", transparent=True, metadata=nothing)
    return Plot(name, _inlined(svg.getvalue().decode(), name), png.getvalue())


def _inlined(svg: str, name: str) -> str:
    """Make *svg* a part of a page: no prolog, ids of its own, no rule for the page's elements, CSS
    colours.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in CSS_COLOURS.items():
        svg = svg.replace(colour, variable)
    return svg


def _percentiles(run: Run) -> Figure | None:
    """Draw how long the slowest 10 %, 1 %, 0.1 % ... took, as far as the number of requests supports."""
    curves = {measure: curve for measure in CURVES if (curve := _curve(run.samples, measure))}
    if not curves:
        return None
    figure = Figure(figsize=(WIDTH_IN, 4.2), layout="constrained")
    axes = figure.add_subplot(title="Percentiles, with their 95 % confidence intervals", ylabel="time")
    for measure, curve in curves.items():
        _draw_curve(axes, measure, curve)
    _nines_axis(axes, max(curve.nines[-1] for curve in curves.values()))
    _time_axis(axes, list(curves.values()))
    _draw_limit(axes, run.manifest["gateway"])
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=4)
    return figure


@dataclass(frozen=True)
class _Curve:
    nines: NDArray[np.float64]  # 1 is p90, 2 is p99, 3 is p99.9
    value_s: NDArray[np.float64]
    low_s: NDArray[np.float64]
    high_s: NDArray[np.float64]  # NaN: no upper limit is known
    censored: NDArray[np.bool_]


def _curve(samples: Samples, measure: str) -> _Curve | None:
    population = population_of(samples, measure)
    if not population.n:
        return None
    most_nines = -math.log10(1 - 0.025 ** (1 / population.n))  # of the highest percentile that n supports
    nines = np.linspace(0, most_nines, 200)[1:-1]
    found = estimates(population, [Fraction(1 - 10 ** -float(x)) for x in nines])
    columns = [
        (x, e.value_s, e.low_s, math.nan if e.high_s is None else e.high_s, e.censored)
        for x, e in zip(nines, found, strict=True)
        if e.value_s is not None
    ]
    if len(columns) < 2:
        return None
    values = np.array(columns, np.float64).T
    return _Curve(values[0], values[1], values[2], values[3], values[4] > 0)


def _draw_curve(axes: Axes, measure: str, curve: _Curve) -> None:
    colour, style = CURVES[measure]
    band = np.isfinite(curve.high_s)
    axes.fill_between(curve.nines, curve.low_s, curve.high_s, where=band, color=colour, alpha=0.18, linewidth=0)
    known = np.where(curve.censored, np.nan, curve.value_s)
    axes.plot(curve.nines, known, color=colour, linestyle=style, label=measure)
    if curve.censored.any():
        bound = np.where(curve.censored, curve.value_s, np.nan)
        label = f"{measure}: at least (timeouts)"
        axes.plot(curve.nines, bound, color=colour, marker="^", markersize=5, markevery=8, linewidth=0.8, label=label)


def _nines_axis(axes: Axes, most: float) -> None:
    ticks = {0.0: "0", -math.log10(0.5): "p50"}
    ticks |= {
        float(nines): f"p{100 - 100 / 10**nines:.{max(0, nines - 2)}f}" for nines in range(1, math.ceil(most) + 1)
    }
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlim(0, most * 1.02)


def _time_axis(axes: Axes, curves: list[_Curve]) -> None:
    low_s = min(curve.value_s.min() for curve in curves)
    median_s = min(np.median(curve.value_s) for curve in curves)
    high_s = max(max(curve.value_s.max(), np.nanmax(curve.high_s, initial=0)) for curve in curves)
    if low_s > 0 and high_s > LOG_RATIO * median_s:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.set_ylim(low_s / 1.3, high_s * 1.6)
    else:
        axes.set_ylim(0, high_s * 1.2 or 1.0)
    axes.yaxis.set_major_formatter(lambda value, _: time_text(value))
    axes.yaxis.set_minor_formatter(lambda value, _: "")


def _draw_limit(axes: Axes, gateway: Mapping[str, Any]) -> None:
    limit_s = gateway.get("timeout_s")
    if not limit_s:
        return
    low, high = axes.get_ylim()
    text = f"gateway limit {time_text(limit_s)}"
    if low <= limit_s <= high:
        axes.axhline(limit_s, color=INK, linestyle="-.", linewidth=1)
        axes.annotate(text, (0.005, limit_s), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points")
    else:
        axes.annotate(f"{text}: above this picture", (0.005, 0.965), xycoords="axes fraction", alpha=0.75)


def _timeline(run: Run) -> Figure | None:
    if not len(run.timeline.second):
        return None
    figure = Figure(figsize=(WIDTH_IN, 6.6), layout="constrained")
    rates, failures, flying = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 2))
    steps = _Steps(int(run.timeline.second.max()) + 1)
    _draw_rates(rates, run, steps)
    _draw_failures(failures, run.samples, steps)
    flying.set_title("In flight")
    flying.yaxis.set_major_locator(MaxNLocator(integer=True))
    flying.plot(steps.start_s, steps.highest(run.timeline.second, run.timeline.in_flight), color=GREEN)
    flying.xaxis.set_major_locator(MaxNLocator(integer=True))
    failures.yaxis.set_major_locator(MaxNLocator(integer=True))
    flying.set_xlabel("seconds since the start" + (f", in steps of {steps.width_s} s" if steps.width_s > 1 else ""))
    for axes in (rates, failures, flying):
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, max(1, steps.start_s[-1]))
    return figure


class _Steps:
    """Equal steps of whole seconds that cover a run with at most MOST_POINTS points."""

    def __init__(self, seconds: int) -> None:
        self.width_s = math.ceil(seconds / MOST_POINTS)
        self.start_s = np.arange(0, seconds, self.width_s)

    def per_second(self, second: Array, count: Array) -> NDArray[np.float64]:
        return self._rows(second, count, np.add) / self.width_s

    def highest(self, second: Array, value: Array) -> NDArray[np.float64]:
        return self._rows(second, value, np.maximum)

    def _rows(self, second: Array, value: Array, join: np.ufunc) -> NDArray[np.float64]:
        joined = np.zeros(len(self.start_s))
        inside = second < self.start_s[-1] + self.width_s
        join.at(joined, second[inside] // self.width_s, value[inside])
        return joined


def _draw_rates(axes: Axes, run: Run, steps: _Steps) -> None:
    axes.set_title("Requests per second")
    for name, colour, style in (
        ("planned", INK, (0, (1, 1.5))),
        ("sent", BLUE, "-"),
        ("finished", VERMILLION, (0, (5, 2))),
    ):
        counts = steps.per_second(run.timeline.second, getattr(run.timeline, name))
        axes.plot(steps.start_s, counts, color=colour, linestyle=style, label=name)
    axes.legend(loc="lower left", bbox_to_anchor=(0.4, 1.0), ncols=3, borderaxespad=0.1)


def _draw_failures(axes: Axes, samples: Samples, steps: _Steps) -> None:
    """Draw every outcome but `ok`, at the second in which its request was planned."""
    axes.set_title("Not ok per second")
    responses = samples.of_measure(RESPONSE)
    occurred = [code for code in np.unique(responses.outcome) if OUTCOMES[code] is not Outcome.OK]
    for code, (colour, style) in zip(occurred, OUTCOME_STYLES, strict=False):
        chosen = responses.where(responses.outcome == code)
        counts = steps.per_second(chosen.second, chosen.count)
        axes.plot(steps.start_s, counts, color=colour, linestyle=style, label=str(OUTCOMES[code]))
    if occurred:
        axes.legend(loc="lower left", bbox_to_anchor=(0.19, 1.0), ncols=5, borderaxespad=0.1, fontsize=8.5)
    else:
        axes.text(0.5, 0.5, "none: every request was ok", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
