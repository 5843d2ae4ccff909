import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import run_format
from analysis.outcomes import Outcome
from loadgate import target as targets
from loadgate.credential import Credential
from loadgate.exchange import Exchange
from loadgate.payloads import Payload
from loadgate.recording import Recording
from loadgate.request import encode

START = 1000.0
TARGET = targets.parse("http://h/")


def request(name):
    return encode(Payload(name, "json", "application/json", b"{}"), TARGET, Credential(), "1")


REQUESTS = {name: request(name) for name in ("a", "b")}


def exchange(planned, *, name="a", late=0.0, took=None, outcome=Outcome.OK, answer_bytes=0, **moments):
    """A request planned so long after the start, with its moments in seconds after it was sent."""
    made = Exchange(REQUESTS[name], START + planned, START + planned + late, b"")
    made.outcome, made.answer_bytes = outcome, answer_bytes
    made.done = None if took is None else made.sent + took
    made.connect_s = moments.get("connect_s")
    for moment in ("uploaded", "first_byte"):
        if moment in moments:
            setattr(made, moment, made.sent + moments[moment])
    return made


def rows(recording):
    """A row for each time: (second, name, outcome, measure, time in us or None, count)."""
    batch = recording.fold()
    found = [] if batch is None else batch.histogram().rows()
    return sorted(
        ((*key, time_us, count) for *key, times, count in found for time_us in times or [None]),
        key=lambda row: (row[:3], run_format.MEASURES.index(row[3])),
    )


def measured(recording, measure):
    """The rows of one measure without its name."""
    return [(*row[:3], *row[4:]) for row in rows(recording) if row[3] == measure]


def test_each_measure_runs_between_its_own_moments():
    recording = Recording(START)
    recording.add(exchange(2.5, late=0.00025, took=0.001, uploaded=0.0005, first_byte=0.00075, connect_s=0.000125))

    assert rows(recording) == [
        (2, "a", "ok", "response", 1250, 1),
        (2, "a", "ok", "service", 1000, 1),
        (2, "a", "ok", "lateness", 250, 1),
        (2, "a", "ok", "first_byte", 750, 1),
        (2, "a", "ok", "upload", 500, 1),
        (2, "a", "ok", "connect", 125, 1),
    ]


def test_a_dropped_request_is_one_response_without_a_time():
    recording = Recording(START)
    recording.add(exchange(1.0, late=math.nan, outcome=Outcome.DROPPED))

    assert rows(recording) == [(1, "a", "dropped", "response", None, 1)]


def test_equal_requests_are_one_row_and_others_are_not():
    recording = Recording(START)
    for planned, name, outcome in [
        (0.1, "a", Outcome.OK),
        (0.9, "a", Outcome.OK),
        (1.0, "a", Outcome.OK),
        (0.1, "b", Outcome.OK),
        (0.1, "a", Outcome.THROTTLED),
    ]:
        recording.add(exchange(planned, name=name, took=0.001, outcome=outcome))

    assert Counter(measured(recording, "service")) == Counter(
        [
            (0, "a", "ok", 1000, 2),
            (1, "a", "ok", 1000, 1),
            (0, "b", "ok", 1000, 1),
            (0, "a", "throttled", 1000, 1),
        ]
    )


def test_a_request_belongs_to_the_second_it_was_planned_for():
    recording = Recording(START)
    recording.add(exchange(0.999, late=0.5, took=3.0))

    assert {row[0] for row in rows(recording)} == {0}


def test_a_request_planned_before_the_start_belongs_to_the_first_second():
    recording = Recording(START)
    recording.add(exchange(-0.3, took=0.5))

    assert {row[0] for row in rows(recording)} == {0}


def test_an_early_request_has_no_negative_lateness():
    recording = Recording(START)
    recording.add(exchange(1.0, late=-0.5, took=1.0))

    assert measured(recording, "lateness") == [(1, "a", "ok", 0, 1)]


