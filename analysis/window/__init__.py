"""The part of a run that its latencies are about: without its ramp and its warm-up, and whether that is steady.

A second that the run did not see to its end, because it was interrupted, stays in: it holds fewer requests, but
nothing wrong with them, and no rule here looks at how many there were.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.choices import Choices
from analysis.errors import BadRun
from analysis.run import Run
from analysis.run_format import RESPONSE, SERVICE
from analysis.samples import Array
from analysis.window.medians import median_of, medians, per_second
from analysis.window.trend import sens_slope, trend_p_value
from analysis.window.warmup import LEAST_S, warmup

DRIFT_P_VALUE = 0.01  # a drift counts when chance shows one as clear less often than this ...
DRIFT_SHARE = 0.10  # ... and when it changes the median by more than this
MOST_BATCHES = 100  # of whole seconds, to look for a drift in: as many as that, of equal length
LEAST_BATCHES = 10

RAMP, WARM_UP, CHOSEN, DRIFT = "ramp", "warm-up", "chosen", "drift"
OTHER_RATES = "other rates"  # of a search for the capacity: its window is one rate


@dataclass(frozen=True)
class Cut:
    from_s: int
    to_s: int
    why: str  # RAMP, WARM_UP (by rule), CHOSEN or OTHER_RATES


@dataclass(frozen=True)
class Drift:
    share: float  # of the median response: how much it changed from the beginning of the window to its end
    p_value: float  # how often a run without a trend would show one as clear

    @property
    def found(self) -> bool:
        return self.p_value < DRIFT_P_VALUE and abs(self.share) > DRIFT_SHARE


@dataclass(frozen=True)
class Window:
    """Whole seconds from *from_s* on and before *to_s*, of the planned time."""

    from_s: int
    to_s: int
    cut: tuple[Cut, ...] = ()
    steady: bool | None = None  # None: too short to tell
    drift: Drift | None = None  # None: too short to tell
    unsteady: str = ""  # why it is not steady: RAMP (nothing else was seen), WARM_UP (more than half is) or DRIFT
    change: float | None = None  # of the median, as a share of it, that makes it unsteady

    def as_json(self) -> dict[str, Any]:
        return {
            "from_s": self.from_s,
            "to_s": self.to_s,
            "cut": [vars(cut) for cut in self.cut],
            "steady": self.steady,
            "drift": vars(self.drift) if self.drift else None,
        }


def window_of(run: Run, choices: Choices) -> Window:
    """Choose the window: as *choices* say, or without the ramp and the warm-up by rule.

    A chosen window begins with the second that its start is in, and ends with the one that its end is in; a chosen
    warm-up ends with the one that its end is in. Raises BadRun if either is not within the run.
    """
    if choices.window is not None:
        return _judged(run, *_chosen(choices.window, run))
    if choices.warmup_s is not None:
        return _judged(run, *_after(choices.warmup_s, run))
    if run.record is not None and run.record.shown is not None:
        level = run.record.shown
        return _judged(run, level.from_s, level.from_s + round(level.length_s), OTHER_RATES)
    return _by_rule(run)


def reading(window: Window, run_length_s: float) -> str:
    """Say what was cut and why, and whether the rest is steady, in a few plain sentences."""
    return f"{_cut_text(window, run_length_s)} {_steady_text(window)}"


def _end_s(run: Run) -> int:
    return math.ceil(run.duration_s or 0)


def _chosen(window: tuple[float, float | None], run: Run) -> tuple[int, int]:
    from_s, end_s = math.floor(window[0]), _end_s(run)
    to_s = end_s if window[1] is None else math.ceil(window[1])
    if not from_s < to_s <= end_s:
        end = "" if window[1] is None else f"{window[1]:g}s"
        raise BadRun(f"the window {window[0]:g}s..{end} is not within the run, which is {run.duration_s or 0:g} s long")
    return from_s, to_s


def _after(warmup_s: float, run: Run) -> tuple[int, int]:
    if math.ceil(warmup_s) >= _end_s(run):
        raise BadRun(
            f"the warm-up of {warmup_s:g} s leaves nothing of the run, which is {run.duration_s or 0:g} s long"
        )
    return math.ceil(warmup_s), _end_s(run)


def _judged(run: Run, from_s: int, to_s: int, why: str = CHOSEN) -> Window:
    """Judge a window that was chosen: nothing more is cut from it."""
    parts = (Cut(0, from_s, why), Cut(to_s, _end_s(run), why))
    cut = tuple(part for part in parts if part.from_s < part.to_s)
    drift = _drift(*_series(run, from_s, to_s), from_s, to_s)
    if drift and drift.found:
        return Window(from_s, to_s, cut, False, drift, DRIFT, drift.share)
    return Window(from_s, to_s, cut, True if drift and to_s - from_s >= LEAST_S else None, drift)


def _by_rule(run: Run) -> Window:
    ramp_s, end_s = math.ceil(run.manifest["load"].get("ramp_s") or 0), _end_s(run)
    if end_s == 0:
        return Window(0, 0)
    if end_s <= ramp_s:
        return Window(0, end_s, steady=False, unsteady=RAMP)
    second, median = _series(run, ramp_s, end_s)
    warm = warmup(second, median.astype(np.float64), ramp_s) if end_s - ramp_s >= LEAST_S else None
    from_s, drift = _first_steady(second, median, (warm.ends_s if warm else ramp_s, ramp_s), end_s)
    parts = (Cut(0, ramp_s, RAMP), Cut(ramp_s, from_s, WARM_UP))
    cut = tuple(part for part in parts if part.from_s < part.to_s)
    if drift and drift.found:
        return Window(from_s, end_s, cut, False, drift, DRIFT, drift.share)
    if warm and not warm.steady:
        return Window(from_s, end_s, cut, False, drift, WARM_UP, warm.change)
    return Window(from_s, end_s, cut, True if warm and drift else None, drift)


def _first_steady(second: Array, median: Array, starts: tuple[int, int], end_s: int) -> tuple[int, Drift | None]:
    """Choose between a warm-up's end and its beginning: a drift that goes through both is no warm-up."""
    rest, whole = (_drift(second[second >= start], median[second >= start], start, end_s) for start in starts)
    if rest and rest.found and whole and whole.found:
        return starts[1], whole
    return starts[0], rest


