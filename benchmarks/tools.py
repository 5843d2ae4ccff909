"""The tools: each one's command line for a work, as its manual has it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cores import GENERATOR, on_core
from nginx import Nginx
from works import Work

HERE = Path(__file__).parent
# Tools from the Python environment first: k6 and locust come from there.
PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
# More than any tool can send: `ab` wants a number besides its time.
ENDLESS = 10_000_000


@dataclass(frozen=True)
class Job:
    """One work to be done by one tool."""

    work: Work
    nginx: Nginx
    folder: Path
    duration_s: int

    @property
    def body(self) -> Path:
        """The request body as it goes over the wire."""
        return self.folder / "body"

    @property
    def content(self) -> Path:
        """What loadgate is given: it encodes by itself."""
        return self.folder / ("photo.png" if self.work.upload else "body.json")

    @property
    def run_directory(self) -> Path:
        """Where loadgate writes."""
        return self.folder / "run"

    def prepare(self) -> None:
        """Write the files that the tools read."""
        self.body.write_bytes(self.work.payload.body)
        self.content.write_bytes(self.work.content())

    def environment(self) -> dict[str, str]:
        """For scripts: they have no arguments. Go's tools are told of the one core that they have."""
        return os.environ | {
            "LOADGATE_TOKEN": self.work.token,
            "PEER_TOKEN": self.work.token,
            "PEER_BODY": str(self.body),
            "PEER_CONTENT_TYPE": self.work.payload.content_type,
            "PEER_URL": self.nginx.url,
            "GOMAXPROCS": "1",
        }


def find(program: str) -> str | None:
    """The program's path, or None where it is not installed."""
    return shutil.which(program, path=PATH)


def start(tool: "Tool", job: Job, output: Path) -> subprocess.Popen[bytes]:
    """Start `tool` on its core."""
    arguments = [find(tool.program) or tool.program, *tool.arguments(job)]
    with output.open("wb") as file, on_core(GENERATOR):
        return subprocess.Popen(
            arguments,
            cwd=job.folder,
            env=job.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def _loadgate(job: Job) -> list[str]:
    what = "--file" if job.work.upload else "--json"
    return [
        *("run", job.nginx.url, f"--users={job.work.connections}", f"--duration={job.duration_s}s"),
        *(what, str(job.content), f"--out={job.run_directory}", "--no-plots"),
        *((f"--cacert={job.nginx.certificates}",) if job.work.tls else ()),
    ]


def _locust(user_class: str) -> Callable[[Job], list[str]]:
    return lambda job: [
        *("-f", str(HERE / "locust_peers.py"), user_class, "--headless", "--only-summary"),
        *(f"--users={job.work.connections}", f"--spawn-rate={job.work.connections}"),
        *(f"--run-time={job.duration_s}s", f"--host={job.nginx.url}"),
    ]


def _k6(job: Job) -> list[str]:
    return [
        *("run", f"--vus={job.work.connections}", f"--duration={job.duration_s}s", "--quiet"),
        *("--no-usage-report", "--insecure-skip-tls-verify", str(HERE / "post.js")),
    ]


def _wrk(job: Job) -> list[str]:
    return [
        *("-t1", f"-c{job.work.connections}", f"-d{job.duration_s}s"),
        *("-s", str(HERE / "post.lua"), job.nginx.url),
    ]


def _hey(job: Job) -> list[str]:
    return [
        *("-z", f"{job.duration_s}s", "-c", str(job.work.connections), "-cpus", "1", "-m", "POST"),
        *("-T", job.work.payload.content_type, "-H", f"X-Auth-Token: {job.work.token}"),
        *("-D", str(job.body), job.nginx.url),
    ]


def _ab(job: Job) -> list[str]:
    return [
        *("-k", "-c", str(job.work.connections), "-t", str(job.duration_s), "-n", str(ENDLESS)),
        *("-T", job.work.payload.content_type, "-H", f"X-Auth-Token: {job.work.token}"),
        *("-p", str(job.body), job.nginx.url),
    ]


@dataclass(frozen=True)
class Tool:
    """A load generator: the name in the table, the program, how it is called, and how it tells its version."""

    name: str
    program: str
    arguments: Callable[[Job], list[str]]
    version: tuple[str, ...]


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("loadgate", "loadgate", _loadgate, ("--version",)),
        Tool("HttpUser", "locust", _locust("HttpPeer"), ("--version",)),
        Tool("FastHttpUser", "locust", _locust("FastHttpPeer"), ("--version",)),
        Tool("k6", "k6", _k6, ("version",)),
        Tool("wrk", "wrk", _wrk, ("-v",)),
        Tool("hey", "hey", _hey, ()),
        Tool("ab", "ab", _ab, ("-V",)),
    )
}
