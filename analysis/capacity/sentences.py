"""The answer of a search in words, from the levels themselves."""

from collections import Counter
from collections.abc import Sequence

from analysis.capacity import CONFIDENCE
from analysis.capacity.edge import Edge
from analysis.capacity.level import Against, Level
from analysis.capacity.record import Record
from analysis.capacity.search import contradicting, not_measured
from analysis.objectives.judgement import MET, MISSED
from analysis.objectives.objective import ERRORS, SHARE, objective
from analysis.outcomes import Outcome
from analysis.wording import rate_text, share_text, time_text


def found(edge: Edge, *, is_wide: bool, contradicted: bool) -> str:
    """Say what a service carries."""
    if contradicted:
        more = (
            " But held on its own at the lower end, it missed an objective, so that is not sure: search again, longer."
        )
    else:
        more = " That is too wide to plan with: give it more time (--budget)." if is_wide else ""
    return (
        f"The service carries {rate_text(edge.value)} requests/s within its objectives"
        f" ({share_text(CONFIDENCE, 1)} interval {rate_text(edge.low)} to {rate_text(edge.high)}/s).{more}"
    )


def never_missed(highest_per_s: float, *, is_sure: bool) -> str:
    """Say that all rates were carried, as far as that is sure."""
    rate = f"{rate_text(highest_per_s)} requests/s"
    if is_sure:
        return f"All objectives hold up to {rate}, the highest rate asked for: the service carries at least that."
    return (
        f"Whether the objectives hold up to {rate}, the highest rate asked for, is not sure: this search was too short."
        " Give it more time (--budget)."
    )


def lowest_missed(levels: Sequence[Level]) -> str:
    """Say at which rate an objective was missed, when none was seen to keep them."""
    level = next(each for each in levels if not each.spoiled and each.result == MISSED)
    missed = (f"{beyond(level, each)} ({each.text})" for each in level.against if each.result == MISSED)
    is_oversize = failures(level)[Outcome.OVERSIZE] > 0
    what_to_do = "Leave out bodies over the limit (--skip-oversize)" if is_oversize else "Try a lower --from"
    return (
        f"The objectives are missed at {rate_text(level.rate_per_s)} requests/s, and no lower rate was seen to keep"
        f" them: {' and '.join(missed)}. {what_to_do}, or check the service and the objective."
    )


def nothing_measured(record: Record) -> str:
    """Name the objective that nothing was measured of."""
    text = not_measured([each for each in record.levels if not each.spoiled])
    return f"Nothing was measured that {text} is about, so no rate can be said to keep it."


def generator_limit(levels: Sequence[Level]) -> str:
    """Say at which rate the generator could no more."""
    spoiled = next(each for each in reversed(levels) if each.spoiled)
    return (
        f"The generator was the limit, so the service's capacity is not known: at {rate_text(spoiled.rate_per_s)}/s"
        f" {spoiled.spoiled}. {so_far(levels)}"
    )


def changed(levels: Sequence[Level]) -> str:
    """Say which levels speak against each other."""
    sound = [each for each in levels if not each.spoiled]
    missed = contradicting(sound)[-1]
    best = max((each for each in sound if each.looks_good), key=lambda each: each.rate_per_s)
    against = next(each for each in missed.against if each.result == MISSED)
    return (
        "The service did not stay the same, so no rate can be said to be carried:"
        f" {rate_text(best.rate_per_s)}/s looked good, and at {rate_text(missed.rate_per_s)}/s"
        f" {beyond(missed, against)}. Find out what happened to it, and search again."
    )


def not_decided(record: Record) -> str:
    """Say that the budget was too small."""
    is_something = any(each.result == MET and not each.spoiled for each in record.levels)
    what = "find where the objectives give way" if is_something else "decide anything"
    return (
        f"A budget of {record.search.budget_s:g} s is too small to {what}. {so_far(record.levels)} Give it"
        " more (--budget), or start nearer to the capacity (--from)."
    )


def so_far(levels: Sequence[Level]) -> str:
    """Say what the levels tell that is no answer yet."""
    sound = [each for each in levels if not each.spoiled]
    if not sound:
        return "No level tells anything of the service." if levels else "No level was seen to its end."
    bad = [each.rate_per_s for each in sound if not each.looks_good]
    good = [each.rate_per_s for each in sound if each.looks_good and each.rate_per_s < min(bad, default=1e15)]
    kept = f"The objectives looked kept up to {rate_text(max(good))}/s" if good else "No rate looked as if it kept them"
    return f"{kept}{f', and not at {rate_text(min(bad))}/s' if bad else ''}."


def beyond(level: Level, against: Against) -> str:
    """Say how far a level was from an objective about a share of its requests."""
    read, share = objective(against.text), against.beyond / (against.n or 1.0)
    requests = f"{share_text(share, 1)} of the requests{f' of {read.name}' if read.name else ''}"
    may = f"where {share_text(against.allowed, 1)} may"
    if read.unit != SHARE:
        measure = f" ({read.measure})" if read.measure else ""
        return f"{requests} took {'longer' if read.is_ceiling else 'less'} than {time_text(read.limit)}{measure}, {may}"
    if read.figure == ERRORS:
        return f"{requests} failed{_mostly(failures(level))}, {may}"
    return f"{requests} were {'' if read.is_ceiling else 'not '}{read.figure}, {may}"


def _mostly(failed: Counter[str]) -> str:
    if not failed:
        return ""
    ((first, count),) = failed.most_common(1)
    return f", most of them {first}" if 2 * count > failed.total() else f", by {', '.join(sorted(failed))}"


def failures(level: Level) -> Counter[str]:
    """Count the outcomes of a level that are not ok."""
    return Counter({name: count for name, count in level.outcomes.items() if name != Outcome.OK})
