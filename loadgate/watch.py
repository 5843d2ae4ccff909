"""Objectives that end a run while it goes on: `p99<800ms over 30s stop`.

What is still in flight counts in latencies with the age it has, so a service that no longer answers misses its
objective while it hangs, not once it answers. Latencies and the rate are of the requests *planned* in the last
seconds.

Shares and the rate of good answers are of those that *ended* then, whenever they were planned: of the requests planned
in the last seconds, those that failed at once have ended, those that will be answered have not, and none has timed out
yet. For the same reason they are of the time after those planned first have all ended.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.objectives.figures import Part
from analysis.objectives.judgement import MISSED, Judged, judge
from analysis.objectives.objective import OK_RATE, SHARE, Objective
from analysis.population import bounded
from analysis.run_format import MEASURES, RESPONSE
from analysis.samples import OUTCOMES, UNMEASURED, Samples, joined
from loadgate.histogram import Row

CONFIDENCE = 0.9999  # every second is a chance to be wrong, and an hour has 3,600
SILENT_S = 10  # a process that is so far behind is lost: workers report every three seconds
_OUTCOME_CODES = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}


@dataclass(frozen=True)
class Told:
    """Requests of one process that ended from second *from_s* on and before *to_s*: workers tell of several at once."""

    from_s: int
    to_s: int
    samples: Samples


@dataclass(frozen=True)
class Seen:
    """What is known of a run at one moment."""

    over_s: int  # seconds of it that every process has told of
    even_s: float  # from then on as many end as are planned, of every kind
    ended: tuple[Told, ...]
    waiting: tuple[Samples, ...]  # in flight, with their ages


class Watch:
    """The last seconds of a run, and what is in flight in each of the *senders* processes that send."""

    def __init__(
        self, objectives: Iterable[Objective], timeout_s: float | None, senders: int, ramp_s: float = 0.0
    ) -> None:
        self._objectives = [each for each in objectives if each.stop_after_s is not None]
        self._longest_s = max((each.stop_after_s or 0 for each in self._objectives), default=0.0)
        self._timeout_s, self._senders, self._ramp_s = timeout_s, senders, ramp_s  # the ramp is ours: it is not judged
        self._even_s = math.inf
        self._names: dict[str, int] = {}
        self._nothing = self._samples(())
        self._ended: deque[Told] = deque()
        self._waiting: dict[str, Samples] = {}
        self._over_s: dict[str, int] = {}  # by process: how many seconds it has told of ...
        self._begun_s: dict[str, int] = {}  # ... and has begun to tell of: the requests of the last one follow its row

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> Seen | None:
        """Take in the rows of one process; what is known now, if that is worth judging anew."""
        if not self._objectives:
            return None
        if report["timeline"]:
            self._begun_s[sender] = 1 + max(row[0] for row in report["timeline"])
        if report["latency"]:
            begun_s = self._begun_s.get(sender, 0)
            self._ended.append(Told(self._over_s.get(sender, 0), begun_s, self._samples(report["latency"])))
        if not report["waiting"]:
            return None
        self._over_s[sender] = self._begun_s.get(sender, 0)
        self._waiting[sender] = self._samples(report["waiting"][-1])
        return self._seen()

    def missed(self, seen: Seen) -> Judged | None:
        """The first objective that the last seconds miss. Touches nothing else: it may run in another thread."""
        for objective in self._objectives:
            from_s = seen.over_s - int(objective.stop_after_s or 0)
            if from_s >= (seen.even_s if _is_of_ended(objective) else self._ramp_s):
                samples = bounded(joined([self._nothing, *self._parts(objective, seen, from_s)]), self._timeout_s)
                part = Part(samples, None, from_s, seen.over_s)
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
        while self._ended and self._ended[0].to_s <= over_s - self._longest_s - SILENT_S:
            self._ended.popleft()
        waiting = tuple(self._waiting[each] for each in heard if each in self._waiting)
        if all((each.second > self._ramp_s).all() for each in waiting):
            self._even_s = min(self._even_s, over_s)
        return Seen(over_s, self._even_s, tuple(self._ended), waiting)

    def _parts(self, objective: Objective, seen: Seen, from_s: int) -> list[Samples]:
        if _is_of_ended(objective):
            return [told.samples for told in seen.ended if told.from_s < seen.over_s and told.to_s > from_s]
        everything = [*(told.samples for told in seen.ended), *seen.waiting]
        return [samples.within(from_s, seen.over_s) for samples in everything]

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


def _is_of_ended(objective: Objective) -> bool:
    return objective.unit == SHARE or objective.figure == OK_RATE
