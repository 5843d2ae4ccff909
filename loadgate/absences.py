"""Which workers of a run were away, from when to when, and how many requests of theirs nobody else may know of."""

import math
from dataclasses import dataclass

from loadgate.load import Report

SIGMAS = 4.0  # a Poisson count is larger than its mean by more than this about once in 10,000 times


@dataclass
class Absence:
    """A worker that was not heard of after `heard_s`, until `back_s`; times are seconds of the run.

    It had told of the seconds before `told_s`. `unreported` are at most so many requests that nobody knows of but it;
    of users who wait for answers, so many if these came as fast as before.
    """

    worker: str
    number: int
    heard_s: float
    told_s: int
    unreported: int
    back_s: float | None = None


@dataclass
class Told:
    """What a worker told last: up to which second, how many it sent in that or was to, and how many were in flight."""

    to_s: int = 0
    sent_per_s: float = 0.0
    in_flight: int = 0


class Absences:
    """What the workers of one run told, and which of them were away. Times are seconds of the run."""

    def __init__(self, heartbeat_s: float, *, is_steady: bool = True) -> None:
        """A worker gives a sign of life every `heartbeat_s`. A steady load does not come by chance."""
        self.all: list[Absence] = []
        self._heartbeat_s, self._is_steady = heartbeat_s, is_steady
        self._told: dict[str, Told] = {}
        self._away: dict[str, Absence] = {}

    @property
    def workers(self) -> frozenset[str]:
        """Those that have, or had, a part in the run."""
        return frozenset(self._told)

    @property
    def away(self) -> frozenset[str]:
        """Those that are away now."""
        return frozenset(self._away)

    def expect(self, worker: str, from_s: float) -> None:
        """Have this worker take part from now on."""
        self._told.setdefault(worker, Told(int(from_s)))

    def hear(self, worker: str, rows: Report) -> None:
        """Note what a worker told in a report."""
        if rows["timeline"]:
            second, target, sent, in_flight = (rows["timeline"][-1][at] for at in (0, 2, 4, 8))
            self._told[worker] = Told(second + 1, max(target or 0.0, sent), in_flight)

    def begin(self, worker: str, number: int, label: str, heard_s: float, most_per_s: float) -> None:
        """Note that a worker, with this number and which people know by its label, is away: it was heard of last then.

        Of the load it was to send no more than `most_per_s`; 0: that is not known.
        """
        told = self._told[worker]
        per_s = max(told.sent_per_s, most_per_s) or max(each.sent_per_s for each in self._told.values())
        sent = per_s * max(heard_s + self._heartbeat_s - told.to_s, 0)
        chance = 0.0 if self._is_steady else SIGMAS * math.sqrt(sent)
        unreported = told.in_flight + math.ceil(sent + chance)
        self._away[worker] = Absence(label, number, round(heard_s, 1), told.to_s, unreported)
        self.all.append(self._away[worker])

    def end(self, worker: str, back_s: float) -> None:
        """Note that a worker is back: it tells of all that it sent meanwhile."""
        absence = self._away.pop(worker)
        absence.back_s, absence.unreported = round(back_s, 1), 0
