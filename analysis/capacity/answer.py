"""The answer of a search: a rate as an interval, or why there is none, what gave way first, and the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.capacity import CONFIDENCE, sentences
from analysis.capacity.edge import Edge
from analysis.capacity.instances import Carried, over_limit, plan, timed_out
from analysis.capacity.level import Against, Level
from analysis.capacity.record import Record
from analysis.capacity.scaling import concurrency, knee, scalability, servers, was_full
from analysis.capacity.search import (
    CHANGED,
    CONFIRMATION,
    FOUND,
    GENERATOR,
    HIGHEST,
    LOWEST_MISSED,
    NEVER_MISSED,
    NOT_DECIDED,
    NOT_MEASURED,
    Step,
    next_step,
)
from analysis.objectives.judgement import MET, MISSED
from analysis.objectives.objective import SHARE, objective
from analysis.outcomes import Outcome
from analysis.population import TIMEOUTS
from analysis.wording import rate_text

UNFINISHED = "the search did not get to its end"
VERDICTS = {
    FOUND: "pass",
    NEVER_MISSED: "pass",
    LOWEST_MISSED: "fail",
    GENERATOR: "invalid",
    NOT_DECIDED: "undecided",
    NOT_MEASURED: "undecided",
    CHANGED: "undecided",
    UNFINISHED: "undecided",
}
WIDE = 0.25  # of the rate, half an interval: nobody can plan with more
LATENCY, THROTTLING, FAILURES, TIMED_OUT = "latency", "throttling", "errors", "timeouts"


WITHDRAWN = {"rate_per_s": None, "confirmed": None, "gave_way": None, "plan": None, "limits": None}


def answer(record: Record, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the search of *record*, whose run has this *manifest*; the keys are those of docs/summary.schema.json."""
    levels, done = record.levels, next_step(record.search, record.levels)
    why, edge = (UNFINISHED, None) if isinstance(done, Step) else (done.why, done.edge)
    verdict = _verdict(why, levels, edge)
    carried = edge.low if edge else record.search.to_per_s
    gave_way = _gave_way(levels, edge) if edge else None
    # A cap leaves the service idle, and a stall is no full one.
    is_full = gave_way is not None and gave_way["how"] in (LATENCY, TIMED_OUT) and was_full(levels)
    peak = knee(levels) if is_full else None
    return {
        "why": why,
        "verdict": verdict,
        "sentence": _sentence(why, edge, record),
        "confidence": CONFIDENCE,
        "rate_per_s": {"low": edge.low, "value": edge.value, "high": edge.high} if edge else None,
        "confirmed": _confirmed(levels) if edge else None,
        "gave_way": gave_way,
        "knee_per_s": peak.rate_per_s if peak else None,
        "servers": servers(levels) if is_full else None,
        "scalability": _law(levels),
        "concurrency": [concurrency(each) for each in levels],
        "plan": _plan(carried, record, manifest) if verdict == "pass" else None,
        "limits": _limits(carried, levels, manifest) if verdict == "pass" else None,
    }


def withdrawn(found: Mapping[str, Any]) -> dict[str, Any]:
    """Take the figures out of an answer whose run is not to be believed."""
    sentence = "The run is invalid, so nothing is said of what the service carries."
    return {**found, **WITHDRAWN, "verdict": VERDICTS[GENERATOR], "sentence": sentence}


def _verdict(why: str, levels: Sequence[Level], edge: Edge | None) -> str:
    is_open = why == NEVER_MISSED and not _is_carried(levels)
    if is_open or _is_wide(edge) or _is_contradicted(levels, edge):
        return VERDICTS[NOT_DECIDED]
    return VERDICTS[why]


def _is_carried(levels: Sequence[Level]) -> bool:
    """Whether the highest rate, held for longer, surely met all objectives."""
    return any(each.kind == HIGHEST and not each.spoiled and each.result == MET for each in levels)


