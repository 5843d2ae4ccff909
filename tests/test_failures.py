import math

from analysis import run_format
from analysis.outcomes import AnsweredBy, Outcome
from loadgate import target as targets
from loadgate.answers import Answer, Finding
from loadgate.credential import Credential
from loadgate.exchange import Exchange
from loadgate.failures import DISTINCT_KEPT, OTHERS, FailureRow, Failures
from loadgate.payloads import Payload
from loadgate.request import encode

START = 1000.0
REQUESTS = {
    name: encode(Payload(name, "json", "application/json", b"{}"), targets.parse("http://h/"), Credential(), "1")
    for name in ("cats", "dogs")
}
THROTTLED = Finding(Outcome.THROTTLED, "APIG.0308", "too many", AnsweredBy.GATEWAY, "throttled")


def exchange(planned, name="cats"):
    return Exchange(REQUESTS[name], START + planned, START + planned, b"")


def answer(status):
    return Answer(status, {}, b"")


def test_a_row_has_the_columns_of_its_file():
    assert FailureRow._fields == run_format.FAILURE_COLUMNS


def test_failures_are_counted_by_planned_second_name_and_words():
    failures = Failures(START, str)
    for planned, name in ((0.2, "cats"), (0.9, "cats"), (1.0, "cats"), (1.1, "dogs")):
        failures.add(exchange(planned, name), THROTTLED, answer(429))
    failures.add(exchange(-0.01), Finding(Outcome.DROPPED), None)

    shared = ("throttled", "gateway", "throttled", 429, "APIG.0308", "too many")
    assert sorted(failures.take()) == sorted(
        [
            FailureRow(0, "cats", *shared, 2),
            FailureRow(1, "cats", *shared, 1),
            FailureRow(1, "dogs", *shared, 1),
            FailureRow(0, "cats", "dropped", "", "", None, "", "", 1),
        ]
    )
    assert failures.take() == []


def test_the_same_words_with_another_status_are_another_failure():
    failures = Failures(START, str)
    for status in (502, 504):
        failures.add(exchange(0), Finding(Outcome.UNAVAILABLE, "A", "b"), answer(status))

    assert {row.status for row in failures.take()} == {502, 504}


def test_words_that_are_new_each_time_are_bounded_and_every_request_is_counted():
    failures = Failures(START, str)
    for number in range(10 * DISTINCT_KEPT):
        failures.add(exchange(0), Finding(Outcome.SERVER_ERROR, f"C{number}", f"id {number}"), answer(500))
    rows = failures.take()

    assert len(rows) == DISTINCT_KEPT + 1
    assert sum(row.count for row in rows) == 10 * DISTINCT_KEPT
    assert [(row.error_code, row.count) for row in rows if row.message == OTHERS] == [("", 9 * DISTINCT_KEPT)]


def test_words_known_already_are_told_apart_when_there_are_many_too():
    failures = Failures(START, str)
    failures.add(exchange(0), THROTTLED, answer(429))
    for number in range(2 * DISTINCT_KEPT):
        failures.add(exchange(0), Finding(Outcome.SERVER_ERROR, "", f"id {number}"), answer(500))
    failures.take()
    failures.add(exchange(0), THROTTLED, answer(429))

    assert [row.error_code for row in failures.take()] == ["APIG.0308"]


def test_hostile_words_are_redacted_cut_and_on_one_line():
    failures = Failures(START, lambda text: text.replace("SECRET", "***"))
    failures.add(exchange(0), Finding(Outcome.SERVER_ERROR, "1+\n1", "SUM(\nSECRET " + "x" * 500), answer(500))
    (row,) = failures.take()

    assert row.error_code == "1+ 1"
    assert row.message.startswith("SUM( *** xxx")
    assert len(row.message) == 200


def test_a_request_planned_when_nobody_knows_belongs_to_its_second():
    failures = Failures(START, str)
    made = Exchange(REQUESTS["cats"], START + 7.5, math.nan, b"")
    failures.add(made, Finding(Outcome.DROPPED), None)

    assert failures.take()[0].second == 7
