"""Reports on their way from a worker to the master: each is taken once and in order, whatever the network does.

Numbered, kept until they are acknowledged, and all that are not sent again after a while: go-back-N automatic repeat
request (Tanenbaum and Wetherall, Computer Networks, 3.4.2). Messages may be lost, late, twice or out of order.
"""

from collections import Counter, deque
from typing import Any

WINDOW = 20  # reports at once, or a message could become larger than the master takes
AGAIN_S = 10.0  # without an answer: several times what workers wait between two reports

Numbered = tuple[int, Any]  # a report and its number, from 0 on


class Outbox:
    """A worker's reports of one run, as long as the master may not have them."""

    def __init__(self) -> None:
        self._kept: deque[Numbered] = deque()
        self._next = 0
        self._sent, self._since_s = 0, 0.0  # how many, and since when an answer is awaited

    def add(self, report: Any) -> None:
        """Take a report in."""
        self._kept.append((self._next, report))
        self._next += 1

    def due(self, now_s: float) -> list[Numbered]:
        """What is to be sent now: what never was, or everything that is kept, if an answer is overdue."""
        if not self._kept:
            return []
        first = self._kept[0][0]
        if self._sent <= first or now_s - self._since_s >= AGAIN_S:
            self._sent, self._since_s = first, now_s
        due = [numbered for numbered in self._kept if numbered[0] >= self._sent][:WINDOW]
        self._sent += len(due)
        return due

    def acknowledge(self, taken: int, now_s: float) -> None:
        """Let go of the first `taken` of all reports: the master has them. Older answers change nothing."""
        while self._kept and self._kept[0][0] < taken:
            self._kept.popleft()
            self._since_s = now_s  # what is left has been on its way for less long (RFC 6298, 5.3)

    @property
    def kept(self) -> list[Numbered]:
        """The reports that the master may not have."""
        return list(self._kept)


class Inbox:
    """The master's side of it, for the workers of one run."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, worker: str, numbered: list[Numbered]) -> list[Any]:
        """The reports among these that are the next of this worker; not those that came before, nor after a gap."""
        new = []
        for number, report in numbered:
            if number == self._taken[worker]:
                self._taken[worker] += 1
                new.append(report)
        return new

    def taken(self, worker: str) -> int:
        """How many reports of this worker were taken: what to answer."""
        return self._taken[worker]
