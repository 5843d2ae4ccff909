import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate import answer_parser
from loadgate.answer_parser import AnswerParser, NotHttpError
from loadgate.answers import Answer

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" + b'{"a": 1}'
CHUNKED = (
    b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfail\r\n3;x=y\r\ned\n\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nServer: old\r\n\r\nall of it"


def test_an_answer_has_status_headers_in_lower_case_and_body():
    parser = AnswerParser()

    assert parser.feed(PLAIN)
    answer = parser.take()
    assert (answer.status, json.loads(answer.body)) == (200, {"a": 1})
    assert answer.headers == {b"content-type": b"application/json", b"content-length": b"8"}


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM + PLAIN]), st.data())
def test_the_answer_is_the_same_however_its_bytes_arrive(wire, data):
    whole, pieces = AnswerParser(), AnswerParser()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1))))
    complete = [pieces.feed(wire[start:end]) for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]

    assert whole.feed(wire)
    assert complete == [False] * len(cuts) + [True]
    assert pieces.take() == whole.take()
    assert pieces.keep_alive is whole.keep_alive is True


def test_a_chunked_body_is_joined():
    parser = AnswerParser()
    parser.feed(CHUNKED)

    assert (parser.take().body, parser.keep_alive) == (b"failed\n", True)


def test_an_interim_answer_leaves_no_trace():
    parser = AnswerParser()

    assert not parser.feed(INTERIM)
    assert not parser.ends_with_connection
    assert parser.feed(PLAIN)
    assert parser.take().headers == {b"content-type": b"application/json", b"content-length": b"8"}


def test_answers_come_one_after_the_other():
    parser = AnswerParser()
    parser.feed(CHUNKED)
    parser.take()

    assert parser.feed(PLAIN)
    assert parser.take() == Answer(200, {b"content-type": b"application/json", b"content-length": b"8"}, b'{"a": 1}')


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_is_whole_with_its_head(status):
    parser = AnswerParser()

    assert parser.feed(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert parser.take().status == status


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_the_answer_says_whether_the_connection_lives_on(head, keep_alive):
    parser = AnswerParser()
    parser.feed(head + b"Content-Length: 2\r\n\r\nok")

    assert parser.keep_alive is keep_alive


def test_bytes_behind_an_answer_end_the_trust_in_the_connection_and_change_nothing():
    parser = AnswerParser()

    assert parser.feed(PLAIN + CHUNKED)
    assert not parser.keep_alive
    assert (parser.take().status, parser.ends_with_connection) == (200, False)


def test_an_answer_without_a_length_ends_with_the_connection():
    parser = AnswerParser()

    assert not parser.feed(UNTIL_CLOSE)
    assert parser.ends_with_connection
    assert parser.take().body == b"all of it"


@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 200 OK\r\nServ", PLAIN[:-1], CHUNKED[:-1]])
def test_a_cut_answer_with_a_length_does_not_end_with_the_connection(wire):
    parser = AnswerParser()
    parser.feed(wire)

    assert not parser.ends_with_connection


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP/1.1"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "another protocol"),
    ],
)
def test_what_is_not_http_is_said_in_one_sentence(wire, reason):
    with pytest.raises(NotHttpError, match=reason):
        AnswerParser().feed(wire)


def test_of_an_endless_body_only_the_beginning_is_kept(monkeypatch):
    monkeypatch.setattr(answer_parser, "LARGEST_KEPT_BYTES", 1000)
    parser = AnswerParser()
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")

    complete = [parser.feed(b"x" * 100) for _ in range(100)]
    assert complete == [False] * 99 + [True]
    assert parser.take().body == b"x" * 1000


def test_rubbish_behind_an_answer_does_not_spoil_it():
    parser = AnswerParser()

    assert parser.feed(PLAIN + b"\x00rubbish")
    assert not parser.keep_alive
    assert parser.take().body == b'{"a": 1}'


def test_an_endless_header_is_refused():
    parser = AnswerParser()
    parser.feed(b"HTTP/1.1 200 OK\r\n")
    fields = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 1000) for number in range(1100))

    with pytest.raises(NotHttpError, match="header is larger than 1048576 bytes"):
        parser.feed(fields)
