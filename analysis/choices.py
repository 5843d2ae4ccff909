"""What the reader of a report may choose: its percentiles, its confidence and the part of the run it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from analysis.objectives.objective import Objective
from analysis.percentiles import PERCENTILES
from analysis.units import duration

MOST_PERCENTILES = 12  # columns that a page has room for
TOLERANCE = 0.05  # of a baseline's figure
MOST_TOLERANCE = 10.0
MOST_DIGITS = 6  # after the point of a percentile: one request in a hundred million


@dataclass(frozen=True)
class Baseline:
    """A run that another one is not to be worse than."""

    path: Path  # its directory, or the summary.json or latency.csv in it
    tolerance: float = TOLERANCE  # differences that do not matter, as a share of its figures


@dataclass(frozen=True)
class Choices:
    percentiles: Mapping[str, Fraction] = field(default_factory=lambda: dict(PERCENTILES))
    confidence: float = 0.95
    warmup_s: float | None = None  # left out at the start; None: by rule
    window: tuple[float, float | None] | None = None  # seconds from the start of the run, and nothing is cut by rule
    slo: tuple[Objective, ...] = ()  # none: those that the run was made with
    baseline: Baseline | None = None  # None: that which the run was made with


def baseline(path: str | Path | None, tolerance: float | None) -> Baseline | None:
    """Join what two options say. Raises ValueError for a tolerance alone."""
    if path is None:
        if tolerance is not None:
            raise ValueError("--tolerance is of a comparison; name the run to compare with: --baseline RUN")
        return None
    return Baseline(Path(path), TOLERANCE if tolerance is None else tolerance)


def percentiles(text: str) -> dict[str, Fraction]:
    """Read `p50,p99.9` or `50,99.9`, in any order; they come back ascending, each once.

    Raises ValueError with a sentence for the user.
    """
    found = {}
    for word in text.split(","):
        match = re.fullmatch(rf"p?(\d{{1,2}}(?:\.\d{{1,{MOST_DIGITS}}})?)", word.strip())
        share = Fraction(match[1]) / 100 if match else Fraction(0)
        if not 0 < share < 1:
            raise ValueError(f"{word.strip()!r} is not a percentile between 0 and 100; write p50,p99,p99.9")
        found[share] = f"p{float(100 * share):.{MOST_DIGITS}f}".rstrip("0").rstrip(".")
    if len(found) > MOST_PERCENTILES:
        raise ValueError(f"{len(found)} percentiles are too many for a table; choose {MOST_PERCENTILES} or fewer")
    return {found[share]: share for share in sorted(found)}


def confidence(text: str) -> float:
    """Read `95%`, `95` or `0.95`: from 50 % up, and below 100 %. Raises ValueError with a sentence for the user."""
    match = re.fullmatch(r"(\d{1,2}(?:\.\d{1,6})?)\s*%?", text.strip())
    share = float(match[1]) if match else 0.0
    if not text.strip().endswith("%") and share < 1:
        share *= 100
    if not 50 <= share < 100:
        raise ValueError(f"{text!r} is not a confidence from 50 % up and below 100 %; write 95% or 0.95")
    return share / 100


def tolerance(text: str) -> float:
    """Read `5%`. Raises ValueError with a sentence for the user."""
    match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?)\s*%", text.strip())
    if match is None or float(match[1]) / 100 > MOST_TOLERANCE:
        raise ValueError(f"{text!r} is not a tolerance of 0% to {100 * MOST_TOLERANCE:.0f}%; write 5%")
    return float(match[1]) / 100


def window(text: str) -> tuple[float, float | None]:
    """Read `10s..60s`, `10s..` or `..60s`: seconds from the start. Raises ValueError with a sentence for the user."""
    start, dots, end = text.partition("..")
    try:
        from_s, to_s = duration(start) if start else 0.0, duration(end) if end else None
    except ValueError as error:
        raise ValueError(f"{text!r} is not a window: {error}") from None
    if not dots or not text.strip("."):
        raise ValueError(f"{text!r} is not a window; write 10s..60s, or 10s.. to the end")
    if to_s is not None and to_s <= from_s:
        raise ValueError(f"{text!r} is not a window: it ends before it begins")
    return from_s, to_s
