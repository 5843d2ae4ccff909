"""All of a run so far, for whoever looks at it while it goes on: without its seconds, so of bounded size."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.population import bounded
from analysis.samples import Samples, joined
from loadgate.histogram import Row
from loadgate.live_samples import samples_of

ENOUGH = 2_000  # rows at once: a fold of some milliseconds


class LiveTotals:
    """What ended, what is in flight, and the latest second of every process that sends."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._names: dict[str, int] = {}
        self._rows: list[Row] = []
        self._ended = samples_of((), self._names)
        self._waiting: dict[str, Sequence[Row]] = {}
        self.latest: dict[str, Sequence[Any]] = {}  # by process: its last row of the timeline

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> None:
        """Take in the rows of one process."""
        self._rows += report["latency"]
        if len(self._rows) >= ENOUGH:
            self._fold()
        if report["waiting"]:
            self._waiting[sender] = report["waiting"][-1]
        if report["timeline"]:
            self.latest[sender] = report["timeline"][-1]

    @property
    def ended(self) -> Samples:
        """Every request that ended, with its times; timeouts are at least the limit."""
        self._fold()
        return bounded(self._ended, self._timeout_s)

    @property
    def waiting(self) -> Samples:
        """What was in flight a moment ago, with its age."""
        return samples_of((row for rows in self._waiting.values() for row in rows), self._names)

    def _fold(self) -> None:
        new, self._rows = samples_of(self._rows, self._names), []
        new = replace(new, second=np.zeros_like(new.second))
        self._ended = joined([self._ended, new]).folded()
