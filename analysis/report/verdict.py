"""What a report says first: what the run is worth, in a word and a sentence, and its five figures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.objectives.judgement import MISSED, UNDECIDED
from analysis.outcomes import Outcome
from analysis.population import TIMEOUTS
from analysis.report import slo
from analysis.run import LATENCY_FILE, LOADGATE
from analysis.wording import NOTHING, estimate_text, interval_text, length_text, rate_text, share_text, time_text

OWN = (LOADGATE, LATENCY_FILE)
WORDS = {"fail": ("Fail", "bad"), "undecided": ("Not decided", "warn"), "pass": ("Pass", "good")}
FOUND, CARRIED = "Found", "Carried"  # of a search; the second for all rates that were asked for
OF_SEARCH = {**WORDS, "pass": (FOUND, "good"), "invalid": ("Invalid", "bad")}
NO_OBJECTIVE = "No objective was set, so nothing passed or failed."


@dataclass(frozen=True)
class Headline:
    word: str
    tone: str  # "good", "plain", "warn" or "bad": the colour of the word
    sentence: str


@dataclass(frozen=True)
class Figure:
    label: str
    value: str  # with its unit
    beneath: str  # what it is to be seen against


def headline(summary: Mapping[str, Any]) -> Headline:
    """Say in plain words whether the numbers can be used."""
    if summary["capacity"]:
        return _searched(summary)
    if summary["verdict"] == "invalid":
        return Headline("Invalid", "bad", f"These numbers do not describe the service.{_nothing_decided(summary)}")
    if summary["verdict"] == "fail":
        return _judged(summary)
    if any(caution["name"] == "mostly_failed" for caution in summary["cautions"]):
        return Headline("Mostly failed", "bad", "Measured well, but these latencies are of the few that did not fail.")
    if summary["run"]["state"] == "interrupted":
        return Headline("Partial", "warn", "The run was interrupted, and these are its numbers until then.")
    if summary["run"]["state"] == "running":
        return Headline("Partial", "warn", "The run has not ended, and these are its numbers so far.")
    if slo.rows(summary):
        return _judged(summary)
    if summary["source"]["kind"] not in OWN:
        text = f"Measured by another tool ({summary['source']['kind']}), whose own delays are not known. {NO_OBJECTIVE}"
        return Headline("Recorded", "plain", text)
    return Headline("Valid", "good", f"The measurement is sound. {NO_OBJECTIVE}")


def _searched(summary: Mapping[str, Any]) -> Headline:
    answer = summary["capacity"]["answer"]
    word, tone = OF_SEARCH[summary["verdict"]]
    return Headline(word if answer["rate_per_s"] or word != FOUND else CARRIED, tone, answer["sentence"])


def _nothing_decided(summary: Mapping[str, Any]) -> str:
    return " So no objective passed or failed." if slo.rows(summary) else ""


def _judged(summary: Mapping[str, Any]) -> Headline:
    """Say how many objectives were met, missed and left open."""
    rows = slo.rows(summary)
    results, total = Counter(row.found for row in rows), len(rows)
    missed, undecided = results[MISSED], results[UNDECIDED]
    if summary["baseline"] and total == 1:
        return Headline(*WORDS[summary["verdict"]], f"Against {summary['baseline']['name']}: {rows[0].reason}")
    if summary["verdict"] == "fail":
        still_open = f" Not decided: {undecided}." if undecided else ""
        some = f"Missed: {missed} of {total} objectives.{still_open}"
        stopped = " The run was ended early by it." if summary["run"]["stopped_by"] and total == 1 else ""
        return Headline(*WORDS["fail"], f"The objective was missed.{stopped}" if total == 1 else some)
    if summary["verdict"] == "undecided":
        some = f"None was missed, but this run cannot tell of {undecided} of {total} objectives whether it was met."
        one = "This run cannot tell whether the objective was met."
        return Headline(*WORDS["undecided"], one if total == 1 else some)
    return Headline(*WORDS["pass"], "The objective was met." if total == 1 else f"All {total} objectives were met.")


def figures(summary: Mapping[str, Any]) -> list[Figure]:
    """Choose the figures to be read first; what was not measured is `-`."""
    if summary["capacity"]:
        return capacity_figures(summary["capacity"])
    outcomes = summary["outcomes"]
    total = sum(outcomes.values())
    failed = total - outcomes.get(Outcome.OK, 0)
    timeouts = sum(outcomes.get(outcome, 0) for outcome in TIMEOUTS)
    limit_s = summary["run"]["gateway"].get("timeout_s")
    return [
        _rate(summary),
        *_latencies(summary),
        Figure("failures", _count(failed, total), f"{share_text(failed, total)} of {total:,} requests"),
        Figure("timeouts", _count(timeouts, total), f"limit {time_text(limit_s)}" if limit_s else "limit not known"),
    ]


def capacity_figures(found: Mapping[str, Any]) -> list[Figure]:
    """Choose those of a search."""
    from analysis.capacity.wording import instances_text, levels_text  # few reports need it

    answer, rate, plan = found["answer"], found["answer"]["rate_per_s"], found["answer"]["plan"]
    target = plan and plan["target"]
    sure = share_text(answer["confidence"], 1)
    interval = f"{rate_text(rate['low'])} to {rate_text(rate['high'])}/s ({sure})" if rate else "not known"
    levels, took_s = levels_text(len(found["levels"])), sum(level["took_s"] for level in found["levels"])
    highest = max((level["rate_per_s"] for level in found["levels"]), default=None)
    return [
        Figure("capacity", f"{rate_text(rate['value'])}/s" if rate else NOTHING, interval),
        Figure(
            "each instance may get",
            f"{rate_text(plan['each_per_s'])}/s" if plan else NOTHING,
            f"of {instances_text(found['instances'])}, {share_text(found['headroom'], 1)} kept free",
        ),
        Figure(
            "needed",
            instances_text(target["instances"]) if target else NOTHING,
            f"for {rate_text(target['rate_per_s'])}/s" if target else "for a --target-rate",
        ),
        Figure("gave way first", *_gave_way(answer)),
        Figure("highest rate tried", f"{rate_text(highest)}/s" if highest else NOTHING, f"{levels} in {took_s:,.0f} s"),
    ]


def _gave_way(answer: Mapping[str, Any]) -> tuple[str, str]:
    gave_way = answer["gave_way"]
    return (gave_way["how"], gave_way["objective"]) if gave_way else (NOTHING, "nothing that was seen")


def _rate(summary: Mapping[str, Any]) -> Figure:
    """Of what was planned; what another tool planned is not known, only what it sent."""
    kind = "planned" if summary["source"]["kind"] in OWN else "sent"
    rate = summary["rate"]
    ok = f"{rate_text(rate['ok_per_s'])} ok/s"
    return Figure(
        "rate", NOTHING if rate["ok_per_s"] is None else ok, f"of {rate_text(rate[f'{kind}_per_s'])}/s {kind}"
    )


def _latencies(summary: Mapping[str, Any]) -> Iterator[Figure]:
    """A typical one and a slow one: p50 and p99 if they were asked for, else the lowest and the highest."""
    names = list(summary["percentiles"])
    low, high = ("p50" if "p50" in names else names[0]), ("p99" if "p99" in names else names[-1])
    measure = summary["main"]
    for name in dict.fromkeys((low, high)):
        estimate = summary["latency"][measure][name]
        yield Figure(f"{name} {measure}", estimate_text(estimate), _beneath(estimate, summary["confidence"]))


def _beneath(estimate: Mapping[str, Any], confidence: float) -> str:
    if estimate["low_s"] is not None:
        return f"{interval_text(estimate)} ({share_text(confidence, 1)})"
    if estimate["value_s"] is not None:
        return "interval not known"
    return f"takes a run of {length_text(estimate['needs_s'])}" if estimate["needs_s"] else "not measured"


def _count(count: int, total: int) -> str:
    return f"{count:,}" if total else NOTHING
