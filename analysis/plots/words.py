"""Words that the pictures' readings share."""

import numpy as np
from numpy.typing import NDArray

from analysis.percentiles import Estimate
from analysis.plots.steps import Steps
from analysis.wording import interval_text, time_text


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def range_text(low_s: float, high_s: float) -> str:
    """Write `98.1 to 106 ms`, or the one time that both are."""
    if time_text(low_s) == time_text(high_s):
        return time_text(low_s)
    return interval_text({"low_s": low_s, "high_s": high_s})


def when_text(steps: Steps, number: int) -> str:
    """Write `in second 37`, or `in seconds 30 to 59`; they count from 0."""
    first, end = steps.edges_s[number : number + 2]
    return f"in second {first:,.0f}" if end - first <= 1 else f"in seconds {first:,.0f} to {end - 1:,.0f}"


def most_text(counts: NDArray[np.float64], steps: Steps) -> str:
    """Say in which step most of *counts* were: `all in second 3`, `the most, 20, in seconds 30 to 59`."""
    step, most = int(counts.argmax()), counts.max()
    if most == counts.sum():
        return f"all {when_text(steps, step)}" if most > 1 else when_text(steps, step)
    if (counts == most).sum() > 1:
        return f"at most {most:,.0f} in {'a second' if steps.width_s == 1 else f'{steps.width_s:,} s'}"
    return f"the most, {most:,.0f}, {when_text(steps, step)}"


def bound_text(estimate: Estimate, limit_s: float | None) -> str:
    """Write `2 s or more, the gateway's limit`."""
    text = time_text(estimate.value_s)
    return f"{text} or more, the gateway's limit" if limit_s and time_text(limit_s) == text else f"{text} or more"
