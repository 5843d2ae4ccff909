"""Requests in flight: connections shared between them, deadlines, and exactly one outcome for each."""

import json
import random
import socket
import weakref

import gevent
import pytest
from awaited_client import Client, limits, run_until, spin
from raw_server import OK, Gate, hold, read, read_head, reset, serve_on

from analysis.outcomes import Outcome
from loadgate import engine as engines
from loadgate import request as requests
from loadgate.connection import clock
from loadgate.credential import Credential
from loadgate.engine import Counts
from loadgate.payloads import json_payload

MEGABYTE = 1 << 20


def outcomes(client):
    return [done.outcome for done in client.done]


# ---- how the generator felt


def test_the_latest_request_is_the_latest_that_left(serve, client_of):
    client = client_of(serve([serve_on]))
    client.engine.start(client.request(), clock() - 0.5)
    client.wait(1)

    assert 0.5 <= client.engine.latest_s < 5


def test_a_request_that_is_dropped_never_left(serve, client_of):
    client = client_of(serve([hold]), most=1)
    client.start()
    client.engine.start(client.request(), clock() - 0.5)

    assert client.engine.counts.dropped == 1
    assert client.engine.latest_s < 0.5


@pytest.mark.parametrize("where", ["callback", "greenlet"])
def test_the_longest_turn_is_what_an_event_may_have_waited(serve, client_of, where):
    engine = client_of(serve([serve_on])).engine
    gevent.sleep(0.01)
    engine.longest_turn_s = 0.0
    if where == "callback":
        engine._loop.run_callback(spin, 0.05)
    else:
        gevent.spawn(spin, 0.05)
    gevent.sleep(1.0)

    assert 0.05 <= engine.longest_turn_s < 0.5


# ---- connections


def test_requests_at_once_take_a_connection_each_and_share_them_later(serve, client_of):
    server = serve([serve_on])
    client = client_of(server)
    for rounds in range(1, 4):
        client.start(times=8)
        client.wait(8 * rounds)

    assert outcomes(client) == [Outcome.OK] * 24
    assert server.connections == 8
    assert client.engine.in_flight == 0


def test_addresses_are_used_in_turn(serve, loop):
    servers = [serve([serve_on]), serve([serve_on])]
    client = Client(0, [server.address for server in servers], limits(), None, "localhost")
    client.start(times=6)
    client.wait(6)
    client.engine.close()

    assert [server.connections for server in servers] == [3, 3]


@pytest.mark.parametrize("end", [(), (reset,)], ids=["close", "reset"])
@pytest.mark.parametrize("body_bytes", [5, 12 * MEGABYTE])
def test_a_request_that_meets_a_closing_connection_is_sent_again_and_counted(serve, client_of, end, body_bytes):
    server = serve([read, OK, read_head, *end], [serve_on])
    client = client_of(server)
    client.send()
    done = client.send(bytes(body_bytes))

    assert (done.outcome, server.connections) == (Outcome.OK, 2)
    assert client.engine.counts == Counts(planned=2, sent=2, finished=2, resent=1)


def test_a_request_that_fails_twice_is_a_connection_error(serve, client_of):
    client = client_of(serve([read, OK, read], [read]))
    client.send()
    done = client.send()

    assert done.outcome is Outcome.CONNECTION_ERROR
    assert client.engine.counts == Counts(planned=2, sent=2, finished=2, resent=1)


def test_a_request_that_was_worked_on_is_not_sent_again(serve, client_of, monkeypatch):
    monkeypatch.setattr(engines, "RACE_S", 0.05)
    gate = Gate()
    client = client_of(serve([read, OK, read, gate.wait, reset], [serve_on]))
    client.send()
    client.start()
    gevent.sleep(0.1)
    gate.open()
    client.wait(2)

    assert outcomes(client) == [Outcome.OK, Outcome.CONNECTION_ERROR]
    assert client.engine.counts.resent == 0


def test_a_new_connection_that_fails_is_not_tried_again(serve, client_of):
    server = serve([read])
    client = client_of(server)

    assert client.send().outcome is Outcome.CONNECTION_ERROR
    assert (server.connections, client.engine.counts.resent) == (1, 0)


