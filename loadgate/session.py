"""loadgate inside Locust: one session for each Locust process, one run for each test that it starts.

Locust says when a test starts and stops and how many users there are. A process that sends (local or worker) has a
`Load`; the process that collects (local or master) has the `RunDirectory`. At the end the collector asks every
worker to drain, waits for their last rows, closes the run and has it analysed.
"""

import logging
import signal
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust import runners

from analysis.capacity.record import Record
from analysis.capacity.search import Search
from loadgate import baseline, capacity, locust_stats, manifest, run_directory
from loadgate.analyse import analyse
from loadgate.answers import advice
from loadgate.capacity import Searching
from loadgate.connection import clock
from loadgate.errors import ConfigError
from loadgate.gateway import Gateway
from loadgate.live_samples import Seen
from loadgate.live_totals import LiveTotals
from loadgate.load import END_SLACK_S, Load
from loadgate.locust_stats import LocustCsv
from loadgate.outlines import Outline
from loadgate.plan import Plan, plan
from loadgate.preflight import Weight
from loadgate.probe import Probe, probe
from loadgate.recording import Batch
from loadgate.run_directory import RunDirectory
from loadgate.shapes import CapacitySearch, OfPeak, outline_of
from loadgate.watch import Watch

READY, RATE, STOP, HURRY, STOPPED, LOCKED = (
    f"loadgate-{word}" for word in ("ready", "rate", "stop", "hurry", "stopped", "locked")
)
REPORT = "loadgate"
TURN_S = 0.9  # Locust asks a shape once a second
WRITE_S = 0.05  # often, because writing many rows at once would hold up the loop
WORKER_SLACK_S, DISMISS_S = 10.0, 5.0
CANNOT, INTERRUPTED = 2, 130
ON_TIME, BY_SIGNAL, BY_OBJECTIVE, BY_LOCUST = "on time", "by a signal", "by an objective", "by Locust"  # how runs end

log = logging.getLogger("loadgate")


