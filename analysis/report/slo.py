"""Objectives as the reports and the terminal write them."""

from collections.abc import Mapping
from typing import Any

from analysis import wording
from analysis.objectives.judgement import MET, MISSED, UNDECIDED
from analysis.objectives.objective import SECOND, SHARE

WORDS = {MET: "met", MISSED: "MISSED", UNDECIDED: "not decided"}


def value_text(judged: Mapping[str, Any]) -> str:
    """Write what was measured, with its unit: `812 ms`, `>= 40 s`, `1.2 %`, `49.7/s`; `-` for nothing."""
    text = _amount(judged, judged["value"])
    return f">= {text}" if judged["censored"] else text


def interval_text(judged: Mapping[str, Any]) -> str:
    """Write `780 ms to 840 ms`, or `no upper limit is known`; empty where the figure has no interval."""
    low, high = judged["low"], judged["high"]
    if low == high:
        return ""
    if high is None:
        return f"{_amount(judged, low)} or more"
    if low is None:
        return f"{_amount(judged, high)} or less"
    return f"{_amount(judged, low)} to {_amount(judged, high)}"


def reason_text(judged: Mapping[str, Any], confidence: float) -> str:
    """Say in one sentence why an objective was met, missed or not decided."""
    if not judged["n"]:
        return "Nothing of it was measured."
    interval = interval_text(judged)
    of_n = f"of {judged['n']:,} requests"
    found = f"{value_text(judged)} {of_n}" if judged["value"] is not None else f"{of_n[3:]} are too few for a figure"
    if interval:
        found += f", {wording.share_text(confidence, 1)} interval {interval}"
    if judged["result"] != UNDECIDED:
        return f"{found}."
    if judged["every_s"] is not None:
        return f"{found}, in the worst part: {judged['every_s']:g} s are too short to decide at this rate."
    if judged["censored"] and judged["high"] is None:
        return f"{found}. Requests that were cut off leave open how high it is."
    if judged["needs_s"] is not None:
        return f"{found}. A run of about {wording.length_text(judged['needs_s'])} would decide."
    return f"{found}. Too close to the limit for a longer run to decide."


def line_text(judged: Mapping[str, Any], confidence: float) -> str:
    """Write an objective on one line, for the terminal."""
    line = f"{WORDS[judged['result']]}: {judged['text']}: {reason_text(judged, confidence)}"
    return wording.one_line(line)


def _amount(judged: Mapping[str, Any], amount: float | None) -> str:
    if amount is None:
        return wording.NOTHING
    if judged["unit"] == SHARE:
        return wording.share_text(amount, 1)
    return wording.time_text(amount) if judged["unit"] == SECOND else f"{wording.rate_text(amount)}/s"
