"""loadgate in a worker process: it sends what the master says, and owes it a report of every request.

The master has every worker make the plan itself (`CHECK`), says when the run begins (`BEGIN`), and Locust starts the
users. What was measured travels in Locust's own reports, and is kept until the master has it.
"""

import logging
import os
import signal
import sys
import time
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent.event import Event
from locust import runners

from analysis.wording import one_line
from loadgate import locust_stats, manifest, worker_report
from loadgate.connection import clock
from loadgate.delivery import Outbox
from loadgate.errors import CANNOT, ConfigError
from loadgate.load import Load, Share, no_rows
from loadgate.messages import BEGIN, CHECK, CHECKED, HURRY, LOCKED, RATE, READY, REFUSED, REPORT, STOP, TAKEN
from loadgate.plan import Plan, plan
from loadgate.recording import Batch
from loadgate.run_directory import RunDirectory
from loadgate.signals import Signals
from loadgate.terms import Terms
from loadgate.worker_report import COUNTED, WorkerReport

PARTED_S = 4.0  # without a sign of the master: it has given this worker's share to others, if it does that
ALONE_S = 60.0  # then it is gone
ANSWER_S = 15.0  # for the master to say that it has the last rows
LOOK_S, POLL_S = 0.5, 0.05
NEVER_S = 10**9  # Locust's own patience: it goes by the time of day, and would end when the clock is set

log = logging.getLogger("loadgate")


@dataclass
class Part:
    """What this worker has to do with one run: what it was told at its beginning, and what it owes."""

    told: dict[str, Any]
    began: float  # the run, by our clock
    outbox: Outbox = field(default_factory=Outbox)
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))  # of what was sent so far


