"""How far the difference of two measured figures may be off.

* Both runs were drawn anew (`resampling`), independently of each other: their figures are subtracted, resample by
  resample. The spread below is the distance from the difference to the 2.5 % quantile of those, in standard errors of
  the normal distribution (so it may be wider on one side), above likewise. Because a run has only a few independent
  blocks, it is taken with Student's distribution, and widened by the root of n / (n - 1) for n blocks, as in
  Hesterberg, What teachers should know about the bootstrap, The American Statistician 69, 2015; the degrees of
  freedom of two runs are Welch's. Reading the spread at one level and stretching it to the others lets Holm's
  procedure ask for a p-value that no count of 2,000 resamples could give.
* A window of fewer than ten seconds has too few blocks. The ends of both runs' own intervals, as of independent
  requests, are combined instead (MOVER: Zou & Donner, Statistics in Medicine 27, 2008): short runs can still show a
  large difference, and the report says what they cannot show. Of shares it is Newcombe's interval (`count_intervals`).
* Shares of outcomes are often of a few requests or none, which no resample varies: their spread from resamples is at
  least that of independent requests (Agresti & Caffo, The American Statistician 54, 2000).
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.comparison.measured import Measured
from analysis.comparison.significance import Spread
from analysis.student import NORMAL, normal_score

TAIL = 0.025  # where the spread is read from the resamples: 50 of them are beyond

Number = NDArray[np.float64]


def spreads(
    one: Measured, two: Measured, blocks_one: float | None, blocks_two: float | None, confidence: float
) -> tuple[Spread, Spread]:
    """Give the spread of *two* minus *one*, and that of the difference as a share of *one*.

    Without blocks in one of them, both runs' own intervals at *confidence* are combined.
    """
    drawn = (one.drawn_low, one.drawn_high, two.drawn_low, two.drawn_high)
    if blocks_one is None or blocks_two is None or any(of is None for of in drawn):
        difference = _combined(one, two, confidence)
        return difference, replace(difference, down=_part(difference.down, one), up=_part(difference.up, one))
    one_low, one_high, two_low, two_high = (np.asarray(of) for of in drawn)
    widening, degrees = _few_blocks(_variance(one_low), _variance(two_low), blocks_one, blocks_two)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_low, share_high = two_low / one_high - 1, two_high / one_low - 1
    share = _drawn(
        np.nan_to_num(share_low, nan=-1.0, posinf=math.inf), np.nan_to_num(share_high, nan=math.inf, posinf=math.inf)
    )
    difference = _drawn(two_low - one_high, two_high - one_low)
    return _widened(difference, widening, degrees), _widened(share, widening, degrees)


def spread_of_counts(one: Measured, two: Measured) -> float:
    """Give the standard error of a difference of shares, each with two requests more: one of them of the outcome."""
    shares = ((measured.count + 1) / (measured.total + 2) for measured in (one, two))
    return math.sqrt(
        sum(share * (1 - share) / (measured.total + 2) for share, measured in zip(shares, (one, two), strict=True))
    )


def _widened(spread: Spread, widening: float, degrees: float) -> Spread:
    return Spread(spread.down * widening, spread.up * widening, degrees)


def _part(error: float, one: Measured) -> float:
    return error / one.at_least if one.at_least else math.inf


def _drawn(low: Number, high: Number) -> Spread:
    """Read the spread from resamples of the ends of a difference; the first is that of the runs as they are."""
    score, beyond = -NORMAL.inv_cdf(TAIL), round(TAIL * (len(low) - 1))
    down = low[0] - np.partition(low[1:], beyond)[beyond] if math.isfinite(low[0]) else math.inf
    up = np.partition(high[1:], -beyond - 1)[-beyond - 1] - high[0] if math.isfinite(high[0]) else math.inf
    return Spread(max(0.0, float(down)) / score, max(0.0, float(up)) / score)


def _few_blocks(one: float, two: float, blocks_one: float, blocks_two: float) -> tuple[float, float]:
    """Give the widening and the degrees of freedom of a difference; *one* and *two* are the figures' variances."""
    if not 0 < one + two < math.inf:
        fewest = min(blocks_one, blocks_two)
        return math.sqrt(fewest / (fewest - 1)), fewest - 1
    widened = one * blocks_one / (blocks_one - 1) + two * blocks_two / (blocks_two - 1)
    degrees = (one + two) ** 2 / (one**2 / (blocks_one - 1) + two**2 / (blocks_two - 1))
    return math.sqrt(widened / (one + two)), degrees


def _variance(drawn: Number) -> float:
    return float(drawn[1:].var()) if np.isfinite(drawn).all() else math.inf


def _combined(one: Measured, two: Measured, confidence: float) -> Spread:
    """Combine the intervals of both runs."""
    score = normal_score(confidence)
    down = math.hypot(two.at_least - two.low, one.high - one.at_most) if math.isfinite(one.at_most) else math.inf
    up = math.hypot(two.high - two.at_most, one.at_least - one.low) if math.isfinite(two.at_most) else math.inf
    return Spread(down / score, up / score)
