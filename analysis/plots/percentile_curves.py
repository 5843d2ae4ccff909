"""How long the slowest 10 %, 1 %, 0.1 % ... took, as far as the number of requests supports."""

from fractions import Fraction

from analysis.percentiles import Estimate, estimates
from analysis.plots.axes import figure_of, gateway_limit, legend_above
from analysis.plots.curves import HALF, curve_axes, curve_of, draw_curve
from analysis.plots.plot import Picture
from analysis.plots.style import BLUE, DASHED, VERMILLION, Style
from analysis.plots.view import View
from analysis.plots.words import bound_text, sentence
from analysis.run_format import RESPONSE, SERVICE
from analysis.wording import time_text

TOLD = (Fraction(99, 100), Fraction(9, 10), Fraction(3, 4))  # in words, the highest that is supported
STYLES: dict[str, Style] = {
    RESPONSE: {"color": BLUE, "linestyle": "-"},
    SERVICE: {"color": VERMILLION, "linestyle": DASHED},
}


def picture(view: View) -> Picture | None:
    """Draw response and service; None if there are too few requests for any percentile."""
    confidence, known = view.choices.confidence, view.run.source.known
    drawn = {measure: view.populations[measure] for measure in STYLES if measure in view.populations}
    curves = {measure: curve for measure, of in drawn.items() if (curve := curve_of(of, confidence, known))}
    if not curves:
        return None
    figure, (axes,) = figure_of(3.3)
    curve_axes(axes, list(curves.values()))
    interval = f"{100 * confidence:.6g} % confidence"
    for measure, curve in curves.items():
        style = STYLES[measure] | ({} if view.is_whole else {"marker": "o", "linewidth": 0.8})
        draw_curve(axes, measure, curve, style, interval)
        interval = ""  # named once
    axes.set_ylabel("time taken")
    gateway_limit(axes, view.run.manifest["gateway"])
    legend_above(axes)
    return Picture("Percentiles", reading(view), figure)


def reading(view: View) -> str:
    """Say what half of the requests and the slowest of them took."""
    limit_s = view.run.manifest["gateway"].get("timeout_s")
    found = _told(view)
    tail = next((share for share in TOLD if share in found), None)
    said = []
    half = found.get(HALF)
    if half and half.censored:
        return sentence(f"half of the requests took {bound_text(half, limit_s)}")
    if half:
        said.append(f"half of the requests took {time_text(half.value_s)} or less")
    if tail:
        said.append(f"the slowest {float(100 * (1 - tail)):g} % took {bound_text(found[tail], limit_s)}")
    return sentence("; ".join(said) or f"{view.populations[view.shown or ''].n:,} requests were measured")


def _told(view: View) -> dict[Fraction, Estimate]:
    shares = sorted({HALF, *TOLD})
    found = estimates(view.populations[view.shown or ""], shares, view.choices.confidence, view.run.source.known)
    return {share: one for share, one in zip(shares, found, strict=True) if one.value_s is not None}
