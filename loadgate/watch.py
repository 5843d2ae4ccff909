"""Objectives that end a run while it goes on: `p99<800ms over 30s stop`.

What is still in flight counts with the age it has, so a service that no longer answers misses its objective while it
hangs, not once it answers.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analysis.objectives.judgement import MISSED, Judged, Part, judge
from analysis.objectives.objective import Objective
from analysis.population import bounded
from analysis.run_format import MEASURES, RESPONSE
from analysis.samples import OUTCOMES, UNMEASURED, Samples, joined
from loadgate.histogram import Row

CONFIDENCE = 0.95
_OUTCOME_CODES = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}


class Watch:
    """The last seconds of a run, and what is in flight in each process that sends."""

    def __init__(self, objectives: Iterable[Objective], timeout_s: float | None) -> None:
        self._objectives = [each for each in objectives if each.stop_after_s is not None]
        self._longest_s = max((each.stop_after_s or 0 for each in self._objectives), default=0.0)
        self._timeout_s = timeout_s
        self._names: dict[str, int] = {}
        self._ended: deque[Samples] = deque()
        self._waiting: dict[object, Samples] = {}
        self._now_s = 0  # whole seconds of the run that are over

    def __bool__(self) -> bool:
        """Whether there is anything to watch."""
        return bool(self._objectives)

    def see(self, sender: object, report: Mapping[str, Sequence[Any]]) -> bool:
        """Take in the rows of one process; whether a second more is over."""
        if not report["timeline"]:
            return False
        self._now_s = max(self._now_s, 1 + max(row[0] for row in report["timeline"]))
        self._ended.append(self._samples(report["latency"]))
        self._waiting[sender] = self._samples(report["waiting"])
        while self._ended and self._ended[0].second.max(initial=-1) < self._now_s - self._longest_s:
            self._ended.popleft()
        return True

    def missed(self) -> Judged | None:
        """The first objective that the last seconds miss. Works on what it was given: may run in another thread."""
        samples = bounded(joined([self._samples(()), *self._ended, *self._waiting.values()]), self._timeout_s)
        for objective in self._objectives:
            from_s = self._now_s - int(objective.stop_after_s or 0)
            if from_s >= 0:
                part = Part(samples, None, 0, self._now_s).cut(from_s, self._now_s)
                found = judge(objective, part, RESPONSE, CONFIDENCE)
                if found.result == MISSED:
                    return found
        return None

    def _samples(self, rows: Iterable[Row]) -> Samples:
        flat = [
            (second, self._code(name), _OUTCOME_CODES[outcome], MEASURES.index(measure), time_us, count)
            for second, name, outcome, measure, times_us, count in rows
            for time_us in times_us or (UNMEASURED,)
        ]
        second, code, outcome, measure, value_us, count = np.array(flat, np.int64).reshape(-1, 6).T
        return Samples(second, code, outcome, measure, value_us, count, tuple(self._names))

    def _code(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))
