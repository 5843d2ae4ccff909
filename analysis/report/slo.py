"""Objectives as the reports and the terminal write them. An invalid run judges none: it is not the service's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis import wording
from analysis.objectives.judgement import MET, MISSED, UNDECIDED, is_partial
from analysis.objectives.objective import SECOND, SHARE

NOT_JUDGED = "not judged"
WORDS = {MET: "met", MISSED: "MISSED", UNDECIDED: "not decided", NOT_JUDGED: NOT_JUDGED}
SO_FAR = "It was met until then, but the run did not get to its end."
NO_MEANING = "The run is invalid, so this figure does not describe the service."
OF_VERDICT = {"pass": MET, "fail": MISSED, "undecided": UNDECIDED, "invalid": NOT_JUDGED}
TONES = {MET: "good", MISSED: "bad", UNDECIDED: "warn", NOT_JUDGED: "plain"}


@dataclass(frozen=True)
class Row:
    """An objective, or the baseline, in a table."""

    objective: str
    measured: str
    interval: str  # empty: there is none
    found: str  # one of WORDS
    meaning: str  # a sentence, beside the figures
    reason: str  # the same with the figures in it

    @property
    def result(self) -> str:
        return WORDS[self.found]

    @property
    def tone(self) -> str:
        """The colour of the word, as of a headline's."""
        return TONES[self.found]


def rows(summary: Mapping[str, Any]) -> list[Row]:
    """Give the objectives of *summary*, and after them that nothing is worse than in its baseline."""
    found = [_row(each, _found(summary, each), summary["confidence"]) for each in summary["slo"]]
    baseline = summary["baseline"]
    if summary["capacity"]:
        found.append(_capacity_row(summary))
    return [*found, _baseline_row(baseline, _found(summary, baseline))] if baseline else found


def _found(summary: Mapping[str, Any], judged: Mapping[str, Any]) -> str:
    if summary["verdict"] == "invalid":
        return NOT_JUDGED
    result: str = judged["result"]
    return UNDECIDED if result == MET and is_partial(summary["run"]) else result


def value_text(judged: Mapping[str, Any]) -> str:
    """Write what was measured, with its unit: `812 ms`, `>= 40 s`, `1.2 %`, `49.7/s`; `-` for nothing."""
    text = _amount(judged, judged["value"])
    return f">= {text}" if judged["censored"] else text


def interval_text(judged: Mapping[str, Any]) -> str:
    """Write `780 ms to 840 ms`, or `780 ms or more`; empty where the figure has no interval."""
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
    if _is_nothing(judged):
        return _nothing_text(judged)
    interval, requests = interval_text(judged), f"{judged['n']:,} requests"
    if judged["value"] is not None:
        found = f"{value_text(judged)} of {requests}"
    else:
        # An aggregate has figures of its own, whatever the number of requests.
        found = f"{requests} {'do not tell it' if _is_open_for_good(judged) else 'are too few for a figure'}"
    if interval:
        # That of one part is wider, so that all of them together are as sure.
        share = f"{wording.share_text(confidence, 1)} " if judged["every_s"] is None else ""
        found += f", {share}interval {interval}"
    return f"{found}. {_open_text(judged)}" if judged["result"] == UNDECIDED else f"{found}."


def line_text(row: Row) -> str:
    """Write an objective on one line, for the terminal."""
    return wording.one_line(f"{row.result}: {row.objective}: {row.reason}")


def _row(judged: Mapping[str, Any], found: str, confidence: float) -> Row:
    so_far = SO_FAR if found == UNDECIDED and judged["result"] == MET else ""
    return Row(
        judged["text"],
        value_text(judged),
        interval_text(judged),
        found,
        so_far or _meaning_text(judged, found),
        f"{reason_text(judged, confidence)} {so_far}".rstrip(),
    )


def _baseline_row(baseline: Mapping[str, Any], found: str) -> Row:
    so_far = SO_FAR if found == UNDECIDED and baseline["result"] == MET else ""
    meaning = NO_MEANING if found == NOT_JUDGED else f"{baseline['reason']} {so_far}".rstrip()
    return Row(f"no regression against {baseline['name']}", wording.NOTHING, "", found, meaning, meaning)


def _capacity_row(summary: Mapping[str, Any]) -> Row:
    """One row for all objectives of a search: whether there is a rate that keeps them, and which."""
    answer, found = summary["capacity"]["answer"], OF_VERDICT[summary["verdict"]]
    rate = answer["rate_per_s"]
    return Row(
        f"a rate that keeps {', '.join(summary['capacity']['objectives'])}",
        f"{wording.rate_text(rate['value'])}/s" if rate else wording.NOTHING,
        f"{wording.rate_text(rate['low'])} to {wording.rate_text(rate['high'])}/s" if rate else "",
        found,
        NO_MEANING if found == NOT_JUDGED else answer["sentence"],
        answer["sentence"],
    )


def _meaning_text(judged: Mapping[str, Any], found: str) -> str:
    """Say what the figures come to, without them."""
    if found == NOT_JUDGED:
        return NO_MEANING
    if _is_nothing(judged):
        return _nothing_text(judged)
    if found == UNDECIDED:
        return _open_text(judged)
    what = "The whole interval" if interval_text(judged) else "It"
    where = "" if judged["every_s"] is None else " in the worst part" if found == MISSED else ", also in the worst part"
    return f"{what} is {'within' if found == MET else 'beyond'} the limit{where}."


def _is_nothing(judged: Mapping[str, Any]) -> bool:
    """Whether there is no figure; a rate of 0 is one, though it is of no request."""
    return not judged["n"] and judged["value"] is None


def _nothing_text(judged: Mapping[str, Any]) -> str:
    if judged["every_s"] is None:
        return "Nothing of it was measured."
    return f"Nothing of it was measured in a whole part of {judged['every_s']:g} s."


def _is_open_for_good(judged: Mapping[str, Any]) -> bool:
    return judged["low"] is None and judged["high"] is None and judged["needs_s"] is None and judged["every_s"] is None


def _open_text(judged: Mapping[str, Any]) -> str:
    """Say what it would take to decide."""
    if judged["every_s"] is not None:
        return f"In the worst part, {judged['every_s']:g} s are too short to decide at this rate."
    if judged["needs_s"] is not None:
        return f"A run of about {wording.length_text(judged['needs_s'])} would decide."
    if judged["value"] is None:
        return "Nor would those of a run of a day."
    if _is_open_for_good(judged):
        return "It has no interval, so that nobody knows what is chance in it."
    if judged["censored"] and judged["high"] is None:
        return "Requests that were cut off leave open how high it is."
    return "Too close to the limit for a longer run to decide."


def _amount(judged: Mapping[str, Any], amount: float | None) -> str:
    if amount is None:
        return wording.NOTHING
    if judged["unit"] == SHARE:
        return wording.share_text(amount, 1)
    return wording.time_text(amount) if judged["unit"] == SECOND else f"{wording.rate_text(amount)}/s"
