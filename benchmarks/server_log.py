"""The timed server as a process of ours, and what its log says."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cores import SERVICE
from generators import start
from numpy.typing import NDArray
from tools import HERE

Times = NDArray[np.float64]


@dataclass
class Served:
    """A server's URL, and once it has ended what it saw: moments of the monotonic clock, in order of arrival."""

    url: str
    arrived: Times = field(default_factory=lambda: np.empty(0))
    answered: Times = field(default_factory=lambda: np.empty(0))
    stalled: tuple[float, float] = (0.0, 0.0)


@contextmanager
def timed_server(folder: Path, *options: str) -> Iterator[Served]:
    """Have a timed server on its core; its log is read when the block ends."""
    log = folder / "server.csv"
    command = [sys.executable, str(HERE / "timed_server.py"), f"--log={log}", *options]
    with start(command, SERVICE, {}, stdout=subprocess.PIPE) as process:
        try:
            served = Served(process.stdout.readline().split()[1])
            yield served
        finally:
            process.terminate()
        words = process.stdout.read().split()
    rows = np.loadtxt(log, delimiter=",", skiprows=1, ndmin=2)
    served.arrived, served.answered = rows[np.argsort(rows[:, 0], kind="stable")].T
    if words:
        served.stalled = (float(words[1]), float(words[2]))


def lateness_ms(arrived: Times, rate: float) -> Times:
    """How late each arrival was against an even grid that is as late as it can be without an early arrival."""
    late = arrived - np.arange(len(arrived)) / rate
    return (late - late.min()) * 1000


def percentile(values: Times, share: float) -> float:
    """A percentile by nearest rank, as loadgate counts them."""
    return float(np.percentile(values, share, method="inverted_cdf"))
