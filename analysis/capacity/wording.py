"""The answer of a search as the pages and the terminal write it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.objectives.judgement import MET, MISSED, UNDECIDED
from analysis.outcomes import Outcome
from analysis.wording import (
    NOTHING,
    estimate_text,
    exact_size_text,
    one_line,
    rate_text,
    share_text,
    time_text,
)

SPOILED = "spoiled"
RESULTS = {MET: "met", MISSED: "MISSED", UNDECIDED: "not decided", SPOILED: "spoiled"}
TONES = {MET: "good", MISSED: "bad", UNDECIDED: "warn", SPOILED: "plain"}


@dataclass(frozen=True)
class LevelRow:
    """A level in a table; `rate_per_s` is what it is sorted by."""

    rate_per_s: float
    kind: str
    length: str
    result: str
    tone: str
    ok: str
    p50: str
    p99: str
    failed: str
    in_flight: str
    note: str


def rate(per_s: float | None) -> str:
    """Write `314/s`."""
    return NOTHING if per_s is None else f"{rate_text(per_s)}/s"


def level_rows(found: Mapping[str, Any]) -> list[LevelRow]:
    """Write the levels in the order of their rates."""
    levels = zip(found["levels"], found["answer"]["concurrency"], strict=True)
    return [_row(level, by_law) for level, by_law in sorted(levels, key=lambda each: each[0]["rate_per_s"])]


def _row(level: Mapping[str, Any], by_law: float | None) -> LevelRow:
    result = SPOILED if level["spoiled"] else level["result"]
    total = sum(level["outcomes"].values())
    failed = total - level["outcomes"].get(Outcome.OK, 0)
    p50, p99 = (estimate_text(level["latency"][name]) if level["latency"] else NOTHING for name in ("p50", "p99"))
    return LevelRow(
        level["rate_per_s"],
        level["kind"],
        f"{level['length_s']:g} s",
        RESULTS[result],
        TONES[result],
        rate(level["ok_per_s"]),
        p50,
        p99,
        share_text(failed, total) if total else NOTHING,
        _in_flight(level["in_flight"], by_law),
        level["spoiled"] or _missed_text(level),
    )


def _in_flight(counted: float | None, by_law: float | None) -> str:
    if counted is None or by_law is None:
        return NOTHING
    return f"{rate_text(counted)} ({rate_text(by_law)})"


def _missed_text(level: Mapping[str, Any]) -> str:
    missed = (each for each in level["against"] if each["result"] == MISSED and each["n"])
    return ", ".join(f"{each['text']}: {share_text(each['beyond'], each['n'])} beyond it" for each in missed)


def sentences(found: Mapping[str, Any]) -> list[str]:
    """Say what belongs to the answer, most important first; only what was seen."""
    return [*_about_the_rate(found["answer"]), *_about_the_service(found["answer"]), *_about_limits(found["answer"])]


def _about_the_rate(answer: Mapping[str, Any]) -> Iterator[str]:
    confirmed = answer["confirmed"]
    if confirmed:
        how = {
            MET: "all objectives held",
            MISSED: "an objective was missed",
            UNDECIDED: "none was missed, and not all were surely met",
        }[confirmed["result"]]
        yield f"Held on its own at {rate(confirmed['rate_per_s'])} for {confirmed['length_s']:g} s: {how}."
    elif answer["rate_per_s"]:
        yield "It was not confirmed: the generator spoiled the level that should."
    if answer["gave_way"]:
        yield answer["gave_way"]["sentence"]


def _about_the_service(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer["knee_per_s"]:
        yield (
            f"The knee is near {rate(answer['knee_per_s'])}: beyond it, waiting grows faster than throughput"
            " (throughput by mean time is highest there)."
        )
    if answer["servers"]:
        yield (
            f"Seen from outside, the service works on about {answer['servers']:.2g} requests at a time: its highest"
            " throughput times its mean time when idle."
        )
    if answer["scalability"]:
        yield _law_text(answer["scalability"])


def _law_text(law: Mapping[str, Any]) -> str:
    text = (
        f"The universal scalability law, fitted to {law['levels']} steady levels as a description:"
        f" {rate(law['lambda_per_s'])} with one request at a time, contention {share_text(law['sigma'], 1)},"
        f" coherency {share_text(law['kappa'], 1)}."
    )
    if law["peak_concurrency"] is None:
        return text
    beyond = law["peak_concurrency"] > law["measured_to"]
    extrapolated = (
        f" That is extrapolated: no more than {rate_text(law['measured_to'])} at a time were measured steady."
    )
    return (
        f"{text} Its highest throughput would be {rate(law['peak_per_s'])}, with"
        f" {rate_text(law['peak_concurrency'])} at a time.{extrapolated if beyond else ''}"
    )


def _about_limits(answer: Mapping[str, Any]) -> Iterator[str]:
    limits = answer["limits"]
    if limits is None:
        return
    if limits["over_limit"]:
        yield (
            f"{share_text(limits['over_limit'], 1)} of the bodies are over the limit of"
            f" {exact_size_text(limits['body_limit_bytes'])}: the gateway rejects them at every rate, sent here or left"
            " out, and no number of instances changes that."
        )
    cut, limit = limits["timed_out"], time_text(limits["timeout_s"])
    if cut:
        share = share_text(cut["share"], 1) if cut["share"] else "None"
        yield (
            f"{share} of {cut['n']:,} requests near that rate crossed the time limit of {limit}"
            f" ({share_text(answer['confidence'], 1)} interval of independent requests {share_text(cut['low'], 1)} to"
            f" {share_text(cut['high'], 1)})."
        )
    if limits["all_hanging"]:
        holds = limits["generator_holds"]
        enough = "" if not holds else f"; this generator holds {holds:,}"
        more = (
            ", which is too few: raise --max-in-flight or --processes"
            if holds and holds < limits["all_hanging"]
            else ""
        )
        yield (
            f"If every answer hung until the limit, {limits['all_hanging']:,.0f} requests would be in flight"
            f" ({limit} times the rate){enough}{more}."
        )


def text_lines(found: Mapping[str, Any]) -> list[str]:
    """Write the answer for the terminal."""
    answer = found["answer"]
    head = ("rate", "held", "result", "ok", "p50", "p99", "failed", "in flight (by law)", "")
    rows = [
        (rate(row.rate_per_s), row.length, row.result, row.ok, row.p50, row.p99, row.failed, row.in_flight, row.note)
        for row in level_rows(found)
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    table = ["  ".join([*map(str.rjust, row[:-1], widths[:-1]), one_line(row[-1])]).rstrip() for row in (head, *rows)]
    said = [answer["sentence"], *sentences(found), *_plan_lines(answer["plan"], needed_text(answer))]
    return [*map(one_line, said), "", *table]


def needed_text(answer: Mapping[str, Any]) -> str:
    """Head a column of instances: of a rate that is only known to be carried, they are no more than so many."""
    return "instances needed" if answer["rate_per_s"] else "instances needed, at most"


def base_text(found: Mapping[str, Any]) -> str:
    """Say what an instance may be given, and from what that follows."""
    base = "the lower end of the interval" if found["answer"]["rate_per_s"] else "the highest rate asked for"
    return (
        f"Each instance is given {rate(found['answer']['plan']['each_per_s'])} at most: {base} by the"
        f" {instances_text(found['instances'])} measured, less {share_text(found['headroom'], 1)} headroom."
    )


def _plan_lines(plan: Mapping[str, Any] | None, needed: str) -> list[str]:
    if plan is None:
        return []
    rates = ", ".join(f"{row['instances']:,} for {rate(row['rate_per_s'])}" for row in plan["for_rates"])
    lines = [f"{needed.capitalize()}, each given {rate(plan['each_per_s'])} at most: {rates}."]
    if plan["target"]:
        lines.insert(0, f"{rate(plan['target']['rate_per_s'])} needs {instances_text(plan['target']['instances'])}.")
    return lines


def instances_text(count: int) -> str:
    """Write `1 instance`, `4 instances`."""
    return f"{count:,} instance{'' if count == 1 else 's'}"


def levels_text(count: int) -> str:
    """Write `1 level`, `9 levels`."""
    return f"{count} level{'' if count == 1 else 's'}"


def searched_text(found: Mapping[str, Any]) -> str:
    """Say what was asked for and what it took."""
    search, took_s = found["search"], sum(level["took_s"] for level in found["levels"])
    resumed = f", the first {found['resumed_levels']} of them in {found['resumed']}" if found["resumed"] else ""
    return (
        f"{levels_text(len(found['levels']))}{resumed}, of rates from {rate(search['from_per_s'])} to at most"
        f" {rate(search['to_per_s'])}, in {took_s:,.0f} s where about {search['budget_s']:,.0f} s were given."
    )