def _series(run: Run, from_s: int, to_s: int) -> tuple[Array, Array]:
    """Give the median response in us of each second, or the service time where there is no response.

    An aggregate has none: what it tells is of the whole run.
    """
    for measure in (RESPONSE, SERVICE) if run.source.known is None else ():
        second, median = per_second(run.population(measure))
        inside = (second >= from_s) & (second < to_s)
        if inside.any():
            return second[inside], median[inside]
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _drift(second: Array, median: Array, from_s: int, to_s: int) -> Drift | None:
    """Compare batches of seconds, each by its median; None if there are too few."""
    width_s = max(1, math.ceil((to_s - from_s) / MOST_BATCHES))
    _, batches = medians((second - from_s) // width_s, median, np.ones(len(second), np.int64))
    if len(batches) < LEAST_BATCHES:
        return None
    series = batches.astype(np.float64)
    level = median_of(series)
    return Drift(sens_slope(series) * len(series) / level, trend_p_value(series)) if level > 0 else None


def _cut_text(window: Window, run_length_s: float) -> str:
    if not window.cut:
        return "Nothing was cut."
    if any(cut.why == OTHER_RATES for cut in window.cut):
        return f"Only the part from {window.from_s:,} to {window.to_s:,} s, in which one rate was held."
    if any(cut.why == CHOSEN for cut in window.cut):
        if window.to_s >= run_length_s:
            return f"The first {window.from_s:,} s were left out, as chosen."
        return f"Only the part from {window.from_s:,} to {window.to_s:,} s of {run_length_s:,.0f} s, as chosen."
    if len(window.cut) == 1:
        return f"The first {window.from_s:,} s were cut: {_why_text(window.cut[0])}."
    parts = (f"{cut.to_s - cut.from_s:,} s {_why_text(cut)}" for cut in window.cut)
    return f"The first {window.from_s:,} s were cut: {' and '.join(parts)}."


def _why_text(cut: Cut) -> str:
    return "warm-up by MSER-5" if cut.why == WARM_UP else cut.why


def _steady_text(window: Window) -> str:
    if window.steady:
        return "The rest is steady: it shows no drift." if window.cut else "It is steady: no warm-up, no drift."
    if window.steady is None:
        if window.to_s - window.from_s < LEAST_S:
            return f"Too short to tell a warm-up: that takes {LEAST_S} s."
        return "Too few latencies to tell a warm-up or a drift."
    if window.unsteady == RAMP:
        return "No steady state: it ended in its ramp."
    if window.unsteady == WARM_UP:
        return f"No steady state: the median changed by {change_text(window.change)} after more than half of it."
    return f"No steady state: the median changed by {change_text(window.change)} from its beginning to its end."


def change_text(share: float | None) -> str:
    """Write `+35 %`, `-4 %`; empty where there is no figure."""
    return "" if share is None else f"{100 * share:+,.0f} %"
