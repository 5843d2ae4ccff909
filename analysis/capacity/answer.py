"""The answer of a search: a rate as an interval, or why there is none, what gave way first, and the plan."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.capacity.edge import Edge
from analysis.capacity.instances import Carried, over_limit, plan, timed_out
from analysis.capacity.level import Against, Level
from analysis.capacity.record import Record
from analysis.capacity.scaling import concurrency, is_steady, knee, scalability, servers
from analysis.capacity.search import (
    CONFIDENCE,
    CONFIRMATION,
    FOUND,
    GENERATOR,
    HIGHEST,
    LOWEST_MISSED,
    NEVER_MISSED,
    NOT_DECIDED,
    NOT_MEASURED,
    Done,
    Step,
    next_step,
    not_measured,
)
from analysis.objectives.judgement import MET, MISSED
from analysis.objectives.objective import ERRORS, SHARE, objective
from analysis.outcomes import Outcome
from analysis.population import TIMEOUTS
from analysis.wording import rate_text, share_text, time_text

UNFINISHED = "the search did not get to its end"
VERDICTS = {
    FOUND: "pass",
    NEVER_MISSED: "pass",
    LOWEST_MISSED: "fail",
    GENERATOR: "invalid",
    NOT_DECIDED: "undecided",
    NOT_MEASURED: "undecided",
    UNFINISHED: "undecided",
}
WIDE = 0.25  # of the rate, half an interval: nobody can plan with more
LATENCY, THROTTLING, FAILURES, TIMED_OUT = "latency", "throttling", "errors", "timeouts"


def answer(record: Record, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the search of *record*, whose run has this *manifest*."""
    levels, done = record.levels, next_step(record.search, record.levels)
    why = UNFINISHED if isinstance(done, Step) else done.why
    edge = done.edge if isinstance(done, Done) else None
    least_per_s = edge.low if edge else record.search.to_per_s if why == NEVER_MISSED else None
    peak = knee(levels)
    return {
        "why": why,
        "verdict": _verdict(why, levels, edge),
        "sentence": _sentence(why, edge, record),
        "confidence": CONFIDENCE,
        "rate_per_s": {"low": edge.low, "value": edge.value, "high": edge.high} if edge else None,
        "confirmed": _confirmed(levels) if edge else None,
        "gave_way": _gave_way(levels, edge) if edge else None,
        "knee_per_s": peak.rate_per_s if peak else None,
        "servers": servers(levels),
        "scalability": _law(levels),
        "concurrency": [
            {"rate_per_s": each.rate_per_s, "by_law": concurrency(each), "steady": is_steady(each)} for each in levels
        ],
        "plan": _plan(least_per_s, record, manifest),
        "limits": _limits(least_per_s, levels, manifest),
    }


def _verdict(why: str, levels: Sequence[Level], edge: Edge | None) -> str:
    is_open = why == NEVER_MISSED and _of_kind(levels, HIGHEST).result != MET
    return VERDICTS[NOT_DECIDED if is_open or _is_wide(edge) else why]


def _is_wide(edge: Edge | None) -> bool:
    return edge is not None and edge.half_width > WIDE


