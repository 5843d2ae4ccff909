"""What is known of a run while it goes on, from the rows of all its processes."""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from analysis.run_format import LONGEST_RUN_S, MEASURES
from analysis.samples import OUTCOMES, UNMEASURED, Samples, joined
from loadgate.histogram import Row

SILENT_S = 10  # a process that is so far behind is lost: workers report every three seconds
NO_TIME = (UNMEASURED,)
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

    def planned(self, from_s: int, to_s: int) -> Samples:
        """Requests planned from *from_s* on and before *to_s*; what is in flight counts with its age."""
        everything = [*(told.samples for told in self.ended), *self.waiting]
        return joined([each.within(from_s, to_s) for each in everything])

    def ended_in(self, from_s: int, to_s: int) -> Samples:
        """Requests that ended in these seconds."""
        return joined([told.samples for told in self.ended if told.from_s < to_s and told.to_s > from_s])


class LiveSamples:
    """The last *kept_s* seconds of a run, and what is in flight in each of the *senders* processes that send."""

    def __init__(self, senders: int, kept_s: float = math.inf, ramp_s: float = 0.0) -> None:
        self._kept_s = kept_s
        self._senders, self._ramp_s = senders, ramp_s
        self._even_s = math.inf
        self._names: dict[str, int] = {}
        self._nothing = Told(0, LONGEST_RUN_S, samples_of((), self._names))  # so that there is always something to join
        self._ended: deque[Told] = deque()
        self._waiting: dict[str, Samples] = {}
        self._over_s: dict[str, int] = {}  # by process: how many seconds it has told of ...
        self._begun_s: dict[str, int] = {}  # ... and has begun to tell of: the requests of the last one follow its row

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> Seen | None:
        """Take in the rows of one process; what is known now, if that is more than before."""
        if report["timeline"]:
            self._begun_s[sender] = 1 + max(row[0] for row in report["timeline"])
        if report["latency"]:
            begun_s = self._begun_s.get(sender, 0)
            self._ended.append(Told(self._over_s.get(sender, 0), begun_s, samples_of(report["latency"], self._names)))
        if not report["waiting"]:
            return None
        self._over_s[sender] = self._begun_s.get(sender, 0)
        self._waiting[sender] = samples_of(report["waiting"][-1], self._names)
        return self._seen()

    @property
    def nothing(self) -> Seen:
        """What is known before anybody has told of anything."""
        return Seen(0, math.inf, (self._nothing,), ())

    def forget(self) -> None:
        """Let go of what has ended so far."""
        self._ended.clear()

    def _seen(self) -> Seen | None:
        latest_s = max(self._over_s.values())
        heard = [sender for sender, over_s in self._over_s.items() if latest_s - over_s <= SILENT_S]
        over_s = min(self._over_s[sender] for sender in heard)
        while self._ended and self._ended[0].to_s <= over_s - self._kept_s - SILENT_S:
            self._ended.popleft()
        if len(self._over_s) < self._senders and latest_s <= SILENT_S:
            return None  # not all of the load is seen yet
        waiting = tuple(self._waiting[each] for each in heard if each in self._waiting)
        if all((each.second > self._ramp_s).all() for each in waiting):
            self._even_s = min(self._even_s, over_s)
        return Seen(over_s, self._even_s, (self._nothing, *self._ended), waiting)


def samples_of(rows: Iterable[Row], names: dict[str, int]) -> Samples:
    """Turn rows of latency.csv into samples; new names are added to `names`, by which they are numbered."""
    times, keys = [], []
    for second, name, outcome, measure, times_us, count in rows:
        times.append(times_us or NO_TIME)
        code = names.setdefault(name, len(names))
        keys.append((second, code, _OUTCOME_CODES[outcome], MEASURES.index(measure), count))
    value_us = np.array(list(chain.from_iterable(times)), np.int64)
    columns = np.repeat(np.array(keys, np.int64).reshape(-1, 5), list(map(len, times)), axis=0)
    second, code, outcome, measure, count = columns.T
    return Samples(second, code, outcome, measure, value_us, count, tuple(names))
