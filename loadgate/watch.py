"""Objectives that end a run while it goes on: `p99<800ms over 30s stop`.

What is still in flight counts in latencies with the age it has, so a service that no longer answers misses its
objective while it hangs, not once it answers. It is no error yet, and may still become `ok`: shares are of what has
ended, and in a rate of good answers it counts as one.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.objectives.figures import Part
from analysis.objectives.judgement import MISSED, Judged, judge
from analysis.objectives.objective import PER_SECOND, SHARE, Objective
from analysis.outcomes import Outcome
from analysis.population import bounded
from analysis.run_format import MEASURES, RESPONSE
from analysis.samples import OUTCOMES, UNMEASURED, Samples, joined
from loadgate.histogram import Row

CONFIDENCE = 0.9999  # every second is a chance to be wrong, and an hour has 3,600
SILENT_S = 10  # a process that is so far behind is lost: workers report every three seconds
_OUTCOME_CODES = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}


@dataclass(frozen=True)
class Seen:
    """What is known of a run at one moment."""

    over_s: int  # seconds of it that every process has told of
    ended: tuple[Samples, ...]
    waiting: tuple[Samples, ...]  # in flight, with their ages


class Watch:
    """The last seconds of a run, and what is in flight in each of the *senders* processes that send."""

    def __init__(
        self, objectives: Iterable[Objective], timeout_s: float | None, senders: int, ramp_s: float = 0.0
    ) -> None:
        self._objectives = [each for each in objectives if each.stop_after_s is not None]
        self._longest_s = max((each.stop_after_s or 0 for each in self._objectives), default=0.0)
        self._timeout_s, self._senders, self._ramp_s = timeout_s, senders, ramp_s  # the ramp is ours: it is not judged
        self._names: dict[str, int] = {}
        self._nothing = self._samples(())
        self._ended: deque[Samples] = deque()
        self._waiting: dict[str, Samples] = {}
        self._over_s: dict[str, int] = {}  # by process: how many seconds it has told of

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> Seen | None:
        """Take in the rows of one process; what is known now, if that is worth judging anew."""
        if not self._objectives:
            return None
        if report["latency"]:
            self._ended.append(self._samples(report["latency"]))
        if report["timeline"]:
            self._over_s[sender] = 1 + max(row[0] for row in report["timeline"])
        if not report["waiting"]:
            return None
        self._waiting[sender] = self._samples(report["waiting"][-1])
        return self._seen()

    def missed(self, seen: Seen) -> Judged | None:
        """The first objective that the last seconds miss. Touches nothing else: it may run in another thread."""
        for objective in self._objectives:
            from_s = seen.over_s - int(objective.stop_after_s or 0)
            if from_s >= self._ramp_s:
                samples = bounded(joined(self._parts(objective, seen)), self._timeout_s)
                part = Part(samples.within(from_s, seen.over_s), None, from_s, seen.over_s)
                found = judge(objective, part, RESPONSE, CONFIDENCE)
                if found.result == MISSED:
                    return found
        return None

    def _seen(self) -> Seen | None:
        if len(self._over_s) < self._senders:
            return None  # not all of the load is seen yet
        latest_s = max(self._over_s.values())
        heard = [sender for sender, over_s in self._over_s.items() if latest_s - over_s <= SILENT_S]
        over_s = min(self._over_s[sender] for sender in heard)
        while self._ended and self._ended[0].second.max(initial=-1) < over_s - self._longest_s:
            self._ended.popleft()
        return Seen(over_s, tuple(self._ended), tuple(self._waiting[each] for each in heard if each in self._waiting))

    def _parts(self, objective: Objective, seen: Seen) -> list[Samples]:
        if objective.unit == SHARE:
            return [self._nothing, *seen.ended]
        if objective.unit == PER_SECOND:
            good = _OUTCOME_CODES[Outcome.OK]
            waiting = (replace(each, outcome=np.full_like(each.outcome, good)) for each in seen.waiting)
            return [self._nothing, *seen.ended, *waiting]
        return [self._nothing, *seen.ended, *seen.waiting]

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
