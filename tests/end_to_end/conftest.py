"""Real processes: the stand-in service, and loadgate or Locust against it, as a user runs them."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import browsing
import pytest
import requests

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-P", "-m"]
PATIENCE_S = 60
TIMEOUT_S = 10  # of one answer of a page
INTERRUPT_AFTER_S = 1.0

# Started in a script's background we would ignore Ctrl-C, and so would the commands that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


class StandIn:
    """A running stand-in service and what it knows about its requests."""

    def __init__(
        self, folder: Path, *options: str, environ: dict[str, str] | None = None, inside: Sequence[str] = ()
    ) -> None:
        """`inside` are words before the command, as `ip netns exec NAME`."""
        self.truth_file, token_file = folder / "truth.csv", folder / "token"
        command = [
            *inside,
            *PYTHON,
            "loadgate",
            "serve",
            "--port=0",
            f"--truth={self.truth_file}",
            f"--write-token={token_file}",
        ]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, text=True, env=os.environ | (environ or {})
        )
        assert self.process.stdout is not None
        word, _, self.url = self.process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        self.token = token_file.read_text(encoding="utf-8")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def truth(self) -> list[dict[str, str]]:
        """Its rows, complete because it has stopped."""
        if self.process.poll() is None:
            self.stop()
        return self.rows()

    def rows(self) -> list[dict[str, str]]:
        """Those so far."""
        with self.truth_file.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


class Finished:
    """A command that ended, and the run it wrote."""

    def __init__(self, code: int, stdout: str, stderr: str, run: Path) -> None:
        self.code, self.stdout, self.stderr, self.run = code, stdout, stderr, run

    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.run / "run.json").read_text(encoding="utf-8"))
        return manifest

    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.run / "summary.json").read_text(encoding="utf-8"))
        return summary

    def assert_sound(self, *but: str) -> None:
        """The run is valid, or invalid because this machine was too busy to send in time; or for what is in `but`."""
        serious = {caution["name"] for caution in self.summary()["cautions"] if caution["serious"]}
        assert serious <= {"generator_late", *but}, serious
        assert self.code == (3 if serious else 0), self.stderr

    def outcomes(self) -> Counter[str]:
        """Outcome counts from the raw rows, without our own reader."""
        counts: Counter[str] = Counter()
        for row in self.rows("latency.csv"):
            if row["measure"] == "response":
                counts[row["outcome"]] += int(row["count"]) * max(len(row["value_us"].split()), 1)
        return counts

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.run / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Callable[..., StandIn]]:
    """Start a stand-in with these options; it stops with the test."""
    started: list[StandIn] = []

    def start(*options: str, **fields: Any) -> StandIn:
        folder = tmp_path / f"stand-in-{len(started)}"
        folder.mkdir()
        started.append(StandIn(folder, *options, **fields))
        return started[-1]

    yield start
    for service in started:
        if service.process.poll() is None:
            service.stop()


def environment(token: str | None) -> dict[str, str]:
    """The environment without anybody's token but this one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOADGATE_", "LOCUST_"))}
    return clean if token is None else clean | {"LOADGATE_TOKEN": token}


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Finished]:
    """Run `loadgate ...` or `locust ...` to its end, in an empty folder, with its run in `tmp_path/run`.

    With a `core` it runs there, and as one that others come before.
    """

    def execute(
        *words: str,
        token: str | None = None,
        environ: dict[str, str] | None = None,
        out: bool = True,
        interrupt: str = "",
        core: int | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Finished:
        run, folder = tmp_path / "run", tmp_path / "cwd"
        folder.mkdir(exist_ok=True)
        arguments = [*PYTHON, *words, *([f"--out={run}"] if out else [])]
        if core is not None:
            arguments = ["nice", "-n", "19", "taskset", "--cpu-list", str(core), *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(
            arguments, cwd=folder, env=environment(token) | (environ or {}), start_new_session=True, **pipes
        ) as process:
            if interrupt:
                wait_for(run / "latency.csv")
                time.sleep(INTERRUPT_AFTER_S)
                # As a terminal does it: the whole group hears it, workers too.
                os.killpg(process.pid, signal.Signals[interrupt])
            stdout, stderr = process.communicate(timeout=patience_s)
        return Finished(process.returncode, stdout, stderr, run)

    return execute


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start a command in a folder of its own, by name; it ends with the test."""
    from cluster import Beside

    started: list[Beside] = []

    def start(name: str, *words: str, **fields: Any) -> Beside:
        started.append(Beside(tmp_path / name, *words, **fields))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def cluster(beside: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Start a master on a free port, with workers that have its token; `environs` are of theirs, `masters` is its.

    It waits for all `workers`, of which so many are `started`.
    """
    from cluster import Cluster

    def start(
        service: StandIn,
        *words: str,
        workers: int = 2,
        started: int | None = None,
        environs: Sequence[dict[str, str]] | None = None,
        masters: dict[str, str] | None = None,
    ) -> Cluster:
        port, run = free_port(), tmp_path / "run"
        command = [*master_words(service.url, port, run, workers), *words]
        master = beside("master", *command, token=service.token, environ=masters)
        ours = [
            beside(f"worker-{n}", "loadgate", "worker", f"127.0.0.1:{port}", token=service.token, environ=environ)
            for n, environ in enumerate(environs or [{}] * (workers if started is None else started))
        ]
        return Cluster(master, ours, run)

    return start


def master_words(url: str, port: int, run: Path, workers: int, host: str = "127.0.0.1") -> list[str]:
    """The command of a master."""
    load = [f"--workers={workers}", f"--listen={host}:{port}", "--no-plots", f"--out={run}"]
    return ["loadgate", "run", url, *load]


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)


class Page:
    """Locust's page, as a client sees it that says whatever it likes."""

    def __init__(self, url: str, process: subprocess.Popen[Any]) -> None:
        self.url, self.process = url, process

    def answers(self) -> bool:
        try:
            return requests.get(self.url, timeout=TIMEOUT_S).ok
        except requests.ConnectionError:
            return False

    def post(self, path: str, **fields: Any) -> str:
        answer = requests.post(f"{self.url}{path}", data=fields, headers={"Origin": self.url}, timeout=PATIENCE_S)
        assert answer.ok, answer.text
        return answer.text

    def tab(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The rows of the tab "Inference", by part and what."""
        return {(row["part"], row["what"]): (row["value"], row["note"]) for row in self.rows("inference")}

    def rows(self, key: str) -> list[dict[str, str]]:
        """The rows of a tab of ours."""
        answer = requests.get(f"{self.url}/stats/requests", timeout=TIMEOUT_S).json()
        [rows] = [table["data"] for table in answer["extended_stats"] if table["key"] == key]
        assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
        return rows


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Start `loadgate ui` on a free port; it ends with the test."""
    started = []

    def start(url: str, token: str, *words: str, environ: dict[str, str] | None = None) -> Page:
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            port = chosen.getsockname()[1]
        command = [*PYTHON, "loadgate", "ui", *([url] if url else []), f"--port={port}", "--no-plots", *words]
        pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environ = environment(token) | (environ or {})
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environ, **pipes))
        found = Page(f"http://127.0.0.1:{port}", started[-1])
        until(found.answers)
        return found

    yield start
    for process in started:
        process.terminate()
        assert process.wait(PATIENCE_S) in (0, 2, 3, 130)  # as the last test ended; 3 on a busy machine


def until(condition: Callable[[], Any]) -> Any:
    """Wait until there is something, and return it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.3)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium. Not kept for longer than a file: asyncio.run refuses to work while Playwright is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=browsing.executable(), chromium_sandbox=os.geteuid() != 0)
        yield found
        found.close()


@pytest.fixture
def window(browser: Any) -> Iterator[Any]:
    """An empty window, that knows nothing of what others visited."""
    with browser.new_context() as context:
        yield context.new_page()
