"""The workers of a master: told what to do, heard of what they did, and missed when they are gone."""

import logging
import math
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import gevent
from locust import runners

from analysis.wording import length_text, one_line
from loadgate import locust_rpc, worker_report
from loadgate.connection import clock
from loadgate.delivery import Inbox
from loadgate.errors import ConfigError
from loadgate.here import Ending
from loadgate.load import Report, TakeIn, no_rows
from loadgate.merging import Merging
from loadgate.options import OF_SENDERS
from loadgate.plan import Plan
from loadgate.terms import Terms

# Messages of ours, between master and worker.
READY, CHECK, CHECKED, BEGIN, RATE, STOP, HURRY, TAKEN, LOCKED = (
    f"loadgate-{word}" for word in ("ready", "check", "checked", "begin", "rate", "stop", "hurry", "taken", "locked")
)
REPORT = "loadgate"  # in Locust's own report of a worker
COME_S, QUIET_S = 600.0, 2.0  # to start machines; and before anybody hears of it
ANSWER_S = 60.0  # for a worker to read its files, and to log in
SLACK_S, DISMISS_S = 10.0, 5.0
WRITE_S = 1.0  # the longer, the more rows become one
HEARTBEAT_S = runners.HEARTBEAT_INTERVAL
TOGETHER_S = 2.0  # a signal ends all of them and the master, in any order
AGAIN_S, LOOK_S, POLL_S = 1.0, 0.5, 0.05
SIGMAS = 4.0  # a Poisson count is larger than its mean by more than this about once in 10,000 times
LONGEST_SHOWN = 400
NEVER_S = 10**9
CLOCK_S = 1.0  # what two clocks may differ by before somebody should hear of it

log = logging.getLogger("loadgate")


@dataclass
class Absence:
    """A worker that was not heard of after `heard_s`, until `back_s`; times are seconds of the run.

    It had told of the seconds before `told_s`. `unreported` are at most so many requests that nobody knows of but it.
    """

    worker: str
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


class Answer(NamedTuple):
    """What a worker said to CHECK, and when that came by the time of day."""

    message: dict[str, Any]
    came_at: float

    def objection(self, terms: Terms) -> str | None:
        """Why the worker cannot send what a process with these terms does."""
        error = self.message.get("error")
        if error is not None:
            return _shown(error)
        try:
            return terms.objection(Terms.read(self.message.get("terms")))
        except ValueError as unread:
            return str(unread)

    @property
    def clock_is_off(self) -> bool:
        """Whether its clock shows another time than this machine's did when the answer came."""
        shown = self.message.get("clock")
        return not isinstance(shown, float) or abs(self.came_at - shown) > CLOCK_S