class Session:
    """What loadgate keeps for one Locust environment. Its methods are Locust's event listeners."""

    def __init__(self, environment: Any) -> None:
        self.load: Load | None = None
        self.weights: list[Weight] = []  # of what is about to be sent
        self.directory: RunDirectory | None = None
        self.searching: Searching | None = None
        self.totals: LiveTotals | None = None  # for the page
        self.was_reset = False  # they count from later than the run
        self.refused = ""  # why the latest test could not be made, or gone on with
        self.ended = 0  # runs, each with its report
        self.exit_code = 0
        self._environment = environment
        self._options = environment.parsed_options
        self._runner = environment.runner
        self._plan: Plan | None = None
        self._path = Path()  # of the run that is about to begin
        self._is_prepared, self._is_beginning = False, False
        self._probe: Probe | None = None
        self._csv: LocustCsv | None = None
        self._failed = 0  # the exit code, if the run could not be made
        self._began = 0.0  # of the run, by `clock`
        self._ended_by: str | None = None  # what ended the run first
        self._ready: set[str] = set()  # workers that hear what they are told
        self._rate_per_user: float | None = None  # as the collector says, instead of the plan's
        self._record: Record | None = None  # of the search that is to come
        self._watch = Watch((), None, 1)
        self._judging = False
        self._stopped_by: str | None = None  # the objective that did
        self._workers: set[str] = set()  # that the run began with ...
        self._stopped: set[str] = set()  # ... and that have sent their last rows
        self._closing: gevent.Greenlet | None = None
        self._signals_watched: set[signal.Signals] = set()
        self._signalled = False
        self._main = gevent.getcurrent()
        self._counts: Counter[str] = Counter()
        self._writer = gevent.Greenlet()
        self._sends = not isinstance(self._runner, runners.MasterRunner)
        self._collects = not isinstance(self._runner, runners.WorkerRunner)
        self._listen()

    def _listen(self) -> None:
        events = self._environment.events
        events.test_start.add_listener(self.on_test_start)
        events.test_stopping.add_listener(self.on_test_stopping)
        events.test_stop.add_listener(self.on_test_stop)
        events.reset_stats.add_listener(self.on_reset_stats)
        events.quitting.add_listener(self.on_quitting)
        events.report_to_master.add_listener(self.on_report_to_master)
        events.worker_report.add_listener(self.on_worker_report)
        if not self._collects:
            self._runner.register_message(STOP, self.on_stop_message, concurrent=True)
            self._runner.register_message(HURRY, self.on_hurry_message)
            self._runner.register_message(RATE, self.on_rate_message)
            self._watch_signals(signal.SIGINT)  # from now on: it would end a greenlet of Locust's, and nothing else
            self._runner.send_message(READY, {})
        elif not self._sends:
            self._runner.register_message(READY, self.on_ready_message)
            self._runner.register_message(STOPPED, self.on_stopped_message)
            self._runner.register_message(LOCKED, self.on_locked_message)

    # ---- before the load

    @property
    def gateway(self) -> Gateway:
        """What stands before the model, of the run that is on or was the last."""
        assert self._plan is not None
        return self._plan.sending.limits.gateway

    def prepare(self) -> None:
        """Check and encode everything, and send the one request that shows whether a load makes sense.

        Raises ConfigError. Nothing is written before.
        """
        options = self._options
        if options.headless and self._collects:
            # The end is ours: Locust's own stop looks through the stack for its caller, and every request in flight
            # would wait for that.
            options.duration_s, options.run_time = options.duration_s or options.run_time, None
        elif self._collects:
            options.duration_s, options.run_time = None, options.run_time or options.duration_s
        options.host = self._environment.host
        load_plan = plan(options, self._environment.user_classes)
        if not self._collects:
            self._plan = load_plan
            return
        record, shape = None, self._environment.shape_class
        if isinstance(shape, CapacitySearch):
            load_plan, record = capacity.prepared(options, load_plan)
        elif isinstance(shape, OfPeak):
            load_plan = replace(load_plan, duration_s=shape.duration_s)
        elif not options.headless and shape is None:
            load_plan = replace(load_plan, duration_s=options.run_time)
        weights = load_plan.weights
        for weight in weights:
            log.info("%s", weight.plans)
        if load_plan.sending.exposed:  # said whatever the level of the log
            sys.stderr.write(f"Warning: {load_plan.sending.exposed}\n")
        path = manifest.run_path(options.out, load_plan.name)
        run_directory.check_writable(Path(options.out) if options.headless and options.out else path)
        asked = self._asked(record)
        description = manifest.describe(path, load_plan, options, options.num_users or 1, None, 1, asked)
        if load_plan.baseline and options.headless:  # on the page the load is not known before it is over
            baseline.check(load_plan.baseline, description)
        if record and options.resume:
            capacity.check_same(Path(options.resume), description)
        probed = probe(load_plan.sending, next(iter(load_plan.requests.values()))[0])
        if probed.hopeless:
            what_to_do = advice(probed.finding, load_plan.sending.limits.gateway)
            raise ConfigError(
                f"the first request to {load_plan.sending.target.shown} failed, so no load was sent: "
                f"{probed.words.rstrip(' .')}. {what_to_do}"
            )
        self._plan, self._record, self._path, self._probe = load_plan, record, path, probed
        self.weights, self._is_prepared = weights, True

    def forget(self) -> None:
        """Check and encode everything anew before the next test, whatever was prepared."""
        self._is_prepared = False

    def dismiss(self, workers: int) -> None:
        """Have so many worker processes of ours quit: Locust would leave them waiting for a master for a minute.

        One that is told before it is through with its start would stay, so each is waited for.
        """
        with gevent.Timeout(DISMISS_S, False):
            while len(self._ready) < workers:
                gevent.sleep(WRITE_S)
        self._runner.quit()

    # ---- Locust's events

    def on_test_start(self, **_: Any) -> None:
        """Begin a run: its plan, its directory where this process collects, its load where it sends."""
        self.refused, self.totals, self.was_reset, self._is_beginning = "", None, False, True
        try:
            if not self._is_prepared:
                self.prepare()
            assert self._plan is not None
            self._is_prepared = False
            if self._collects:
                self._begin_directory(self._plan)
        except (ConfigError, OSError) as error:
            self._give_up(error)
            return
        finally:
            self._is_beginning = False
        if self._sends:
            self.load = Load(self._plan, self._runner.worker_index, self._on_batch, self._on_locked)
            if self._rate_per_user is not None:
                self.load.set_rate_per_user(self._rate_per_user)
            if not self._options.headless:
                self.load.watch()
            if self._collects:
                self._writer = gevent.spawn(self._write_on)
        ends_itself = self._environment.shape_class is not None and not self._options.headless
        if self._collects and self._plan.duration_s and not ends_itself:
            # Locust's own timer is forgotten as soon as somebody changes the load.
            gevent.spawn_later(self._plan.duration_s, self._end_on_time, self.directory)
        if self._options.headless or not self._collects:
            self._watch_signals(signal.SIGINT, signal.SIGTERM)

    def on_test_stopping(self, **_: Any) -> None:
        """Stop arrivals and wait for what is in flight, here or in every worker."""
        self._begin_end(ON_TIME if self._is_due else BY_LOCUST)
        if self.load is not None:
            self.load.drain()
        if self.directory is not None and not self._sends:
            self._await_workers()

    def on_test_stop(self, **_: Any) -> None:
        """End the run, and analyse it where it was collected."""
        has_end = self._record is not None or (self._plan is not None and self._plan.duration_s is not None)
        as_planned = self._ended_by == ON_TIME or (self._ended_by == BY_LOCUST and not has_end)
        self._end("complete" if as_planned else "interrupted")

    def on_quitting(self, **_: Any) -> None:
        """Locust goes: a run that is still on is an interrupted one."""
        if self._signalled and gevent.getcurrent() is not self._main:
            Event().wait()  # Locust's handler of SIGTERM, whose end would be main's too: ours stops the run
        if self.load is not None and not self._collects:
            self.on_stop_message()
        if self._collects:
            self.on_test_stopping()
            self._end("interrupted")
            self._environment.process_exit_code = self.exit_code

    def on_reset_stats(self, **_: Any) -> None:
        """Count anew what the page shows; the run has all of it."""
        if self.totals is not None:
            self.totals, self.was_reset = LiveTotals(self.gateway.timeout_s), True

    def on_report_to_master(self, data: dict[str, Any], **_: Any) -> None:
        """Send this worker's rows along with Locust's own report."""
        if self.load is not None:
            data[REPORT] = self.load.take()

    def on_worker_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        """Take a worker's rows in."""
        if self.directory is not None and REPORT in data:
            self._take_in(client_id, data[REPORT])

    def on_stop_message(self, **_: Any) -> None:
        """Drain because the master says so, or because this worker was told to quit, and send what is left."""
        load = self.load
        if load is None:
            self._runner.send_message(STOPPED, {})
            return
        load.drain()
        if self.load is load:  # else somebody else asked too, and has sent it
            self.load = None
            last: dict[str, Any] = {REPORT: load.take()}
            self._environment.events.report_to_master.fire(client_id=self._runner.client_id, data=last)
            self._runner.send_message("stats", last)
            self._runner.send_message(STOPPED, load.counts)

    def on_rate_message(self, msg: Any, **_: Any) -> None:
        """Take the rate of each user here from the master; None: it is the plan's, from the next run on."""
        self._rate_per_user = msg.data
        if self.load is not None and msg.data is not None:
            self.load.set_rate_per_user(msg.data)

    def on_hurry_message(self, **_: Any) -> None:
        """Wait for nothing more."""
        self._hurry()

    def on_ready_message(self, msg: Any, **_: Any) -> None:
        """A worker is through with its start."""
        self._ready.add(msg.node_id)

    def on_stopped_message(self, msg: Any, **_: Any) -> None:
        """A worker has drained: its last rows came before this, these are its counts."""
        self._stopped.add(msg.node_id)
        self._counts.update(msg.data)

    def on_locked_message(self, msg: Any, **_: Any) -> None:
        """A worker's key pair is about to be locked: end the run for all of them, once."""
        if not self._failed:
            self._give_up(ConfigError(msg.data))

    # ---- what the page tells and changes

    @property
    def is_on(self) -> bool:
        """Whether a test is on, from the moment that Locust begins with it."""
        is_idle = self._runner.state in (runners.STATE_INIT, runners.STATE_STOPPED)
        is_held = self._is_beginning or self.directory is not None
        return not is_idle or self._runner.shape_greenlet is not None or is_held

    @property
    def is_new(self) -> bool:
        """Whether there has been no test yet."""
        return self._runner.state == runners.STATE_INIT and not self.is_on

    @property
    def rate_per_s(self) -> float | None:
        """Requests/s that are planned now; none in the closed model, or while no test is on."""
        if self._plan is None or not self.is_on or self._plan.load_model == "closed":
            return None
        each = self._plan.rate_per_user if self._rate_per_user is None else self._rate_per_user
        return float(self._runner.target_user_count * each)

    @property
    def has_senders(self) -> bool:
        """Whether there is a process that can send: this one, or a worker."""
        return self._sends or self._runner.worker_count > 0

    @property
    def workers(self) -> frozenset[str]:
        """The workers that the run began with; none where this process sends itself."""
        return frozenset(self._workers)

    @property
    def lost_workers(self) -> frozenset[str]:
        """Those of them that are not heard of any more."""
        return frozenset() if self._sends else self.workers - self._here()

    @property
    def can_change(self) -> bool:
        """Whether a load is on whose rate or users can be changed: not while it ends, and none that a shape makes."""
        is_sent = self._runner.state in (runners.STATE_SPAWNING, runners.STATE_RUNNING)
        return is_sent and self._ended_by is None and self._environment.shape_class is None

    # ---- what makes the load, if no number of users does

    def _asked(self, record: Record | None) -> Search | Outline | None:
        if record is not None:
            return record.search
        shape = self._environment.shape_class
        return None if shape is None else outline_of(shape)

    def finish(self) -> None:
        """End the run as planned. Not in a shape's greenlet: Locust would start no other before the report is there."""
        gevent.spawn(self._end_on_time, self.directory).join()

    def goes_on(self) -> bool:
        """Do what the search has to do for most of a second; whether there is more. Blocks its greenlet."""
        until = clock() + TURN_S
        try:
            while self.searching is not None and self._ended_by is None and clock() < until:
                if not self.searching.tick():
                    return False
                gevent.sleep(WRITE_S)
        except OSError as error:
            self._give_up(error)
        return True

    def _begin_search(self, load_plan: Plan, directory: RunDirectory, senders: int) -> None:
        began = self._began
        if self._record is not None:
            directory.keep(self._record)
            self.searching = Searching(
                self._record, load_plan, senders, self._set_rate, directory.keep, lambda: clock() - began
            )
        self.send_rate(0.0 if self.searching else None)

    def _set_rate(self, rate_per_s: float) -> None:
        self.send_rate(rate_per_s / self._runner.target_user_count)

    def send_rate(self, rate_per_user: float | None) -> None:
        """Have every user here and elsewhere stand for this rate."""
        self._rate_per_user = rate_per_user
        if self.load is not None and rate_per_user is not None:
            self.load.set_rate_per_user(rate_per_user)
        for worker in self._workers:
            self._runner.send_message(RATE, rate_per_user, client_id=worker)

    # ---- inside

    def _begin_directory(self, load_plan: Plan) -> None:
        self._counts, self._stopped, self._failed = Counter(), set(), 0
        self._workers = set() if self._sends else {client.id for client in self._runner.clients.all}
        users, workers = self._runner.target_user_count, 1 if self._sends else self._runner.worker_count
        self._ended_by, self._stopped_by, self._judging = None, None, False
        path = manifest.free(self._path)  # somebody else may have been as fast
        description = manifest.describe(
            path, load_plan, self._options, users, self._probe, workers, self._asked(self._record)
        )
        timeout_s, ramp_s = load_plan.sending.limits.gateway.timeout_s, description["load"]["ramp_s"]
        self._watch = Watch(load_plan.slo, timeout_s, workers, ramp_s)
        self.directory = RunDirectory(path, description, load_plan.sending.limits.gateway.advice)
        self._csv = LocustCsv(self._environment, path)
        self.totals = None if self._options.headless else LiveTotals(timeout_s)
        self._began = clock()
        self._begin_search(load_plan, self.directory, workers)

    def _watch_signals(self, *numbers: signal.Signals) -> None:
        """Have the first signal stop the load and the second one stop waiting for it."""
        for number in set(numbers) - self._signals_watched:
            gevent.signal_handler(number, self._on_signal)
        self._signals_watched.update(numbers)

    def _on_signal(self) -> None:
        if self._signalled:
            self._hurry()
        else:
            self._begin_end(BY_SIGNAL)
            gevent.spawn(self._drain_and_quit)
        self._signalled = True

    def on_task_exit(self) -> None:
        """Stop because a user's task raised SystemExit, as if by a signal."""
        if not self._signalled:
            log.error("stopped, because a task raised SystemExit")
            self._on_signal()

    def _hurry(self) -> None:
        """Wait for no request any more, here or in any worker."""
        if self.load is not None:
            self.load.hurry()
        if self._collects and not self._sends:
            for worker in self._awaited():
                self._runner.send_message(HURRY, client_id=worker)

    @property
    def _is_due(self) -> bool:
        """Whether a run on the page has had its time: Locust's own timer begins a moment before ours."""
        if self._options.headless or self._plan is None or self._plan.duration_s is None:
            return False
        return clock() >= self._began + self._plan.duration_s - END_SLACK_S

    def _begin_end(self, cause: str) -> None:
        """Note what ends the run; what comes after it ends nothing any more."""
        self._ended_by = self._ended_by or cause

    def _end_on_time(self, directory: RunDirectory | None) -> None:
        if self.directory is not directory:
            return  # that run is over
        self._begin_end(ON_TIME)
        try:
            self.on_test_stopping()
        finally:
            self._leave()

    def _drain_and_quit(self) -> None:
        try:
            if self._collects:
                self.on_test_stopping()
            else:
                self.on_stop_message()
        finally:
            self._runner.quit()

    def _on_batch(self, batch: Batch) -> None:
        event = self._environment.events.request
        if any(not listener.__module__.startswith("locust.") for listener in event._handlers):
            # Locust's own listener, which is among these, counts them.
            if not locust_stats.fire(batch, event):
                gevent.spawn(self._runner.quit)
        else:
            locust_stats.merge(batch, self._environment.stats)

    def _on_locked(self, error: ConfigError) -> None:
        # Not here: on the loop nothing may block.
        if self._collects:
            gevent.spawn(self._give_up, error)
        else:
            gevent.spawn(self._runner.send_message, LOCKED, str(error))

    def _write_on(self) -> None:
        try:
            while self.load is not None and self.directory is not None:
                self._take_in("", self.load.take())
                gevent.sleep(WRITE_S)
        except OSError as error:
            self._give_up(error)

    def _take_in(self, sender: str, report: dict[str, Any]) -> None:
        """Write a process's rows, and stop the run if its last seconds miss an objective that says so."""
        assert self.directory is not None
        self.directory.append(report)
        if self.searching is not None:
            self.searching.see(sender, report)
        if self.totals is not None:
            self.totals.see(sender, report)
        seen = self._watch.see(sender, report)
        if seen is not None and self._ended_by is None and not self._judging:
            self._judging = True
            gevent.spawn(self._judge, self.directory, self._watch, seen)

    def _judge(self, directory: RunDirectory, watch: Watch, seen: Seen) -> None:
        # In a thread of its own: the loop must not wait for it.
        try:
            missed = gevent.get_hub().threadpool.apply(watch.missed, (seen,))
        finally:
            if self.directory is directory:
                self._judging = False
        if self.directory is not directory or self._ended_by is not None:
            return  # that run is over: without arrivals every rate is missed
        if missed is not None:
            self._begin_end(BY_OBJECTIVE)
            self._stopped_by = missed.text
            log.error("stopped, because it was missed: %s", missed.text)
            self._leave()

    def _leave(self) -> None:
        """Stop the test, and Locust, if it runs only for that."""
        (self._runner.quit if self._options.headless else self._runner.stop)()

    def _give_up(self, error: Exception) -> None:
        """Say why no run can be made, or be gone on with, and stop."""
        log.error("%s", error)
        self.refused = str(error)
        self._failed = self.exit_code = CANNOT
        gevent.spawn_later(0, self._leave)

    def _await_workers(self) -> None:
        assert self._plan is not None
        patience_s = self._plan.sending.limits.deadline_s + WORKER_SLACK_S
        with gevent.Timeout(patience_s, False):
            for worker in self._awaited():
                self._runner.send_message(STOP, client_id=worker)
            while self._awaited():
                gevent.sleep(WRITE_S)

    def _awaited(self) -> set[str]:
        """Workers that are here and have not sent their last rows yet."""
        return (self._workers & self._here()) - self._stopped

    def _here(self) -> set[str]:
        return {client.id for client in self._runner.clients.all if client.state != runners.STATE_MISSING}

    def _end(self, state: str) -> None:
        """End the run, in a greenlet of its own: Locust kills those that ask. Whoever comes second waits as well."""
        load, directory = self.load, self.directory
        self.load = self.directory = self.searching = self._rate_per_user = None
        if directory is not None:
            self._closing = gevent.spawn(self._close, load, directory, state)
        if self._closing is not None:
            self._closing.join()

    def _close(self, load: Load | None, directory: RunDirectory, state: str) -> None:
        self._writer.kill()
        try:
            if load is not None:
                last = load.take()
                directory.append(last)
                if self.totals is not None:
                    self.totals.see("", last)
                self._counts.update(load.counts)
            if self._csv is not None:
                self._csv.close()
            ended_at = datetime.now(UTC).isoformat(timespec="milliseconds")
            lost = len(self._workers - self._stopped)
            counts = dict(self._counts) or None
            directory.close(state, ended_at=ended_at, counts=counts, workers_lost=lost, stopped_by=self._stopped_by)
        except OSError as error:
            log.error("the run could not be written to its end: %s", error)
            self._failed = CANNOT
        code = analyse(directory.path, plots=not self._options.no_plots)
        self.ended += 1
        by_user = state == "interrupted" and self._stopped_by is None
        self.exit_code = self._failed or (INTERRUPTED if by_user else code)