def test_an_answer_that_began_is_not_asked_for_again(serve, client_of):
    client = client_of(serve([read, OK, read, OK[:-1]], [serve_on]))
    client.send()

    assert client.send().outcome is Outcome.CONNECTION_ERROR
    assert client.engine.counts.resent == 0


def test_a_body_cut_off_in_the_second_try_is_judged_as_of_that_try(serve, client_of):
    """The first try was sent whole; only the second was cut."""
    too_large = b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
    server = serve([read, OK, read], [read_head, too_large, hold], [serve_on])
    client = client_of(server)
    client.send()
    cut = client.send(bytes(12 * MEGABYTE))

    assert (cut.outcome, cut.exchange.uploaded) == (Outcome.OVERSIZE, None)
    assert client.send().outcome is Outcome.OK
    assert server.connections == 3


# ---- deadlines


@pytest.mark.parametrize("script", [[hold], [read, hold], [read, OK[:-1], hold]], ids=["unread", "read", "half"])
def test_no_answer_is_a_client_timeout_at_the_limit_plus_grace(serve, client_of, script):
    client = client_of(serve(script), timeout_s=0.1, grace_s=0.05)
    waited_s = []
    for _ in range(3):  # for others may have the cores for a moment
        done = client.send()
        waited_s.append(done.exchange.done - done.exchange.sent)

        assert (done.outcome, done.finding.message) == (Outcome.CLIENT_TIMEOUT, "no answer within 0.15 s")
    assert 0.15 <= min(waited_s) < 0.2


def test_each_of_many_requests_times_out_in_its_own_time(serve, client_of):
    client = client_of(serve([read, hold]), timeout_s=0.3)
    for _ in range(10):
        client.start(times=20)
        gevent.sleep(0.01)
    client.wait(200)
    waited_s = [done.exchange.done - done.exchange.sent for done in client.done]

    assert set(outcomes(client)) == {Outcome.CLIENT_TIMEOUT}
    assert [done.exchange.sent for done in client.done] == sorted(done.exchange.sent for done in client.done)
    assert min(waited_s) >= 0.3
    assert sorted(waited_s)[100] < 0.33  # it would be longer if they waited for the deadline of the youngest


def test_only_the_slow_one_among_answered_requests_times_out(serve, client_of):
    server = serve([read, hold], [serve_on])
    client = client_of(server, timeout_s=0.2)
    client.start()
    run_until(lambda: server.bodies)
    for _ in range(20):
        assert client.send().outcome is Outcome.OK
    slow = client.wait(21)

    assert slow.outcome is Outcome.CLIENT_TIMEOUT
    assert 0.2 <= slow.exchange.done - slow.exchange.sent < 1.0


def test_an_answer_after_the_deadline_is_not_counted(serve, client_of):
    gate = Gate()
    server = serve([read, gate.wait, OK, gate.passed, hold], [serve_on])
    client = client_of(server, timeout_s=0.1)
    client.send()
    gate.open()
    gevent.sleep(0.05)

    assert outcomes(client) == [Outcome.CLIENT_TIMEOUT]
    assert client.engine.counts == Counts(planned=1, sent=1, finished=1)
    assert client.send().outcome is Outcome.OK


def test_an_ended_request_is_not_kept_until_its_deadline(serve, client_of):
    """At 20,000 requests/s and 45 s, keeping them would be gigabytes of bodies."""
    client = client_of(serve([serve_on]))
    client.start(times=20)
    client.wait(20)
    ended = [weakref.ref(done.exchange.request) for done in client.done]
    sizes = len(client.engine._busy), len(client.done)
    client.done.clear()
    gevent.sleep(0)

    assert sizes == (0, 20)
    assert [request() for request in ended] == [None] * 20


# ---- what is told


def test_arrivals_over_the_limit_of_requests_in_flight_are_dropped(serve, client_of):
    client = client_of(serve([read, hold]), most=3)
    client.start(times=5)
    dropped = client.wait(2)

    assert outcomes(client) == [Outcome.DROPPED] * 2
    assert (dropped.exchange.done, client.engine.in_flight) == (None, 3)
    assert client.engine.counts == Counts(planned=5, sent=3, dropped=2)


def test_users_that_wait_are_their_own_limit(serve, client_of):
    client = client_of(serve([serve_on]), most=1)
    for _ in range(3):
        client.engine.start(client.request(), clock(), user=object())
    client.wait(3)

    assert outcomes(client) == [Outcome.OK] * 3


