"""Every failure counted by who answered it and in which words, for `failures.csv`."""

import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from loadgate.answers import Answer, Finding
from loadgate.exchange import Exchange

DISTINCT_KEPT = 200  # a service may put something new into each message
OTHERS = "(other words)"


class FailureRow(NamedTuple):
    """One row of `failures.csv`: so many requests of one planned second and name failed this way."""

    second: int
    name: str
    outcome: str
    answered_by: str
    reason: str
    status: int | None
    error_code: str
    message: str
    count: int  # type: ignore[assignment] # a tuple has a method of that name, which a row does not need


class Failures:
    """Exact in its counts, bounded in its words: those that are new when there are many go under one."""

    def __init__(self, start: float, redact: Callable[[str], str]) -> None:
        self._start, self._redact = start, redact
        self._cleaned: dict[tuple[Finding, int | None], Finding] = {}
        self._counts: Counter[tuple[int, str, Finding, int | None]] = Counter()

    def add(self, exchange: Exchange, finding: Finding, answer: Answer | None) -> None:
        """Count one request that is not ok."""
        status = answer.status if answer else None
        second = max(math.floor(exchange.planned - self._start), 0)
        self._counts[second, exchange.request.payload.name, self._shown(finding, status), status] += 1

    def take(self) -> list[FailureRow]:
        """What was counted since the last call."""
        taken, self._counts = self._counts, Counter()
        return [_row(*key, count) for key, count in taken.items()]

    def _shown(self, finding: Finding, status: int | None) -> Finding:
        shown = self._cleaned.get((finding, status))
        if shown is None:
            if len(self._cleaned) >= DISTINCT_KEPT:
                return finding._replace(code="", message=OTHERS)
            shown = self._cleaned[finding, status] = finding.cleaned(self._redact)
        return shown


def _row(second: int, name: str, found: Finding, status: int | None, count: int) -> FailureRow:
    return FailureRow(second, name, found.outcome, found.by, found.reason, status, found.code, found.message, count)
