import http.client
import io
import json
import tracemalloc

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


HEADS = ["HTTP/1.1 200 OK", "HTTP/1.1 503 ", "HTTP/1.1 404", "HTTP/1.0 200 OK"]
FIELDS = ["X-Empty:", "content-type: text/plain", "X-Other: a: b"]
CONNECTION = [[], ["Connection: close"], ["CONNECTION: Keep-Alive"]]
CONTINUES = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Go on\r\nX-Early: 1\r\nContent-Length: 9\r\n\r\n"]


@st.composite
def chunks(draw):
    pieces = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4))
    extension = draw(st.sampled_from([b"", b";name=value"]))
    trailers = draw(st.sampled_from([b"", b"X-Trailer: 1\r\n"]))
    framed = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(framed) + b"0" + extension + b"\r\n" + trailers + b"\r\n"


@st.composite
def answers(draw):
    """The bytes of any answer: measured, in chunks or up to the connection's end, with interim answers before it."""
    body = draw(st.binary(max_size=40))
    framing, body = draw(
        st.sampled_from(
            [(f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", None), ("X-Old: 1", body)]
        )
    )
    body = draw(chunks()) if body is None else body
    fields = draw(
        st.permutations(
            [framing, *draw(st.lists(st.sampled_from(FIELDS), unique=True)), *draw(st.sampled_from(CONNECTION))]
        )
    )
    interim = b"".join(draw(st.lists(st.sampled_from(CONTINUES), max_size=2)))
    return interim + "\r\n".join([draw(st.sampled_from(HEADS)), *fields, "", ""]).encode() + body


@given(answers(), st.data())
def test_an_answer_is_what_python_reads_however_its_bytes_arrive(wire, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1))))

    assert by_ours(wire, cuts) == by_ours(wire, range(1, len(wire))) == by_ours(wire, []) == by_python(wire)


@pytest.mark.parametrize("wire", [PLAIN, CHUNKED, INTERIM + PLAIN, UNTIL_CLOSE, INTERIM + UNTIL_CLOSE])
def test_an_answer_is_the_same_cut_in_two_anywhere(wire):
    for cut in range(1, len(wire)):
        assert by_ours(wire, [cut]) == by_python(wire)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_an_answer_in_a_coding_that_is_not_chunked_ends_with_the_connection(coding):
    """RFC 9112, 6.3: without `chunked` at its end, the body goes up to the end of the connection."""
    wire = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\nall of it".encode()

    assert by_ours(wire, []) == by_python(wire)


def by_ours(wire, cuts):
    """Status, headers, body and keep-alive as they are here, with `wire` cut at `cuts`."""
    parser = AnswerParser()
    complete = [parser.feed(wire[start:end]) for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    ended = parser.ends_with_connection
    answer = parser.take()
    headers = {name: value for name, value in answer.headers.items() if name != b"x-trailer"}

    assert not any(complete[:-1])
    assert complete[-1] is not ended
    return answer.status, headers, answer.body, parser.keep_alive and not ended


def by_python(wire):
    """The same as the standard library has it; it drops trailers."""

    class Wire:
        def makefile(self, _):
            return io.BytesIO(wire)

    response = http.client.HTTPResponse(Wire(), method="POST")
    response.begin()
    headers = {name.lower().encode(): value.encode() for name, value in response.getheaders()}
    return response.status, headers, response.read(), not response.will_close


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


@pytest.mark.parametrize("wire", [PLAIN, CHUNKED, INTERIM + PLAIN, INTERIM + CHUNKED, UNTIL_CLOSE[:-13]])
def test_an_answer_that_is_cut_anywhere_is_not_taken_for_a_whole_one(wire):
    for cut in range(len(wire)):
        parser = AnswerParser()

        assert not parser.feed(wire[:cut])
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


def test_a_body_in_tiny_chunks_takes_no_more_memory_than_in_large_ones():
    parser = AnswerParser()
    parser.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    body_bytes, piece = 200_000, b"2\r\nxx\r\n" * 1000
    tracemalloc.start()
    for _ in range(body_bytes // 2000):
        parser.feed(piece)
    parser.feed(b"0\r\n\r\n")
    body = parser.take().body
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(body) == body_bytes
    assert peak_bytes < 4 * body_bytes


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
