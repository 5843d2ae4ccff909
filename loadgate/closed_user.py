"""The closed model: one user waits for its answer, thinks, then sends again."""

from collections.abc import Iterator
from typing import Any

from loadgate.connection import clock
from loadgate.engine import Engine
from loadgate.request import Request


class ClosedUser:
    """One user. It lives in the loop's callbacks: an answer starts the next request without a greenlet switch."""

    def __init__(self, loop: Any, engine: Engine, requests: Iterator[Request], think_time_s: float) -> None:
        self._loop, self._engine, self._requests, self._think_time_s = loop, engine, requests, think_time_s
        self._timer = loop.timer(think_time_s)
        self._active = True
        self._due = clock()
        loop.run_callback(self._send)

    def stop(self) -> None:
        """Send nothing more; a request in flight is still recorded."""
        self._active = False
        self._timer.stop()

    def on_done(self, at: float) -> None:
        """The answer came at `at`: think, then send. The next request is due `think_time_s` later."""
        self._due = at + self._think_time_s
        if not self._active:
            return
        if self._think_time_s > 0:
            self._timer.start(self._send)
        else:
            self._send()

    def _send(self) -> None:
        if self._active:
            self._engine.start(next(self._requests), self._due, user=self)
