"""What became of the requests over time: all of them, and each way to fail in a strip of its own.

A strip is as high as the outcome's own highest step, so that one failure among thousands of requests is still seen.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.outcomes import Outcome
from analysis.plots.axes import count_axis, figure_of, legend_above, mark_cut, run_axis
from analysis.plots.plot import Picture
from analysis.plots.steps import Steps
from analysis.plots.style import INK, SKY, SMALL_PT, VERMILLION, Style
from analysis.plots.view import View
from analysis.plots.words import most_text, sentence
from analysis.run_format import MEASURES, RESPONSE
from analysis.samples import OUTCOMES, Samples
from analysis.wording import share_text

ALL_IN, STRIP_IN = 1.7, 0.42
STRIP_HEIGHT, NAME_AT = 0.55, 0.78  # of the highest step and of the name in a strip, as a share of the strip
LEAST_HEIGHT = 0.012  # of the failures in the upper picture, as a share of its highest step

Numbers = NDArray[np.float64]


def picture(view: View) -> Picture | None:
    """Draw outcomes by the second in which their requests were planned; None of a run that has no time."""
    counts = counts_of(view.run.samples, view.steps)
    if not counts or (not view.is_whole and sum(np.any(list(counts.values()), axis=0)) < 2):
        return None
    failed = dict(counts)
    failed.pop(Outcome.OK, None)
    figure, places = figure_of(ALL_IN, *([STRIP_IN * len(failed)] if failed else []))
    _draw_all(places[0], counts, view.steps)
    if failed:
        _draw_strips(places[1], failed, view.steps)
    for axes in places:
        mark_cut(axes, view.window, named=axes is places[0])
    legend_above(places[0])
    run_axis(places[-1], view.seconds)
    return Picture("Outcomes over time", reading(counts, view.steps), figure)


def counts_of(samples: Samples, steps: Steps) -> dict[Outcome, Numbers]:
    """Count requests by step, of each outcome that occurred."""
    rows = np.flatnonzero(samples.measure == MEASURES.index(RESPONSE))
    where = samples.outcome[rows].astype(np.int64) * len(steps) + steps.of(samples.second[rows])
    found = np.bincount(where, samples.count[rows], len(OUTCOMES) * len(steps))
    counts = found.astype(np.float64).reshape(len(OUTCOMES), -1)
    return {outcome: count for outcome, count in zip(OUTCOMES, counts, strict=True) if count.any()}


def _draw_all(axes: Axes, counts: Mapping[Outcome, Numbers], steps: Steps) -> None:
    """Stack what failed on what was ok."""
    axes.set_title("Requests per second" + steps.text)
    nothing = np.zeros(len(steps))
    ok = counts.get(Outcome.OK, nothing) / steps.lengths_s
    failed = sum((count for outcome, count in counts.items() if outcome != Outcome.OK), nothing) / steps.lengths_s
    highest = (ok + failed).max()
    if ok.any():
        axes.stairs(ok, steps.edges_s, fill=True, color=SKY, label="ok")
    if failed.any():
        top = ok + np.where(failed, np.maximum(failed, LEAST_HEIGHT * highest), 0)
        style: Style = {"facecolor": VERMILLION, "edgecolor": INK, "hatch": "xxxx", "linewidth": 0}
        axes.stairs(top, steps.edges_s, baseline=ok, fill=True, label="not ok", **style)
    count_axis(axes, highest)
    axes.set_ylabel("per second")


def _draw_strips(axes: Axes, failed: Mapping[Outcome, Numbers], steps: Steps) -> None:
    """Draw the outcomes one below the other, the most frequent on top, each named above its strip."""
    axes.set_title("Not ok, each in a scale of its own")
    ordered = sorted(failed.items(), key=lambda item: item[1].sum())
    for row, (outcome, count) in enumerate(ordered):
        top = row + STRIP_HEIGHT * count / count.max()
        bottom = np.full(len(steps), float(row))
        axes.stairs(top, steps.edges_s, baseline=bottom, fill=True, color=VERMILLION)
        highest = f"at most {count.max():,.0f} in {'a second' if steps.width_s == 1 else f'{steps.width_s:,} s'}"
        place: Style = {"transform": axes.get_yaxis_transform(), "fontsize": SMALL_PT, "va": "center"}
        axes.text(0.005, row + NAME_AT, f"{outcome}: {count.sum():,.0f}, {highest}", **place)
    axes.set_yticks([])
    axes.set_ylim(0, len(ordered))


def reading(counts: Mapping[Outcome, Numbers], steps: Steps) -> str:
    """Say how many requests were ok, and which failure was the most frequent, and when."""
    totals = {outcome: int(count.sum()) for outcome, count in counts.items()}
    total, ok = sum(totals.values()), totals.pop(Outcome.OK, 0)
    if not totals:
        return sentence(f"all {total:,} requests were ok" if total > 1 else "the one request was ok")
    most = max(totals, key=lambda outcome: totals[outcome])
    text = f"{ok:,} of {total:,} requests ({share_text(ok, total)}) were ok"
    return sentence(f"{text}; the most frequent failure is {most}, {totals[most]:,}, {most_text(counts[most], steps)}")
