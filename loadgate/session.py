"""loadgate inside Locust, in the process that collects: one session, and one run for each test that it starts.

Locust says when a test starts and stops and how many users there are. What is sent, is sent `Here` or by `Workers`.
At the end the session has those who send drain, takes in their last rows, closes the run and has it analysed.
"""

import logging
import signal
import sys
from collections.abc import Callable, Mapping
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
from loadgate.errors import CANNOT, INTERRUPTED, ConfigError
from loadgate.gateway import Gateway
from loadgate.here import Here
from loadgate.live_samples import Seen
from loadgate.live_totals import LiveTotals
from loadgate.load import END_SLACK_S, Load, Report
from loadgate.locust_stats import LocustCsv
from loadgate.outlines import Outline
from loadgate.plan import Plan, plan
from loadgate.preflight import Weight
from loadgate.probe import Probe, probe
from loadgate.recording import Batch
from loadgate.run_directory import RunDirectory
from loadgate.shapes import CapacitySearch, OfPeak, outline_of
from loadgate.signals import Signals
from loadgate.watch import Watch
from loadgate.workers import Workers

TURN_S, POLL_S = 0.9, 0.05  # Locust asks a shape once a second
ON_TIME, BY_SIGNAL, BY_OBJECTIVE, BY_ERROR = "on time", "by a signal", "by an objective", "by an error"  # how runs end
BY_LOSS, BY_LOCUST = "by the loss of every worker", "by Locust"

log = logging.getLogger("loadgate")


