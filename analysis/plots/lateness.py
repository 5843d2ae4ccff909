"""How late requests left: the generator's own delay, over percentiles and over time, beside what is allowed of it."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.lateness import HALF, allowed_s, judged_at
from analysis.percentiles import nearest_rank, percentile
from analysis.plots.axes import (
    SMALLEST_S,
    figure_of,
    legend_above,
    limit_line,
    mark_cut,
    nines_axis,
    nines_of,
    run_axis,
    taken_axis,
)
from analysis.plots.curves import curve_shares
from analysis.plots.lines import LATEST, Lines, by_step, draw_lines
from analysis.plots.plot import Picture
from analysis.plots.style import BLUE
from analysis.plots.view import View
from analysis.plots.words import sentence
from analysis.population import Population
from analysis.run_format import LATENESS, SERVICE
from analysis.wording import time_text

Numbers = NDArray[np.float64]
CURVE_IN, LINE_IN = 2.0, 1.5


def picture(view: View) -> Picture | None:
    """Draw lateness by percentile and by time, as far as each is known; None if neither is."""
    population, worst_s = view.populations.get(LATENESS), worst_by_step(view)
    by_time = bool(np.isfinite(worst_s).any())
    if population is None and not by_time:
        return None
    figure, places = figure_of(*[CURVE_IN] * (population is not None), *[LINE_IN] * by_time, share_x=False)
    limit_s = allowed_s(view.populations.get(SERVICE))
    if population:
        _draw_curve(places[0], *curve_of(population, view.choices.confidence), limit_s)
    if by_time:
        _draw_by_time(places[-1], worst_s, view, limit_s)
    for axes in places:
        axes.set_ylabel("lateness")
        limit_line(axes, limit_s, f"allowed at p99: {time_text(limit_s)}")
    return Picture("Lateness", reading(view, worst_s), figure)


def curve_of(population: Population, confidence: float) -> tuple[Numbers, Numbers]:
    """Give nines and lateness in seconds: of the requests that were sent, so without an interval."""
    shares = curve_shares(population.n, confidence)
    lateness_s = [population.at_least_s(nearest_rank(population.n, share)) for share in shares]
    return np.array([nines_of(share) for share in shares]), np.array(lateness_s)


def _draw_curve(axes: Axes, nines: Numbers, lateness_s: Numbers, limit_s: float) -> None:
    axes.set_title("By percentile")
    axes.plot(nines, np.maximum(lateness_s, SMALLEST_S), color=BLUE)
    taken_axis(axes, lateness_s.min(), max(limit_s, lateness_s.max()))
    nines_axis(axes, nines[-1])


def worst_by_step(view: View) -> Numbers:
    """Give the lateness of the latest request sent in any second of the step, in seconds."""
    timeline = view.run.timeline
    return by_step(view.steps, timeline.second, timeline.lateness_ms, np.max) / 1000


def _draw_by_time(axes: Axes, worst_s: Numbers, view: View, limit_s: float) -> None:
    title = f"The latest request of each {'second' if view.steps.width_s == 1 else f'{view.steps.width_s:,} s'}"
    draw_lines(axes, Lines(title, view.steps, {LATEST: np.maximum(worst_s, SMALLEST_S)}, LINE_IN, taken=True))
    low_s, high_s = float(np.nanmin(worst_s)), max(limit_s, float(np.nanmax(worst_s)))
    taken_axis(axes, low_s, high_s)
    mark_cut(axes, view.window)
    legend_above(axes)
    run_axis(axes, view.seconds)


def reading(view: View, worst_s: Numbers) -> str:
    """Say how late most requests left, and the latest of all."""
    population, allowed = view.populations.get(LATENESS), time_text(allowed_s(view.populations.get(SERVICE)))
    if population is None:
        return sentence(f"the latest request left {time_text(float(np.nanmax(worst_s)))} after its planned time")
    share = judged_at(population.n, view.choices.confidence)
    most = "half" if share == HALF else f"{float(100 * share):g} %"
    most_s, latest_s = percentile(population, share), population.at_least_s(population.n)
    return sentence(
        f"{most} of the requests left within {time_text(most_s)} of their planned time, where {allowed} is allowed;"
        f" the latest left {time_text(latest_s)} after it"
    )
