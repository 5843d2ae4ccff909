"""A master and its workers, each a process with a folder, a token and a log of its own."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conftest import PATIENCE_S, PYTHON, Finished, environment

POLL_S = 0.05


class Beside:
    """A command that runs beside the test."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        token: str | None = None,
        environ: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        """`inside` are words before the command, as `ip netns exec NAME`."""
        folder.mkdir(exist_ok=True)
        self.folder, self.words = folder, words
        self._stdout, self._stderr = folder / "stdout.txt", folder / "stderr.txt"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [*inside, *PYTHON, *words],
                cwd=folder,
                env=environment(token) | dict(environ or {}),
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it wrote to stderr so far."""
        return self._stderr.read_text(encoding="utf-8")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, patience_s: float = PATIENCE_S) -> int:
        """Wait for its end, and give its exit code."""
        return self.process.wait(patience_s)

    def finished(self, run: Path, patience_s: float = PATIENCE_S) -> Finished:
        code = self.ended(patience_s)
        return Finished(code, self._stdout.read_text(encoding="utf-8"), self.said, run)

    def left(self) -> list[Path]:
        """The run directories that it wrote into its folder."""
        return sorted(path.parent for path in self.folder.glob("reports/*/run.json"))

    def end(self) -> None:
        """Kill it, if it is still there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()


class Cluster:
    """A master with its workers, and the run that they make."""

    def __init__(self, master: Beside, workers: list[Beside], run: Path) -> None:
        self.master, self.workers, self.run = master, workers, run

    def timeline(self) -> list[dict[str, str]]:
        """Its rows so far."""
        return timeline(self.run)

    def await_reports(self, workers: int | None = None) -> None:
        """Wait until each of so many workers, or of all, has reported what it sent."""
        expected = len(self.workers) if workers is None else workers
        self.await_that(lambda: sum(row["second"] == "0" for row in self.timeline()) >= expected)

    def senders(self, at_s: int) -> list[float]:
        """What those who sent in that second were to send a second."""
        return [float(row["target_per_s"]) for row in self.timeline() if int(row["second"]) == at_s]

    def await_that(self, condition: Any, patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not condition():
            assert self.master.process.poll() is None, self.master.said
            assert time.monotonic() < deadline, self.master.said
            time.sleep(POLL_S)

    def finished(self, patience_s: float = PATIENCE_S) -> Finished:
        """Wait for the end of the master."""
        return self.master.finished(self.run, patience_s)


def timeline(run: Path) -> list[dict[str, str]]:
    """A run's rows so far, of all workers; whole lines only."""
    path = run / "timeline.csv"
    whole, _, _ = (path.read_text("utf-8") if path.exists() else "").rpartition("\n")
    return list(csv.DictReader(whole.splitlines()))


def reported(*runs: Path, out: Path) -> tuple[int, dict[str, Any], str]:
    """Read runs as one: exit code, summary and what was said."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "loadgate", "report", *map(str, runs), "--no-plots", f"--out={out}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    path = out / "summary.json"
    return done.returncode, json.loads(path.read_text("utf-8")) if path.exists() else {}, done.stderr
