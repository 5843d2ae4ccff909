"""The workers of a master's run: told what to do, heard of what they did, and missed when they are gone."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import gevent
from locust import runners

from loadgate import locust_rpc, worker_report
from loadgate.absences import Absences
from loadgate.checking import Checking
from loadgate.connection import clock
from loadgate.delivery import Inbox
from loadgate.errors import ConfigError
from loadgate.fleet import Fleet, shown
from loadgate.here import Ending
from loadgate.load import Report, TakeIn, no_rows
from loadgate.merging import Merging
from loadgate.messages import BEGIN, CHECKED, HURRY, LOCKED, RATE, READY, REPORT, STOP, TAKEN
from loadgate.plan import Plan

SLACK_S, DISMISS_S = 10.0, 5.0
WRITE_S = 1.0  # the longer, the more rows become one
TOGETHER_S = 2.0  # a signal ends all of them and the master, in any order
AGAIN_S, LOOK_S, POLL_S = 1.0, 0.5, 0.05
NEVER_S = 10**9
HEARTBEAT_S = runners.HEARTBEAT_INTERVAL

log = logging.getLogger("loadgate")


class Workers:
    """Every worker that has a part in the run, and what is known of it."""

    def __init__(
        self,
        environment: Any,
        see: TakeIn,
        write: Callable[[Report, Mapping[int, int]], bool],
        on_absence: Callable[[dict[str, Any]], None],
        on_locked: Callable[[Exception], None],
    ) -> None:
        """`see` gets the rows of each worker as they come.

        `write` gets those of all of them, with how many reports of each there are by now, and says whether it could.
        `on_absence` gets what the manifest should tell of those who are away, when these are others than before.
        """
        self.load = None  # a master sends nothing itself
        locust_rpc.guard(environment.runner, self._is_strange)
        runners.HEARTBEAT_DEAD_INTERNAL = -NEVER_S  # Locust would share the users anew then, from none on
        self._runner, self._see, self._write = environment.runner, see, write
        self._on_absence, self._on_locked = on_absence, on_locked
        self._gives_way = bool(environment.parsed_options.enable_rebalancing)
        self._fleet = Fleet(self._runner)
        self._checking = Checking(self._fleet)
        self._ready: set[str] = set()  # those who hear what they are told
        self._run, self._began, self._patience_s = "", 0.0, 0.0
        self._per_user_per_s: float | None = None  # as planned; None: users wait for answers
        self._beginning: dict[str, Any] = {}  # what all of them hear at the beginning of the run that is on
        self._inbox = Inbox()
        self._merging = Merging()
        self._unwritten = no_rows()  # but for those that are merged
        self._unanswered: set[str] = set()  # workers of whose reports that is
        self._heard: dict[str, float] = {}  # when each was heard of last
        self._absences = Absences(HEARTBEAT_S)
        self._stopped: set[str] = set()  # those who have sent their last rows
        self._left: dict[str, float] = {}  # ... and when, those who did so before they were asked
        self._counts: Counter[str] = Counter()
        self._joining: set[str] = set()
        self._must_share = False  # the users anew
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
        return self._fleet.count

    @property
    def names(self) -> frozenset[str]:
        """Those that have, or had, a part in the run."""
        return self._absences.workers

    @property
    def lost(self) -> frozenset[str]:
        """Those of them that are not heard of any more, and had not ended."""
        return self.names - self._fleet.here - self._stopped

    def await_all(self, expected: int, patience_s: float) -> None:
        """Wait until so many have come; 0: for COME_S. Raises ConfigError if they do not."""
        self._fleet.await_all(expected, patience_s)

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
        objections = self._checking.objections(plan, options)
        if objections:
            raise ConfigError("; ".join(objections))

    def begin(self, plan: Plan, rate_per_user: float | None, manifest: dict[str, Any], *, is_watched: bool) -> None:
        """Begin with the workers that were checked the run of this manifest; Locust gives them users later.

        They tell what is in flight if it is watched.
        """
        self._run, self._began, self._draining, self._is_drained = manifest["id"], clock(), False, False
        self._patience_s = plan.sending.limits.deadline_s + SLACK_S
        self._per_user_per_s = plan.rate_per_user if plan.load_model == "open" else None
        self._inbox, self._merging, self._counts = Inbox(), Merging(), Counter()
        self._unwritten, self._unanswered = no_rows(), set()
        self._stopped, self._left, self._must_share = set(), {}, False
        self._beginning = {
            "run": self._run,
            "rate_per_user": rate_per_user,
            "watched": is_watched,
            "gives_way": self._gives_way,
            "manifest": dict(manifest),  # as it is now: the run's own goes on
        }
        workers = sorted(self._fleet.here & self._checking.answered, key=self._fleet.number)
        self._absences = Absences(HEARTBEAT_S, is_steady=manifest["load"]["arrivals"] == "constant")
        for place, worker in enumerate(workers):
            self._begin_at(worker, place, len(workers), 0.0)
        self._watcher, self._writer = gevent.spawn(self._watch_on), gevent.spawn(self._write_on)

    def send_rate(self, rate_per_user: float | None) -> None:
        """Have every user stand for this many requests/s; None: for the plan's, from the next run on."""
        self._beginning["rate_per_user"] = rate_per_user
        self._fleet.tell(self.names, RATE, rate_per_user)

    def hurry(self) -> None:
        """Wait for no request any more, in any worker."""
        self._fleet.tell(self._awaited(), HURRY)

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
                    self._fleet.tell(waiting, STOP)
                gevent.sleep(POLL_S)
        self._write_out()
        self._is_drained = True  # what comes now is written no more, and stays with its worker

    def end(self) -> Ending:
        """Take in nothing more of this run."""
        gevent.killall([self._watcher, self._writer])
        lost = self.names - self._stopped
        self._note_absences(lost)
        self._run, self._beginning = "", {}
        left = [{"worker": self._fleet.label(worker), "at_s": round(at_s, 1)} for worker, at_s in self._left.items()]
        return Ending(dict(self._counts), len(lost), [asdict(absence) for absence in self._absences.all], left)

    # ---- what they say

    def _on_ready(self, msg: Any, **_: Any) -> None:
        """A worker is through with its start, or has parted from the run and is back."""
        self._ready.add(msg.node_id)
        if msg.node_id in self.names:
            self._let_join(msg.node_id)

    def _on_heartbeat(self, client_id: str, **_: Any) -> None:
        self._heard[client_id] = clock()

    def _on_checked(self, msg: Any, **_: Any) -> None:
        self._checking.on_answer(msg.node_id, msg.data)

    def _on_locked_message(self, msg: Any, **_: Any) -> None:
        """A worker's key pair is about to be locked: for all of them."""
        if msg.node_id in self.names:
            self._on_locked(ConfigError(shown(msg.data)))

    def _on_worker_report(self, client_id: str, data: Any, **_: Any) -> None:
        message = data.get(REPORT) if isinstance(data, dict) else None
        if self._is_drained or not isinstance(message, dict):
            return
        if client_id not in self.names or message.get("run") != self._run:
            return  # it has nothing to tell, or of an earlier run: too late
        try:
            reports = worker_report.numbered(message.get("reports"))
        except ValueError as error:
            log.error("%s sent something that is not taken: %s", self._fleet.label(client_id), error)
            return
        for rows, counts in self._inbox.take(client_id, reports):
            self._absences.hear(client_id, rows)
            if counts is not None:
                self._stopped.add(client_id)
                self._counts.update(counts)
                if not self._draining:
                    self._left[client_id] = clock() - self._began
            self._merging.add(rows["latency"])
            for name in self._unwritten.keys() - {"latency", "waiting"}:
                self._unwritten[name] += rows[name]
            self._see(client_id, rows)
        if self._inbox.taken(client_id):
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
        numbered = {self._fleet.number(worker): count for worker, count in taken.items()}
        if not self._write(rows | {"latency": self._merging.take()}, numbered):
            return
        for worker, count in taken.items():
            self._fleet.tell([worker], TAKEN, {"run": self._run, "taken": count})

    # ---- inside

    def _is_strange(self, worker: str) -> bool:
        """Whether a worker comes to a run that is on, and was not checked."""
        return bool(self._run) and worker not in self.names

    def _begin_at(self, worker: str, place: int, of: int, elapsed_s: float) -> None:
        self._absences.expect(worker, elapsed_s)
        # Its number is this master's: another one may have given it another by the time that it needs it.
        own = {"worker": self._fleet.number(worker), "place": place, "of": of, "elapsed_s": elapsed_s}
        self._fleet.tell([worker], BEGIN, self._beginning | own)

    def _let_join(self, worker: str) -> None:
        if self._run and not self._draining and worker not in self._joining:
            self._joining.add(worker)
            gevent.spawn(self._join, worker, self._run).link(lambda _: self._joining.discard(worker))

    def _join(self, worker: str, run: str) -> None:
        """Give a worker that came in mid-run, or came back, a part in it."""
        objections = list(self._checking.objections_of({worker}, run))
        if run != self._run or self._draining:
            return
        if objections:
            log.error("has no part in the run: %s", "; ".join(objections))
            self._fleet.tell([worker], "quit")  # Locust would have given it users
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

    def _awaited(self) -> set[str]:
        """Workers that are here and have not sent their last rows yet."""
        return set(self.names & self._fleet.here) - self._stopped

    def _watch_on(self) -> None:
        while True:
            gevent.sleep(LOOK_S)
            if self.lost != self._absences.away:
                self._note_absences(self.lost)
                self._note_returns()
                self._on_absence(self._absences_known())
            for worker in self._fleet.here - self.names:
                self._let_join(worker)
            if self._must_share:
                gevent.spawn(self._share_anew)  # it takes as long as a ramp

    def _note_absences(self, gone: frozenset[str]) -> None:
        most_per_s = self._most_per_s()
        for worker in gone - self._absences.away:
            heard_s = max(self._heard.get(worker, 0.0) - self._began, 0.0)
            self._absences.begin(worker, self._fleet.number(worker), self._fleet.label(worker), heard_s, most_per_s)
            self._must_share |= self._gives_way
            log.error("%s is not heard of any more", self._fleet.label(worker))

    def _most_per_s(self) -> float:
        """What a worker may have to send when all users are there; 0 where these wait for answers."""
        if self._per_user_per_s is None:
            return 0.0
        told: float | None = self._beginning.get("rate_per_user")
        sharing = self.names - self._stopped - self._absences.away  # Locust shares new users among these, in any case
        users: int = math.ceil(self._runner.target_user_count / max(len(sharing), 1))
        return users * (self._per_user_per_s if told is None else told)

    def _absences_known(self) -> dict[str, Any]:
        absences = [asdict(absence) for absence in self._absences.all]
        return {"workers": len(self.names), "workers_lost": len(self.lost), "absences": absences}

    def _note_returns(self) -> None:
        for worker in self._absences.away - self.lost:
            self._absences.end(worker, clock() - self._began)
            self._must_share |= self._gives_way
            log.error("%s is back", self._fleet.label(worker))
