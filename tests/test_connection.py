"""What a connection does with requests and answers, over real sockets; what bad servers do is in test_bad_servers."""

import os
import resource
import ssl
import statistics
import time
from pathlib import Path

import gevent
import pytest
from awaited_client import run_until, spin
from raw_server import OK, Gate, bytewise, hold, read, read_head, reset, serve_on

from analysis.outcomes import Outcome
from loadgate import answer_parser

MEGABYTE = 1 << 20
BODY_12_MB = bytes(12 * MEGABYTE)
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\neverything"

# ---- answers


def test_an_answer_has_status_headers_and_body(serve, client_of):
    done = client_of(serve([read, b"HTTP/1.1 404 No\r\nX-Who: me\r\nContent-Length: 4\r\n\r\ngone", hold])).send()

    assert done.outcome is Outcome.CLIENT_ERROR
    assert (done.answer.status, done.answer.headers[b"x-who"], done.answer.body) == (404, b"me", b"gone")


def test_the_request_arrives_as_it_was_encoded(serve, client_of):
    server = serve([read, OK, hold])
    client_of(server).send(b"every byte")

    assert server.bodies == [b"every byte"]


def test_a_second_request_takes_the_same_connection(serve, client_of):
    server = serve([serve_on])
    client = client_of(server)
    first, second = client.send(), client.send()

    assert (first.outcome, second.outcome, server.connections) == (Outcome.OK, Outcome.OK, 1)
    assert first.exchange.connect_s > 0
    assert second.exchange.connect_s is None


def test_bytes_that_were_there_before_the_request_are_not_its_answer(serve, client_of):
    """A server's farewell to an idle connection is there when another connection's answer starts a request on it."""
    farewell = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    resent = 0
    for farewell_first in (True, False):  # the order in which the loop looks at the two is its own affair
        first, leaving, answering = Gate(), Gate(), Gate()
        server = serve(
            [read, first.wait, OK, leaving.wait, farewell, leaving.passed, hold],
            [read, answering.wait, OK, answering.passed, serve_on],
            [serve_on],
        )
        client = client_of(server)
        client.start(times=2)
        run_until(lambda server=server: len(server.bodies) == 2)
        first.open()
        client.wait(1)
        client.on_done = lambda _, client=client: len(client.done) == 2 and client.start(times=2)
        for gate in (leaving, answering) if farewell_first else (answering, leaving):
            gate.open_and_wait()
        client.wait(4)
        resent += client.engine.counts.resent

        assert [done.outcome for done in client.done] == [Outcome.OK] * 4
        assert all(done.exchange.first_byte >= done.exchange.sent for done in client.done)

    assert resent >= 1


def test_a_large_header_is_read(serve, client_of):
    value = b"x" * 500_000
    answer = b"HTTP/1.1 200 OK\r\nX-Long: " + value + b"\r\nContent-Length: 0\r\n\r\n"
    done = client_of(serve([read, answer, hold])).send()

    assert done.answer.headers[b"x-long"] == value


def test_an_answer_over_the_kept_limit_is_read_to_its_end_and_cut(serve, client_of, monkeypatch):
    monkeypatch.setattr(answer_parser, "LARGEST_KEPT_BYTES", 100_000)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000)
    server = serve([read, large, read, OK, hold])
    client = client_of(server)
    kept = len(client.send().answer.body)

    assert 100_000 <= kept < 200_000
    assert (client.send().outcome, server.connections) == (Outcome.OK, 1)


# ---- large bodies


def test_a_connection_with_an_unsent_body_is_not_used_again(serve, client_of):
    server = serve([read_head, TOO_LARGE, hold], [serve_on])
    client = client_of(server)
    client.send(BODY_12_MB)

    assert (client.send().outcome, server.connections) == (Outcome.OK, 2)


def test_a_cut_is_oversize_too_when_the_kernel_had_taken_the_whole_body(serve, client_of):
    """The end of a body just over the limit fits the socket buffer: it is `uploaded`, and never read."""
    done = client_of(serve([read_head, reset]), body_limit=2048).send(bytes(3000))

    assert done.exchange.uploaded is not None
    assert done.outcome is Outcome.OVERSIZE


