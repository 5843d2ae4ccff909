"""How long the slowest 10 %, 1 %, 0.1 % ... took, as far as the number of requests supports."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.percentiles import Estimate, estimates
from analysis.plots.axes import figure_of, gateway_limit, legend_above, nines_axis, nines_of, taken_axis
from analysis.plots.plot import Picture
from analysis.plots.style import BLUE, DASHED, VERMILLION, Style
from analysis.plots.view import View
from analysis.plots.words import bound_text, sentence
from analysis.run_format import RESPONSE, SERVICE
from analysis.wording import time_text

HALF = Fraction(1, 2)
TOLD = (Fraction(99, 100), Fraction(9, 10), Fraction(3, 4))  # in words, the highest that is supported
POINTS = 90  # of a curve
STYLES: dict[str, Style] = {
    RESPONSE: {"color": BLUE, "linestyle": "-"},
    SERVICE: {"color": VERMILLION, "linestyle": DASHED},
}
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    nines: Numbers  # 1 is p90, 2 is p99, 3 is p99.9
    value_s: Numbers  # NaN: too few requests for it
    low_s: Numbers  # NaN: it has no interval
    high_s: Numbers  # infinite: no upper limit is known
    censored: NDArray[np.bool_]


def picture(view: View) -> Picture | None:
    """Draw response and service; None if there are too few requests for any percentile."""
    curves = {measure: curve for measure in (RESPONSE, SERVICE) if (curve := curve_of(view, measure))}
    if not curves:
        return None
    figure, (axes,) = figure_of(3.3)
    _curve_axes(axes, list(curves.values()))
    for number, (measure, curve) in enumerate(curves.items()):
        _draw_band(axes, measure, curve, f"{100 * view.choices.confidence:.6g} % confidence" if number == 0 else None)
        _draw_curve(axes, measure, curve, is_whole=view.is_whole)
    axes.set_ylabel("time taken")
    gateway_limit(axes, view.run.manifest["gateway"])
    legend_above(axes)
    return Picture("Percentiles", reading(view), figure)


def curve_of(view: View, measure: str) -> Curve | None:
    """Estimate *measure* over all percentiles that its requests support; None if those are fewer than two."""
    if measure not in view.populations:
        return None
    known = view.run.source.known
    if known is None:
        shares = spread(view.populations[measure].n, view.choices.confidence)
    else:
        shares = sorted(share for share in known if share < 1)  # the largest has no place among the nines
    found = estimates_of(view, measure, shares)
    supported = [number for number, one in enumerate(found.values()) if one.value_s is not None]
    if len(supported) < 2:
        return None
    columns = [
        (
            nines_of(share),
            math.nan if one.value_s is None else one.value_s,
            math.nan if one.low_s is None else one.low_s,
            math.inf if one.high_s is None else one.high_s,
            one.censored,
        )
        for share, one in list(found.items())[: supported[-1] + 1]
    ]
    values = np.array(columns, np.float64).T
    return Curve(values[0], values[1], values[2], values[3], values[4] > 0)


def spread(n: int, confidence: float) -> list[Fraction]:
    """Spread percentiles evenly over the nines, up to the highest that *n* independent requests support."""
    # p is supported if p^n is at most what the interval leaves out above it; see analysis.percentiles.
    most = -math.log10(-math.expm1(math.log((1 - confidence) / 2) / n))
    marked = [HALF] + [1 - Fraction(1, 10**nines) for nines in range(1, math.floor(most) + 1)]
    between = [1 - Fraction(10 ** -float(nines)) for nines in np.linspace(0, most, POINTS)[1:-1]]
    return sorted({*marked, *between})


def _curve_axes(axes: Axes, curves: Sequence[Curve]) -> None:
    low_s = min(np.nanmin(curve.value_s) for curve in curves)
    high_s = max(max(np.nanmax(curve.value_s), np.nanmax(_finite(curve.high_s), initial=0)) for curve in curves)
    taken_axis(axes, low_s, high_s)
    nines_axis(axes, max(curve.nines[-1] for curve in curves))


def _finite(values: Numbers) -> Numbers:
    return np.where(np.isfinite(values), values, np.nan)


def _draw_band(axes: Axes, measure: str, curve: Curve, label: str | None) -> None:
    """Fill the interval, to the top where it has no upper limit."""
    if np.isfinite(curve.low_s).any():
        top_s = np.minimum(curve.high_s, axes.get_ylim()[1])
        colour = STYLES[measure]["color"]
        axes.fill_between(curve.nines, curve.low_s, top_s, color=colour, alpha=0.18, linewidth=0, label=label)


def _draw_curve(axes: Axes, measure: str, curve: Curve, *, is_whole: bool) -> None:
    style = STYLES[measure] | ({} if is_whole else {"marker": "o", "linewidth": 0.8})
    if not curve.censored[np.isfinite(curve.value_s)].all():
        axes.plot(curve.nines, np.where(curve.censored, np.nan, curve.value_s), **style, label=measure)
    if curve.censored.any():
        bound_s = np.where(curve.censored, curve.value_s, np.nan)
        marked = np.flatnonzero(curve.censored)[:: 8 if is_whole else 1].tolist()
        mark = style | {"marker": "^", "markersize": 5, "markevery": marked, "linewidth": 0.8}
        axes.plot(curve.nines, bound_s, **mark, label=f"{measure}: at least")


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
    found = estimates_of(view, view.shown or "", sorted({HALF, *TOLD}))
    return {share: estimate for share, estimate in found.items() if estimate.value_s is not None}


def estimates_of(view: View, measure: str, shares: Sequence[Fraction]) -> dict[Fraction, Estimate]:
    """Estimate the percentiles *shares* (ascending) of *measure*; of an aggregate those that it has, as they are."""
    found = estimates(view.populations[measure], shares, view.choices.confidence, view.run.source.known)
    return dict(zip(shares, found, strict=True))
