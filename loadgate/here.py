"""The load of a process that sends and collects itself."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gevent

from loadgate.load import Load, OnBatch, Share, TakeIn
from loadgate.plan import Plan

WRITE_S = 0.05  # often, because writing many rows at once would hold up the loop


class Ending(NamedTuple):
    """What is known of those who sent once a run is over."""

    counts: dict[str, int]  # of their engines, by name
    lost: int  # workers that had not told everything
    absences: list[dict[str, Any]]
    left: list[dict[str, Any]]  # workers that had, and went before the end


class Here:
    """What a session has in place of `Workers` where there are none: the one process that sends is this one."""

    names: frozenset[str] = frozenset()  # of workers
    lost: frozenset[str] = frozenset()
    count = 1  # of processes that send

    def __init__(self, take_in: TakeIn, on_batch: OnBatch, on_locked: Callable[[Exception], None]) -> None:
        self.load: Load | None = None
        self._take_in, self._on_batch, self._on_locked = take_in, on_batch, on_locked
        self._writer = gevent.Greenlet()

    def await_all(self, expected: int, patience_s: float) -> None:
        """Nobody to wait for."""

    def dismiss(self, expected: int) -> None:
        """Nobody to send home."""

    def check(self, plan: Plan, options: Any) -> None:
        """Nothing to check: the plan was made here."""

    def begin(self, plan: Plan, rate_per_user: float | None, manifest: dict[str, Any], *, is_watched: bool) -> None:
        """Begin to send, and to give out the rows; if it is watched, with what is in flight."""
        # On the loop nothing may block.
        self.load = Load(plan, Share(), self._on_batch, lambda error: gevent.spawn(self._on_locked, error))
        if rate_per_user is not None:
            self.load.set_rate_per_user(rate_per_user)
        if is_watched:
            self.load.watch()
        self._writer = gevent.spawn(self._write_on, self.load)

    def send_rate(self, rate_per_user: float | None) -> None:
        """Have every user stand for this many requests/s; None: for the plan's, from the next run on."""
        if self.load is not None and rate_per_user is not None:
            self.load.set_rate_per_user(rate_per_user)

    def hurry(self) -> None:
        """Wait for no request any more."""
        if self.load is not None:
            self.load.hurry()

    def drain(self, *, by_signal: bool) -> None:
        """Stop arrivals, wait for what is in flight, and give out the last rows. Blocks its greenlet."""
        if self.load is not None:
            self.load.drain()
            self._take_in("", self.load.take())

    def end(self) -> Ending:
        """Send no more."""
        load, self.load = self.load, None
        self._writer.kill()
        return Ending({} if load is None else load.counts, 0, [], [])

    def _write_on(self, load: Load) -> None:
        while self.load is load:
            self._take_in("", load.take())
            gevent.sleep(WRITE_S)
