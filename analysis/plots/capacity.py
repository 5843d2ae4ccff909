"""A search for the capacity: latency and throughput against the rate, and the rates in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from analysis.capacity.edge import Edge
from analysis.capacity.level import Level
from analysis.capacity.search import Done, next_step
from analysis.capacity.wording import RESULTS, SPOILED
from analysis.objectives.judgement import MET, MISSED, UNDECIDED
from analysis.objectives.objective import SECOND, Objective, objective
from analysis.plots.axes import figure_of, legend_above, limit_line, log_ticks, run_axis, taken_axis
from analysis.plots.plot import Picture
from analysis.plots.style import BLUE, DASHED, DOTTED, GREEN, INK, ORANGE, PURPLE, VERMILLION, Style
from analysis.plots.view import View
from analysis.plots.words import sentence
from analysis.wording import rate_text, time_text

LATENCY_IN, RATE_IN, PATH_IN = 2.4, 1.9, 1.9
PERCENTILES: dict[str, Style] = {
    "p50": {"color": BLUE, "marker": "o"},
    "p90": {"color": ORANGE, "marker": "s"},
    "p99": {"color": VERMILLION, "marker": "D"},
}
MARKS: dict[str, Style] = {
    MET: {"color": GREEN, "marker": "o"},
    UNDECIDED: {"color": ORANGE, "marker": "s"},
    MISSED: {"color": VERMILLION, "marker": "X"},
    SPOILED: {"color": PURPLE, "marker": "^", "fillstyle": "none"},
}
SHADE = 0.18
WIDER = 1.25  # than the rates that were tried
LONGEST_OBJECTIVE = 40


@dataclass(frozen=True)
class Searched:
    levels: Sequence[Level]
    sound: Sequence[Level]  # by rate
    edge: Edge | None  # the capacity; None: it was not found
    objectives: Sequence[Objective]


def picture(view: View) -> Picture | None:
    """Draw the search of a run that was one; None for others, and before the first level."""
    record = view.run.record
    if record is None or not record.levels:
        return None
    sound = sorted((each for each in record.levels if not each.spoiled), key=lambda each: each.rate_per_s)
    done = next_step(record.search, record.levels)
    edge = done.edge if isinstance(done, Done) else None
    searched = Searched(record.levels, sound, edge, [objective(text) for text in record.objectives])
    draws = [_draw_path]
    if any(each.latency and each.latency["p50"]["value_s"] is not None for each in sound):
        draws = [_draw_latency, _draw_throughput, _draw_path]
    heights = {_draw_latency: LATENCY_IN, _draw_throughput: RATE_IN, _draw_path: PATH_IN}
    figure, places = figure_of(*(heights[draw] for draw in draws), share_x=False)
    for draw, axes in zip(draws, places, strict=True):
        draw(axes, searched)
    return Picture("Latency and throughput at each rate", reading(searched), figure)


def _draw_latency(axes: Axes, searched: Searched) -> None:
    axes.set_title("Response time at each rate")
    drawn: list[float] = []
    for name, style in PERCENTILES.items():
        known = [each for each in searched.sound if each.latency and each.latency[name]["value_s"] is not None]
        rates, figures = [each.rate_per_s for each in known], [each.latency[name] for each in known]
        values = [each["value_s"] for each in figures]
        ends = [
            [each[end] if each[end] is not None else each["value_s"] for each in figures] for end in ("low_s", "high_s")
        ]
        reach = np.abs(np.array([values, values]) - np.array(ends)) if known else None
        axes.errorbar(rates, values, yerr=reach, label=name, markersize=4, linewidth=1, capsize=2, **style)
        drawn += [*values, *(value for end in ends for value in end)]
    limits = [each for each in searched.objectives if each.unit == SECOND]
    taken_axis(axes, min(drawn), max([*drawn, *(each.limit for each in limits)]))
    for each in limits:
        limit_line(axes, each.limit, _plain(each.text))
    _rate_axis(axes, searched)
    _mark_capacity(axes, searched.edge)
    axes.set_ylabel("time taken")
    legend_above(axes)


def _draw_throughput(axes: Axes, searched: Searched) -> None:
    axes.set_title("Good answers at each rate")
    rates = [each.rate_per_s for each in searched.sound]
    ok = [each.ok_per_s or 0.0 for each in searched.sound]
    axes.plot(rates, rates, color=INK, linestyle=DOTTED, linewidth=1, label="all of them")
    axes.plot(rates, ok, color=BLUE, marker="o", markersize=4, linestyle=DASHED, label="ok")
    axes.set_ylim(0, 1.1 * max([*rates, 1e-9]))
    axes.yaxis.set_major_formatter(lambda value, _: rate_text(value) if value else "0")
    _rate_axis(axes, searched)
    _mark_capacity(axes, searched.edge, named=False)
    axes.set_ylabel("answers/s")
    axes.set_xlabel("requests/s")
    legend_above(axes)


def _draw_path(axes: Axes, searched: Searched) -> None:
    axes.set_title("The search, level by level")
    ends = list(accumulate(each.took_s for each in searched.levels))
    for level, end_s in zip(searched.levels, ends, strict=True):
        axes.plot([end_s - level.took_s, end_s], 2 * [level.rate_per_s], color=INK, linewidth=1, alpha=0.5)
    results = [SPOILED if each.spoiled else each.result for each in searched.levels]
    for result, style in MARKS.items():
        at = [number for number, found in enumerate(results) if found == result]
        middles = [ends[number] - searched.levels[number].took_s / 2 for number in at]
        tried = [searched.levels[number].rate_per_s for number in at]
        if at:
            axes.plot(middles, tried, linestyle="none", markersize=6, label=RESULTS[result].lower(), **style)
    low, high = _span([each.rate_per_s for each in searched.levels])
    axes.set(yscale="log", ylim=(low, high))
    axes.yaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: rate_text(value))
    if searched.edge:
        axes.axhspan(searched.edge.low, searched.edge.high, facecolor=(GREEN, SHADE), edgecolor="none")
    axes.set_ylabel("requests/s")
    run_axis(axes, max(1, round(ends[-1])), " of the search")
    legend_above(axes)


def _rate_axis(axes: Axes, searched: Searched) -> None:
    low, high = _span([each.rate_per_s for each in searched.sound])
    axes.set(xscale="log", xlim=(low, high))
    axes.xaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: rate_text(value))
    axes.set_xlabel("requests/s")


def _span(rates: Sequence[float]) -> tuple[float, float]:
    return min(rates) / WIDER, max(rates) * WIDER


def _mark_capacity(axes: Axes, edge: Edge | None, *, named: bool = True) -> None:
    if edge is None:
        return
    label = f"capacity {rate_text(edge.low)} to {rate_text(edge.high)}/s" if named else None
    axes.axvspan(edge.low, edge.high, facecolor=(GREEN, SHADE), edgecolor="none", label=label)
    axes.axvline(edge.value, color=GREEN, linewidth=1)


def _plain(text: str) -> str:
    """Keep a text from being read as a formula; letters that the picture's font may lack become `?`."""
    return text[:LONGEST_OBJECTIVE].encode("ascii", "replace").decode().replace("$", r"\$")


def reading(searched: Searched) -> str:
    """Say how the latency changed on the way up, and where the capacity is."""
    known = [each for each in searched.sound if each.latency and each.latency["p50"]["value_s"] is not None]
    said = []
    if known:
        first, last = known[0], known[-1]
        said.append(
            f"half of the requests took {time_text(first.latency['p50']['value_s'])} at"
            f" {rate_text(first.rate_per_s)}/s and {_least(last.latency['p50'])} at {rate_text(last.rate_per_s)}/s"
        )
    if searched.edge:
        said.append(
            f"the objectives give way between {rate_text(searched.edge.low)} and {rate_text(searched.edge.high)}/s"
        )
    return sentence("; ".join(said) or f"{len(searched.levels)} levels were held")


def _least(estimate: Mapping[str, Any]) -> str:
    return f"{'at least ' if estimate['censored'] else ''}{time_text(estimate['value_s'])}"
