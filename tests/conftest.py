"""Fixtures of the transport's tests: servers, clients of them, certificates. Everything is closed at the end."""

import os
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gevent
import pytest
import trustme
from awaited_client import Client, limits
from hypothesis import settings
from raw_server import Server, Step

for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITLAB_CI"):
    os.environ.pop(name, None)  # a report writes for the server that the tests run on

settings.register_profile("patient", deadline=None)  # on a busy machine any example may take long
settings.load_profile("patient")


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """gevent's loop. It prints what a callback raises and goes on; here that fails the test."""
    raised: list[Any] = []
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "handle_error", lambda context, kind, value, trace: raised.append((context, value)))
    yield hub.loop
    assert raised == []


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server: `serve(script of connection 1, script of 2, ...)`."""
    servers: list[Server] = []

    def start(
        *scripts: Sequence[Step],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        receive_bytes: int | None = None,
    ) -> Server:
        servers.append(Server(scripts, tls, host, receive_bytes))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client_of(loop: Any) -> Iterator[Callable[..., Client]]:
    """Make a client of a server; the keywords are those of `limits`."""
    clients: list[Client] = []

    def make(server: Server, *, tls: ssl.SSLContext | None = None, host: str = "localhost", **kwargs: Any) -> Client:
        clients.append(Client(server.port, [server.address], limits(**kwargs), tls, host))
        return clients[-1]

    yield make
    for client in clients:
        client.engine.close()


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else can get meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