def _plan(least_per_s: float | None, record: Record, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    if least_per_s is None:
        return None
    return plan(Carried(least_per_s, record.instances, record.headroom), record.target_per_s, manifest)


def _law(levels: Sequence[Level]) -> dict[str, Any] | None:
    law = scalability(levels)
    return asdict(law) if law else None


def _of_kind(levels: Sequence[Level], kind: str) -> Level:
    return next(each for each in reversed(levels) if each.kind == kind and not each.spoiled)


def _confirmed(levels: Sequence[Level]) -> dict[str, Any] | None:
    """Say how the confirmation went; None if the generator spoiled it."""
    found = [each for each in levels if each.kind == CONFIRMATION and not each.spoiled]
    if not found:
        return None
    return {"rate_per_s": found[-1].rate_per_s, "length_s": found[-1].length_s, "result": found[-1].result}


def _limits(least_per_s: float | None, levels: Sequence[Level], manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the gateway's limits do at the rate that was found, or the highest that was held."""
    sound = [each for each in levels if not each.spoiled and each.looks_good]
    if least_per_s is None or not sound:
        return None
    nearest = min(sound, key=lambda each: abs(each.rate_per_s - least_per_s))
    timeout_s, load = manifest["gateway"].get("timeout_s"), manifest["load"]
    hanging = least_per_s * timeout_s if timeout_s else None
    holds = (load.get("max_in_flight") or 0) * (manifest.get("workers") or 1)
    return {
        "timeout_s": timeout_s,
        "timed_out": timed_out(nearest.outcomes) if timeout_s else None,
        "hanging": hanging,
        "generator_holds": holds or None,
        "body_limit_bytes": manifest["gateway"].get("body_limit_bytes"),
        "over_limit": over_limit(manifest.get("payloads") or []),
    }


def _gave_way(levels: Sequence[Level], edge: Edge) -> dict[str, str]:
    """Say what gave way first: of the objective whose edge is the lowest, by the nearest level at which it was over."""
    at = [each.text for each in levels[0].against].index(edge.objective)
    sound = [each for each in levels if not each.spoiled]
    over = [each for each in sound if not each.against[at].looks_good and each.rate_per_s >= edge.value]
    level = min(over, key=lambda each: each.rate_per_s) if over else max(sound, key=lambda each: each.rate_per_s)
    how = _how(level, level.against[at])
    return {
        "how": how,
        "objective": edge.objective,
        "sentence": f"{how.capitalize()} gave way first ({edge.objective}): at {rate_text(level.rate_per_s)}/s"
        f" {_found(level, level.against[at])}.",
    }


def _how(level: Level, against: Against) -> str:
    failed = Counter({name: count for name, count in level.outcomes.items() if name != Outcome.OK})
    cut = sum(failed[each] for each in TIMEOUTS)
    if objective(against.text).unit != SHARE:
        return TIMED_OUT if against.censored and cut else LATENCY
    first = failed.most_common(1)[0][0] if failed else ""
    if cut and cut >= failed[first]:
        return TIMED_OUT
    return THROTTLING if first == Outcome.THROTTLED else FAILURES


def _found(level: Level, against: Against) -> str:
    """Say how far a level was from an objective about a share of its requests."""
    read, allowed, share = objective(against.text), against.allowed or 0.0, against.beyond / (against.n or 1.0)
    requests = f"{share_text(share, 1)} of the requests{f' of {read.name}' if read.name else ''}"
    may = f"where {share_text(allowed, 1)} may"
    if read.unit == SHARE:
        what = "were not" if not read.is_ceiling else "failed" if read.figure == ERRORS else "were"
        outcome = "" if what == "failed" else f" {read.figure}"
        return f"{requests} {what}{outcome}{_mostly(level) if what == 'failed' else ''}, {may}"
    measure = f" ({read.measure})" if read.measure else ""
    return f"{requests} took {'longer' if read.is_ceiling else 'less'} than {time_text(read.limit)}{measure}, {may}"


def _mostly(level: Level) -> str:
    failed = Counter({name: count for name, count in level.outcomes.items() if name != Outcome.OK})
    return f", most of them {failed.most_common(1)[0][0]}" if failed else ""


def _sentence(why: str, edge: Edge | None, record: Record) -> str:
    levels, search = record.levels, record.search
    if why == FOUND and edge:
        more = " That is too wide to plan with: give it more time (--budget)." if _is_wide(edge) else ""
        return (
            f"The service carries {rate_text(edge.value)} requests/s within its objectives"
            f" ({share_text(CONFIDENCE, 1)} interval {rate_text(edge.low)} to {rate_text(edge.high)}/s).{more}"
        )
    if why == NEVER_MISSED:
        return _never_missed(_of_kind(levels, HIGHEST))
    if why == LOWEST_MISSED:
        return (
            f"The objectives are missed at {rate_text(search.from_per_s)} requests/s already, the lowest rate:"
            f" {_misses(levels[0])}. The capacity is below it: try a lower --from, or check the service and the"
            " objective."
        )
    if why == GENERATOR:
        return _generator(levels)
    if why == NOT_MEASURED:
        text = not_measured([each for each in levels if not each.spoiled])
        return f"Nothing was measured that {text} is about, so no rate can be said to keep it."
    if why == UNFINISHED:
        return f"The search was ended before it had an answer. {_so_far(levels)}"
    return (
        f"A budget of {search.budget_s:g} s is too small to decide anything. {_so_far(levels)} Give it more (--budget),"
        " or start nearer to the capacity (--from)."
    )


def _never_missed(highest: Level) -> str:
    rate = f"{rate_text(highest.rate_per_s)} requests/s"
    if highest.result == MET:
        return f"All objectives hold up to {rate}, the highest rate asked for: the service carries at least that."
    return (
        f"No objective was missed up to {rate}, the highest rate asked for, but at that rate this search was too short"
        " to be sure: give it more time (--budget)."
    )


def _misses(level: Level) -> str:
    missed = [each for each in level.against if each.result == MISSED]
    return " and ".join(f"{_found(level, each)} ({each.text})" for each in missed)


def _generator(levels: Sequence[Level]) -> str:
    spoiled = next(each for each in reversed(levels) if each.spoiled)
    return (
        f"The generator was the limit, so the service's capacity is not known: at {rate_text(spoiled.rate_per_s)}/s"
        f" {spoiled.spoiled}. {_so_far(levels)} Give the generator free cores, more processes (--processes) or a higher"
        " --max-in-flight."
    )


def _so_far(levels: Sequence[Level]) -> str:
    """Say what the levels tell that is no answer yet."""
    sound = [each for each in levels if not each.spoiled]
    if not sound:
        return "No level was seen to its end."
    missed = [each.rate_per_s for each in sound if not each.looks_good]
    good = [each.rate_per_s for each in sound if each.looks_good and each.rate_per_s < min(missed, default=1e15)]
    kept = f"No objective was missed up to {rate_text(max(good))}/s" if good else "No rate was seen to keep them all"
    return f"{kept}{f'; one was at {rate_text(min(missed))}/s' if missed else ''}."