@pytest.mark.parametrize("end", [[], [reset]], ids=["closed", "reset"])
@pytest.mark.parametrize("length", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
def test_an_error_that_is_cut_off_is_known_by_its_status_and_what_came_of_its_words(serve, client_of, length, end):
    body = b'{"error_code":"ModelArts.4302","error_msg":"Gateway forw'
    framed = body if b"500" in length else b"%x\r\n%b\r\n" % (len(body), body)
    head = b"HTTP/1.1 503 No\r\n%b\r\n\r\n" % length
    done = client_of(serve([read, head + framed, *end])).send()

    assert done.outcome is Outcome.UNAVAILABLE
    assert (done.answer.status, done.finding.code, done.finding.message) == (503, "ModelArts.4302", "Gateway forw")


def test_a_good_answer_that_is_cut_off_is_none(serve, client_of):
    done = client_of(serve([read, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"])).send()

    assert (done.outcome, done.answer) == (Outcome.CONNECTION_ERROR, None)


def test_a_refusal_that_is_cut_itself_is_oversize(serve, client_of):
    done = client_of(serve([read_head, TOO_LARGE[:-3], reset]), body_limit=2048).send(BODY_12_MB)

    assert done.exchange.first_byte is not None
    assert done.outcome is Outcome.OVERSIZE


def test_a_slow_reader_gets_every_byte_and_the_loop_stays_free(serve, client_of):
    server = serve([read, OK, hold], receive_bytes=65536)
    client = client_of(server)
    body = os.urandom(6 * MEGABYTE)
    lags = []

    def watch():
        while not client.done:
            before = time.monotonic()
            gevent.sleep(0.001)
            lags.append(time.monotonic() - before)

    watcher = gevent.spawn(watch)
    done = client.send(body)
    watcher.join()

    assert done.outcome is Outcome.OK
    assert server.bodies == [body]
    assert statistics.median(lags) < 0.02


# ---- failures


def test_no_file_left_for_a_socket_is_an_outcome(serve, client_of):
    client = client_of(serve([serve_on]))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        done = client.send()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert (done.outcome, done.finding.message) == (Outcome.CONNECTION_ERROR, "Too many open files")
    assert client.send().outcome is Outcome.OK


# ---- TLS


def test_tls_answers_on_a_reused_connection(serve, client_of, server_tls, client_tls):
    server = serve([serve_on], tls=server_tls)
    client = client_of(server, tls=client_tls)

    assert [client.send().outcome for _ in range(3)] == [Outcome.OK] * 3
    assert server.connections == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_certificate_may_be_for_an_ip_address(serve, client_of, server_tls, client_tls, host):
    if host == "::1" and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    server = serve([serve_on], tls=server_tls, host=host)

    assert client_of(server, tls=client_tls, host=host).send().outcome is Outcome.OK


def test_insecure_takes_any_certificate(serve, client_of, server_tls):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    assert client_of(serve([serve_on], tls=server_tls), tls=context, host="other.example").send().outcome is Outcome.OK


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_12_mb_body_arrives_over_tls(serve, client_of, authority, server_tls, version):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.maximum_version = version
    server = serve([read, OK, read, OK, hold], tls=server_tls)
    client = client_of(server, tls=context)
    body = os.urandom(12 * MEGABYTE)

    assert [client.send(body).outcome for _ in range(2)] == [Outcome.OK] * 2
    assert server.bodies == [body, body]
    assert server.connections == 1


def test_a_client_certificate_that_is_missing_is_named(serve, client_of, authority, client_tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    done = client_of(serve([serve_on], tls=context), tls=client_tls).send()

    assert done.outcome is Outcome.CONNECTION_ERROR
    assert "CERTIFICATE_REQUIRED" in done.finding.message


def test_many_tls_records_read_at_once_are_all_drained(serve, client_of, server_tls, client_tls):
    """One readable event may stand for many records: a buffered one fires no event of its own."""
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000)
    gate = Gate()
    script = [read, gate.wait, bytewise(CHUNKED), gate.passed, read, large, read, bytewise(OK), hold]
    server = serve(script, tls=server_tls)
    client = client_of(server, tls=client_tls)
    client.start()
    run_until(lambda: len(server.bodies) == 1)
    gate.open_and_wait()
    answers = [client.wait(1).answer, client.send().answer, client.send().answer]

    assert [len(answer.body) for answer in answers] == [5, 300_000, 2]
    assert server.connections == 1


@pytest.mark.parametrize("farewell", [lambda peer: peer.end.unwrap(), lambda peer: None], ids=["notify", "bare"])
def test_an_answer_without_a_length_ends_with_the_tls_connection(serve, client_of, server_tls, client_tls, farewell):
    done = client_of(serve([read, UNTIL_CLOSE, farewell], tls=server_tls), tls=client_tls).send()

    assert (done.outcome, done.answer.body) == (Outcome.OK, b"everything")


# ---- moments


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_moments_are_in_order(serve, client_of, server_tls, client_tls, tls):
    server = serve([serve_on], tls=server_tls if tls else None)
    client = client_of(server, tls=client_tls if tls else None)
    for _ in range(50):
        exchange = client.send(bytes(100_000)).exchange

        assert exchange.planned <= exchange.sent <= exchange.uploaded <= exchange.first_byte <= exchange.done


def test_the_receive_time_is_when_the_server_answered(serve, client_of):
    answered = []

    def answer(peer):
        while True:
            peer.read_request()
            answered.append(time.monotonic())
            peer.end.sendall(OK)

    client = client_of(serve([answer]))
    late = [client.send().exchange.done - answered[-1] for _ in range(50)]

    assert min(late) > 0
    assert sorted(late)[12] < 0.003  # of 50; a busy machine makes some late


def test_the_first_byte_is_when_it_came_and_not_the_last(serve, client_of):
    gate = Gate()
    client = client_of(serve([read, OK[:-1], gate.wait, OK[-1:], hold]))
    client.start()
    client.engine._loop.timer(0.1).start(gate.open)
    exchange = client.wait(1).exchange

    assert exchange.done - exchange.first_byte > 0.05


def test_our_own_queue_is_not_charged_to_the_service(serve, client_of):
    """Two answers are there when the loop looks; handling the first takes 100 ms."""
    first, second = Gate(), Gate()
    server = serve(*([read, gate.wait, OK, gate.passed, hold] for gate in (first, second)))
    client = client_of(server)
    client.on_done = lambda _: spin(0.1)
    client.start(times=2)
    run_until(lambda: len(server.bodies) == 2)
    first.open_and_wait()
    second.open_and_wait()
    client.wait(2)

    assert abs(client.done[0].exchange.done - client.done[1].exchange.done) < 0.02


def test_connecting_is_measured_apart_from_what_came_before(serve, client_of):
    """A request that is sent again after 200 ms needed a connection of its own: that one counts."""
    gate = Gate()
    server = serve([read, OK, read, gate.wait], [serve_on])
    client = client_of(server)
    client.send()
    client.start()
    client.engine._loop.timer(0.2).start(gate.open)
    exchange = client.wait(2).exchange

    assert client.engine.counts.resent == 1
    assert exchange.done - exchange.sent > 0.15
    assert exchange.connect_s < 0.1
