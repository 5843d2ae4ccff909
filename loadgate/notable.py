"""The requests worth a look: the first failures of each outcome and the slowest answers, with the gateway's id."""

import heapq
from collections.abc import Callable
from typing import NamedTuple

from analysis.outcomes import Outcome
from analysis.wording import one_line
from loadgate.answers import Answer, Finding, request_id
from loadgate.exchange import Exchange

FAILURES_KEPT = 20  # of each outcome, in each process
SLOWEST_KEPT = 20
LONGEST_ID = 64


class NotableRow(NamedTuple):
    """One row of `notable.csv`; `at_s` is the planned time since the start."""

    at_s: float
    name: str
    outcome: str
    answered_by: str
    reason: str
    status: int | None
    error_code: str
    message: str
    request_id: str
    response_s: float | None


class Notable:
    """Bounded, and fair across outcomes: a flood of one kind leaves room for the others."""

    def __init__(self, start: float, request_id_header: str, redact: Callable[[str], str]) -> None:
        self._start, self._redact = start, redact
        self._id_header = request_id_header
        self._failures: list[NotableRow] = []
        self._failure_counts: dict[Outcome, int] = {}
        self._slowest: list[tuple[float, int, NotableRow]] = []
        self._slow_floor_s = 0.0
        self._serial = 0

    def see(self, exchange: Exchange, finding: Finding, answer: Answer | None) -> None:
        """Keep the request if it is notable. Called for each, so it decides first and builds a row after."""
        response_s = None if exchange.done is None else exchange.done - exchange.planned
        if finding.outcome is not Outcome.OK:
            count = self._failure_counts.get(finding.outcome, 0)
            if count < FAILURES_KEPT:
                self._failure_counts[finding.outcome] = count + 1
                self._failures.append(self._row(exchange, finding, answer, response_s))
        elif response_s is not None and response_s > self._slow_floor_s:
            self._serial += 1
            row = self._row(exchange, finding, answer, response_s)
            heapq.heappush(self._slowest, (response_s, self._serial, row))
            if len(self._slowest) > SLOWEST_KEPT:
                heapq.heappop(self._slowest)
                self._slow_floor_s = self._slowest[0][0]

    def take_failures(self) -> list[NotableRow]:
        """The failures kept since the last call."""
        taken, self._failures = self._failures, []
        return taken

    def slowest(self) -> list[NotableRow]:
        """The slowest answers of the whole run, slowest first."""
        return [row for _, _, row in sorted(self._slowest, reverse=True)]

    def _row(self, exchange: Exchange, finding: Finding, answer: Answer | None, response_s: float | None) -> NotableRow:
        known_as = request_id(answer, self._id_header) if answer else ""
        finding = finding.cleaned(self._redact)
        return NotableRow(
            at_s=round(exchange.planned - self._start, 6),
            name=exchange.request.payload.name,
            outcome=finding.outcome,
            answered_by=finding.by,
            reason=finding.reason,
            status=answer.status if answer else None,
            error_code=finding.code,
            message=finding.message,
            request_id=one_line(self._redact(known_as))[:LONGEST_ID],
            response_s=None if response_s is None else round(response_s, 6),
        )
