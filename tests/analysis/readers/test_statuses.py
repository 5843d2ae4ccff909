import pytest

from analysis.outcomes import Outcome
from analysis.readers.statuses import outcome_in_words, outcome_of, speaks_of_timeout, status_in_words, status_of


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "ok"),
        (299, "ok"),
        (301, "client_error"),
        (400, "client_error"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "client_error"),
        (408, "gateway_timeout"),
        (413, "oversize"),
        (429, "throttled"),
        (500, "server_error"),
        (502, "unavailable"),
        (503, "unavailable"),
        (504, "gateway_timeout"),
        (599, "server_error"),
        (100, "client_error"),
    ],
)
def test_a_status_names_the_outcome(status, outcome):
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(
    ("status", "success", "timed_out", "outcome"),
    [
        (200, False, False, "bad_answer"),
        (200, True, False, "ok"),
        (404, True, False, "client_error"),
        (None, True, False, "ok"),
        (None, None, True, "client_timeout"),
        (None, False, True, "client_timeout"),
        (None, False, False, "connection_error"),
        (504, False, True, "gateway_timeout"),
    ],
)
def test_the_tools_verdict_decides_where_there_is_no_status_or_a_good_one(status, success, timed_out, outcome):
    assert outcome_of(status, success=success, timed_out=timed_out) == outcome


@pytest.mark.parametrize(
    ("words", "outcome", "status"),
    [
        ("HTTPError('504 Server Error: Gateway Timeout for url: json')", "gateway_timeout", 504),
        ("HTTPError('401 Client Error: Unauthorized for url: /v1/200')", "unauthorized", 401),
        ("BadStatusCode('http://127.0.0.1/', code=503)", "unavailable", 503),
        ("CatchResponseError('unexpected status code: 429')", "throttled", 429),
        ('ReadTimeout(ReadTimeoutError("Read timed out. (read timeout=0.02)"))', "client_timeout", None),
        ("TimeoutError('The read operation timed out')", "client_timeout", None),
        ("ConnectionRefusedError(111, 'Connection refused')", "connection_error", None),
        ("RemoteDisconnected('Remote end closed connection without response')", "connection_error", None),
        ("SSLError(1, 'certificate verify failed')", "connection_error", None),
        ("CatchResponseError('wrong number of results')", "bad_answer", None),
        ("expected 200 results", "bad_answer", None),
        ("gateway_timeout", "gateway_timeout", None),
        ("ok", "bad_answer", None),
        ("", "bad_answer", None),
    ],
)
def test_an_error_text_is_good_for_a_guess(words, outcome, status):
    assert outcome_in_words(words) == (Outcome(outcome), status)


@pytest.mark.parametrize(
    ("text", "status"),
    [("200", 200), ("599", 599), ("0", None), ("", None), ("600", None), ("2000", None), ("٢٠٠", None)],
)
def test_a_status_is_three_digits(text, status):
    assert status_of(text) == status


def test_other_numbers_in_words_are_no_status():
    assert status_in_words("expected 200 results in 404 ms") is None


@pytest.mark.parametrize(
    "words", ["java.net.SocketTimeoutException", "Read timed out", "time-out", "Timeout", "dial: i/o timeout"]
)
def test_words_speak_of_a_timeout(words):
    assert speaks_of_timeout(words)
