"""What the stand-in's tests share: a client without a network, a real process, pictures."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import requests
from PIL import Image

from loadgate.standin.service import build, tokens_for
from loadgate.standin.settings import Settings
from loadgate.standin.truth import COLUMNS, Truth

LIMIT_BYTES = 12 * 1024 * 1024
SERVICE = "/v1/infers/eb3e0c54-3dfa-4750-af0c-95c45e5d3e83"


@dataclass
class Reply:
    """What one ASGI request got."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False


class Bench:
    """The service on the running loop, called through ASGI: no socket, no process."""

    def __init__(self, settings: Settings) -> None:
        self.rows: list[dict[str, object]] = []
        truth = Truth(None)
        truth.add = lambda row: self.rows.append(dict(zip(COLUMNS, row, strict=True)))
        self.tokens = tokens_for(settings, asyncio.get_running_loop().time)
        self.token = self.tokens.issue(project=True)
        self.gateway = build(settings, truth=truth, tokens=self.tokens, threads=ThreadPoolExecutor(2))

    async def call(
        self,
        body: bytes = b"",
        *,
        path: str = SERVICE,
        method: str = "POST",
        token: str | None = "",
        headers: dict[str, str] | None = None,
        chunks: list[bytes] | None = None,
        leave: asyncio.Event | None = None,
        stall: bool = False,
    ) -> Reply:
        """One request. `chunks`: a body without a length; `stall`: its end never comes; `leave`: the client goes."""
        sent = {"content-type": "application/json", **(headers or {})}
        if token is not None:
            sent["x-auth-token"] = token or self.token
        if chunks is None:
            sent.setdefault("content-length", str(len(body)))
        parts = list(chunks if chunks is not None else [body])
        messages = [
            {"type": "http.request", "body": part, "more_body": stall or at < len(parts) - 1}
            for at, part in enumerate(parts)
        ]
        leave = leave or asyncio.Event()
        reply = Reply()

        async def receive() -> dict[str, object]:
            if messages:
                return messages.pop(0)
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                reply.body += message.get("body", b"")
                reply.complete = not message.get("more_body", False)

        scope = {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        await self.gateway(scope, receive, send)
        return reply


@pytest.fixture
def bench() -> Callable[..., object]:
    """Run `scenario(bench)` against a service with the given settings."""

    def run(settings: Settings, scenario: Callable[[Bench], object]) -> object:
        async def main() -> object:
            return await scenario(Bench(settings))

        return asyncio.run(main())

    return run


@dataclass
class Served:
    """A running `loadgate serve`."""

    process: subprocess.Popen[str]
    url: str
    token: str
    truth: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(5)


COMMAND = [sys.executable, "-c", "from loadgate.commands.serve import serve; serve()"]


@contextmanager
def serving(folder: Path) -> Iterator[Callable[..., Served]]:
    """Start `loadgate serve` on a free port with the given options and environment; its files are in `folder`."""
    processes = []

    def start(*options: str, **environment: str) -> Served:
        truth, token = folder / "truth.csv", folder / "token.txt"
        arguments = [*COMMAND, "--port", "0", "--truth", str(truth), "--write-token", str(token), *options]
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        processes.append(process)
        line = process.stdout.readline()
        assert line.startswith("ready http"), line + process.stderr.read()
        return Served(process, line.split()[1], token.read_text().strip(), truth)

    try:
        yield start
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start `loadgate serve`: see `serving`."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def vendors_limits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[requests.Response]]]:
    """Requests to a service with the vendor's own limits, on their way: they take 40 s."""
    with serving(tmp_path_factory.mktemp("limits")) as start, ThreadPoolExecutor() as threads:
        service = start("--service-time", "constant:90s")
        post = partial(requests.post, service.url, headers={"X-Auth-Token": service.token}, timeout=60)
        sizes = {"small": 2, "just the limit": LIMIT_BYTES, "over the limit": LIMIT_BYTES + 1}
        yield {name: threads.submit(post, data=b"{}".ljust(size)) for name, size in sizes.items()}


@pytest.fixture(scope="session", autouse=True)
def _begin_with_what_takes_long(request: pytest.FixtureRequest) -> None:
    if any("vendors_limits" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("vendors_limits")


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """A one-coloured picture."""

    def draw(
        colour: tuple[int, int, int] = (200, 40, 60), kind: str = "PNG", size: int = 32, mode: str = "RGB"
    ) -> bytes:
        content = io.BytesIO()
        Image.new("RGB", (size, size), colour).convert(mode).save(content, kind)
        return content.getvalue()

    return draw
