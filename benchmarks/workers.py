"""What workers cost their master: a real master, and simulated workers that report what so many requests/s would make.

Each simulated worker speaks the real protocol over a connection of its own, and reports what was folded from requests
of a lognormal service. Asked for: a master in real time with 200 of them, and less than 5 % of a core for ten.
"""

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from importlib import metadata  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
import msgpack  # noqa: E402
import numpy as np  # noqa: E402
import zmq.green as zmq  # noqa: E402
from locust import __version__ as locust_version  # noqa: E402
from locust.stats import RequestStats  # noqa: E402

from analysis.run_format import MEASURES  # noqa: E402
from loadgate import locust_stats  # noqa: E402
from loadgate.load import no_rows  # noqa: E402
from loadgate.messages import BEGIN, CHECK, CHECKED, REPORT, STOP, TAKEN  # noqa: E402
from loadgate.payloads import load  # noqa: E402
from loadgate.recording import Batch  # noqa: E402
from loadgate.terms import PROGRAMS, Terms  # noqa: E402
from loadgate.worker_report import COUNTED, WorkerReport, as_message  # noqa: E402

PYTHON = [sys.executable, "-P", "-m", "loadgate"]
INTERVAL_S, HEARTBEAT_S = 3, 1
TICKS = os.sysconf("SC_CLK_TCK")
NAME = "iris.json"


def batch_of(rate: int, seed: int) -> Batch:
    """Requests of one second: lognormal service times, and what goes with them."""
    random = np.random.default_rng(seed)
    service = random.lognormal(np.log(0.05), 0.4, rate)
    times_s = np.full((len(MEASURES), rate), np.nan)
    for measure, values in {
        "response": service + 2e-4,
        "service": service,
        "lateness": random.exponential(2e-4, rate),
        "first_byte": service - 1e-4,
        "upload": random.exponential(1e-4, rate),
    }.items():
        times_s[MEASURES.index(measure)] = values
    zeros = np.zeros(rate, np.int64)
    return Batch(zeros, zeros, zeros, times_s, np.full(rate, 200), [NAME])