class Workers:
    """Every worker that has a part in the run, and what is known of it."""

    def __init__(
        self,
        environment: Any,
        see: TakeIn,
        write: Callable[[Report, Mapping[int, int]], bool],
        on_locked: Callable[[Exception], None],
    ) -> None:
        """`see` gets the rows of each worker as they come.

        `write` gets those of all of them, with how many reports of each there are by now, and says whether it could.
        """
        self.load = None  # a master sends nothing itself
        locust_rpc.guard(environment.runner, self._is_strange)
        runners.HEARTBEAT_DEAD_INTERNAL = -NEVER_S  # Locust would share the users anew then, from none on
        self._runner, self._see, self._write, self._on_locked = environment.runner, see, write, on_locked
        self._gives_way = bool(environment.parsed_options.enable_rebalancing)
        self._ready: set[str] = set()  # those who hear what they are told
        self._question = ""  # which was asked last
        self._answers: dict[str, Answer] = {}  # to CHECK
        self._checked: tuple[Terms, dict[str, Any]] | None = None  # the master's own terms, and what it tells
        self._run, self._began, self._patience_s = "", 0.0, 0.0
        self._beginning: dict[str, Any] = {}  # what all of them hear at the beginning of the run that is on
        self._inbox = Inbox()
        self._merging = Merging()
        self._unwritten = no_rows()  # but for those that are merged
        self._unanswered: set[str] = set()  # workers of whose reports that is
        self._heard: dict[str, float] = {}  # when each was heard of last
        self._told: dict[str, Told] = {}  # of those who have a part in the run
        self._stopped: set[str] = set()  # ... and of these who have sent their last rows
        self._left: dict[str, float] = {}  # ... and when, those who did so before they were asked
        self._counts: Counter[str] = Counter()
        self._absences: list[Absence] = []
        self._away: dict[str, Absence] = {}  # those that are not over
        self._joining: set[str] = set()
        self._must_share = False  # the users anew
        self._is_steady = True  # the load: as many requests in each second
        self._each_per_s = 0.0  # what every worker was to send at the beginning, if that is known
        self._watcher, self._writer = gevent.Greenlet(), gevent.Greenlet()
        self._draining = self._is_drained = False
        for message, listener in {
            READY: self._on_ready,
            CHECKED: self._on_checked,
            LOCKED: self._on_locked_message,
        }.items():
            self._runner.register_message(message, listener)
        environment.events.heartbeat_sent.add_listener(self._on_heartbeat)
        environment.events.worker_report.add_listener(self._on_worker_report)

    # ---- who is there

    @property
    def count(self) -> int:
        """Workers that could send."""
        return int(self._runner.worker_count)

    @property
    def names(self) -> frozenset[str]:
        """Those that have, or had, a part in the run."""
        return frozenset(self._told)

    @property
    def lost(self) -> frozenset[str]:
        """Those of them that are not heard of any more, and had not ended."""
        return self.names - self._here() - self._stopped

    def await_all(self, expected: int, patience_s: float) -> None:
        """Wait until so many have come; 0: for COME_S. Raises ConfigError if they do not."""
        patience_s = patience_s or COME_S
        where = f"{self._runner.master_bind_host}:{self._runner.master_bind_port}"
        deadline = clock() + patience_s
        said = -1
        while (here := self.count) < expected:
            if clock() > deadline:
                raise ConfigError(
                    f"{here} of {expected} workers came to {where} within {length_text(patience_s)}; start the others"
                    " with `loadgate worker HOST`, and see that they can reach this address"
                )
            if here != said and clock() > deadline - patience_s + QUIET_S:
                log.warning("waiting for workers at %s: %d of %d are here", where, here, expected)
                said = here
            gevent.sleep(POLL_S)

    def dismiss(self, expected: int) -> None:
        """Have so many worker processes of ours quit: Locust would leave them waiting for a master for a minute.

        One that is told before it is through with its start would stay, so each is waited for.
        """
        with gevent.Timeout(DISMISS_S, False):
            while len(self._ready) < max(expected, self.count):
                gevent.sleep(POLL_S)
        self._runner.quit()

    # ---- a run

    def check(self, plan: Plan, options: Any) -> None:
        """Have every worker make the plan itself. Raises ConfigError naming those whose plan is not the same."""
        self._checked = (
            Terms.of(plan),
            {
                "host": options.host,
                "users": list(plan.requests),
                "options": {option.name: getattr(options, option.name) for option in OF_SENDERS},
            },
        )
        self._answers = {}
        objections = list(self._objections(self._here()))
        if objections:
            raise ConfigError("; ".join(objections))

    def begin(self, plan: Plan, rate_per_user: float | None, manifest: dict[str, Any], *, is_watched: bool) -> None:
        """Begin with the workers that were checked the run of this manifest; Locust gives them users later.

        They tell what is in flight if it is watched.
        """
        self._run, self._began, self._draining, self._is_drained = manifest["id"], clock(), False, False
        self._patience_s = plan.sending.limits.deadline_s + SLACK_S
        self._inbox, self._merging, self._counts = Inbox(), Merging(), Counter()
        self._unwritten, self._unanswered = no_rows(), set()
        self._told, self._stopped, self._left, self._absences, self._away = {}, set(), {}, [], {}
        self._must_share, self._is_steady = False, manifest["load"]["arrivals"] == "constant"
        self._beginning = {
            "run": self._run,
            "rate_per_user": rate_per_user,
            "watched": is_watched,
            "gives_way": self._gives_way,
            "manifest": manifest,
        }
        workers = sorted(self._here() & self._answers.keys(), key=self._runner.get_worker_index)
        self._each_per_s = (manifest["load"]["rate_per_s"] or 0.0) / max(len(workers), 1)
        for place, worker in enumerate(workers):
            self._begin_at(worker, place, len(workers), 0.0)
        self._watcher, self._writer = gevent.spawn(self._watch_on), gevent.spawn(self._write_on)

    def send_rate(self, rate_per_user: float | None) -> None:
        """Have every user stand for this many requests/s; None: for the plan's, from the next run on."""
        self._beginning["rate_per_user"] = rate_per_user
        self._tell(self._told, RATE, rate_per_user)

    def hurry(self) -> None:
        """Wait for no request any more, in any worker."""
        self._tell(self._awaited(), HURRY)

    def drain(self, *, by_signal: bool) -> None:
        """Have every worker stop arrivals and wait for what is in flight, and take in its last rows."""
        self._draining = True
        before_s = clock() - self._began - (TOGETHER_S if by_signal else 0.0)
        self._left = {worker: at_s for worker, at_s in self._left.items() if at_s < before_s}
        told_at = -math.inf
        with gevent.Timeout(self._patience_s, False):
            while waiting := self._awaited():
                if clock() - told_at > AGAIN_S:
                    told_at = clock()
                    self._tell(waiting, STOP)
                gevent.sleep(POLL_S)
        self._write_out()
        self._is_drained = True  # what comes now is written no more, and stays with its worker

    def end(self) -> Ending:
        """Take in nothing more of this run."""
        gevent.killall([self._watcher, self._writer])
        lost = self.names - self._stopped
        self._note_absences(lost)
        self._run, self._beginning = "", {}
        left = [{"worker": self.label(worker), "at_s": round(at_s, 1)} for worker, at_s in self._left.items()]
        return Ending(dict(self._counts), len(lost), [asdict(absence) for absence in self._absences], left)

    # ---- what they say

    def _on_ready(self, msg: Any, **_: Any) -> None:
        """A worker is through with its start, or has parted from the run and is back."""
        self._ready.add(msg.node_id)
        if msg.node_id in self._told:
            self._let_join(msg.node_id)

    def _on_heartbeat(self, client_id: str, **_: Any) -> None:
        self._heard[client_id] = clock()

    def _on_checked(self, msg: Any, **_: Any) -> None:
        message = msg.data if isinstance(msg.data, dict) else {}
        if message.get("id") == self._question:  # else it is late, and to an earlier one
            self._answers[msg.node_id] = Answer(message, time.time())

    def _on_locked_message(self, msg: Any, **_: Any) -> None:
        """A worker's key pair is about to be locked: for all of them."""
        if msg.node_id in self._told:
            self._on_locked(ConfigError(_shown(msg.data)))

    def _on_worker_report(self, client_id: str, data: Any, **_: Any) -> None:
        message = data.get(REPORT) if isinstance(data, dict) else None
        if self._is_drained or not isinstance(message, dict):
            return
        if client_id not in self._told or message.get("run") != self._run:
            return  # it has nothing to tell, or of an earlier run: too late
        try:
            reports = worker_report.numbered(message.get("reports"))
        except ValueError as error:
            log.error("%s sent something that is not taken: %s", self.label(client_id), error)
            return
        for rows, counts in self._inbox.take(client_id, reports):
            self._note_told(self._told[client_id], rows)
            if counts is not None:
                self._stopped.add(client_id)
                self._counts.update(counts)
                if not self._draining:
                    self._left[client_id] = clock() - self._began
            self._merging.add(rows["latency"])
            for name in self._unwritten.keys() - {"latency", "waiting"}:
                self._unwritten[name] += rows[name]
            self._see(client_id, rows)
        self._unanswered.add(client_id)

    def _write_on(self) -> None:
        while True:
            gevent.sleep(WRITE_S)
            self._write_out()

    def _write_out(self) -> None:
        """Write what came in, and only then say that it is here: what is lost with this process, the workers have."""
        if not self._unanswered:
            return
        rows, self._unwritten = self._unwritten, no_rows()
        answered, self._unanswered = self._unanswered, set()
        taken = {worker: self._inbox.taken(worker) for worker in answered}
        by_number = {self._number(worker): count for worker, count in taken.items()}
        if not self._write(rows | {"latency": self._merging.take()}, by_number):
            return
        for worker, count in taken.items():
            self._tell([worker], TAKEN, {"run": self._run, "taken": count})

    def _note_told(self, told: Told, rows: Report) -> None:
        if rows["timeline"]:
            second, target, sent, in_flight = (rows["timeline"][-1][at] for at in (0, 2, 4, 8))
            told.to_s, told.sent_per_s, told.in_flight = second + 1, max(target or 0.0, sent), in_flight

    # ---- inside

    def _is_strange(self, worker: str) -> bool:
        """Whether a worker comes to a run that is on, and was not checked."""
        return bool(self._run) and worker not in self._told

    def label(self, worker: str) -> str:
        """How people know a worker: its place among them, and its host."""
        return f"worker {self._number(worker)} on {_shown(worker.rpartition('_')[0])}"

    def _number(self, worker: str) -> int:
        """Its place among all that ever came to this master, from 1 on."""
        return int(self._runner.get_worker_index(worker)) + 1

    def _objections(self, workers: set[str]) -> Iterator[str]:
        """Ask these workers whether they can do what the master is to, and say of each why it cannot."""
        assert self._checked is not None
        terms, told = self._checked
        self._ask(workers, told)
        for worker in sorted(workers, key=self._runner.get_worker_index):
            label, answer = self.label(worker), self._answers.get(worker)
            if answer is None:
                is_here = worker in self._here()
                silence = f"did not answer within {ANSWER_S:g} s; is it of the same version?"
                yield f"{label} {silence if is_here else 'is not heard of any more'}"
                continue
            objection = answer.objection(terms)
            if objection:
                yield f"{label}: {objection}"
            elif answer.clock_is_off:
                log.warning("the clock of %s is off by more than %g s: tokens may seem to expire early", label, CLOCK_S)

    def _ask(self, workers: set[str], told: dict[str, Any]) -> None:
        """Wait until all have answered, or for ANSWER_S. One that has just come may not hear the first question."""
        for worker in workers:
            self._answers.pop(worker, None)
        self._question, asked_at = uuid.uuid4().hex, -math.inf
        with gevent.Timeout(ANSWER_S, False):
            while waiting := (workers & self._here()) - self._answers.keys():
                if clock() - asked_at > AGAIN_S:
                    asked_at = clock()
                    self._tell(waiting, CHECK, {"id": self._question, **told})
                gevent.sleep(POLL_S)

    def _begin_at(self, worker: str, place: int, of: int, elapsed_s: float) -> None:
        self._told.setdefault(worker, Told(int(elapsed_s), max(self._each_per_s, self._most_per_s())))
        place_in_it = {"worker": self._number(worker), "place": place, "of": of, "elapsed_s": elapsed_s}
        self._tell([worker], BEGIN, self._beginning | place_in_it)

    def _let_join(self, worker: str) -> None:
        if self._run and not self._draining and worker not in self._joining:
            self._joining.add(worker)
            gevent.spawn(self._join, worker, self._run).link(lambda _: self._joining.discard(worker))

    def _join(self, worker: str, run: str) -> None:
        """Give a worker that came in mid-run, or came back, a part in it."""
        objections = list(self._objections({worker}))
        if run != self._run or self._draining:
            return
        if objections:
            log.error("has no part in the run: %s", "; ".join(objections))
            self._tell([worker], "quit")  # Locust would have given it users
            return
        self._begin_at(worker, 0, 1, clock() - self._began)
        locust_rpc.share_with(self._runner, worker)
        self._must_share = True

    def _share_anew(self) -> None:
        """Share the users among all who are here, where Locust did not.

        It does not while it still shares them for another reason, nor where a worker that it had missed is back.
        """
        if self._runner.state == runners.STATE_RUNNING:
            self._must_share = False
            self._runner.start(self._runner.target_user_count, self._runner.spawn_rate)

    def _tell(self, workers: Any, message: str, data: Any = None) -> None:
        for worker in list(workers):
            self._runner.send_message(message, data, client_id=worker)

    def _here(self) -> set[str]:
        return {client.id for client in self._runner.clients.all if client.state != runners.STATE_MISSING}

    def _awaited(self) -> set[str]:
        """Workers that are here and have not sent their last rows yet."""
        return (self._told.keys() & self._here()) - self._stopped

    def _watch_on(self) -> None:
        while True:
            gevent.sleep(LOOK_S)
            self._note_absences(self.lost)
            self._note_returns()
            for worker in self._here() - self._told.keys():
                self._let_join(worker)
            if self._must_share:
                gevent.spawn(self._share_anew)  # it takes as long as a ramp

    def _note_absences(self, gone: frozenset[str]) -> None:
        for worker in gone - self._away.keys():
            told, heard_s = self._told[worker], max(self._heard.get(worker, 0.0) - self._began, 0.0)
            sent = (told.sent_per_s or self._most_per_s()) * max(heard_s + HEARTBEAT_S - told.to_s, 0)
            chance = 0.0 if self._is_steady else SIGMAS * math.sqrt(sent)
            unreported = told.in_flight + math.ceil(sent + chance)
            self._away[worker] = Absence(self.label(worker), round(heard_s, 1), told.to_s, unreported)
            self._absences.append(self._away[worker])
            self._must_share |= self._gives_way
            log.error("%s is not heard of any more", self.label(worker))

    def _most_per_s(self) -> float:
        """What the fastest of all workers told that it sent."""
        return max((told.sent_per_s for told in self._told.values()), default=0.0)

    def _note_returns(self) -> None:
        for worker in self._away.keys() - self.lost:
            absence = self._away.pop(worker)
            absence.back_s, absence.unreported = round(clock() - self._began, 1), 0
            self._must_share |= self._gives_way
            log.error("%s is back", absence.worker)


def _shown(text: Any) -> str:
    """What a worker says, for people: anybody may be one."""
    return one_line(str(text))[:LONGEST_SHOWN]