def _is_wide(edge: Edge | None) -> bool:
    return edge is not None and edge.half_width > WIDE


def _is_contradicted(levels: Sequence[Level], edge: Edge | None) -> bool:
    """Whether an objective was surely missed at the rate that was to be confirmed."""
    confirmed = _confirmed(levels) if edge else None
    return confirmed is not None and confirmed["result"] == MISSED


def _sentence(why: str, edge: Edge | None, record: Record) -> str:
    levels = record.levels
    if edge:
        return sentences.found(edge, is_wide=_is_wide(edge), contradicted=_is_contradicted(levels, edge))
    if why == NEVER_MISSED:
        return sentences.never_missed(record.search.to_per_s, is_sure=_is_carried(levels))
    if why == LOWEST_MISSED:
        return sentences.lowest_missed(levels)
    if why == GENERATOR:
        return sentences.generator_limit(levels)
    if why == NOT_MEASURED:
        return sentences.nothing_measured(record)
    if why == CHANGED:
        return sentences.changed(levels)
    if why == UNFINISHED:
        return f"The search was ended before it had an answer. {sentences.so_far(levels)}"
    return sentences.not_decided(record)


def _plan(least_per_s: float, record: Record, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return plan(Carried(least_per_s, record.instances, record.headroom), record.target_per_s, manifest)


def _law(levels: Sequence[Level]) -> dict[str, Any] | None:
    law = scalability(levels)
    return asdict(law) if law else None


def _confirmed(levels: Sequence[Level]) -> dict[str, Any] | None:
    """Say how the last confirmation went; None if the generator spoiled all."""
    found = [each for each in levels if each.kind == CONFIRMATION and not each.spoiled]
    return {name: getattr(found[-1], name) for name in ("rate_per_s", "length_s", "result")} if found else None


def _limits(least_per_s: float, levels: Sequence[Level], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the gateway's limits do at the rate that was found, or the highest that was held."""
    sound = [each for each in levels if not each.spoiled]
    nearest = min(sound, key=lambda each: abs(each.rate_per_s - least_per_s))
    timeout_s, load = manifest["gateway"].get("timeout_s"), manifest["load"]
    all_hanging = least_per_s * timeout_s if timeout_s else None
    holds = (load.get("max_in_flight") or 0) * (manifest.get("workers") or 1)
    return {
        "timeout_s": timeout_s,
        "timed_out": timed_out(nearest.outcomes) if timeout_s else None,
        "all_hanging": all_hanging,
        "generator_holds": holds or None,
        "body_limit_bytes": manifest["gateway"].get("body_limit_bytes"),
        "over_limit": over_limit(manifest.get("payloads") or []),
    }


def _gave_way(levels: Sequence[Level], edge: Edge) -> dict[str, str] | None:
    """Say what gave way first: of the objective whose edge is the lowest, by the nearest level at which it was over."""
    at = [each.text for each in levels[0].against].index(edge.objective)
    over = [each for each in levels if not each.spoiled and not each.against[at].looks_good]
    if not over:
        return None
    level = min(over, key=lambda each: (each.rate_per_s < edge.value, abs(each.rate_per_s - edge.value)))
    how = _how(level, level.against[at])
    return {
        "how": how,
        "objective": edge.objective,
        "sentence": f"{how.capitalize()} gave way first ({edge.objective}): at {rate_text(level.rate_per_s)}/s"
        f" {sentences.beyond(level, level.against[at])}.",
    }


def _how(level: Level, against: Against) -> str:
    failed = sentences.failures(level)
    cut = sum(failed[each] for each in TIMEOUTS)
    if objective(against.text).unit != SHARE:
        return TIMED_OUT if against.censored and cut else LATENCY
    first = failed.most_common(1)[0][0] if failed else ""
    if cut and cut >= failed[first]:
        return TIMED_OUT
    return THROTTLING if first == Outcome.THROTTLED else FAILURES