class Session:
    """What loadgate keeps for one Locust environment. Its methods are Locust's event listeners."""

    def __init__(self, environment: Any) -> None:
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
        self._is_prepared, self._is_checked, self._is_beginning = False, False, False
        self._probe: Probe | None = None
        self._csv: LocustCsv | None = None
        self._failed = 0  # the exit code, if the run could not be made
        self._began = 0.0  # of the run, by `clock`
        self._ended_by: str | None = None  # what ended the run first
        self._rate_per_user: float | None = None  # instead of the plan's
        self._record: Record | None = None  # of the search that is to come
        self._watch = Watch((), None, 1)
        self._judging = False
        self._stopped_by: str | None = None  # the objective that did
        self._closing: gevent.Greenlet | None = None
        self._main = gevent.getcurrent()
        self._signals = Signals(self._on_signal, self._hurry)
        self.senders: Here | Workers = (
            Workers(environment, self._see, self._write, self._on_absence, self._on_locked)
            if isinstance(self._runner, runners.MasterRunner)
            else Here(self._take_in, self._on_batch, self._on_locked)
        )
        self._listen()

    def _listen(self) -> None:
        events = self._environment.events
        events.test_start.add_listener(self.on_test_start)
        events.test_stopping.add_listener(self.on_test_stopping)
        events.test_stop.add_listener(self.on_test_stop)
        events.reset_stats.add_listener(self.on_reset_stats)
        events.quitting.add_listener(self.on_quitting)

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
        if options.headless:
            # The end is ours: Locust's own stop looks through the stack for its caller, and every request in flight
            # would wait for that.
            options.duration_s, options.run_time = options.duration_s or options.run_time, None
        else:
            options.duration_s, options.run_time = None, options.run_time or options.duration_s
        options.host = self._environment.host
        load_plan = plan(options, self._environment.user_classes)
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

    def gather(self) -> None:
        """Wait for the workers that are expected, and check them. Raises ConfigError."""
        assert self._plan is not None
        self.senders.await_all(self._options.expect_workers, self._options.expect_workers_max_wait)
        self.senders.check(self._plan, self._options)
        self._is_checked = True

    def forget(self) -> None:
        """Check and encode everything anew before the next test, whatever was prepared."""
        self._is_prepared = self._is_checked = False

    # ---- Locust's events

    def on_test_start(self, **_: Any) -> None:
        """Begin a run: its plan, its directory, its load."""
        self.refused, self.totals, self.was_reset, self._is_beginning = "", None, False, True
        try:
            if not self._is_prepared:
                self.prepare()
            assert self._plan is not None
            if not self._is_checked:
                self.senders.check(self._plan, self._options)
            self._is_prepared = self._is_checked = False
            self._begin(self._plan)
        except (ConfigError, OSError) as error:
            self._give_up(error)
            return
        finally:
            self._is_beginning = False
        ends_itself = self._environment.shape_class is not None and not self._options.headless
        if self._plan.duration_s and not ends_itself:
            # Locust's own timer is forgotten as soon as somebody changes the load.
            gevent.spawn_later(self._plan.duration_s, self._end_on_time, self.directory)
        if self._options.headless:
            self._signals.watch(signal.SIGINT, signal.SIGTERM)

    def on_test_stopping(self, **_: Any) -> None:
        """Have those who send stop arrivals and wait for what is in flight."""
        self._begin_end(ON_TIME if self._is_due else BY_LOCUST if self.senders.count else BY_LOSS)
        if self.directory is not None:
            self.senders.drain(by_signal=self._ended_by == BY_SIGNAL)

    def on_test_stop(self, **_: Any) -> None:
        """End the run, and analyse it."""
        has_end = self._record is not None or (self._plan is not None and self._plan.duration_s is not None)
        as_planned = self._ended_by == ON_TIME or (self._ended_by == BY_LOCUST and not has_end)
        self._end("complete" if as_planned else "interrupted")
        if self._ended_by == BY_LOSS and self._options.headless:
            gevent.spawn(self._runner.quit)  # Locust only stops; and not here: it kills the greenlet that asks

    def on_quitting(self, **_: Any) -> None:
        """Locust goes: a run that is still on is an interrupted one."""
        if self._signals.came and gevent.getcurrent() is not self._main:
            Event().wait()  # Locust's handler of SIGTERM, whose end would be main's too: ours stops the run
        self.on_test_stopping()
        self._end("interrupted")
        self._environment.process_exit_code = self.exit_code

    def on_reset_stats(self, **_: Any) -> None:
        """Count anew what the page shows; the run has all of it."""
        if self.totals is not None:
            self.totals, self.was_reset = LiveTotals(self.gateway.timeout_s), True

    # ---- what the page tells and changes

    @property
    def is_on(self) -> bool:
        """Whether a test is on, from the moment that Locust begins with it."""
        is_held = self._is_beginning or self.directory is not None
        return self.is_shown or self._runner.shape_greenlet is not None or is_held

    @property
    def is_shown(self) -> bool:
        """Whether Locust's page would show that a test is on, which it does a little later."""
        return self._runner.state not in (runners.STATE_INIT, runners.STATE_STOPPED)

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
    def load(self) -> Load | None:
        """What this process sends itself, if anything."""
        return self.senders.load

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
                gevent.sleep(POLL_S)
        except OSError as error:
            self._on_unwritable(error)
        return True

    def _begin_search(self, load_plan: Plan, directory: RunDirectory, senders: int) -> None:
        began, self._rate_per_user = self._began, None
        if self._record is not None:
            directory.keep(self._record)
            self.searching = Searching(
                self._record, load_plan, senders, self._set_rate, directory.keep, lambda: clock() - began
            )
            self._rate_per_user = 0.0  # until its first level

    def _set_rate(self, rate_per_s: float) -> None:
        self.send_rate(rate_per_s / self._runner.target_user_count)

    def send_rate(self, rate_per_user: float | None) -> None:
        """Have every user here and elsewhere stand for this rate."""
        self._rate_per_user = rate_per_user
        self.senders.send_rate(rate_per_user)

    # ---- inside

    def _begin(self, load_plan: Plan) -> None:
        self._failed = 0
        users, senders = self._runner.target_user_count, self.senders.count
        self._ended_by, self._stopped_by, self._judging = None, None, False
        path = manifest.free(self._path)  # somebody else may have been as fast
        description = manifest.describe(
            path, load_plan, self._options, users, self._probe, senders, self._asked(self._record)
        )
        timeout_s, ramp_s = load_plan.sending.limits.gateway.timeout_s, description["load"]["ramp_s"]
        self._watch = Watch(load_plan.slo, timeout_s, senders, ramp_s)
        self.directory = RunDirectory(path, description, load_plan.sending.limits.gateway.advice)
        self._csv = LocustCsv(self._environment, path, self._on_unwritable)
        self.totals = None if self._options.headless else LiveTotals(timeout_s)
        self._began = clock()
        self._begin_search(load_plan, self.directory, senders)
        is_watched = load_plan.is_watched or self.searching is not None or not self._options.headless
        self.senders.begin(load_plan, self._rate_per_user, description, is_watched=is_watched)

    def _on_signal(self) -> None:
        self._begin_end(BY_SIGNAL)
        gevent.spawn(self._drain_and_quit)

    def on_task_exit(self) -> None:
        """Stop because a user's task raised SystemExit, as if by a signal."""
        if not self._signals.came:
            log.error("stopped, because a task raised SystemExit")
            self._signals.come()

    def _hurry(self) -> None:
        """Wait for no request any more, here or in any worker."""
        self.senders.hurry()

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
            self.on_test_stopping()
        finally:
            self._runner.quit()

    def _on_batch(self, batch: Batch) -> None:
        if not locust_stats.tell(batch, self._environment):
            gevent.spawn(self._runner.quit)

    def _on_locked(self, error: Exception) -> None:
        """Somebody's key pair is about to be locked: end the run for all of them, once."""
        if not self._failed:
            self._give_up(error)

    def _take_in(self, sender: str, report: Report) -> None:
        """Write a process's rows, and have them seen."""
        self._write(report)
        self._see(sender, report)

    def _write(self, report: Report, taken: Mapping[int, int] | None = None) -> bool:
        if self.directory is None:
            return False
        try:
            self.directory.append(report, taken)
        except OSError as error:
            self._on_unwritable(error)
        return not self.directory.is_cut_off

    def _on_absence(self, known: dict[str, Any]) -> None:
        """Have the manifest tell which workers are away: the master may be gone at the end."""
        if self.directory is None:
            return
        try:
            self.directory.note(**known)
        except OSError as error:
            self._on_unwritable(error)

    def _see(self, sender: str, report: Report) -> None:
        """Show a process's rows to those who watch, and stop the run if its last seconds miss an objective."""
        if self.directory is None:
            return
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

    def _on_unwritable(self, error: OSError) -> None:
        """End the run, whose rows or files have no room any more: once, as all of them are in one place."""
        if not self._failed:
            self._give_up(OSError(f"stopped, because {error}"))

    def _give_up(self, error: Exception) -> None:
        """Say why no run can be made, or be gone on with, and stop."""
        log.error("%s", error)
        self._begin_end(BY_ERROR)
        self.refused = str(error)
        self._failed = self.exit_code = CANNOT
        gevent.spawn_later(0, self._leave)

    def _end(self, state: str) -> None:
        """End the run, in a greenlet of its own: Locust kills those that ask. Whoever comes second waits as well."""
        directory = self.directory
        self.directory = self.searching = self._rate_per_user = None
        if directory is not None:
            self.exit_code = CANNOT  # until the run is closed
            self._closing = gevent.spawn(self._close, directory, state)
        if self._closing is not None:
            self._closing.join()

    def _close(self, directory: RunDirectory, state: str) -> None:
        ending, workers = self.senders.end(), len(self.senders.names)
        fields: dict[str, Any] = {
            "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "counts": ending.counts or None,
            "workers": workers or 1,
            "workers_lost": ending.lost,
            "absences": ending.absences,
            "workers_left": ending.left,
            "stopped_by": self._stopped_by,
        }
        self._write_end(lambda: directory.close("interrupted" if self._failed else state, **fields))
        if self._csv is not None:
            self._write_end(self._csv.close)
        code = analyse(directory.path, plots=not self._options.no_plots)
        self.ended += 1
        by_user = state == "interrupted" and self._ended_by not in (BY_OBJECTIVE, BY_LOSS)
        self.exit_code = self._failed or (INTERRUPTED if by_user else code)

    def _write_end(self, write: Callable[[], None]) -> None:
        """Write what belongs to the end. What has no room must not keep the rest from its own."""
        try:
            write()
        except OSError as error:
            if not self._failed:
                log.error("the run could not be written to its end: %s", error)
            self._failed = CANNOT