class Worker:
    """What loadgate keeps for the Locust environment of a worker. `load` is what it sends now, if anything."""

    def __init__(self, environment: Any) -> None:
        self.load: Load | None = None
        self._environment, self._runner = environment, environment.runner
        self._plan: Plan | None = None
        self._part: Part | None = None
        self._asked = ""  # which question of the master's was the last
        self._has_begun = Event()  # until then there are no users
        self._ending = gevent.Greenlet()
        self._silent_s = 0.0  # the master
        self._is_parted = False  # from it, and so from its load
        self._parent = os.getppid()
        self._main = gevent.getcurrent()
        self._signals = Signals(lambda: gevent.spawn(self._leave), self.on_hurry)
        runners.MASTER_HEARTBEAT_TIMEOUT = NEVER_S
        self._start_users, self._runner.start_worker = self._runner.start_worker, self._start_users_in_time
        self._listen()
        self._signals.watch(signal.SIGINT)  # from now on: it would end a greenlet of Locust's, and nothing else
        self._runner.send_message(READY, {})
        gevent.spawn(self._watch_master)

    def _listen(self) -> None:
        events, register = self._environment.events, self._runner.register_message
        events.test_start.add_listener(self._on_test_start)
        events.test_stop.add_listener(self._on_test_stop)
        events.quitting.add_listener(self._on_quitting)
        events.report_to_master.add_listener(self._on_report_to_master)
        events.heartbeat_received.add_listener(self._on_heartbeat)
        register(BEGIN, self._on_begin)
        register(RATE, self._on_rate)
        register(HURRY, self.on_hurry)
        register(REFUSED, self._on_refused)
        register(TAKEN, self._on_taken)
        register(CHECK, self._on_check, concurrent=True)
        register(STOP, self._on_stop, concurrent=True)

    # ---- what the master says

    def _on_check(self, msg: Any, **_: Any) -> None:
        """Make the plan that the master has, with this machine's files and credentials, and answer with its terms.

        Who asks again because there was no answer gets it when it is there.
        """
        if msg.data["id"] == self._asked:
            return
        if not self._asked:
            self._say_number()
        self._asked = msg.data["id"]
        if self._part is not None and self._part.told["run"] != msg.data["run"]:
            self._end_part(0.0)  # of a run that the master has ended without it
        self._await_end()
        answer: dict[str, Any] = {}
        try:
            self._plan = self._planned(msg.data)
            answer["terms"] = Terms.of(self._plan).as_message()
        except (ConfigError, OSError) as error:
            answer["error"] = str(error)
        self._runner.send_message(CHECKED, answer | {"id": msg.data["id"], "clock": time.time()})

    def _say_number(self) -> None:
        """Tell whoever started this worker how its master calls it."""
        if not self._is_masters_own:
            host = self._environment.parsed_options.master_host
            print(f"worker {self._runner.worker_index + 1} of {host}", file=sys.stderr, flush=True)

    @property
    def _is_masters_own(self) -> bool:
        """Whether this is a process of `--processes` of the master, which speaks for it."""
        return "--worker" not in sys.argv

    def _on_refused(self, msg: Any, **_: Any) -> None:
        """Tell why the master will not have it: it ends soon, and whoever started it may not see the master."""
        if not self._is_masters_own:
            log.error("refused by the master: %s", one_line(msg.data))
            self._environment.process_exit_code = CANNOT

    def _planned(self, told: dict[str, Any]) -> Plan:
        options = Namespace(**vars(self._environment.parsed_options) | told["options"])
        options.host = told["host"]
        options.baseline = options.tolerance = None  # of the master's machine
        classes = {user.__name__: user for user in self._environment.user_classes}
        missing = [name for name in told["users"] if name not in classes]
        if missing:
            raise ConfigError(f"it has no user class {missing[0]}; give it the master's locustfile")
        return plan(options, [classes[name] for name in told["users"]])

    def _on_begin(self, msg: Any, **_: Any) -> None:
        """Take part in a run: from the first users on, or at once after a time alone, when Locust has it running."""
        if self._part is None or self._part.told["run"] != msg.data["run"]:
            self._part = Part(msg.data, clock() - msg.data["elapsed_s"])
        self._part.told, self._is_parted = msg.data, False
        self._environment.process_exit_code = None
        if self._runner.worker_state in (runners.STATE_SPAWNING, runners.STATE_RUNNING):
            self._begin_load(self._part)

    def _begin_load(self, part: Part) -> None:
        if self._plan is None or self.load is not None:
            return
        told = part.told
        # Those that begin together begin with their first users, who would else be late from the start.
        elapsed_s = clock() - part.began if told["elapsed_s"] else 0.0
        share = Share(self._runner.worker_index, told["place"], told["of"], elapsed_s)
        self.load = Load(self._plan, share, self._on_batch, self._on_locked)
        if told["rate_per_user"] is not None:
            self.load.set_rate_per_user(told["rate_per_user"])
        if told["watched"]:
            self.load.watch()
        self._has_begun.set()
        self._signals.watch(signal.SIGINT, signal.SIGTERM)

    def _on_rate(self, msg: Any, **_: Any) -> None:
        """Take the rate of each user here from the master; None: it is the plan's, from the next run on."""
        if self.load is not None and msg.data is not None:
            self.load.set_rate_per_user(msg.data)

    def on_hurry(self, **_: Any) -> None:
        """Wait for nothing more."""
        if self.load is not None:
            self.load.hurry()

    def _on_stop(self, **_: Any) -> None:
        """Drain because the master says so, and see that it has everything."""
        self._end_part()

    def _on_taken(self, msg: Any, **_: Any) -> None:
        if self._part is not None and msg.data["run"] == self._part.told["run"]:
            self._part.outbox.acknowledge(msg.data["taken"], clock())

    def _on_heartbeat(self, **_: Any) -> None:
        self._silent_s = 0.0

    # ---- what Locust says

    def _start_users_in_time(self, *arguments: Any, **named: Any) -> None:
        """Locust's own, once there is a load for the users. Who comes late hears of its users before."""
        # Locust takes no order that is older than the last by the master's time of day, which may be set back. They
        # come in their order anyway.
        self._runner.last_received_spawn_timestamp = 0
        self._has_begun.wait()
        self._start_users(*arguments, **named)

    def _on_test_start(self, **_: Any) -> None:
        if self._part is not None:
            self._begin_load(self._part)

    def _on_test_stop(self, **_: Any) -> None:
        gevent.spawn(self._end_part)  # not here: this greenlet has to hear the master

    def _on_quitting(self, **_: Any) -> None:
        if self._signals.came and gevent.getcurrent() is not self._main:
            Event().wait()  # Locust's handler of SIGTERM, whose end would be main's too: ours stops the run
        # In the main greenlet Locust has ended, and nobody hears the master.
        self._end_part(0.0 if gevent.getcurrent() is self._main else ANSWER_S)

    def _on_report_to_master(self, data: dict[str, Any], **_: Any) -> None:
        """Send what was measured along with Locust's own report."""
        if self._part is None:
            return
        if self.load is not None:
            self._part.outbox.add(WorkerReport(self.load.take(), None))
        due = self._part.outbox.due(clock())
        data[REPORT] = {"run": self._part.told["run"], "reports": worker_report.as_message(due)}

    def on_task_exit(self) -> None:
        """Stop because a user's task raised SystemExit, as if by a signal."""
        if not self._signals.came:
            log.error("stopped, because a task raised SystemExit")
            self._signals.come()

    # ---- the end

    def _end_load(self, part: Part) -> None:
        """Drain, and keep what was measured until the master has it."""
        load = self.load
        if load is None:
            return
        load.drain()
        if self.load is load:  # else somebody else asked too, and has kept it
            self.load = None
            self._has_begun.clear()
            part.counts.update(load.counts)
            part.outbox.add(WorkerReport(load.take(), None))

    def _end_part(self, answer_s: float = ANSWER_S) -> None:
        """End what is sent, and wait until the master has all of it. Whoever comes second waits for the same end."""
        if self._part is not None and not self._ending:
            self._ending = gevent.spawn(self._finish, self._part, answer_s)
        self._await_end()

    def _await_end(self) -> None:
        if self._ending:
            self._ending.join()

    def _finish(self, part: Part, answer_s: float) -> None:
        self._end_load(part)
        part.outbox.add(WorkerReport(no_rows(), dict(part.counts)))
        last: dict[str, Any] = {}
        self._environment.events.report_to_master.fire(client_id=self._runner.client_id, data=last)
        self._runner.send_message("stats", last)
        with gevent.Timeout(answer_s, False):
            while part.outbox.kept:
                gevent.sleep(POLL_S)
        if self._part is part:
            self._part = None
        if part.outbox.kept:
            self._write(part)

    def _write(self, part: Part) -> None:
        """Keep in a run directory what the master has not said that it has."""
        kept = [(number, report.rows) for number, report in part.outbox.kept]
        if not any(any(rows.values()) for _, rows in kept) or self._plan is None:
            return
        described, worker = part.told["manifest"], part.told["worker"]
        path = manifest.run_path(None, f"{described['name']}-worker-{worker}")
        nothing_of_its_own = {"users": 0, "rate_per_s": 0}  # the master's own run has the whole load
        described |= {"kept_by": worker, "load": described["load"] | nothing_of_its_own, "workers": 0}
        try:
            directory = RunDirectory(path, described, self._plan.sending.limits.gateway.advice)
            for number, rows in kept:
                directory.append(rows, {worker: number + 1})
            directory.close("interrupted")
        except OSError as error:
            log.error("what the master has not taken could not be written: %s", error)
            return
        count = sum(directory.outcomes.values())
        log.error(
            "the master has not said that it has %s requests: loadgate report RUN %s --out DIR adds to its run those"
            " that it has not",
            f"{count:,}",
            path,
        )

    def _leave(self) -> None:
        try:
            self._end_part()
        finally:
            self._runner.quit()

    def _watch_master(self) -> None:
        woke = clock()
        while True:
            gevent.sleep(LOOK_S)
            # A process that was held up itself has not listened.
            self._silent_s += min(clock() - woke, 2 * LOOK_S)
            woke = clock()
            if self._silent_s > ALONE_S or self._is_orphan:
                log.error("the master is gone")
                self._leave()
                return
            if self._part is not None and self._part.told["gives_way"]:
                self._look_whether_parted(self._part)

    @property
    def _is_orphan(self) -> bool:
        """Whether this is a process of `--processes` whose parent has died."""
        return bool(self._environment.parsed_options.processes) and os.getppid() != self._parent

    def _look_whether_parted(self, part: Part) -> None:
        """Give way to those who have got this worker's share by now, and join them when the master is back."""
        if self._silent_s > PARTED_S and not self._is_parted and not self._ending:
            self._is_parted = True
            log.error("the master is not heard of: sending nothing until it is")
            self._end_load(part)
            self._runner.stop_users(dict(self._runner.user_classes_count))
        elif self._silent_s < LOOK_S * 2 and self._is_parted and self.load is None:
            self._is_parted = False
            self._runner.send_message(READY, {})

    def _on_batch(self, batch: Batch) -> None:
        if not locust_stats.tell(batch, self._environment):
            gevent.spawn(self._runner.quit)

    def _on_locked(self, error: ConfigError) -> None:
        gevent.spawn(self._runner.send_message, LOCKED, str(error))  # not here: on the loop nothing may block
