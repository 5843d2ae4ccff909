"""The load generators that are compared, each pinned to one core and measured from outside."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from cores import GENERATOR, on_core
from numpy.typing import NDArray
from tools import HERE, find
from works import JSON_BODY, LONG_TOKEN

MB = 1e6
POLL_S = 0.1


@dataclass(frozen=True)
class Seen:
    """What the system says of a process: its largest resident memory, its children's, how long others had its core."""

    peak_mb: float
    child_peak_mb: float
    waited_s: float


@dataclass(frozen=True)
class Run:
    """What a run of loadgate wrote."""

    directory: Path
    seen: Seen

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.directory / "run.json").read_text(encoding="utf-8"))

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.directory / "summary.json").read_text(encoding="utf-8"))

    def percentile_ms(self, measure: str, name: str) -> float:
        """A percentile as loadgate reports it."""
        return self.summary["latency"][measure][name]["value_s"] * 1000

    def lateness_ms(self, from_second: int = 0) -> NDArray[np.float64]:
        """The lateness of every request planned from that second on, by latency.csv."""
        with (self.directory / "latency.csv").open(encoding="utf-8") as file:
            late = [row for row in csv.DictReader(file) if row["measure"] == "lateness"]
        rows = [row["value_us"].split() * int(row["count"]) for row in late if int(row["second"]) >= from_second]
        return np.array([time_us for row in rows for time_us in row], float) / 1000


def loadgate(folder: Path, url: str, *options: str, token: str = LONG_TOKEN, launcher: Sequence[str] = ()) -> Run:
    """Run `loadgate run` with these options, started as `python -m loadgate` or by `launcher`."""
    directory = folder / f"run-{time.monotonic_ns()}"
    command = [sys.executable, *(launcher or ("-m", "loadgate")), "run", url, *options]
    seen = _run(
        [*command, f"--out={directory}", "--no-plots"],
        {"LOADGATE_TOKEN": token},
        folder,
        codes=(0, 3),  # 3: the run is invalid, and that is for the tables to show
    )
    return Run(directory, seen)


def same_body(folder: Path) -> str:
    """The option of loadgate for the body that the other tools send."""
    body = folder / "body.json"
    body.write_bytes(JSON_BODY)
    return f"--json={body}"


def k6(folder: Path, url: str, *, rate: int, duration_s: float, users: int) -> Seen:
    """Run k6's constant-arrival-rate on one core, with so many users made beforehand."""
    command = [str(find("k6")), "run", "--quiet", "--no-usage-report", "--no-summary"]
    plan = {"URL": url, "RATE": str(rate), "DURATION": f"{duration_s:g}s", "USERS": str(users), "TOKEN": LONG_TOKEN}
    return _run([*command, "--address=", str(HERE / "constant_rate.js")], {"GOMAXPROCS": "1", **plan}, folder)


def locust(folder: Path, url: str, *, users: int, spawn_rate: int) -> Seen:
    """Run Locust's FastHttpUser: so many users, one request each."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(HERE / "one_request_each.py"), "--headless"]
    return _run(
        [*command, f"--host={url}", f"--users={users}", f"--spawn-rate={spawn_rate}", "--only-summary"],
        {"TOKEN": LONG_TOKEN},
        folder,
    )


def start(command: Sequence[str], core: int, environment: Mapping[str, str], **options: Any) -> subprocess.Popen[str]:
    """Start a process of ours on one core."""
    with on_core(core):
        return subprocess.Popen(command, env={**os.environ, **environment}, text=True, **options)


def _run(command: Sequence[str], environment: Mapping[str, str], folder: Path, codes: Sequence[int] = (0,)) -> Seen:
    """Run a generator to its end and watch its memory. Raises ClickException with its last words if it fails."""
    log = folder / "generator.log"
    with log.open("w", encoding="utf-8") as output:
        process = start(command, GENERATOR, environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            seen = _watch(process)
        finally:
            process.kill()
            process.wait()
    if process.returncode not in codes:
        raise click.ClickException(
            f"{Path(command[0]).name} ended with {process.returncode}: {log.read_text()[-2000:]}"
        )
    return seen


def _watch(process: subprocess.Popen[str]) -> Seen:
    own, waited_ns, children = 0.0, 0, {}
    while process.poll() is None:
        own = max(own, _peak_mb(process.pid))
        # Running, waiting to run (in ns), and how often: of the main thread.
        waited_ns = max(waited_ns, int((_proc(process.pid, "schedstat") or "0 0").split()[1]))
        # The last one read counts: before its exec, a child shows the memory of its parent.
        children |= {child: peak for child in _children(process.pid) if (peak := _peak_mb(child))}
        time.sleep(POLL_S)
    return Seen(own, max(children.values(), default=0.0), waited_ns / 1e9)


def _peak_mb(process: int) -> float:
    status = _proc(process, "status").splitlines()
    return next((int(line.split()[1]) * 1024 / MB for line in status if line.startswith("VmHWM")), 0.0)


def _children(process: int) -> list[int]:
    return [int(word) for word in _proc(process, f"task/{process}/children").split()]


def _proc(process: int, name: str) -> str:
    try:
        return Path(f"/proc/{process}/{name}").read_text(encoding="utf-8")
    except OSError:
        return ""  # it has ended
