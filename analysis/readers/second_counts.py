"""Counts per second of what another tool recorded: its timeline."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run_format import TIMELINE_COLUMNS
from analysis.timeline import NUMBERS, Timeline

Whole = NDArray[np.int64]


@dataclass
class PerSecond:
    """One figure for each second from 0 on; it grows as later ones come."""

    figures: Whole = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, second: Whole, count: Whole | None = None) -> None:
        """Add 1, or *count*, in each of *second*."""
        if len(second):
            low = int(second.min())
            self._part(low, second)[:] += np.bincount(second - low, count).astype(np.int64)

    def keep_highest(self, second: Whole, figure: Whole) -> None:
        if len(second):
            low = int(second.min())
            np.maximum.at(self._part(low, second), second - low, figure)

    def of_length(self, length: int) -> Whole:
        return np.pad(self.figures, (0, length - len(self.figures)))

    def _part(self, low: int, second: Whole) -> Whole:
        end = int(second.max()) + 1
        if end > len(self.figures):
            self.figures = self.of_length(end)
        return self.figures[low:end]


@dataclass
class SecondCounts:
    sent: PerSecond = field(default_factory=PerSecond)
    finished: PerSecond = field(default_factory=PerSecond)
    dropped: PerSecond = field(default_factory=PerSecond)
    _users: dict[str, PerSecond] = field(default_factory=dict)

    def users_of(self, file: str) -> PerSecond:
        """Give the most users in each second of *file*: each file is of a generator of its own."""
        return self._users.setdefault(file, PerSecond())

    def timeline(self) -> Timeline:
        """Planned is what was sent or dropped; none of the generator's own figures is known."""
        counts = (self.sent, self.finished, self.dropped, *self._users.values())
        length = max(len(per_second.figures) for per_second in counts)
        sent, finished, dropped, *users = (per_second.of_length(length) for per_second in counts)
        columns = unknown_columns(length) | {
            "second": np.arange(length, dtype=np.int64),
            "planned": sent + dropped,
            "sent": sent,
            "finished": finished,
            "dropped": dropped,
            "in_flight": np.cumsum(sent) - np.cumsum(finished),
        }
        for figures in users:
            columns["users"] += _carried(figures)
        return Timeline(**columns)


def unknown_columns(length: int) -> dict[str, NDArray[Any]]:
    """Give the columns of a timeline in which nothing is known: NaN, or 0 in those that have whole numbers only."""
    return {
        name: np.full(length, np.nan) if name in NUMBERS else np.zeros(length, np.int64) for name in TIMELINE_COLUMNS
    }


def _carried(users: Whole) -> Whole:
    """Fill a second in which nothing was written with the users of the one before."""
    last = np.maximum.accumulate(np.where(users > 0, np.arange(len(users)), 0))
    carried: Whole = users[last] if len(users) else users
    return carried
