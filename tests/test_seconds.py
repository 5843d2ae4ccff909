"""A row of the timeline is what changed since the row before."""

from time import sleep

import pytest
from awaited_client import spin

from analysis.run_format import TIMELINE_COLUMNS
from loadgate.collector import CollectorPauses
from loadgate.connection import clock
from loadgate.seconds import Seconds


@pytest.fixture
def pauses():
    watch = CollectorPauses()
    yield watch
    watch.close()


def row_of(rows):
    (row,) = rows
    return dict(zip(TIMELINE_COLUMNS, row, strict=True))


def test_a_row_comes_when_its_second_is_over_and_what_it_told_is_not_told_again(serve, client_of, pauses):
    client = client_of(serve([]))
    engine = client.engine
    start = clock() - 0.7
    seconds = Seconds(start, engine, pauses)
    early = seconds.rows()
    engine.counts.planned, engine.counts.sent = 5, 4
    engine.latest_s, engine.longest_turn_s, pauses.longest_s = 0.002, 0.003, 0.004
    seconds.woke_late(0.0035)
    sleep(0.2)
    spin(0.15)
    first, last = row_of(seconds.rows()), row_of(seconds.rows(last=True))

    assert early == []
    assert (first["second"], first["planned"], first["sent"]) == (0, 5, 4)
    assert (first["lateness_ms"], first["gc_pause_ms"]) == (2.0, 4.0)
    assert first["loop_lag_ms"] >= 3.5
    assert 0.05 < first["cpu_share"] < 0.9
    assert (last["second"], last["planned"], last["lateness_ms"], last["cpu_share"]) == (1, 0, None, None)
    assert last["gc_pause_ms"] < 4


def test_a_second_in_which_nothing_left_has_no_lateness(serve, client_of, pauses):
    engine = client_of(serve([])).engine
    seconds = Seconds(clock(), engine, pauses)
    engine.counts.planned = engine.counts.dropped = 3

    assert row_of(seconds.rows(last=True))["lateness_ms"] is None
