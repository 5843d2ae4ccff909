import asyncio

import pytest

from loadgate.standin.answers import Answer
from loadgate.standin.errors import TOO_LARGE, UNAVAILABLE
from loadgate.standin.exchange import Exchange
from loadgate.standin.head import Head
from loadgate.standin.truth import COLUMNS


class Wire:
    """Keeps what is sent, and the time when it was."""

    def __init__(self):
        self.now_s = 10.0
        self.messages = []

    def clock(self):
        return self.now_s

    async def send(self, message):
        self.messages.append(message)

    def headers(self):
        return dict(self.messages[0]["headers"])


@pytest.fixture
def wire():
    return Wire()


def head(headers=None):
    return Head("POST", "/v1/infers/x", b"", headers or {})


def row(exchange):
    return dict(zip(COLUMNS, exchange.row(), strict=True))


def test_an_exchange_without_an_answer_has_no_status_and_ends_now(wire):
    exchange = Exchange(head({b"content-length": b"7"}), "id", wire.clock)
    wire.now_s = 12.0
    assert row(exchange) == {
        "arrival_s": "10.000000",
        "start_s": "",
        "end_s": "12.000000",
        "status": None,
        "code": "",
        "bytes": 7,
        "model": "",
        "fault": "",
        "uuid": "",
        "request_id": "id",
    }


def test_an_answer_of_the_model_says_so_and_ends_when_it_is_handed_over(wire):
    exchange = Exchange(head(), "id", wire.clock)
    wire.now_s = 11.0
    asyncio.run(exchange.reply(Answer(200, b"{}"), wire.send))
    wire.now_s = 12.0
    assert wire.headers()[b"server"] == b"ModelArts"
    assert row(exchange)["status"] == 200
    assert row(exchange)["end_s"] == "11.000000"


def test_latencies_are_told_in_ms_to_who_asks(wire):
    exchange = Exchange(head({b"x-apig-mode": b"debug"}), "id", wire.clock)
    exchange.forwarded_s = 10.25
    wire.now_s = 10.5
    asyncio.run(exchange.reply(Answer(200, b"{}"), wire.send))
    assert wire.headers()[b"x-apig-latency"] == b"500"
    assert wire.headers()[b"x-apig-upstream-latency"] == b"250"


def test_how_the_throttle_stands_is_told_to_who_asks(wire):
    for headers, told in (({b"x-apig-mode": b"debug"}, b"remain:9,limit:10,time:10 second"), ({}, None)):
        exchange = Exchange(head(headers), "id", wire.clock)
        exchange.throttle = "remain:9,limit:10,time:10 second"
        asyncio.run(exchange.reply(Answer(200, b"{}"), wire.send))
        assert wire.headers().get(b"x-apig-ratelimit-user") == told
        wire.messages.clear()


@pytest.mark.parametrize(("refusal", "server"), [(TOO_LARGE, b"api-gateway"), (UNAVAILABLE, b"ModelArts")])
def test_a_refusal_says_which_layer_it_is_of(wire, refusal, server):
    exchange = Exchange(head(), "id", wire.clock)
    asyncio.run(exchange.refuse(refusal, wire.send))
    assert wire.headers()[b"server"] == server
    assert (row(exchange)["status"], row(exchange)["code"]) == (refusal.status, refusal.code)


def test_a_refusal_while_the_body_comes_is_whole_before_the_rest_is_read(wire):
    exchange = Exchange(head(), "id", wire.clock)

    async def receive():
        assert len(wire.messages[1]["body"]) == int(wire.headers()[b"content-length"])
        return {"type": "http.disconnect"}

    asyncio.run(exchange.refuse_unread(TOO_LARGE, receive, wire.send))
    assert wire.headers()[b"connection"] == b"close"
    assert [message.get("more_body", False) for message in wire.messages[1:]] == [True, False]


def test_a_hostile_uuid_cannot_break_the_truth(wire):
    exchange = Exchange(head(), "id", wire.clock)
    exchange.note(Answer(200, b"", "json", "a\nb\ud800" + "c" * 100))
    assert row(exchange)["uuid"] == "ab" + "c" * 62
