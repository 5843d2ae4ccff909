"""A user waits for its answer, thinks, and sends again."""

import itertools
import math
import socket
import threading
import time

import gevent
import pytest
from awaited_client import run_until
from raw_server import OK, PATIENCE_S, serve_on

from analysis.outcomes import Outcome
from loadgate import closed_user
from loadgate.closed_user import ClosedUser
from loadgate.connection import clock


@pytest.fixture
def users_of(loop):
    """Make users of a client; they stop with the test."""
    users = []

    def make(client, count=1, *, think_time_s=0.0, end=math.inf):
        client.on_done = lambda done: done.exchange.user.on_done(*done)
        for _ in range(count):
            requests = itertools.repeat(client.request())
            users.append(ClosedUser(loop, client.engine, requests, think_time_s=think_time_s, end=end))
        return users

    yield make
    for user in users:
        user.stop()


def test_every_user_has_one_request_in_flight_at_any_time(serve, client_of, users_of):
    """The server answers nobody until all eight have asked, twenty times over."""
    everybody = threading.Barrier(8)

    def answer(peer):
        while True:
            peer.read_request()
            try:
                everybody.wait(PATIENCE_S)
            except threading.BrokenBarrierError:
                return
            peer.end.sendall(OK)

    server = serve([answer])
    client = client_of(server)
    users_of(client, 8)
    in_flight = []
    on_done = client.on_done

    def count_and_go_on(done):
        on_done(done)
        in_flight.append(client.engine.in_flight)

    client.on_done = count_and_go_on
    client.wait(160)
    everybody.abort()

    assert {done.outcome for done in client.done[:160]} == {Outcome.OK}
    assert set(in_flight[:160]) == {8}
    assert server.connections == 8


def test_a_user_sends_at_once_after_its_answer(serve, client_of, users_of):
    client = client_of(serve([serve_on]))
    users_of(client)
    client.wait(50)
    exchanges = [done.exchange for done in client.done[:50]]

    assert [later.planned for later in exchanges[1:]] == [earlier.done for earlier in exchanges[:-1]]


def test_a_user_that_is_refused_pauses_before_it_tries_again(client_of, users_of, serve, refused_port):
    server = serve([])
    server.address = (socket.AF_INET, ("127.0.0.1", refused_port))
    client = client_of(server)
    users_of(client)
    client.wait(3)
    exchanges = [done.exchange for done in client.done[:3]]

    assert [later.planned for later in exchanges[1:]] == [earlier.done + 0.1 for earlier in exchanges[:-1]]


def test_a_user_thinks_before_it_sends_again(serve, client_of, users_of):
    client = client_of(serve([serve_on]))
    users_of(client, think_time_s=0.03)
    client.wait(6)
    exchanges = [done.exchange for done in client.done]

    assert [later.planned for later in exchanges[1:]] == [earlier.done + 0.03 for earlier in exchanges[:-1]]
    assert 0 <= min(later.sent - later.planned for later in exchanges[1:]) < 0.1


def test_a_user_does_not_send_before_it_is_due_although_the_loop_was_busy(serve, client_of, users_of):
    """The loop's own timers count from the start of its turn."""
    client = client_of(serve([serve_on]))
    users_of(client, think_time_s=0.03)

    def be_busy(done):
        time.sleep(0.02)
        done.exchange.done = clock()
        done.exchange.user.on_done(*done)

    client.on_done = be_busy
    client.wait(4)

    assert all(done.exchange.sent >= done.exchange.planned for done in client.done)


@pytest.mark.parametrize("think_time_s", [0.0, 0.01])
def test_a_stopped_user_sends_nothing_more_and_its_last_request_is_told(serve, client_of, users_of, think_time_s):
    client = client_of(serve([serve_on]))
    users = users_of(client, 4, think_time_s=think_time_s)
    client.wait(20)
    for user in users:
        user.stop()
    sent = client.engine.counts.sent
    client.wait(sent)
    gevent.sleep(0.03)

    assert client.engine.counts.sent == sent == len(client.done)


def test_a_user_that_is_stopped_before_it_began_sends_nothing(serve, client_of, users_of):
    client = client_of(serve([serve_on]))
    users_of(client)[0].stop()
    gevent.sleep(0.02)

    assert client.engine.counts.planned == 0


@pytest.mark.parametrize("think_time_s", [0.0, 0.01])
def test_no_request_is_planned_at_or_after_the_end(serve, client_of, users_of, think_time_s):
    client = client_of(serve([serve_on]))
    end = clock() + 0.1
    users_of(client, 4, think_time_s=think_time_s, end=end)
    gevent.sleep(0.15)
    run_until(lambda: client.engine.in_flight == 0)
    planned = [done.exchange.planned for done in client.done]

    assert len(planned) > 4
    assert end - 0.1 < max(planned) < end


def test_failing_at_once_again_and_again_neither_recurses_nor_blocks(
    serve, client_of, users_of, refused_port, monkeypatch
):
    monkeypatch.setattr(closed_user, "RETRY_S", 0.0)
    server = serve([])
    server.address = (socket.AF_INET, ("127.0.0.1", refused_port))
    client = client_of(server)
    users_of(client, 2)
    ticks = []
    ticker = gevent.spawn(lambda: [ticks.append(gevent.sleep(0.001)) for _ in itertools.repeat(None)])
    client.wait(2000)
    ticker.kill()

    assert {done.outcome for done in client.done} == {Outcome.CONNECTION_ERROR}
    assert len(ticks) > 3


def test_failing_before_the_connection_again_and_again_neither_recurses_nor_blocks(
    serve, client_of, users_of, monkeypatch
):
    """An address that cannot even be tried fails within `open`."""
    monkeypatch.setattr(closed_user, "RETRY_S", 0.0)
    server = serve([])
    server.address = (socket.AF_INET6, ("ff02::1", 1))
    client = client_of(server)
    users_of(client, 2)
    ticks = []
    ticker = gevent.spawn(lambda: [ticks.append(gevent.sleep(0.001)) for _ in itertools.repeat(None)])
    client.wait(2000)
    ticker.kill()

    assert {done.outcome for done in client.done} == {Outcome.CONNECTION_ERROR}
    assert len(ticks) > 3
