"""How the run went: percentiles over time above the requests per second and those in flight."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.percentiles import Estimate, estimates, largest, requests_needed
from analysis.plots.axes import count_axis, figure_of, gateway_limit, legend_above, mark_cut, run_axis, taken_axis
from analysis.plots.lines import SLOWEST, Lines, by_step, draw_lines
from analysis.plots.plot import Picture
from analysis.plots.steps import Steps, steps_of
from analysis.plots.view import View
from analysis.plots.words import range_text, sentence
from analysis.run_format import RESPONSE
from analysis.wording import rate_text

RATES = {"target": "target_per_s", "planned": "planned", "sent": "sent", "finished": "finished"}
SHARES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p99": Fraction(99, 100)}
FEWEST_STEPS = 20  # below which a higher percentile is not worth its longer steps
TOLD = ("requests", "sent", "finished")  # of the rates, in words
Numbers = NDArray[np.float64]


def picture(view: View) -> Picture | None:
    """Draw what there is of the three; None if there is nothing by time."""
    panels = [lines for lines in (latency_of(view), rates_of(view), in_flight_of(view)) if lines.values]
    if not panels:
        return None
    figure, places = figure_of(*(lines.height_in for lines in panels))
    roomiest = min(panels, key=lambda lines: len(lines.values))
    for lines, axes in zip(panels, places, strict=True):
        draw_lines(axes, lines)
        _value_axis(axes, lines, view)
        mark_cut(axes, view.window, named=lines is roomiest)
        legend_above(axes)
    run_axis(places[-1], view.seconds)
    return Picture("Over time", reading(panels), figure)


def latency_of(view: View) -> Lines:
    """Estimate percentiles by step, as far as its requests support them, and give its slowest request."""
    title = f"{(view.shown or '').capitalize()} time"
    if view.shown is None or not view.is_whole:
        return Lines(title, view.steps, {}, 0)
    times, confidence = view.times[view.shown], view.choices.confidence
    steps = latency_steps(view.seconds, view.populations[view.shown].n, confidence)
    found: dict[str, list[Estimate]] = {name: [] for name in (*SHARES, SLOWEST)}
    for counts in times.counted(steps):
        population = times.population(counts)
        of_step = [*estimates(population, tuple(SHARES.values()), confidence), largest(population)]
        for name, estimate in zip(found, of_step, strict=True):
            found[name].append(estimate)
    values = {name: np.array([one.value_s for one in line], np.float64) for name, line in found.items()}
    bounds = {name: np.array([one.censored for one in line]) for name, line in found.items()}
    return Lines(title + steps.text, steps, _measured(values), 2.3, taken=True, bounds=bounds)


def latency_steps(seconds: int, n: int, confidence: float) -> Steps:
    """Choose steps long enough for p99, or for p90, if at least `FEWEST_STEPS` of them remain."""
    for share in (SHARES["p99"], SHARES["p90"]):
        steps = steps_of(seconds, seconds * requests_needed(share, confidence) / n)
        if len(steps) >= FEWEST_STEPS:
            return steps
    return steps_of(seconds)


def rates_of(view: View) -> Lines:
    """Count per second what was planned, sent and finished, as the timeline says; else, the requests there are."""
    steps, timeline = view.steps, view.run.timeline
    rates = {name: by_step(steps, timeline.second, getattr(timeline, RATES[name]), np.mean) for name in _known(view)}
    if not len(timeline.second) and len(view.run.samples.second) and view.is_whole:
        rows = view.run.samples.of_measure(RESPONSE)
        rates = {"requests": np.bincount(steps.of(rows.second), rows.count, len(steps)) / steps.lengths_s}
    rates = {name: line for name, line in rates.items() if np.nansum(line) > 0}  # never: another tool did not say
    return Lines("Requests per second" + steps.text, steps, _measured(rates), 1.6)


def _known(view: View) -> Sequence[str]:
    """Choose the rates that were recorded: no other tool does its plan, and some only when requests ended."""
    if view.run.source.is_own:
        return list(RATES)
    same = np.array_equal(view.run.timeline.sent, view.run.timeline.finished)
    return ["finished"] if same else ["sent", "finished"]


def in_flight_of(view: View) -> Lines:
    """Give the most requests in flight at the end of any second of the step."""
    timeline = view.run.timeline
    most = by_step(view.steps, timeline.second, timeline.in_flight, np.max)
    lines = {"in flight": most} if timeline.sent.any() and timeline.in_flight.any() else {}
    return Lines("In flight", view.steps, _measured(lines), 1.1)


def _measured(values: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Keep the lines that have a point."""
    return {name: line for name, line in values.items() if np.isfinite(line).any()}


def _value_axis(axes: Axes, lines: Lines, view: View) -> None:
    values = np.concatenate(list(lines.values.values()))
    if lines.taken:
        taken_axis(axes, np.nanmin(values), np.nanmax(values))
        gateway_limit(axes, view.run.manifest["gateway"], above=False)
        axes.set_ylabel("time taken")
    else:
        count_axis(axes, np.nanmax(values))
        axes.set_ylabel("per second" if "in flight" not in lines.values else "requests")


def reading(panels: Sequence[Lines]) -> str:
    """Say between what the median stayed, and the highest rates and number in flight."""
    highest = {name: np.nanmax(line) for lines in panels for name, line in lines.values.items()}
    said = [_median_text(panels[0])] if "p50" in panels[0].values else []
    rates = [f"{rate_text(highest[name])} {name}" for name in TOLD if name in highest]
    if rates:
        said.append(f"at most {' and '.join(rates)} per second")
    if "in flight" in highest:
        said.append(f"at most {highest['in flight']:,.0f} in flight")
    return sentence("; ".join(said) or "no step has enough requests for a percentile")


def _median_text(lines: Lines) -> str:
    width_s, median = lines.steps.width_s, lines.values["p50"]
    steps = "second by second" if width_s == 1 else f"in steps of {width_s:,} s"
    at_least = lines.bounds["p50"][np.nanargmax(median)]
    return f"{steps}, the median was {range_text(np.nanmin(median), np.nanmax(median))}{' or more' if at_least else ''}"
