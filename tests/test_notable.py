import math

import pytest

from analysis import run_format
from analysis.outcomes import AnsweredBy, Outcome
from loadgate import target as targets
from loadgate.answers import OK, Answer, Finding
from loadgate.credential import Credential
from loadgate.exchange import Exchange
from loadgate.notable import FAILURES_KEPT, SLOWEST_KEPT, Notable, NotableRow
from loadgate.payloads import Payload
from loadgate.request import encode

START = 1000.0
REQUEST = encode(Payload("cats", "json", "application/json", b"{}"), targets.parse("http://h/"), Credential(), "1")


def exchange(planned, took=None):
    made = Exchange(REQUEST, START + planned, START + planned, b"")
    made.done = None if took is None else made.planned + took
    return made


def notable(redact=str):
    return Notable(START, "X-Request-Id", redact)


def answer(request_id=b"acbc548a", status=200):
    return Answer(status, {b"x-request-id": request_id}, b"")


def test_a_row_has_the_columns_of_its_file():
    assert NotableRow._fields == run_format.NOTABLE_COLUMNS


def test_a_failure_is_kept_with_its_words_and_the_gateways_id():
    seen = notable()
    finding = Finding(Outcome.THROTTLED, "APIG.0308", "too many", AnsweredBy.GATEWAY, "throttled")
    seen.see(exchange(1.5, took=0.25), finding, answer(status=429))

    assert seen.take_failures() == [
        NotableRow(1.5, "cats", "throttled", "gateway", "throttled", 429, "APIG.0308", "too many", "acbc548a", 0.25)
    ]


def test_a_failure_without_an_answer_has_no_status_and_no_id():
    seen = notable()
    seen.see(Exchange(REQUEST, START + 2.0, math.nan, b""), Finding(Outcome.DROPPED), None)

    assert seen.take_failures() == [NotableRow(2.0, "cats", "dropped", "", "", None, "", "", "", None)]


def test_failures_are_taken_once():
    seen = notable()
    seen.see(exchange(0.0, took=1.0), Finding(Outcome.OVERSIZE), answer())

    assert len(seen.take_failures()) == 1
    assert seen.take_failures() == []


def test_a_flood_of_one_outcome_leaves_room_for_the_others():
    seen = notable()
    for number in range(1000):
        seen.see(exchange(number, took=0.1), Finding(Outcome.THROTTLED), answer())
    seen.see(exchange(1000, took=40.0), Finding(Outcome.GATEWAY_TIMEOUT), answer())
    outcomes = [row.outcome for row in seen.take_failures()]

    assert outcomes == ["throttled"] * FAILURES_KEPT + ["gateway_timeout"]


def test_the_limit_of_an_outcome_holds_for_the_whole_run():
    seen = notable()
    for number in range(2 * FAILURES_KEPT):
        seen.see(exchange(number, took=0.1), Finding(Outcome.THROTTLED), answer())
        kept = seen.take_failures()

    assert kept == []


@pytest.mark.parametrize("order", [1, -1])
def test_the_slowest_answers_are_kept_slowest_first(order):
    seen = notable()
    times = [number / 1000 for number in range(1, 101)][::order]
    for took in times:
        seen.see(exchange(0.0, took=took), OK, answer())

    assert [row.response_s for row in seen.slowest()] == sorted(times, reverse=True)[:SLOWEST_KEPT]


def test_equally_slow_answers_do_not_confuse_the_order():
    seen = notable()
    for planned in range(2 * SLOWEST_KEPT):
        seen.see(exchange(planned, took=0.5), OK, answer())

    assert [row.response_s for row in seen.slowest()] == [0.5] * SLOWEST_KEPT


def test_a_slow_failure_is_not_among_the_slowest_answers():
    seen = notable()
    seen.see(exchange(0.0, took=40.0), Finding(Outcome.GATEWAY_TIMEOUT), answer())

    assert seen.slowest() == []


@pytest.mark.parametrize(
    ("request_id", "shown"),
    [
        (b"", ""),
        (b"x" * 100, "x" * 64),
        (b"a\x1b[31mb\xff", "a [31mb\N{REPLACEMENT CHARACTER}"),
        (b"SECRET", "***"),
    ],
)
def test_a_hostile_request_id_is_cut_redacted_and_on_one_line(request_id, shown):
    seen = notable(redact=lambda text: text.replace("SECRET", "***"))
    seen.see(exchange(0.0, took=0.1), OK, answer(request_id))

    assert [row.request_id for row in seen.slowest()] == [shown]
