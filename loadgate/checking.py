"""The check of workers before they send: can each do what the master is to?"""

import logging
import math
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import gevent

from loadgate.connection import clock
from loadgate.fleet import Fleet, shown
from loadgate.messages import CHECK, REFUSED
from loadgate.options import OF_SENDERS
from loadgate.plan import Plan
from loadgate.terms import Terms

ANSWER_S = 60.0  # for a worker to read its files, and to log in
AGAIN_S, POLL_S = 1.0, 0.05
CLOCK_S = 1.0  # what two clocks may differ by before somebody should hear of it

log = logging.getLogger("loadgate")


class Answer(NamedTuple):
    """What a worker said to CHECK, and when that came by the time of day."""

    message: dict[str, Any]
    came_at: float

    def objection(self, terms: Terms) -> str | None:
        """Why the worker cannot send what a process with these terms does."""
        error = self.message.get("error")
        if error is not None:
            return shown(error)
        try:
            return terms.objection(Terms.read(self.message.get("terms")))
        except ValueError as unread:
            return str(unread)

    @property
    def clock_is_off(self) -> bool:
        """Whether its clock shows another time than this machine's did when the answer came."""
        said = self.message.get("clock")
        return not isinstance(said, float) or abs(self.came_at - said) > CLOCK_S


class Checking:
    """Has workers make a plan themselves, and knows who made the same."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._question = ""  # which was asked last
        self._answers: dict[str, Answer] = {}
        self._terms: Terms | None = None
        self._told: dict[str, Any] = {}

    @property
    def answered(self) -> set[str]:
        """Those who answered since there is this plan."""
        return set(self._answers)

    def objections(self, plan: Plan, options: Any) -> list[str]:
        """Check all that are here against this plan: of each that cannot send it, who it is and why."""
        self._terms, self._answers = Terms.of(plan), {}
        self._told = {
            "host": options.host,
            "users": list(plan.requests),
            "options": {option.name: getattr(options, option.name) for option in OF_SENDERS},
        }
        return list(self.objections_of(self._fleet.here))

    def objections_of(self, workers: set[str], run: str = "") -> Iterator[str]:
        """The same for these workers, against the plan that is known, which this run has by now."""
        assert self._terms is not None
        self._ask(workers, run)
        for worker in sorted(workers, key=self._fleet.number):
            label, answer = self._fleet.label(worker), self._answers.get(worker)
            if answer is None:
                is_here = worker in self._fleet.here
                silence = f"did not answer within {ANSWER_S:g} s; is it of the same version?"
                yield f"{label} {silence if is_here else 'is not heard of any more'}"
                continue
            objection = answer.objection(self._terms)
            if objection:
                self._fleet.tell([worker], REFUSED, objection)
                yield f"{label}: {objection}"
            elif answer.clock_is_off:
                log.warning("the clock of %s is off by more than %g s: tokens may seem to expire early", label, CLOCK_S)

    def on_answer(self, worker: str, said: Any) -> None:
        """Take in what a worker said to CHECK."""
        message = said if isinstance(said, dict) else {}
        if message.get("id") == self._question:  # else it is late, and to an earlier one
            self._answers[worker] = Answer(message, time.time())

    def _ask(self, workers: set[str], run: str) -> None:
        """Wait until all have answered, or for ANSWER_S. One that has just come may not hear the first question."""
        for worker in workers:
            self._answers.pop(worker, None)
        self._question, asked_at = uuid.uuid4().hex, -math.inf
        with gevent.Timeout(ANSWER_S, False):
            while waiting := (workers & self._fleet.here) - self._answers.keys():
                if clock() - asked_at > AGAIN_S:
                    asked_at = clock()
                    self._fleet.tell(waiting, CHECK, {"id": self._question, "run": run, **self._told})
                gevent.sleep(POLL_S)
