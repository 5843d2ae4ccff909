"""Hours of a load in simulated time: `eight_hours.py FOLDER HOURS` prints what each of them left in memory, as JSON.

Everything is real but the clock and the wire. Requests are told to the load as its engine tells them; its rows go to
all that takes them in the process that collects, with an objective that may end the run.
"""

from locust import stats as locust_stats  # isort: skip - first of all: it patches the process

import csv
import ctypes
import gc
import io
import json
import math
import os
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from locust.env import Environment

from analysis.objectives.objective import objective
from analysis.outcomes import Outcome
from loadgate import collector, engine, load, pacer, seconds
from loadgate import locust_stats as ours
from loadgate.answers import Answer, Finding, judge
from loadgate.credential import Bearer
from loadgate.engine import Limits
from loadgate.exchange import Exchange
from loadgate.gateway import Gateway
from loadgate.live_totals import LiveTotals
from loadgate.load import Load, Share
from loadgate.locust_stats import LocustCsv
from loadgate.payloads import Payload
from loadgate.plan import Plan, Sending
from loadgate.run_directory import RunDirectory
from loadgate.target import Target
from loadgate.watch import Watch

USERS = ("cats", "dogs")
TIMEOUT_S, WATCHED_S = 40.0, 30
OK_PER_S, REPORT_S, CHART_S, CSV_S, LOOK_S = 5, 6, 5, 60, 120
BEGAN_S = 1_764_000_000.0


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return BEGAN_S + self.now_s


def simulated() -> Clock:
    """Have all that asks for the time ask this clock, and nothing wait."""
    clock = Clock()
    for module in (load, seconds, engine, pacer, collector):
        module.clock = clock
    pacer.LONGEST_WAIT_S = pacer.TURN_S = 0.0
    locust_stats.time = ours.time = SimpleNamespace(time=clock.wall)
    return clock


class Collector:
    """What takes in the rows of a run, as a session does it."""

    def __init__(self, folder: Path) -> None:
        self.environment = Environment()
        self.environment.create_local_runner()
        self.directory = RunDirectory(folder, {"state": "running", "gateway": {}}, {"no room": "Wait."})
        self.totals = LiveTotals(TIMEOUT_S)
        self.watch = Watch([objective(f"p50<30s over {WATCHED_S}s stop")], TIMEOUT_S, 1)
        self.csv = LocustCsv(self.environment, folder, self.fail)
        self.csv._greenlet.kill()  # it would wait in real time

    def fail(self, error: OSError) -> None:
        raise error

    def take(self, report: dict[str, list[Any]], at_s: int, now: float) -> None:
        self.directory.append(report)
        self.totals.see("", report)
        seen = self.watch.see("", report)
        if seen is not None and at_s % LOOK_S == 0:
            assert self.watch.missed(seen) is None
            assert sum(self.totals.now().ended.outcome_counts().values()) > 0
        if at_s % CSV_S == 0:
            writer = self.csv._writer
            writer._stats_history_data_rows(writer.stats_history_csv_writer, now)
            writer.requests_csv(csv.writer(io.StringIO()))


class Requests:
    """A second's requests of several kinds: what they say is new in each of them."""

    def __init__(self, began: Load, sending: Sending, clock: Clock) -> None:
        self._load, self._gateway, self._clock, self._chance = began, sending.limits.gateway, clock, random.Random(1)
        self._requests = sending.encode([Payload(name, "file", "text/plain", b"x") for name in USERS])
        self._number = 0

    def end(self, at_s: float) -> None:
        for number in range(OK_PER_S):
            took_s = min(self._chance.lognormvariate(math.log(0.08), 0.5), TIMEOUT_S)
            self._tell(at_s + number / OK_PER_S, took_s, 200, b"{}")
        self._tell(at_s, TIMEOUT_S, 504, self._says("no answer"))
        self._tell(at_s, 0.01, 500, self._says("failed"))
        self._tell(at_s, 0.01, 429, self._says("too many"))
        self._tell(at_s, TIMEOUT_S + 5, None, b"")
        self._number += 1
        reset = Finding(Outcome.CONNECTION_ERROR, "", f"reset {self._number}")
        self._load._on_done(self._exchange(at_s, 0.02, reset.outcome), reset, None)

    def _says(self, words: str) -> bytes:
        self._number += 1
        return json.dumps({"error_code": f"E.{self._number}", "error_msg": f"{words} {self._number:x}"}).encode()

    def _tell(self, planned: float, took_s: float, status: int | None, body: bytes) -> None:
        if status is None:
            answer, finding = None, Finding(Outcome.CLIENT_TIMEOUT, "", "no answer within 45 s")
        else:
            answer = Answer(status, {b"content-type": b"application/json"}, body)
            finding = judge(answer, self._requests[0].payload, None, self._gateway)
        self._load._on_done(self._exchange(planned, took_s, finding.outcome), finding, answer)

    def _exchange(self, planned: float, took_s: float, outcome: Outcome) -> Exchange:
        made = Exchange(self._chance.choice(self._requests), planned, planned + 0.0001, b"")
        made.uploaded, made.done, made.outcome = planned + 0.0002, planned + took_s, outcome
        made.first_byte = None if took_s > TIMEOUT_S else made.done
        return made


def plan_of(sending: Sending) -> Plan:
    requests = {"open": sending.encode([Payload("dropped", "file", "text/plain", b"x")])}
    live = (objective(f"p50<30s over {WATCHED_S}s stop"),)
    return Plan(sending, requests, [], "open", False, "poisson", 1.0, 0.0, None, 1, live)


def main(folder: Path, hours: int) -> None:
    clock = simulated()
    # With room for none in flight, all that the pacer starts is dropped on the spot.
    limits = Limits(Gateway("test", TIMEOUT_S, None), 5.0, 0)
    credential = Bearer("token", "X-Auth-Token", "", "secret")
    sending = Sending(Target("localhost", 1, "/v1", tls=False), [], limits, credential, None)
    collecting = Collector(folder)
    began = Load(
        plan_of(sending), Share(), lambda batch: ours.merge(batch, collecting.environment.stats), collecting.fail
    )
    began._folder.kill()  # as above
    began.add_user("one", "open")
    requests = Requests(began, sending, clock)
    left = []
    for second in range(3600 * hours):
        requests.end(float(second))
        clock.now_s = second + 1.0
        began._pacer._start_due(clock.now_s)
        began._rows["timeline"] += began._seconds.rows()
        if (second + 1) % REPORT_S == 0:
            began._fold()
            began._make_rows()
            collecting.take(began.take(), second + 1, clock.wall())
        if (second + 1) % 3600 == 0:
            left.append(memory())
    charts_of = collecting.environment.stats.history
    before = memory()
    for _ in range(3600 // CHART_S):
        locust_stats.update_stats_history(collecting.environment.runner)
    after, charts_of[:] = memory(), []
    clock.now_s += 60.0
    began.drain()
    collecting.take(began.take(), 1, clock.wall())
    collecting.directory.close("complete", counts=began.counts)
    collecting.csv.close()
    total = collecting.environment.stats.total
    print(
        json.dumps(
            {
                "blocks": [each[0] for each in left],
                "bytes": [each[1] for each in left],
                "charts_bytes_per_h": after[1] - before[1],
                "requests": total.num_requests,
                "planned": began.counts["planned"],
                "errors": len(collecting.environment.stats.errors),
            }
        )
    )


def memory() -> tuple[int, int]:
    """Python's blocks of memory, and bytes of the process that are resident."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return sys.getallocatedblocks(), resident_pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