def test_giving_up_records_what_is_in_flight_as_unfinished_with_its_age(serve, client_of):
    server = serve([read, hold])
    client = client_of(server)
    client.start(times=3)
    run_until(lambda: len(server.bodies) == 3)
    gevent.sleep(0.05)
    client.engine.give_up()

    assert outcomes(client) == [Outcome.UNFINISHED] * 3
    assert all(0.05 <= done.exchange.done - done.exchange.sent < 0.5 for done in client.done)
    assert client.engine.counts == Counts(planned=3, sent=3, unfinished=3)


def test_giving_up_ends_a_request_that_could_not_even_connect_once(serve, client_of, refused_port):
    server = serve([])
    server.address = (socket.AF_INET, ("127.0.0.1", refused_port))
    client = client_of(server)
    client.start(times=3)
    client.engine.give_up()
    gevent.sleep(0.02)

    assert outcomes(client) == [Outcome.UNFINISHED] * 3


def test_each_request_carries_a_uuid_of_its_own_that_must_come_back(serve, client_of):
    def echo(peer):
        while True:
            body = peer.read_request()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            peer.end.sendall(head % len(body) + body)

    server = serve([echo])
    client = client_of(server)
    payload = json_payload("iris", b'{"meta": {"uuid": "?"}}', "test")
    request = requests.encode(payload, client.target, Credential(), "0")
    for _ in range(5):
        client.engine.start(request, clock())
    client.wait(5)

    assert outcomes(client) == [Outcome.OK] * 5
    assert len({json.loads(body)["meta"]["uuid"] for body in server.bodies}) == 5


def test_latency_counts_from_the_planned_time(serve, client_of):
    client = client_of(serve([serve_on]))
    planned = clock() - 5.0
    client.engine.start(client.request(), planned)
    exchange = client.wait(1).exchange

    assert exchange.planned == planned
    assert exchange.sent >= planned + 5.0


# ---- counts under stress


def misbehave(chance):
    """Answer requests in every right and wrong way that there is."""
    ways = [
        lambda peer: peer.end.sendall(OK),
        lambda peer: peer.end.sendall(OK),
        lambda peer: peer.end.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
        lambda peer: peer.end.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        lambda peer: peer.end.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
        lambda peer: peer.end.sendall(OK + b"and more"),
        lambda peer: peer.end.sendall(OK + OK),
        lambda peer: peer.end.sendall(b"gibberish\r\n\r\n"),
        lambda peer: peer.end.sendall(OK) or peer.end.close(),
        lambda peer: peer.end.sendall(OK[:-1]) or peer.end.close(),
        lambda peer: peer.end.sendall(OK) or peer.reset(),
        lambda peer: peer.reset(),
        lambda peer: peer.end.close(),
        lambda peer: None,
    ]

    def serve_badly(peer):
        while True:
            if chance.random() < 0.1:
                peer.read_head()
                peer.end.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
                peer.reset()
            peer.read_request()
            chance.choice(ways)(peer)

    return serve_badly


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_request_is_told_exactly_once_whatever_the_server_does(
    serve, client_of, server_tls, client_tls, tls, seed
):
    chance = random.Random(seed)
    server = serve([misbehave(chance)], tls=server_tls if tls else None)
    client = client_of(server, tls=client_tls if tls else None, timeout_s=0.15, body_limit=500_000, most=40)
    bodies = [b"small", bytes(1_000_000)]
    for _ in range(30):
        client.start(chance.choice(bodies), times=chance.randrange(1, 20))
        gevent.sleep(chance.random() * 0.02)
    client.engine.give_up()
    gevent.sleep(0.02)
    counts = client.engine.counts
    told = [done.exchange for done in client.done]

    assert len(told) == len(set(told)) == counts.planned
    assert counts.planned == counts.sent + counts.dropped
    assert counts.sent == counts.finished + counts.unfinished
    assert outcomes(client).count(Outcome.DROPPED) == counts.dropped
    assert outcomes(client).count(Outcome.UNFINISHED) == counts.unfinished
    assert client.engine.in_flight == 0
    assert {Outcome.OK, Outcome.CONNECTION_ERROR} <= set(outcomes(client))
    assert all(
        exchange.first_byte is None or exchange.sent <= exchange.first_byte <= exchange.done for exchange in told
    )
