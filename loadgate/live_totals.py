"""All of a run so far, for whoever looks at it while it goes on: without its seconds, so of bounded size."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.population import bounded
from analysis.samples import Samples, joined
from loadgate.histogram import Row
from loadgate.live_samples import samples_of

ENOUGH = 2_000  # rows at once: a fold of some milliseconds


@dataclass(frozen=True)
class Totals:
    """A run so far, as nothing changes it any more: it may be summed up in another thread."""

    ended: Samples  # every request that ended, with its times; timeouts are at least the limit
    waiting: Samples  # what was in flight a moment ago, with its age
    latest: tuple[Sequence[Any], ...]  # of every process the last row of the timeline


class LiveTotals:
    """What ended, what is in flight, and the latest second of every process that sends."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._names: dict[str, int] = {}
        self._rows: list[Row] = []
        self._ended = samples_of((), self._names)
        self._waiting: dict[str, Sequence[Row]] = {}
        self._latest: dict[str, Sequence[Any]] = {}

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> None:
        """Take in the rows of one process."""
        self._rows += report["latency"]
        if len(self._rows) >= ENOUGH:
            self._fold()
        if report["waiting"]:
            self._waiting[sender] = report["waiting"][-1]
        if report["timeline"]:
            self._latest[sender] = report["timeline"][-1]

    def now(self, lost: Collection[str] = ()) -> Totals:
        """All of it, as it is now. Of senders that are `lost`, what they told last is no more."""
        self._fold()
        rows = (row for sender, rows in self._waiting.items() if sender not in lost for row in rows)
        latest = tuple(row for sender, row in self._latest.items() if sender not in lost)
        return Totals(bounded(self._ended, self._timeout_s), samples_of(rows, self._names), latest)

    def _fold(self) -> None:
        new, self._rows = samples_of(self._rows, self._names), []
        new = replace(new, second=np.zeros_like(new.second))
        self._ended = joined([self._ended, new]).folded()
