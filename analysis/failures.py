"""How requests failed: the rows of failures.csv, those that differ only in second and name put together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from analysis.outcomes import ADVICE, AnsweredBy, Outcome
from analysis.run_format import ABSENT

FAILED = tuple(outcome for outcome in Outcome if outcome is not Outcome.OK)
ANSWERERS = tuple(AnsweredBy)


@dataclass(frozen=True)
class Failure:
    """A way to fail, and how many requests did. Its texts come from the service: they may be hostile."""

    outcome: Outcome
    answered_by: AnsweredBy
    reason: str  # why, in the short words of the gateway's profile; empty where it knows none
    status: int | None
    error_code: str
    message: str
    count: int


def failures_of(columns: Mapping[str, NDArray[Any]]) -> list[Failure]:
    """Join the rows of failures.csv, in any order, `outcome` and `answered_by` as codes; the most frequent first."""
    kinds = ("outcome", "answered_by", "reason", "status", "error_code", "message")
    counts: Counter[tuple[Any, ...]] = Counter()
    for *kind, count in zip(*(columns[name].tolist() for name in (*kinds, "count")), strict=True):
        counts[tuple(kind)] += count
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        Failure(FAILED[outcome], ANSWERERS[who], reason, None if status == ABSENT else status, code, message, count)
        for (outcome, who, reason, status, code, message), count in most_first
        if count
    ]


def most_frequent(failures: Sequence[Failure], most: int) -> list[Failure]:
    """Choose *most* of *failures*, in their order: of every outcome at least its first, then who comes first."""
    firsts = {failure.outcome: failure for failure in reversed(failures)}
    others = [failure for failure in failures if failure is not firsts[failure.outcome]]
    chosen = {*firsts.values(), *others[: most - len(firsts)]}
    return [failure for failure in failures if failure in chosen]


def what_to_do(failure: Failure, gateway: Mapping[str, Any]) -> str:
    """Give the advice for the reason that the run's *gateway* has, or else that for the outcome."""
    advice: Mapping[str, str] = gateway.get("advice") or {}
    return advice.get(failure.reason) or ADVICE[failure.outcome]
