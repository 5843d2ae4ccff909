"""The picture of a comparison: the percentile curves of its runs over each other, with their intervals."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import cycle

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from analysis.choices import Choices
from analysis.plots.axes import figure_of, gateway_limit, nines_axis, taken_axis
from analysis.plots.percentile_curves import Curve, curve_of, estimates_of
from analysis.plots.plot import Picture, Plot, rendered
from analysis.plots.style import (
    BLUE,
    DASH_DOTTED,
    DASHED,
    DOTTED,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    Style,
)
from analysis.plots.view import View, view_of
from analysis.plots.words import sentence
from analysis.run import Run
from analysis.run_format import RESPONSE, SERVICE
from analysis.window import window_of
from analysis.wording import one_line, time_text

NAME = "compare"
LONGEST_LABEL = 60
HALF = Fraction(1, 2)
COLOURS, DASHES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY), ("-", DASHED, DOTTED, DASH_DOTTED)


def comparison_plot(runs: Sequence[Run], labels: Sequence[str], choices: Choices) -> Plot | None:
    """Draw the response of *runs*, or their service time where one has no response; None where there is neither."""
    views = {label: view_of(run, choices, window_of(run, choices)) for label, run in zip(labels, runs, strict=True)}
    measure = RESPONSE if all(RESPONSE in view.populations for view in views.values()) else SERVICE
    curves = {label: curve for label, view in views.items() if (curve := curve_of(view, measure))}
    if not curves:
        return None
    with mpl.rc_context(STYLE):
        figure, (axes,) = figure_of(3.6)
        _curve_axes(axes, list(curves.values()))
        for (label, curve), colour, dash in zip(curves.items(), cycle(COLOURS), cycle(DASHES), strict=False):
            _draw(axes, _legend_text(label), curve, {"color": colour, "linestyle": dash})
        axes.set_ylabel("time taken")
        gateway_limit(axes, runs[0].manifest["gateway"])
        axes.legend(loc="lower right")  # curves only rise: nothing is drawn there
        return rendered(NAME, Picture(f"Percentiles of {measure}", _reading(views, measure), figure))


def _curve_axes(axes: Axes, curves: Sequence[Curve]) -> None:
    """Make room for every curve, and for the ends of their intervals as far as they are known."""
    ends_s = np.concatenate([[*curve.value_s, *curve.high_s] for curve in curves])
    known_s = ends_s[np.isfinite(ends_s)]
    taken_axis(axes, float(known_s.min()), float(known_s.max()))
    nines_axis(axes, max(curve.nines[-1] for curve in curves))


def _draw(axes: Axes, label: str, curve: Curve, style: Style) -> None:
    if np.isfinite(curve.low_s).any():
        top_s = np.minimum(curve.high_s, axes.get_ylim()[1])
        axes.fill_between(curve.nines, curve.low_s, top_s, color=style["color"], alpha=0.18, linewidth=0)
    if not curve.censored[np.isfinite(curve.value_s)].all():
        axes.plot(curve.nines, np.where(curve.censored, np.nan, curve.value_s), **style, label=label)
    if curve.censored.any():
        marked = np.flatnonzero(curve.censored)[::8].tolist()
        mark = style | {"marker": "^", "markersize": 5, "markevery": marked, "linewidth": 0.8}
        axes.plot(curve.nines, np.where(curve.censored, curve.value_s, np.nan), **mark, label=f"{label}: at least")


def _legend_text(label: str) -> str:
    """Keep a label from being read as a formula; letters that the picture's font may lack become `?`."""
    plain = one_line(label)[:LONGEST_LABEL].encode("ascii", "replace").decode()
    return plain.replace("$", r"\$")


def _reading(views: Mapping[str, View], measure: str) -> str:
    """Say what half of the requests took in each run."""
    said = []
    for label, view in views.items():
        found = estimates_of(view, measure, [HALF]).get(HALF) if measure in view.populations else None
        if found and found.value_s is not None:
            said.append(f"{'at least ' if found.censored else ''}{time_text(found.value_s)} in {label}")
    return sentence(f"half of the requests took {', '.join(said)}" if said else "the curves end where requests do")
