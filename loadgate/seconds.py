"""The rows of `timeline.csv`: what the generator did and how it felt, second by second."""

import time
from dataclasses import asdict
from typing import Any

from loadgate.collector import CollectorPauses
from loadgate.connection import clock
from loadgate.engine import Engine

# Too short a piece of a second would show the work of its end as a load.
SHORTEST_S = 0.25


class Seconds:
    """One row for each second of the run, of what changed since the row before."""

    def __init__(self, start: float, engine: Engine, pauses: CollectorPauses) -> None:
        self.users = 0
        self.target_per_s = 0.0
        self._start, self._engine, self._pauses = start, engine, pauses
        now = clock()
        self._second = int(now - start)
        self._before = asdict(engine.counts)
        self._cpu_s, self._at = time.process_time(), now
        self._latest_wake_s = 0.0

    def woke_late(self, seconds: float) -> None:
        """Note that the loop came this much later than asked: what it does not know of itself, the system's part."""
        self._latest_wake_s = max(self._latest_wake_s, seconds)

    def rows(self, last: bool = False) -> list[tuple[Any, ...]]:
        """A row if a second ended since the last call, or if this is the `last` call."""
        now = clock()
        if int(now - self._start) == self._second and not last:
            return []
        counts = asdict(self._engine.counts)
        change = {name: count - self._before[name] for name, count in counts.items()}
        cpu_s = time.process_time()
        row = (
            self._second,
            self.users,
            round(self.target_per_s, 6),
            change["planned"],
            change["sent"],
            change["finished"],
            change["dropped"],
            change["resent"],
            self._engine.in_flight,
            round((cpu_s - self._cpu_s) / (now - self._at), 3) if now - self._at >= SHORTEST_S else None,
            _ms(self._engine.latest_s) if change["sent"] else None,
            _ms(max(self._engine.longest_turn_s, self._latest_wake_s)),
            _ms(self._pauses.longest_s),
        )
        self._second, self._before = int(now - self._start), counts
        self._cpu_s, self._at = cpu_s, now
        self._engine.latest_s = self._engine.longest_turn_s = self._pauses.longest_s = self._latest_wake_s = 0.0
        return [row]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
