"""The percentiles of a population as a curve over the nines, with its interval, as far as its requests support it."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.percentiles import estimates
from analysis.plots.axes import nines_axis, nines_of, taken_axis
from analysis.plots.style import Style
from analysis.population import Population

HALF = Fraction(1, 2)
POINTS = 90  # of a curve
POINTS_A_MARK = 8  # of a curve's bounds
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    nines: Numbers  # 1 is p90, 2 is p99, 3 is p99.9
    value_s: Numbers  # NaN: too few requests for it
    low_s: Numbers  # NaN: it has no interval
    high_s: Numbers  # infinite: no upper limit is known
    censored: NDArray[np.bool_]


def curve_of(population: Population, confidence: float, known: Collection[Fraction] | None) -> Curve | None:
    """Estimate all percentiles that the requests support, of an aggregate those *known*; None if fewer than two."""
    if not population.n:
        return None
    # The largest has no place among the nines.
    shares = curve_shares(population.n, confidence) if known is None else sorted(of for of in known if of < 1)
    found = estimates(population, shares, confidence, known)
    supported = [number for number, one in enumerate(found) if one.value_s is not None]
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
        for share, one in zip(shares[: supported[-1] + 1], found, strict=False)
    ]
    values = np.array(columns, np.float64).T
    return Curve(values[0], values[1], values[2], values[3], values[4] > 0)


def curve_shares(n: int, confidence: float) -> list[Fraction]:
    """Spread percentiles evenly over the nines, up to the highest that *n* independent requests support."""
    # p is supported if p^n is at most what the interval leaves out above it; see analysis.percentiles.
    most = -math.log10(-math.expm1(math.log((1 - confidence) / 2) / n))
    marked = [HALF] + [1 - Fraction(1, 10**nines) for nines in range(1, math.floor(most) + 1)]
    between = [1 - Fraction(10 ** -float(nines)) for nines in np.linspace(0, most, POINTS)[1:-1]]
    return sorted({*marked, *between})


def curve_axes(axes: Axes, curves: Sequence[Curve]) -> None:
    """Make room for every curve, and for the ends of their intervals as far as they are known."""
    ends_s = np.concatenate([[*curve.value_s, *curve.high_s] for curve in curves])
    known_s = ends_s[np.isfinite(ends_s)]
    taken_axis(axes, float(known_s.min()), float(known_s.max()))
    nines_axis(axes, max(curve.nines[-1] for curve in curves))


def draw_curve(axes: Axes, label: str, curve: Curve, style: Style, interval: str = "") -> None:
    """Draw *curve* and fill its interval (named *interval*), to the top where it has no end; bounds are marked: all if
    *style* marks every point, else some.
    """
    if np.isfinite(curve.low_s).any():
        top_s = np.minimum(curve.high_s, axes.get_ylim()[1])
        axes.fill_between(
            curve.nines, curve.low_s, top_s, color=style["color"], alpha=0.18, linewidth=0, label=interval or None
        )
    if not curve.censored[np.isfinite(curve.value_s)].all():
        axes.plot(curve.nines, np.where(curve.censored, np.nan, curve.value_s), **style, label=label)
    if curve.censored.any():
        marked = np.flatnonzero(curve.censored)[:: 1 if "marker" in style else POINTS_A_MARK].tolist()
        mark = style | {"marker": "^", "markersize": 5, "markevery": marked, "linewidth": 0.8}
        axes.plot(curve.nines, np.where(curve.censored, curve.value_s, np.nan), **mark, label=f"{label}: at least")