class Reporter:
    """Makes the reports of workers of one rate: INTERVAL_S seconds each."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._batches = [batch_of(rate, seed) for seed in range(INTERVAL_S)]
        self._rows = [list(batch.histogram().rows()) for batch in self._batches]
        stats = RequestStats()
        for batch in self._batches:
            locust_stats.merge(batch, stats)
        self._locusts = {
            "stats": stats.serialize_stats(),
            "stats_total": stats.total.get_stripped_report(),
            "errors": {},
            "user_classes_count": {"Requests": self._rate},
            "user_count": self._rate,
        }

    def report(self, run: str, number: int) -> dict[str, Any]:
        """The report of this number, of the seconds that it tells of."""
        first = number * INTERVAL_S
        rows = no_rows()
        for second, of_second in enumerate(self._rows, first):
            rows["latency"] += [(second, *row[1:]) for row in of_second]
            counts = (self._rate,) * 3
            rows["timeline"].append((second, self._rate, float(self._rate), *counts, 0, 0, 5, 0.3, 1.0, 2.0, 0.1))
        return self._locusts | {
            REPORT: {"run": run, "reports": as_message([(number, WorkerReport(rows, None))])},
        }

    def last(self, run: str, number: int) -> dict[str, Any]:
        """The last one: the counts."""
        sent = number * INTERVAL_S * self._rate
        counts = dict.fromkeys(COUNTED, 0) | {"planned": sent, "sent": sent, "finished": sent}
        return self._locusts | {
            REPORT: {"run": run, "reports": as_message([(number, WorkerReport(no_rows(), counts))])},
            "stats": [],
        }


class Simulated:
    """One worker: a connection, heartbeats, and reports on time."""

    def __init__(self, context: Any, address: str, place: int, reporter: Reporter) -> None:
        self.answer_s: list[float] = []  # until the master said that it has a report
        self.late_s = 0.0  # this process itself, at most
        self._id, self._reporter = f"simulated-{place}_{place:032x}", reporter
        self._offset_s = place * 0.618 % 1 * INTERVAL_S  # real workers do not report at once
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, self._id.encode())
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(f"tcp://{address}")
        self._state, self._run, self._number, self._sent_at = "ready", "", 0, 0.0
        self._stopped = False
        self._send("client_ready", locust_version)
        self._greenlets = [gevent.spawn(self._beat), gevent.spawn(self._listen)]

    def close(self) -> None:
        """Say nothing more."""
        gevent.killall(self._greenlets)
        self._socket.close()

    def _send(self, kind: str, data: Any) -> None:
        self._socket.send(msgpack.dumps((kind, data, self._id)))

    def _beat(self) -> None:
        while True:
            self._send("heartbeat", {"state": self._state, "current_cpu_usage": 10})
            gevent.sleep(HEARTBEAT_S)

    def _listen(self) -> None:
        while True:
            kind, data, _ = msgpack.loads(self._socket.recv(), strict_map_key=False)
            if kind == CHECK:
                self._send(CHECKED, {"id": data["id"], "terms": terms().as_message(), "clock": time.time()})
            elif kind == BEGIN:
                self._run = data["run"]
                self._greenlets.append(gevent.spawn(self._report_on))
            elif kind == "spawn":
                self._state = "running"
                self._send("spawning_complete", {"user_classes_count": data["user_classes_count"], "user_count": 0})
            elif kind == TAKEN and self._sent_at:
                self.answer_s.append(time.perf_counter() - self._sent_at)
            elif kind == STOP:
                self._stopped, self._sent_at = True, time.perf_counter()
                self._send("stats", self._reporter.last(self._run, self._number))

    def _report_on(self) -> None:
        began = time.perf_counter() + self._offset_s
        while not self._stopped:
            due = began + (self._number + 1) * INTERVAL_S
            gevent.sleep(max(due - time.perf_counter(), 0))
            if self._stopped:
                return
            self.late_s = max(self.late_s, time.perf_counter() - due)
            report = self._reporter.report(self._run, self._number)
            self._number += 1
            self._sent_at = time.perf_counter()
            self._send("stats", report)


def terms() -> Terms:
    """What `loadgate run` with its sample body has."""
    (payload,) = load("json", [], field="images", base64_field="image")
    return Terms({name: metadata.version(name) for name in PROGRAMS}, {"Requests": [[payload.source, payload.digest]]})


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measured(folder: Path, url: str, token: str, workers: int, rate: int, seconds: int) -> dict[str, Any]:
    """A run with so many simulated workers, each of so many requests/s."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{chosen.getsockname()[1]}"
    run = folder / f"run-{workers}-{rate}"
    words = [f"--workers={workers}", f"--listen={address}", f"--rate={workers}", f"--duration={seconds}s", "--no-plots"]
    master = subprocess.Popen(
        [*PYTHON, "run", url, *words, f"--out={run}"],
        env=os.environ | {"LOADGATE_TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    reporter = Reporter(rate)
    with zmq.Context() as context:
        simulated = [Simulated(context, address, place, reporter) for place in range(workers)]
        while not (run / "latency.csv").exists():
            gevent.sleep(0.05)
            if master.poll() is not None:
                raise click.ClickException(master.stderr.read())
        began, before_s = time.perf_counter(), cpu_s(master.pid)
        gevent.sleep(seconds - 1)
        used = (cpu_s(master.pid) - before_s) / (time.perf_counter() - began)
        while master.poll() is None:
            gevent.sleep(0.05)
        answers = [answer for worker in simulated for answer in worker.answer_s]
        sent = sum(worker._number for worker in simulated) * INTERVAL_S * rate
        late_s = max(worker.late_s for worker in simulated)
        for worker in simulated:
            worker.close()
    manifest = json.loads((run / "run.json").read_text())
    counted = json.loads((run / "summary.json").read_text())["outcomes"]
    if manifest["counts"]["finished"] != sent or Counter(counted) != Counter({"ok": sent}):
        raise click.ClickException(f"{sent:,} were reported, but counted are {counted}")
    size = sum(file.stat().st_size for file in run.iterdir() if file.suffix == ".csv")
    return {
        "cores": used,
        "answer_s": statistics.median(answers),
        "slowest_s": max(answers),
        "late_s": late_s,
        "mb_per_h": size / seconds * 3600 / 1e6,
    }


def row(workers: int, rate: int, found: dict[str, Any]) -> str:
    cells = (
        f"{workers}",
        f"{rate:,}",
        f"{found['cores']:.3f}",
        f"{found['cores'] / workers * 10:.1%}",
        f"{found['answer_s']:.1f} s",
        f"{found['slowest_s']:.1f} s" + (f" (we: {found['late_s']:.1f} s late)" if found["late_s"] > 1 else ""),
        f"{found['mb_per_h']:,.0f}",
    )
    return f"| {' | '.join(cells)} |"


@click.command()
@click.option("--workers", type=int, multiple=True, default=(10, 50, 200), show_default=True)
@click.option("--rate", type=int, multiple=True, default=(100, 1000), show_default=True, help="Requests/s of each.")
@click.option("--seconds", type=click.IntRange(12), default=30, show_default=True)
def main(workers: tuple[int, ...], rate: tuple[int, ...], seconds: int) -> None:
    """Print what the master takes, and how soon it has a report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        service = subprocess.Popen(
            [*PYTHON, "serve", "--port=0", f"--write-token={folder / 'token'}"], stdout=subprocess.PIPE, text=True
        )
        try:
            url = service.stdout.readline().split()[1]
            token = (folder / "token").read_text()
            click.echo(
                "| workers | requests/s of each | cores of the master | for ten | answer | slowest | MB an hour |"
            )
            click.echo("|---:|---:|---:|---:|---:|---:|---:|")
            for each in rate:
                for count in workers:
                    click.echo(row(count, each, measured(folder, url, token, count, each, seconds)))
        finally:
            service.terminate()
            service.wait()


if __name__ == "__main__":
    main()
