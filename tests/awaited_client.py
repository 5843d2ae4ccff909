"""An engine whose results a test can await."""

import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
import gevent.event

from analysis.outcomes import Outcome
from loadgate import request as requests
from loadgate.answers import Answer, Finding
from loadgate.connection import clock
from loadgate.credential import Credential
from loadgate.engine import Engine, Limits
from loadgate.exchange import Exchange
from loadgate.gateway import Gateway, Latency
from loadgate.payloads import Payload
from loadgate.request import Request
from loadgate.target import Target

PATIENCE_S = 10.0


class Done(NamedTuple):
    exchange: Exchange
    finding: Finding
    answer: Answer | None

    @property
    def outcome(self) -> Outcome:
        return self.finding.outcome


class Client:
    """An engine and what it told."""

    def __init__(self, port: int, addresses: list[Any], limits: Limits, tls: ssl.SSLContext | None, host: str) -> None:
        self.target = Target(host, port, "/v1", tls is not None)
        self.done: list[Done] = []
        self.on_done: Callable[[Done], None] = lambda _: None
        self._told = gevent.event.Event()
        self.engine = Engine(gevent.get_hub().loop, self.target, addresses, limits, tls=tls, on_done=self._on_done)

    def request(self, body: bytes = b"hello") -> Request:
        return requests.encode(
            Payload("test", "file", "application/octet-stream", body), self.target, Credential(), "0"
        )

    def start(self, body: bytes = b"hello", times: int = 1) -> None:
        request = self.request(body)
        for _ in range(times):
            self.engine.start(request, clock())

    def send(self, body: bytes = b"hello") -> Done:
        """Send one request and await what becomes of it."""
        self.start(body)
        return self.wait(len(self.done) + 1)

    def wait(self, count: int) -> Done:
        """The last of `count` results."""
        self.until(lambda: len(self.done) >= count)
        return self.done[count - 1]

    def until(self, reached: Callable[[], bool]) -> None:
        """Run the loop until a result makes this true."""
        with gevent.Timeout(PATIENCE_S):
            while not reached():
                self._told.clear()
                self._told.wait()

    def _on_done(self, exchange: Exchange, finding: Finding, answer: Answer | None) -> None:
        done = Done(exchange, finding, answer)
        self.done.append(done)
        self._told.set()
        self.on_done(done)


def limits(
    *,
    timeout_s: float = PATIENCE_S,
    grace_s: float = 0.0,
    body_limit: int | None = None,
    most: int = 1000,
    latency: Latency | None = None,
) -> Limits:
    return Limits(Gateway("test", timeout_s, body_limit, latency=latency), grace_s, most)


def run_until(reached: Callable[[], bool]) -> None:
    """Run the loop until something is there that nobody tells."""
    with gevent.Timeout(PATIENCE_S):
        while not reached():
            gevent.sleep(0.001)


def spin(seconds: float) -> None:
    """Keep the loop busy."""
    until = clock() + seconds
    while clock() < until:
        pass
