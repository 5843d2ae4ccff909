"""Servers that do what they should not, each a script: one outcome, and nothing raised, stuck, lost or left behind."""

import contextlib
import gc
import ipaddress
import os
import random
import re
import resource
import socket
import ssl
import subprocess
import sys
import tracemalloc
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gevent
import pytest
import trustme
from awaited_client import Client, limits, run_until
from raw_server import OK, PATIENCE_S, Gate, bytewise, hold, read, read_head, reset, serve_on

from analysis.outcomes import Outcome
from loadgate import answer_parser
from loadgate import target as targets
from loadgate.errors import ConfigError

MEGABYTE = 1 << 20
BODY_12_MB = bytes(12 * MEGABYTE)
SHORT_S = 0.3  # the time limit of requests to servers that hang
CLOSED, RESET = "the server closed the connection", "Connection reset by peer"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED_HEAD = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKED = CHUNKED_HEAD + b"2\r\nok\r\n3;a=b\r\nay!\r\n0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large"


def flood(piece):
    """Send `piece` again and again, as fast as the client takes it."""

    def send(peer):
        while True:
            peer.end.sendall(piece)

    return send


def drip(answer):
    """Send a byte each 10 ms."""

    def send(peer):
        for byte in answer:
            peer.end.sendall(bytes([byte]))
            peer.server.stopped.wait(0.01)

    return send


def open_files():
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def settled(client, told):
    """Every request has had its one outcome, and none is in flight."""
    gevent.sleep(0.001)  # for what a callback still has to tell
    counts = client.engine.counts

    assert client.engine.in_flight == 0
    assert told == counts.planned == counts.finished + counts.dropped + counts.unfinished
    assert len({done.exchange for done in client.done}) == len(client.done)


@pytest.fixture(autouse=True)
def nothing_left_open(loop):
    """Of the client nor of the server; what callbacks raise fails the test too, in `loop`."""
    gevent.sleep(0.001)  # the loop opens some files of its own
    before = open_files()
    yield
    assert open_files() <= before


@pytest.fixture
def client_of(client_of):
    """Make a client; at the end of the test it must have settled."""
    clients = []

    def make(*args, **kwargs):
        clients.append(client_of(*args, **kwargs))
        return clients[-1]

    yield make
    for client in clients:
        settled(client, len(client.done))


@pytest.fixture(params=["plain", "tls"])
def connected(request, serve, client_of, server_tls, client_tls):
    """Start a server and a client of it, of TCP and of TLS; the server's first connection plays `script`."""
    tls = (server_tls, client_tls) if request.param == "tls" else (None, None)

    def start(script, **kwargs):
        server = serve(script, [serve_on], tls=tls[0])
        return server, client_of(server, tls=tls[1], **kwargs)

    return start


def recovers(server, client):
    """The next request takes a new connection and is answered."""
    connections = server.connections
    assert client.send().outcome is Outcome.OK
    assert (server.connections, client.engine.counts.resent) == (connections + 1, 0)


# ---- no answer, or half of one


HANGING = {
    "never-reads": ([hold], BODY_12_MB),
    "never-answers": ([read, hold], b""),
    "half-head": ([read, HEAD, hold], b""),
    "half-body": ([read, OK[:-1], hold], b""),
    "half-chunk": ([read, CHUNKED[:-9], hold], b""),
    "one-byte-at-a-time": ([read, drip(HEAD + b"X-Long: " + b"x" * 100)], b""),
    "one-byte-of-the-body-at-a-time": ([read, HEAD + b"Content-Length: 100\r\n\r\n", drip(b"x" * 100)], b""),
    "interim-answers-without-end": ([read, flood(CONTINUE * 100)], b""),
    "chunks-without-end": ([read, CHUNKED_HEAD, flood(b"2000\r\n" + bytes(0x2000) + b"\r\n")], b""),
    "only-interim": ([read, CONTINUE, hold], b""),
}


@pytest.mark.parametrize(("script", "body"), HANGING.values(), ids=HANGING)
def test_a_server_without_a_whole_answer_is_a_client_timeout(connected, script, body):
    server, client = connected(script, timeout_s=SHORT_S)
    done = client.send(body)

    assert (done.outcome, done.answer) == (Outcome.CLIENT_TIMEOUT, None)
    assert done.finding.message == f"no answer within {SHORT_S:g} s"
    assert SHORT_S <= done.exchange.done - done.exchange.sent < PATIENCE_S / 2
    recovers(server, client)


