"""An alarm rings on the loop at a moment of the monotonic clock."""

import math
import statistics
import time

import gevent
import pytest
from awaited_client import run_until

from loadgate.alarm import LoopAlarm, TimerfdAlarm
from loadgate.connection import clock


@pytest.fixture(params=[TimerfdAlarm, LoopAlarm])
def bell(request, loop):
    """An alarm and when it rang. As its owner does, it is set anew at each ring: never, or what `then` holds."""
    bell = Bell(request.param, loop)
    yield bell
    bell.alarm.close()


class Bell:
    def __init__(self, kind, loop):
        self.rang, self.then = [], []
        self.alarm = kind(loop, self.ring)

    def ring(self):
        self.rang.append(clock())
        self.alarm.set(self.then.pop(0) if self.then else math.inf)

    def wait(self, count):
        run_until(lambda: len(self.rang) >= count)


def test_it_rings_once_at_its_time(bell):
    at = clock() + 0.03
    bell.alarm.set(at)
    bell.wait(1)
    gevent.sleep(0.02)

    assert len(bell.rang) == 1
    assert 0 <= bell.rang[0] - at < 1.0


def test_it_is_never_early_although_the_loop_was_busy(bell):
    """The loop's own timers count from the start of its turn."""
    time.sleep(0.03)
    at = clock() + 0.05
    bell.alarm.set(at)
    bell.wait(1)

    assert bell.rang[0] >= at


def test_it_rings_at_once_when_the_time_is_past(bell):
    before = clock()
    bell.alarm.set(before - 1.0)
    bell.wait(1)

    assert bell.rang[0] - before < 1.0


def test_it_is_silent_until_it_is_set(bell):
    gevent.sleep(0.02)

    assert bell.rang == []


def test_infinity_is_never(bell):
    bell.alarm.set(clock() + 0.01)
    bell.alarm.set(math.inf)
    gevent.sleep(0.03)

    assert bell.rang == []


@pytest.mark.parametrize(("first", "second"), [(0.01, 0.05), (5.0, 0.02)], ids=["later", "earlier"])
def test_a_new_time_replaces_the_one_before(bell, first, second):
    start = clock()
    bell.alarm.set(start + first)
    bell.alarm.set(start + second)
    bell.wait(1)
    gevent.sleep(0.02)

    assert len(bell.rang) == 1
    assert second <= bell.rang[0] - start < second + 1.0


def test_it_keeps_time_when_it_is_set_from_its_own_ring(bell):
    medians = []
    for _ in range(3):  # for others may have the cores for a moment
        start = clock() + 0.01
        times = [start + number * 0.002 for number in range(100)]
        bell.rang, bell.then = [], times[1:]
        bell.alarm.set(times[0])
        bell.wait(100)
        late = [rang - at for rang, at in zip(bell.rang, times, strict=True)]
        medians.append(statistics.median(late))

        assert min(late) >= 0
    assert min(medians) < 0.002


def test_a_closed_alarm_is_silent(loop):
    for kind in (TimerfdAlarm, LoopAlarm):
        bell = Bell(kind, loop)
        bell.alarm.set(clock() + 0.01)
        bell.alarm.close()
        gevent.sleep(0.02)

        assert bell.rang == []
