"""Starts requests when they are due: one pacer in each process, for all its streams."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event

from loadgate.alarm import Alarm
from loadgate.arrivals import Arrivals
from loadgate.connection import clock
from loadgate.engine import Engine
from loadgate.request import Request

# So many are started at one ring: one that is far behind must not keep answers and signals waiting.
BURST = 1000
LONGEST_WAIT_S, TURN_S = 0.1, 0.001


@dataclass
class Stream:
    """What one user class sends in the open model: when, what, and how many users ask for it."""

    arrivals: Arrivals
    requests: Iterator[Request]
    users: int = 0


class Pacer:
    """Open arrivals from `start` on, up to `end` (both in seconds of the monotonic clock)."""

    def __init__(self, loop: Any, engine: Engine, *, rate_per_user: float, start: float, end: float) -> None:
        self._engine, self._rate_per_user, self._start, self._end = engine, rate_per_user, start, end
        self._streams: list[Stream] = []
        self._alarm = Alarm(loop, self._ring)
        self._rang = Event()

    def add(self, stream: Stream) -> None:
        """Take a stream in; it has no arrivals before it has users."""
        self._streams.append(stream)

    @property
    def rate_per_s(self) -> float:
        """Of all streams together, as asked for now."""
        return self._rate_per_user * sum(stream.users for stream in self._streams)

    def set_users(self, stream: Stream, users: int) -> None:
        """From now on the stream has this many users; what is due by now was planned at the old rate."""
        now = self._engine.turn_at
        self._start_due(now)
        stream.users = users
        self._set_rate(stream, now)

    def set_rate_per_user(self, rate_per_user: float) -> None:
        """From now on each user, of every stream, stands for this many requests/s; what is due by now is sent."""
        now = self._engine.turn_at
        self._start_due(now)
        self._rate_per_user = rate_per_user
        for stream in self._streams:
            self._set_rate(stream, now)

    def _set_rate(self, stream: Stream, now: float) -> None:
        stream.arrivals.set_rate(now - self._start, stream.users * self._rate_per_user)
        self._alarm.set(self._next_due())

    def stop(self, at: float) -> None:
        """Plan nothing after `at`; what is due until then is still sent."""
        self._end = min(self._end, at)
        self._start_due(clock())
        self._alarm.set(self._next_due())

    def await_gap(self) -> None:
        """Come back right after the next arrivals have left, which is as far from those after them as can be.

        For work that holds up the loop. Blocks its greenlet for LONGEST_WAIT_S at most.
        """
        if math.isfinite(self._next_due()):
            self._rang.clear()
            self._rang.wait(LONGEST_WAIT_S)
        else:
            gevent.sleep(TURN_S)

    def close(self) -> None:
        """Send nothing more."""
        self._streams.clear()
        self._alarm.close()

    def _next_due(self) -> float:
        due = min((stream.arrivals.due for stream in self._streams), default=math.inf)
        return self._start + due if self._start + due < self._end else math.inf

    def _ring(self) -> None:
        self._start_due(clock(), BURST)
        self._alarm.set(self._next_due())
        self._rang.set()

    def _start_due(self, now: float, most: float = math.inf) -> None:
        until = min(now, self._end) - self._start
        started = 0
        while self._streams and started < most:
            stream = min(self._streams, key=_due)
            due = stream.arrivals.due
            if due > until:
                break
            started += 1
            stream.arrivals.advance()
            self._engine.start(next(stream.requests), self._start + due)


def _due(stream: Stream) -> float:
    return stream.arrivals.due
