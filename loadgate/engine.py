"""The requests in flight: connections to send them on, their deadlines, and what became of each."""

import math
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from analysis.outcomes import Outcome
from loadgate.answers import Answer, Finding, judge
from loadgate.connection import Connection, clock
from loadgate.exchange import Exchange
from loadgate.gateway import Gateway
from loadgate.request import Request, Uuids
from loadgate.target import Address, Target

# A server that closes an idle connection just as a request arrives is heard of in a round trip. What breaks later had
# the request, and is a failure.
RACE_S = 1.0

Done = Callable[[Exchange, Finding, Answer | None], None]


@dataclass
class Counts:
    """What the engine itself counted, apart from what was recorded: the two must agree."""

    planned: int = 0
    sent: int = 0
    finished: int = 0
    dropped: int = 0
    unfinished: int = 0
    resent: int = 0


@dataclass(frozen=True)
class Limits:
    """When a request is given up, and how many may be in flight."""

    gateway: Gateway
    grace_s: float
    max_in_flight: int

    @property
    def deadline_s(self) -> float:
        """After this long without an answer, it is a client timeout: the gateway should have answered before."""
        return self.gateway.timeout_s + self.grace_s


class Engine:
    """Sends requests on gevent's loop and tells `on_done` about each exactly once."""

    def __init__(
        self,
        loop: Any,
        target: Target,
        addresses: list[Address],
        limits: Limits,
        *,
        tls: ssl.SSLContext | None,
        on_done: Done,
    ) -> None:
        self.counts = Counts()
        self.turn_at = clock()
        self.longest_turn_s = 0.0  # of the loop: what any event may have waited; whoever reads these sets them back ...
        self.latest_s = 0.0  # ... and this is the latest that a request left
        self._loop, self._target, self._limits, self._tls = loop, target, limits, tls
        self._addresses = cycle(addresses)
        self._latency = limits.gateway.latency
        self._uuids = Uuids()
        self._on_done = on_done
        self._idle: dict[Connection, None] = {}  # the last is taken first
        self._busy: dict[Exchange, Connection] = {}  # oldest first, so ordered by deadline
        self._deadline_timer = loop.timer(0.0)
        self._watching = False
        # Runs first in each turn of the loop: a clock read in each callback would charge the service for our own queue.
        self._turn = loop.check(ref=False, priority=loop.MAXPRI)
        self._turn.start(self._on_turn)
        self._turn_end = loop.prepare(ref=False, priority=loop.MINPRI)
        self._turn_end.start(self._on_turn_end)

    @property
    def in_flight(self) -> int:
        return len(self._busy)

    def start(self, request: Request, planned: float, user: Any = None) -> None:
        """Send `request` now, for `user` if one waits; latency counts from `planned`.

        An arrival over the limit of requests in flight is dropped; users that wait are their own limit.
        """
        self.counts.planned += 1
        now = clock()
        if user is None and len(self._busy) >= self._limits.max_in_flight:
            self.counts.dropped += 1
            self._tell(Exchange(request, planned, math.nan, b""), Finding(Outcome.DROPPED), None)
            return
        self.counts.sent += 1
        if now - planned > self.latest_s:
            self.latest_s = now - planned
        uuid = self._uuids.next() if request.has_uuid else b""
        exchange = Exchange(request, planned, now, uuid, user)
        if self._idle:
            connection, _ = self._idle.popitem()
            self._busy[exchange] = connection
            connection.send(exchange)
        else:
            self._connect(exchange)
        if not self._watching:
            self._watch_deadlines()

    @property
    def waiting(self) -> list[Exchange]:
        """What is in flight, the oldest first."""
        return list(self._busy)

    def give_up(self) -> None:
        """End every request in flight as unfinished, with the age it has."""
        for exchange in list(self._busy):
            self._busy.pop(exchange).close()
            self.counts.unfinished += 1
            exchange.done = clock()
            self._tell(exchange, Finding(Outcome.UNFINISHED, "", "still in flight when the run ended"), None)

    def close(self) -> None:
        """Close every connection and stop watching."""
        for connection in [*self._idle, *self._busy.values()]:
            connection.close()
        self._idle.clear()
        self._busy.clear()
        self._deadline_timer.stop()
        self._turn.stop()
        self._turn_end.stop()

    # ---- what connections tell

    def answered(self, connection: Connection, exchange: Exchange, answer: Answer) -> None:
        """A whole answer is here."""
        del self._busy[exchange]
        if connection.reusable:
            self._idle[connection] = None
        if self._latency is not None:
            exchange.gateway_times_s = self._latency.of(answer.headers)
        payload = exchange.request.payload
        finding = judge(answer, payload, exchange.uuid or None, self._limits.gateway)
        self._finish(exchange, self.turn_at, finding, answer)

    def broke(self, connection: Connection, exchange: Exchange | None, reason: str) -> None:
        """The connection is gone, with or without a request on it."""
        if exchange is None:
            self._idle.pop(connection, None)
            return
        over_limit = self._limits.gateway.is_over(len(exchange.request.payload))
        raced = connection.served and exchange.first_byte is None and clock() - exchange.sent < RACE_S
        if raced and not over_limit:  # or it was cut off for its size, and would be again
            # Kept alive, and closed by the server before it saw the request: that says nothing about the service.
            # Sent again on a connection that has served nobody, so only once.
            exchange.uploaded = None
            self.counts.resent += 1
            self._connect(exchange)
            return
        del self._busy[exchange]
        # Without an answer nobody knows how far the server read: the kernel takes a body's end long before it does.
        cut_off = connection.established and (exchange.uploaded is None or exchange.first_byte is None)
        outcome = Outcome.OVERSIZE if cut_off and over_limit else Outcome.CONNECTION_ERROR
        self._finish(exchange, clock(), Finding(outcome, "", reason), None)

    # ---- inside

    def _connect(self, exchange: Exchange) -> None:
        connection = Connection(self, self._loop, next(self._addresses), self._tls, self._target.host)
        self._busy[exchange] = connection
        connection.open(exchange)

    def _finish(self, exchange: Exchange, at: float, finding: Finding, answer: Answer | None) -> None:
        exchange.done = at
        self.counts.finished += 1
        self._tell(exchange, finding, answer)

    def _tell(self, exchange: Exchange, finding: Finding, answer: Answer | None) -> None:
        exchange.outcome = finding.outcome
        if answer is not None:
            exchange.answer_bytes = len(answer.body)
        self._on_done(exchange, finding, answer)

    def _on_turn(self) -> None:
        self.turn_at = clock()

    def _on_turn_end(self) -> None:
        self.longest_turn_s = max(self.longest_turn_s, clock() - self.turn_at)

    def _on_deadline(self) -> None:
        latest = clock() - self._limits.deadline_s
        while (oldest := next(iter(self._busy), None)) is not None and oldest.sent <= latest:
            connection = self._busy.pop(oldest)
            missing = "answer" if connection.established else "connection"
            connection.close()
            words = f"no {missing} within {self._limits.deadline_s:g} s"
            self._finish(oldest, clock(), Finding(Outcome.CLIENT_TIMEOUT, "", words), None)
        self._watch_deadlines()

    def _watch_deadlines(self) -> None:
        self._deadline_timer.stop()
        oldest = next(iter(self._busy), None)
        self._watching = oldest is not None
        if oldest is not None:
            after = oldest.sent + self._limits.deadline_s - clock()
            self._deadline_timer = self._loop.timer(max(after, 0.0), ref=False)
            self._deadline_timer.start(self._on_deadline)
