"""How sure a difference is: its interval, how often chance alone would show it, and which of many differences stand.

A difference is known with a spread: its standard error downwards and upwards, and the degrees of freedom that these
were estimated with. Interval and p-value are Student's with that spread, so that they agree: the interval at a
confidence excludes 0 exactly when the p-value is below what the confidence leaves out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.student import NORMAL, as_normal, normal_score, student_score

INFINITE = math.inf


@dataclass(frozen=True)
class Spread:
    down: float  # standard errors, in the unit of the difference; infinite where no limit is known
    up: float
    degrees: float = INFINITE


@dataclass(frozen=True)
class Interval:
    """A difference, other minus baseline. Without a `value` nothing is known about it."""

    value: float | None
    low: float | None  # None: no limit is known on this side
    high: float | None


UNKNOWN = Interval(None, None, None)


def interval(low: float, high: float, spread: Spread, confidence: float) -> Interval:
    """Enclose a difference that was seen as at least *low* and at most *high* (the same, unless timeouts hide it)."""
    reach = student_score(normal_score(confidence), spread.degrees)
    return Interval(
        _finite(low) if math.isfinite(low) else _finite(high),
        _finite(low - reach * spread.down),
        _finite(high + reach * spread.up),
    )


def p_value(low: float, high: float, spread: Spread) -> float:
    """Say how often runs without a difference would show one at least as clear; 1 where not even its sign is known."""
    if low > 0:
        distance, error = low, spread.down
    elif high < 0:
        distance, error = -high, spread.up
    else:
        return 1.0
    if error == 0:
        return 0.0
    return 2 * NORMAL.cdf(-as_normal(distance / error, spread.degrees))


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Say which differences are significant when all are looked at, so that chance shows one in any of them with at
    most the probability *level*.

    The smallest p-value has to be below level / m, the next below level / (m - 1), and so on until one is not (Holm,
    A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979).
    """
    significant = [False] * len(p_values)
    for tested, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[at] > level / (len(p_values) - tested):
            break
        significant[at] = True
    return significant


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
