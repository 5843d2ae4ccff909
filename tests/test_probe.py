"""One request shows whether a load makes sense."""

import socket
import ssl

import pytest
from awaited_client import limits
from raw_server import OK, hold, read

from analysis.outcomes import Outcome
from loadgate.credential import Bearer
from loadgate.payloads import Payload
from loadgate.plan import Sending
from loadgate.probe import probe
from loadgate.target import Target

TOKEN = "a-token-that-is-secret"


@pytest.fixture
def probe_at(loop):
    """Probe a port; the keywords are those of `limits`."""

    def send(port, *, tls=None, body=b"hello", **kwargs):
        target = Target("localhost", port, "/v1", tls is not None)
        addresses = [(socket.AF_INET, ("127.0.0.1", port))]
        sending = Sending(target, addresses, limits(**kwargs), Bearer("token", "X-Auth-Token", "", TOKEN), tls)
        return probe(sending, *sending.encode([Payload("test", "file", "text/plain", body)]))

    return send


def answering(status, body=b""):
    return [read, b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body, hold]


def test_a_good_answer_is_kept_with_its_time(serve, probe_at):
    probed = probe_at(serve([read, OK, hold]).port)

    assert (probed.finding.outcome, probed.answer.body, probed.hopeless) == (Outcome.OK, b"ok", False)
    assert 0 < probed.service_s < 1
    assert probed.as_dict() == {"outcome": "ok", "status": 200, "service_s": round(probed.service_s, 6)}


@pytest.mark.parametrize(
    ("status", "hopeless"),
    [(401, True), (403, True), (404, True), (405, True), (400, False), (429, False), (500, False), (502, False)],
)
def test_a_failure_that_every_request_would_share_is_hopeless(serve, probe_at, status, hopeless):
    probed = probe_at(serve(answering(status)).port)

    assert (probed.answer.status, probed.hopeless) == (status, hopeless)


def test_a_refused_connection_is_hopeless(probe_at, refused_port):
    probed = probe_at(refused_port)

    assert (probed.finding.message, probed.answer, probed.hopeless) == ("Connection refused", None, True)
    assert probed.as_dict()["status"] is None


def test_a_certificate_that_cannot_be_trusted_is_hopeless(serve, probe_at, server_tls):
    probed = probe_at(serve([hold], tls=server_tls).port, tls=ssl.create_default_context())

    assert probed.finding.outcome is Outcome.CONNECTION_ERROR
    assert probed.hopeless


@pytest.mark.parametrize(
    ("script", "outcome"), [([read], Outcome.CONNECTION_ERROR), ([read, hold], Outcome.CLIENT_TIMEOUT)]
)
def test_a_service_that_fails_to_answer_is_what_a_load_is_there_to_measure(serve, probe_at, script, outcome):
    probed = probe_at(serve(script).port, timeout_s=0.1)

    assert (probed.finding.outcome, probed.hopeless) == (outcome, False)


def test_a_body_over_the_limit_that_is_cut_off_is_oversize(serve, probe_at):
    probed = probe_at(serve([read]).port, body=bytes(100), body_limit=50)

    assert (probed.finding.outcome, probed.hopeless) == (Outcome.OVERSIZE, False)


def test_the_finding_does_not_repeat_the_token(serve, probe_at):
    probed = probe_at(serve(answering(500, f"bad token {TOKEN}".encode())).port)

    assert probed.finding.message == "bad token ***"
    assert TOKEN.encode() in probed.answer.body


def test_its_connection_is_closed(serve, probe_at):
    closed = []

    def await_end(peer):
        closed.append(peer.end.recv(1))

    server = serve([read, OK, await_end])
    probe_at(server.port)
    server.close()

    assert closed == [b""]
