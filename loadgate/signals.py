"""Ctrl-C and its kin: the first one stops the load in order, each one after it stops waiting for that."""

import signal
from collections.abc import Callable

import gevent


class Signals:
    """Calls `stop` at the first signal and `hurry` at each one after it. Neither may block."""

    def __init__(self, stop: Callable[[], None], hurry: Callable[[], None]) -> None:
        self.came = False
        self._stop, self._hurry = stop, hurry
        self._watched: set[signal.Signals] = set()

    def watch(self, *numbers: signal.Signals) -> None:
        """Take these signals over."""
        for number in set(numbers) - self._watched:
            gevent.signal_handler(number, self.come)
        self._watched.update(numbers)

    def come(self) -> None:
        """Do what a signal does."""
        (self._hurry if self.came else self._stop)()
        self.came = True
