"""The model's instances: so many slots, one first-come-first-served queue in front of them.

A job that has started is never cancelled. Whoever waited for it may give up, but the slot stays taken until the
service time is over, as with a real model behind a gateway that has answered 504.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .answers import Answer, Refusal

Reply = Answer | Refusal


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """One request on its way through the instances."""

    work: Callable[[], Reply]
    """Computes the answer. It must not raise: the slot would be lost."""
    service_s: float
    """Time the slot is held, the computing included."""
    queued_s: float
    """When it came."""
    started: Callable[[float], None]
    """Called with the time when it got its slot."""
    finished: Callable[[Reply], None]
    """Called with the answer when the service time is over."""
    heavy: bool = False
    """Computed in a thread, so that the others go on."""


class Instances:
    """Slots and queue. Clock, timer and threads come from outside, so that tests need not wait."""

    def __init__(
        self,
        slots: int,
        queue: int,
        *,
        clock: Callable[[], float],
        call_at: Callable[[float, Callable[[], None]], object],
        offload: Callable[[Callable[[], Reply], Callable[[Reply], None]], None],
    ) -> None:
        self._free = slots
        self._queue = queue
        self._waiting: deque[Job] = deque()
        self._clock = clock
        self._call_at = call_at
        self._offload = offload

    def submit(self, job: Job) -> bool:
        """Start or queue the job; False: the queue is full."""
        if self._free:
            self._start(job, job.queued_s)
        elif len(self._waiting) < self._queue:
            self._waiting.append(job)
        else:
            return False
        return True

    def _start(self, job: Job, start_s: float) -> None:
        self._free -= 1
        job.started(start_s)
        if job.heavy:
            self._offload(job.work, partial(self._computed, job, start_s))
        else:
            self._computed(job, start_s, job.work())

    def _computed(self, job: Job, start_s: float, reply: Reply) -> None:
        end_s = max(start_s + job.service_s, self._clock())
        self._call_at(end_s, partial(self._finish, job, end_s, reply))

    def _finish(self, job: Job, end_s: float, reply: Reply) -> None:
        self._free += 1
        job.finished(reply)
        if self._waiting:
            # The successor starts when the slot was due to be free: a late timer must not add up over a busy period.
            successor = self._waiting.popleft()
            self._start(successor, max(end_s, successor.queued_s))