BROKEN = {
    "closed-at-once": ([], f"{CLOSED}|{RESET}|Broken pipe|handshake"),
    "reset-at-once": ([reset], f"{RESET}|Broken pipe|{CLOSED}"),
    "closed": ([read], CLOSED),
    "reset": ([read, reset], RESET),
    "closed-in-status": ([read, b"HTTP/1.1 2"], CLOSED),
    "closed-in-header": ([read, HEAD + b"Content-Le"], CLOSED),
    "closed-before-body": ([read, OK[:-2]], CLOSED),
    "closed-in-body": ([read, OK[:-1]], CLOSED),
    "closed-in-chunk-size": ([read, CHUNKED_HEAD + b"2"], CLOSED),
    "closed-in-chunk": ([read, CHUNKED_HEAD + b"20\r\nxx"], CLOSED),
    "closed-between-chunks": ([read, CHUNKED_HEAD + b"2\r\nxx\r\n"], CLOSED),
    "closed-in-last-chunk": ([read, CHUNKED[:-2]], CLOSED),
    "closed-after-interim": ([read, CONTINUE], CLOSED),
    "reset-in-header": ([read, HEAD, reset], RESET),
    "reset-in-body": ([read, OK[:-1], reset], RESET),
    "reset-in-unmeasured-body": ([read, HEAD + b"\r\nbody", reset], RESET),
    "speaks-first": ([b"220 mail ready\r\n", hold], "not HTTP/1.1"),
    "banner": ([read, b"SSH-2.0-OpenSSH_9.6\r\n", hold], "not HTTP/1.1"),
    "binary": ([read, b"\x00\x01\x02\x03" * 100, hold], "not HTTP/1.1"),
    "random": ([read, random.Random(1).randbytes(100_000), hold], "not HTTP/1.1"),
    "tls-record": ([read, b"\x15\x03\x01\x00\x02\x02\x46", hold], "not HTTP/1.1"),
    "http-2": ([read, b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00", hold], "not HTTP/1.1"),
    "http-0.9": ([read, b"<html>ok</html>"], "not HTTP/1.1"),
    "garbage-after-interim": ([read, CONTINUE + b"gibberish\r\n\r\n", hold], "not HTTP/1.1"),
    "garbage-in-header": ([read, HEAD + b"no colon\r\n\r\n", hold], "not HTTP/1.1"),
    "bad-length": ([read, HEAD + b"Content-Length: -1\r\n\r\n", hold], "not HTTP/1.1"),
    "huge-length": ([read, HEAD + b"Content-Length: %d\r\n\r\n" % 2**64, hold], "not HTTP/1.1"),
    "two-lengths": ([read, HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", hold], "not HTTP/1.1"),
    "bad-chunk": ([read, CHUNKED_HEAD + b"not-hex\r\n", hold], "not HTTP/1.1"),
    "bad-chunk-end": ([read, CHUNKED_HEAD + b"2\r\nokay\r\n", hold], "not HTTP/1.1"),
    "upgrade": ([read, b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", hold], "another protocol"),
    "endless-status": ([read, b"HTTP/1.1 200 ", flood(b"x" * 65536)], "header is larger"),
    "endless-name": ([read, HEAD, flood(b"x" * 65536)], "header is larger"),
    "endless-value": ([read, HEAD + b"X-Long: ", flood(b"x" * 65536)], "header is larger"),
    "endless-header": ([read, HEAD, flood(b"X-Another: value\r\n" * 1000)], "header is larger"),
    "endless-interim-header": ([read, CONTINUE[:-2], flood(b"X-Another: value\r\n" * 1000)], "header is larger"),
    "endless-trailer": ([read, CHUNKED[:-2], flood(b"X-Another: value\r\n" * 1000)], "header is larger"),
    "endless-chunk-extension": ([read, CHUNKED_HEAD + b"2;", flood(b"x" * 65536)], "header is larger"),
    "endless-empty-lines": ([read, flood(b"\r\n" * 1000)], "header is larger"),
}


@pytest.mark.parametrize(("script", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_a_connection_error_that_says_why(connected, script, reason):
    server, client = connected(script)
    done = client.send()

    assert (done.outcome, done.answer) == (Outcome.CONNECTION_ERROR, None)
    assert re.search(reason, done.finding.message)
    recovers(server, client)


def test_a_refused_connection_says_so_even_for_a_body_over_the_limit(serve, client_of, refused_port):
    server = serve([])
    server.address = (server.address[0], ("127.0.0.1", refused_port))
    client = client_of(server, body_limit=1)
    done = [client.send() for _ in range(2)]

    assert {(each.outcome, each.finding.message) for each in done} == {(Outcome.CONNECTION_ERROR, "Connection refused")}
    assert [each.exchange.connect_s for each in done] == [None, None]


def test_a_connection_that_never_comes_about_is_a_client_timeout():
    """The queue of a server that does not accept is full: the kernel drops what comes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        address = (socket.AF_INET, listener.getsockname())
        client = Client(address[1][1], [address], limits(timeout_s=0.1, body_limit=1), None, "localhost")
        stack.callback(client.engine.close)
        done = client.send()
        settled(client, 1)

    assert (done.outcome, done.finding.message) == (Outcome.CLIENT_TIMEOUT, "no connection within 0.1 s")


# ---- right answers in every form


GOOD = {
    "measured": ([OK], b"ok", True),
    "empty": ([HEAD + b"Content-Length: 0\r\n\r\n"], b"", True),
    "no-content": ([b"HTTP/1.1 204 No Content\r\n\r\n"], b"", True),
    "without-a-reason": ([b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"], b"ok", True),
    "chunked": ([CHUNKED], b"okay!", True),
    "trailers": ([CHUNKED[:-2] + b"X-Check: 17\r\n\r\n"], b"okay!", True),
    "continue": ([CONTINUE + OK], b"ok", True),
    "continue-then-chunked": ([CONTINUE, CONTINUE, CHUNKED], b"okay!", True),
    "early-hints": ([HINTS, HINTS + OK], b"ok", True),
    "interim-until-close": ([CONTINUE + HEAD + b"\r\neverything"], b"everything", False),
    "until-close": ([HEAD + b"\r\neverything"], b"everything", False),
    "identity-until-close": ([HEAD + b"Transfer-Encoding: identity\r\n\r\neverything"], b"everything", False),
    "close": ([HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", hold], b"ok", False),
    "http-1.0": ([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", hold], b"ok", False),
    "http-1.0-keep-alive": ([b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"], b"ok", True),
    "http-1.0-until-close": ([b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nold"], b"old", False),
}


@pytest.mark.parametrize("cut", [bytes, bytewise], ids=["whole", "single-bytes"])
@pytest.mark.parametrize(("answer", "body", "lives_on"), GOOD.values(), ids=GOOD)
def test_every_form_of_answer_is_read_and_its_connection_used_again_where_it_may(
    serve, client_of, answer, body, lives_on, cut
):
    steps = [read, *(cut(step) if isinstance(step, bytes) else step for step in answer)]
    server = serve([*steps * 3, hold] if lives_on else steps)
    client = client_of(server)
    done = [client.send() for _ in range(3)]

    assert [(each.outcome, each.answer.body) for each in done] == [(Outcome.OK, body)] * 3
    assert all(b"link" not in each.answer.headers for each in done)
    assert (server.connections, client.engine.counts.resent) == (1 if lives_on else 3, 0)


def test_ten_thousand_interim_answers_come_before_the_real_one(connected):
    server, client = connected([read, (CONTINUE + HINTS) * 5000 + OK, serve_on])

    assert [client.send().answer.body for _ in range(2)] == [b"ok"] * 2
    assert server.connections == 1


def test_a_server_that_closes_after_each_answer_is_connected_to_again(connected):
    server, client = connected([read, OK])
    client.send()
    run_until(lambda: not client.engine._idle)

    recovers(server, client)


@pytest.mark.parametrize(
    "behind", [b"garbage", OK, HEAD, CONTINUE], ids=["garbage", "second-answer", "half-answer", "interim"]
)
@pytest.mark.parametrize("answer", [OK, CHUNKED, GOOD["close"][0][0]], ids=["measured", "chunked", "close"])
def test_bytes_behind_an_answer_leave_it_valid_and_end_the_connection(connected, answer, behind):
    server, client = connected([read, answer + behind, hold])
    done = client.send()

    assert (done.outcome, done.answer.body) == (Outcome.OK, b"okay!" if answer == CHUNKED else b"ok")
    recovers(server, client)


@pytest.mark.parametrize("behind", [b"garbage", OK], ids=["garbage", "second-answer"])
def test_bytes_that_come_while_a_connection_is_idle_end_it(connected, behind):
    gate = Gate()
    server, client = connected([read, OK, gate.wait, behind, hold])
    client.send()
    gate.open()
    run_until(lambda: not client.engine._idle)

    recovers(server, client)


# ---- large answers, large bodies


def test_of_an_answer_of_2_gb_only_the_beginning_takes_memory(serve, client_of):
    head = HEAD + b"Content-Length: %d\r\n\r\n" % (2048 * MEGABYTE)
    server = serve([read, head, *[bytes(MEGABYTE)] * 2048, serve_on])
    client = client_of(server)
    kept_bytes = answer_parser.LARGEST_KEPT_BYTES
    tracemalloc.start()
    done = client.send()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    outcome, body_bytes = done.outcome, len(done.answer.body)  # pytest would print the body where it fails

    assert outcome is Outcome.OK
    assert kept_bytes <= body_bytes < kept_bytes + MEGABYTE
    assert peak_bytes < 2 * kept_bytes + 10 * MEGABYTE
    assert (client.send().outcome, server.connections) == (Outcome.OK, 1)


@pytest.mark.parametrize("rest", [(reset,), (), (hold,)], ids=["reset", "close", "stay"])
def test_an_answer_before_the_body_is_sent_is_read_whatever_happens_to_the_connection(connected, rest):
    server, client = connected([read_head, TOO_LARGE, *rest])
    done = client.send(BODY_12_MB)

    assert (done.outcome, done.answer.status, done.answer.body) == (Outcome.OVERSIZE, 413, b"too large")
    assert done.exchange.uploaded is None
    recovers(server, client)


@pytest.mark.parametrize("end", [(reset,), ()], ids=["reset", "close"])
@pytest.mark.parametrize(
    ("body_limit", "outcome"), [(8 * MEGABYTE, Outcome.OVERSIZE), (None, Outcome.CONNECTION_ERROR)]
)
def test_a_cut_while_sending_is_oversize_only_over_the_limit(connected, end, body_limit, outcome):
    server, client = connected([read_head, *end], body_limit=body_limit)
    done = client.send(BODY_12_MB)

    assert (done.outcome, done.answer) == (outcome, None)
    assert done.finding.message in (RESET, "Broken pipe", CLOSED)
    recovers(server, client)


# ---- TLS


def receive(peer):
    peer.end.recv(65536)


def shake_half(peer):
    """Send the beginning of the handshake's answer."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(peer.end.recv(65536))
    with contextlib.suppress(ssl.SSLWantReadError):
        certified(trustme.CA(), "localhost").wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    peer.end.sendall(outgoing.read()[:200])


NO_HANDSHAKE = {
    "closes-at-once": ([], f"TLS: {CLOSED} in the handshake|{RESET}"),
    "closes": ([receive], f"TLS: {CLOSED} in the handshake"),
    "closes-in-the-middle": ([shake_half], f"TLS: {CLOSED} in the handshake"),
    "resets-at-once": ([reset], f"TLS: {CLOSED} in the handshake|{RESET}"),
    "resets": ([receive, reset], RESET),
    "resets-in-the-middle": ([shake_half, reset], RESET),
    "speaks-http": ([b"HTTP/1.1 400 Bad Request\r\n\r\n", hold], "TLS: "),
    "sends-garbage": ([receive, bytes(1000), hold], "TLS: "),
    "sends-garbage-in-the-middle": ([shake_half, b"\xff" * 10_000, hold], "TLS: "),
}


@pytest.mark.parametrize(("script", "reason"), NO_HANDSHAKE.values(), ids=NO_HANDSHAKE)
def test_a_broken_handshake_is_a_connection_error_that_says_why(serve, client_of, client_tls, script, reason):
    client = client_of(serve(script), tls=client_tls, body_limit=1)
    done = [client.send() for _ in range(2)]

    assert {(each.outcome, each.exchange.connect_s) for each in done} == {(Outcome.CONNECTION_ERROR, None)}
    assert all(re.match(reason, each.finding.message) for each in done)


@pytest.mark.parametrize("script", [[hold], [receive, hold], [shake_half, hold]], ids=["deaf", "mute", "half"])
def test_a_handshake_that_never_ends_is_a_client_timeout(serve, client_of, client_tls, script):
    done = client_of(serve(script), tls=client_tls, timeout_s=SHORT_S).send()

    assert (done.outcome, done.finding.message) == (Outcome.CLIENT_TIMEOUT, f"no connection within {SHORT_S:g} s")


def test_garbage_in_the_middle_of_tls_is_a_connection_error_that_says_so(serve, client_of, server_tls, client_tls):
    def bypass(peer):
        os.write(peer.end.fileno(), b"\xff" * 1000)

    server = serve([read, OK[:-1], bypass, hold], [serve_on], tls=server_tls)
    client = client_of(server, tls=client_tls)
    done = client.send()

    assert done.outcome is Outcome.CONNECTION_ERROR
    assert done.finding.message.startswith("TLS: ")
    recovers(server, client)


def certified(issuer, *names, **validity):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(*names, **validity).configure_cert(context)
    return context


YESTERDAY, TOMORROW = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
WRONG_CERTIFICATES = {
    "other-name": (lambda ours: certified(ours, "other.example"), "Hostname mismatch"),
    "expired": (lambda ours: certified(ours, "localhost", not_after=YESTERDAY), "certificate has expired"),
    "not-yet": (lambda ours: certified(ours, "localhost", not_before=TOMORROW), "certificate is not yet valid"),
    "unknown": (lambda _: certified(trustme.CA(), "localhost"), "unable to get local issuer certificate"),
}


@pytest.mark.parametrize(("made_by", "reason"), WRONG_CERTIFICATES.values(), ids=WRONG_CERTIFICATES)
def test_a_wrong_certificate_is_refused_with_the_reason(serve, client_of, authority, client_tls, made_by, reason):
    server = serve([serve_on], tls=made_by(authority))
    client = client_of(server, tls=client_tls)
    done = [client.send() for _ in range(2)]

    assert {each.outcome for each in done} == {Outcome.CONNECTION_ERROR}
    assert all(each.finding.message.startswith(f"TLS: {reason}") for each in done)
    assert server.bodies == []


def test_a_certificate_that_changes_in_mid_run_counts_from_the_next_connection(serve, client_of, authority, client_tls):
    tls = certified(authority, "localhost")
    server = serve([serve_on], tls=tls)
    client = client_of(server, tls=client_tls)

    def two_at_once():
        """One on the connection there is, one on a new one."""
        client.start(times=2)
        client.wait(len(client.done) + 2)
        return sorted(done.finding.message for done in client.done[-2:])

    assert client.send().outcome is Outcome.OK
    trustme.CA().issue_cert("localhost").configure_cert(tls)
    assert two_at_once() == ["", "TLS: unable to get local issuer certificate"]
    assert client.send().outcome is Outcome.OK
    authority.issue_cert("localhost").configure_cert(tls)
    assert two_at_once() == ["", ""]
    assert server.connections == 3


# ---- DNS


def test_no_name_is_looked_up_while_requests_are_sent(serve):
    """The name resolves no more once it has started. Python's own audit sees each look-up and each connect."""
    lookups, connects = [], []
    watching = [True]  # there is no way to take the hook away

    def hook(event, arguments):
        if watching and event in ("socket.getaddrinfo", "socket.gethostbyname"):
            lookups.append(event)
        elif watching and event == "socket.connect":
            connects.append(arguments[1][0])

    server = serve([read, GOOD["close"][0][0]])
    addresses = targets.resolve(targets.parse(f"http://localhost:{server.port}/"))
    sys.addaudithook(hook)
    client = Client(server.port, addresses, limits(), None, "service.invalid")
    done = [client.send() for _ in range(20)]
    client.engine.close()
    settled(client, 20)
    while_sending = list(lookups)
    with pytest.raises(ConfigError, match="does not resolve"):
        targets.resolve(client.target)
    watching.clear()

    assert [each.outcome for each in done] == [Outcome.OK] * 20
    assert (while_sending, lookups) == ([], ["socket.getaddrinfo"])
    assert len(connects) == 20
    assert all(ipaddress.ip_address(host) for host in connects)


# ---- many


FAST_SERVER = r"""
import select, socket
KEEP = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
print(listener.getsockname()[1], flush=True)
poll = select.epoll()
poll.register(listener, select.EPOLLIN)
ends, answers = {}, 0
while True:
    for number, _ in poll.poll():
        if number == listener.fileno():
            end, _ = listener.accept()
            ends[end.fileno()] = end
            poll.register(end, select.EPOLLIN)
        elif ends[number].recv(65536):
            answers += 1
            ends[number].sendall(KEEP if answers % 10 else LAST)
        else:
            ends.pop(number).close()
"""


@pytest.fixture
def fast_server():
    """A server in a process of its own; each tenth answer is the last on its connection. Gives its address."""
    with subprocess.Popen([sys.executable, "-c", FAST_SERVER], stdout=subprocess.PIPE, text=True) as process:
        yield socket.AF_INET, ("127.0.0.1", int(process.stdout.readline()))
        process.kill()


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_files_memory_and_objects_are_flat_over_100_000_requests_and_10_000_reconnects(fast_server):
    client = Client(fast_server[1][1], [fast_server], limits(), None, "localhost")
    engine, told = client.engine, Counter()

    def count(done):
        told[done.outcome] += 1
        client.done.clear()

    def send(requests):
        """Up to so many in all, fifty at a time. Gives open files, resident bytes and living objects."""
        client.on_done = count
        while (missing := requests - told.total()) > 0:
            client.start(times=min(missing, 50))
            client.until(lambda: engine.in_flight == 0)
        return open_files() - len(engine._idle), resident_bytes(), len(gc.get_objects())

    send(20_000)
    gc.collect()
    files, resident, objects = send(20_050)
    _, resident_between, _ = send(70_050)
    files_after, resident_after, objects_after = send(120_050)
    gc.collect()
    objects_at_last = len(gc.get_objects())
    engine.close()
    settled(client, told.total())

    assert told == {Outcome.OK: 120_050}
    assert files_after == files
    # What leaks does so in both halves; the heap of everything else that ran in this process may grow in one.
    assert min(resident_between - resident, resident_after - resident_between) < 2 * MEGABYTE
    assert objects_after - objects < 10_000
    assert objects_at_last - objects < 100


ENDS = {"closed": [], "cut": [OK[:-1]], "last": [GOOD["close"][0][0]], "reset": [reset], "garbage": [b"gibberish"]}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_connection_leaves_nothing_to_the_garbage_collector(serve, client_of, server_tls, client_tls, end):
    """At a thousand new ones per second it would look through them again and again, and stop the loop meanwhile."""
    client = client_of(serve([read, *end], tls=server_tls), tls=client_tls)
    client.send()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            client.send()
        unreachable = gc.collect()
    finally:
        gc.enable()

    assert unreachable < 20


# ---- answers that want more than to be read


def test_a_packed_answer_is_never_unpacked(serve, client_of):
    """We ask for no coding, and undo none: a bomb of 256 MB stays the 260 kB that it is."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join([*(packer.compress(bytes(MEGABYTE)) for _ in range(256)), packer.flush()])
    head = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    client = client_of(serve([read, HEAD + head + bomb, hold]))
    tracemalloc.start()
    done = client.send()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (done.outcome, done.answer.body == bomb) == (Outcome.BAD_ANSWER, True)
    assert peak_bytes < 10 * len(bomb) < 10 * MEGABYTE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_nothing_goes_where_it_points(serve, client_of, status):
    elsewhere = serve([serve_on])
    lure = b"HTTP/1.1 %d Over There\r\nLocation: http://127.0.0.1:%d/v1\r\nContent-Length: 0\r\n\r\n"
    client = client_of(serve([read, lure % (status, elsewhere.port), serve_on]))
    done = client.send()

    assert (done.outcome, done.answer.status) == (Outcome.CLIENT_ERROR, status)
    assert client.send().outcome is Outcome.OK
    assert elsewhere.connections == 0
