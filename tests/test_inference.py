import gevent
import pytest

from analysis.outcomes import Outcome
from loadgate.answers import Answer, Finding
from loadgate.exchange import Exchange
from loadgate.inference import Waiter


def inference(finding, answer):
    waiter = Waiter()
    exchange = Exchange(None, 1.0, 1.5, b"")
    exchange.done = 4.0
    gevent.spawn(waiter.on_done, exchange, finding, answer)
    return waiter.inference(lambda text: text.replace("secret", "***"))


def test_it_is_the_answer_and_the_time_since_it_was_sent():
    got = inference(Finding(Outcome.OK), Answer(200, {b"x": b"y"}, b'{"label": "cat"}'))

    assert (got.outcome, got.status, got.headers, got.json()) == ("ok", 200, {b"x": b"y"}, {"label": "cat"})
    assert (got.message, got.service_s) == ("", 2.5)


def test_without_an_answer_it_says_why_and_no_secret():
    got = inference(Finding(Outcome.CONNECTION_ERROR, "E1", "reset by secret"), None)

    assert (got.status, got.headers, got.body, got.message) == (None, {}, b"", "E1 reset by ***")


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_value_error(body):
    with pytest.raises(ValueError, match=r"."):
        inference(Finding(Outcome.OK), Answer(200, {}, body)).json()
