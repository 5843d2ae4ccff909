"""Lines over the steps of a run: one panel of a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.plots.steps import Steps
from analysis.plots.style import BLUE, DASH_DOTTED, DASHED, DOTTED, GREEN, INK, ORANGE, VERMILLION, Style
from analysis.samples import Array

SLOWEST, LATEST = "slowest", "latest"
MOST_MARKED = 60  # points of a line up to which each has a mark
LINES: dict[str, Style] = {
    SLOWEST: {"color": INK, "marker": ".", "linestyle": "none", "alpha": 0.55},
    "p99": {"color": VERMILLION, "marker": "D", "linestyle": DASH_DOTTED},
    "p90": {"color": GREEN, "marker": "s", "linestyle": DASHED},
    "p50": {"color": BLUE, "marker": "o"},
    "target": {"color": ORANGE, "marker": "_", "markeredgewidth": 5, "linewidth": 5, "alpha": 0.45},
    "requests": {"color": BLUE, "marker": "o"},
    "sent": {"color": BLUE, "marker": "o"},
    "finished": {"color": VERMILLION, "marker": "s", "linestyle": DASHED},
    "planned": {"color": INK, "marker": "x", "linestyle": DOTTED},
    "in flight": {"color": GREEN, "marker": "o"},
    LATEST: {"color": GREEN, "marker": "o"},
}
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """One panel: values by step, NaN where there is none."""

    title: str
    steps: Steps
    values: Mapping[str, Numbers]
    height_in: float
    taken: bool = False  # the values are times, not counts
    bounds: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)  # the true value is at least this


def by_step(steps: Steps, second: Array, value: NDArray[Any], join: Callable[[Numbers], Any]) -> Numbers:
    """Join the values of each step that are there: a second that was not recorded is not 0, nor is one of NaN."""
    joined = np.full(len(steps), np.nan)
    known = np.isfinite(value) & (value >= 0)
    step, found = steps.of(second[known]), value[known].astype(np.float64)
    for number in np.unique(step).tolist():
        joined[number] = join(found[step == number])
    return joined


def draw_lines(axes: Axes, lines: Lines) -> None:
    """Draw each line at the middle of its steps; points that no line would show get a mark."""
    axes.set_title(lines.title)
    middles_s, bound_label = lines.steps.middles_s, "at least"
    for name, style in LINES.items():
        if name not in lines.values:
            continue
        line = lines.values[name]
        marked = _marked(line) if style.get("linestyle") != "none" else None
        axes.plot(middles_s, line, label=name, markersize=4, markevery=marked, **style)
        if lines.bounds and lines.bounds[name].any():
            bound = np.where(lines.bounds[name], line, np.nan)
            axes.plot(middles_s, bound, "^", color=style["color"], markersize=5, fillstyle="none", label=bound_label)
            bound_label = "_"  # named once


def _marked(line: Numbers) -> list[int]:
    known = np.isfinite(line)
    padded = np.concatenate(([False], known, [False]))
    alone = known & ~padded[:-2] & ~padded[2:]
    return np.flatnonzero(known if known.sum() <= MOST_MARKED else alone).tolist()
