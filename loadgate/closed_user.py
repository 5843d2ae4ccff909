"""The closed model: one user waits for its answer, thinks, then sends again."""

from collections.abc import Iterator
from typing import Any

from analysis.outcomes import Outcome
from loadgate.answers import Answer, Finding
from loadgate.connection import clock
from loadgate.engine import Engine
from loadgate.exchange import Exchange
from loadgate.request import Request

RETRY_S = 0.1


class ClosedUser:
    """One user, up to `end`. It lives in the loop's callbacks: the next request starts without a greenlet switch."""

    def __init__(
        self, loop: Any, engine: Engine, requests: Iterator[Request], *, think_time_s: float, end: float
    ) -> None:
        self._loop, self._engine, self._requests = loop, engine, requests
        self._think_time_s, self._end = think_time_s, end
        self._timer = loop.timer(0.0)
        self._active = True
        self._due = clock()
        loop.run_callback(self._send)

    def stop(self) -> None:
        """Send nothing more; a request in flight is still recorded."""
        self._active = False
        self._timer.stop()

    def on_done(self, exchange: Exchange, finding: Finding, _: Answer | None) -> None:
        """The answer came: think, then send. The next request is due `think_time_s` later.

        Where the connection failed it is due a little later, or users would spin on a dead service.
        """
        failed = finding.outcome is Outcome.CONNECTION_ERROR
        pause_s = max(self._think_time_s, RETRY_S) if failed else self._think_time_s
        self._due = exchange.done + pause_s  # type: ignore[operator] # it is done
        if not self._active:
            return
        if pause_s > 0:
            # A timer of gevent keeps its time only once; without `update` it counts from the turn's start: too early.
            self._timer = self._loop.timer(max(self._due - clock(), 0.0))
            self._timer.start(self._send, update=True)
        else:
            self._send()

    def _send(self) -> None:
        if self._active and self._due < self._end:
            self._engine.start(next(self._requests), self._due, user=self)
