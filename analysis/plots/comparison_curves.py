"""The picture of a comparison: the percentile curves of its runs over each other, with their intervals."""

from collections.abc import Mapping
from itertools import cycle

import matplotlib as mpl

from analysis.comparison.measured import Side
from analysis.percentiles import estimates
from analysis.plots.axes import figure_of, gateway_limit
from analysis.plots.curves import HALF, curve_axes, curve_of, draw_curve
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
)
from analysis.plots.words import sentence
from analysis.run_format import RESPONSE, SERVICE
from analysis.wording import one_line, time_text

NAME = "compare"
LONGEST_LABEL = 60
COLOURS, DASHES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY), ("-", DASHED, DOTTED, DASH_DOTTED)


def comparison_plot(sides: Mapping[str, Side]) -> Plot | None:
    """Draw the response of all, or their service time where one has no response; None where there is neither.

    The runs are named by the keys; the gateway's limit is that of the first.
    """
    measure = RESPONSE if all(side.populations[RESPONSE].n for side in sides.values()) else SERVICE
    curves = {
        label: curve
        for label, side in sides.items()
        if (curve := curve_of(side.populations[measure], side.choices.confidence, side.run.source.known))
    }
    if not curves:
        return None
    with mpl.rc_context(STYLE):
        figure, (axes,) = figure_of(3.6)
        curve_axes(axes, list(curves.values()))
        for (label, curve), colour, dash in zip(curves.items(), cycle(COLOURS), cycle(DASHES), strict=False):
            draw_curve(axes, _legend_text(label), curve, {"color": colour, "linestyle": dash})
        axes.set_ylabel("time taken")
        gateway_limit(axes, next(iter(sides.values())).run.manifest["gateway"])
        axes.legend(loc="lower right")  # curves only rise: nothing is drawn there
        return rendered(NAME, Picture(f"Percentiles of {measure}", _reading(sides, measure), figure))


def _legend_text(label: str) -> str:
    """Keep a label from being read as a formula; letters that the picture's font may lack become `?`."""
    plain = one_line(label)[:LONGEST_LABEL].encode("ascii", "replace").decode()
    return plain.replace("$", r"\$")


def _reading(sides: Mapping[str, Side], measure: str) -> str:
    """Say what half of the requests took in each run."""
    said = []
    for label, side in sides.items():
        (half,) = estimates(side.populations[measure], [HALF], side.choices.confidence, side.run.source.known)
        if half.value_s is not None:
            said.append(f"{'at least ' if half.censored else ''}{time_text(half.value_s)} in {label}")
    return sentence(f"half of the requests took {', '.join(said)}" if said else "the curves end where requests do")