def test_a_timeout_without_a_first_byte_waited_for_it_to_the_end():
    recording = Recording(START)
    recording.add(exchange(1.0, took=2.0, outcome=Outcome.CLIENT_TIMEOUT))
    recording.add(exchange(1.0, took=2.0, outcome=Outcome.CONNECTION_ERROR))

    assert [row[:3] + row[4:] for row in rows(recording) if row[3] == "first_byte"] == [
        (1, "a", "client_timeout", 2_000_384, 1)
    ]


def test_nothing_recorded_is_no_batch():
    assert Recording(START).fold() is None


def test_a_request_is_folded_once():
    recording = Recording(START)
    recording.add(exchange(0.0, took=1.0))

    assert recording.fold() is not None
    assert recording.fold() is None


def test_the_bytes_of_answers_are_kept_apart_from_the_rows():
    recording = Recording(START)
    for answer_bytes in (3, 2**40):
        recording.add(exchange(0.0, took=1.0, answer_bytes=answer_bytes))

    assert recording.fold().answer_bytes.tolist() == [3, 2**40]


@given(st.floats(0.0, 3600.0))
def test_a_time_is_off_by_at_most_half_a_microsecond_and_half_a_thousandth(took):
    recording = Recording(START)
    made = exchange(0.0, took=took)
    took_us = (made.done - made.planned) * 1e6
    recording.add(made)
    ((*_, value_us, count),) = measured(recording, run_format.RESPONSE)

    assert count == 1
    assert abs(value_us - took_us) <= 0.5 + 0.0005 * took_us


RECORDS = st.lists(
    st.tuples(
        st.floats(0.0, 5.0),
        st.sampled_from(["a", "b"]),
        st.sampled_from(list(Outcome)),
        st.one_of(st.none(), st.floats(1e-4, 60.0)),
    ),
    max_size=40,
)


@given(RECORDS, st.sets(st.integers(0, 40)))
def test_counts_add_up_to_the_requests_however_they_are_split_into_batches(records, folds):
    def recorded(folds):
        recording, found = Recording(START), Counter()
        for number, (planned, name, outcome, took) in enumerate(records):
            if number in folds:
                found.update({row[:5]: row[5] for row in rows(recording)})
            recording.add(exchange(planned, name=name, took=took, outcome=outcome))
        return found + Counter({row[:5]: row[5] for row in rows(recording)})

    split = recorded(folds)
    responses = Counter()
    for (_, name, outcome, measure, _), count in split.items():
        if measure == run_format.RESPONSE:
            responses[name, outcome] += count

    assert split == recorded(())
    assert responses == Counter((name, outcome.value) for _, name, outcome, _ in records)


def test_the_rows_are_numpys_own_histogram():
    """10,000 requests: counts a second, and counts in each of 500 bins of service time, are numpy's."""
    chance = np.random.default_rng(1)
    planned, took = chance.uniform(0.0, 10.0, 10_000), chance.lognormal(-3.0, 1.0, 10_000)
    recording = Recording(START)
    for at, seconds in zip(planned, took, strict=True):
        recording.add(exchange(at, took=seconds))
    second, value_us, count = np.array(
        [(row[0], row[4], row[5]) for row in rows(recording) if row[3] == run_format.SERVICE]
    ).T
    # Edges between buckets: multiples of 32 us, the width of a bucket from 32,768 us on, shifted by the rounding.
    edges = np.arange(0, 65_536, 32) - 0.5
    took_us = (np.array([START + at for at in planned]) + took - np.array([START + at for at in planned])) * 1e6

    assert np.bincount(second, count, 10).tolist() == np.histogram(planned, 10, (0.0, 10.0))[0].tolist()
    assert np.histogram(value_us, edges, weights=count)[0].tolist() == np.histogram(took_us, edges)[0].tolist()
    assert np.average(value_us, weights=count) == pytest.approx(took.mean() * 1e6, rel=0.0005)
