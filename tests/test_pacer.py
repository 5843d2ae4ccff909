"""Requests start when they are due, and their planned times are those of the plan."""

import itertools
import statistics
from itertools import pairwise

import gevent
import pytest
from awaited_client import spin
from raw_server import serve_on

from loadgate import pacer as pacers
from loadgate.alarm import LoopAlarm, TimerfdAlarm
from loadgate.arrivals import Arrivals
from loadgate.connection import clock
from loadgate.pacer import Pacer, Stream


@pytest.fixture
def pace(serve, client_of, loop):
    """Make a pacer with an engine that sends to a server; `lasts_s` is its plan's length."""
    made = []

    def make(*, lasts_s=60.0, rate_per_user=1.0):
        made.append(Paced(client_of(serve([serve_on])), loop, rate_per_user, lasts_s))
        return made[-1]

    yield make
    for paced in made:
        paced.pacer.close()


class Paced:
    def __init__(self, client, loop, rate_per_user, lasts_s):
        self.client, self.start = client, clock()
        self.end = self.start + lasts_s
        client.engine.turn_at = self.start
        self.pacer = Pacer(loop, client.engine, rate_per_user=rate_per_user, start=self.start, end=self.end)

    def stream(self, users, seed="seed", distribution="constant"):
        stream = Stream(Arrivals(distribution, seed), itertools.repeat(self.client.request()))
        self.pacer.add(stream)
        self.pacer.set_users(stream, users)
        return stream

    def run_to(self, elapsed_s):
        gevent.sleep(max(self.start + elapsed_s - clock(), 0))
        sent = self.client.engine.counts.sent
        self.client.until(lambda: len(self.client.done) >= sent)

    @property
    def planned(self):
        return sorted(done.exchange.planned - self.start for done in self.client.done)


def plan(seed, rate, until, distribution="constant"):
    """The times that arrivals at a constant rate have, worked out without a pacer."""
    arrivals = Arrivals(distribution, seed)
    arrivals.set_rate(0.0, rate)
    times = []
    while arrivals.due < until:
        times.append(arrivals.due)
        arrivals.advance()
    return times


@pytest.mark.parametrize("alarm", [TimerfdAlarm, LoopAlarm])
@pytest.mark.parametrize("distribution", ["constant", "poisson"])
def test_every_request_of_the_plan_is_sent_close_to_its_time(pace, monkeypatch, distribution, alarm):
    monkeypatch.setattr(pacers, "Alarm", alarm)
    medians = []
    for _ in range(3):  # for others may have the cores for half a second
        paced = pace(lasts_s=0.5, rate_per_user=100.0)
        paced.stream(4, distribution=distribution)
        paced.run_to(0.6)
        late = [done.exchange.sent - done.exchange.planned for done in paced.client.done]
        medians.append(statistics.median(late))

        assert paced.planned == pytest.approx(plan("seed", 400.0, 0.5, distribution), abs=1e-6)
        assert min(late) >= 0
    assert min(medians) < 0.002


def test_streams_keep_plans_of_their_own(pace):
    paced = pace(lasts_s=0.3, rate_per_user=50.0)
    paced.stream(2, seed="one")
    paced.stream(4, seed="two")
    paced.run_to(0.4)

    expected = sorted([*plan("one", 100.0, 0.3), *plan("two", 200.0, 0.3)])
    assert paced.planned == pytest.approx(expected, abs=0.002)  # the second joins a moment later


def test_nothing_is_sent_without_users(pace):
    paced = pace()
    paced.stream(0)
    paced.run_to(0.05)

    assert paced.client.engine.counts.planned == 0


def test_the_rate_of_all_users_is_changed_at_once_and_the_plan_goes_on(pace):
    paced = pace(rate_per_user=100.0)
    paced.stream(1)
    paced.run_to(0.2)
    paced.pacer.set_rate_per_user(400.0)
    changed = paced.client.engine.turn_at - paced.start
    assert paced.pacer.rate_per_s == 400.0
    paced.run_to(0.4)
    paced.pacer.set_rate_per_user(0.0)
    stopped = paced.client.engine.turn_at - paced.start
    sent = paced.client.engine.counts.sent
    paced.run_to(0.5)

    arrivals, expected = Arrivals("constant", "seed"), []
    arrivals.set_rate(0.0, 100.0)
    while arrivals.due < changed:
        expected.append(arrivals.due)
        arrivals.advance()
    arrivals.set_rate(changed, 400.0)
    while len(expected) < sent:
        expected.append(arrivals.due)
        arrivals.advance()
    assert paced.planned == pytest.approx(expected, abs=1e-6)
    due = 100 * changed + 400 * (stopped - changed)
    assert paced.client.engine.counts.sent == sent == pytest.approx(due, abs=1.01)


def test_what_was_due_before_a_change_of_rate_was_planned_at_the_old_one(pace):
    paced = pace(rate_per_user=200.0)
    paced.stream(1)
    spin(0.1)  # nothing was sent meanwhile
    paced.client.engine.turn_at = paced.start + 0.1
    paced.pacer.set_rate_per_user(0.0)
    paced.run_to(0.2)

    assert paced.planned == pytest.approx(plan("seed", 200.0, 0.1), abs=1e-6)


def test_a_stop_ends_the_plan_at_that_moment(pace):
    paced = pace(rate_per_user=200.0)
    paced.stream(1)
    paced.run_to(0.2)
    stopped = clock()
    paced.pacer.stop(stopped)
    sent = paced.client.engine.counts.sent
    gevent.sleep(0.05)
    paced.run_to(0)

    assert paced.client.engine.counts.sent == sent
    assert paced.planned == pytest.approx(plan("seed", 200.0, stopped - paced.start), abs=1e-6)


def test_a_stop_still_sends_what_is_due_by_then(pace):
    paced = pace(rate_per_user=200.0)
    paced.stream(1)
    spin(0.1)
    paced.pacer.stop(paced.start + 0.05)
    paced.run_to(0)

    assert paced.planned == pytest.approx(plan("seed", 200.0, 0.05), abs=1e-6)


def test_a_stop_in_the_future_is_reached(pace):
    paced = pace(rate_per_user=200.0)
    paced.stream(1)
    paced.pacer.stop(paced.start + 0.1)
    paced.run_to(0.2)

    assert paced.planned == pytest.approx(plan("seed", 200.0, 0.1), abs=1e-6)


def test_a_held_up_loop_sends_late_and_skips_nothing(pace):
    paced = pace(lasts_s=0.3, rate_per_user=200.0)
    paced.stream(1)
    gevent.sleep(0.05)
    spin(0.1)
    paced.run_to(0.4)
    late = [done.exchange.sent - done.exchange.planned for done in paced.client.done]

    assert paced.planned == pytest.approx(plan("seed", 200.0, 0.3), abs=1e-6)
    assert max(late) > 0.08


def test_more_users_send_more_from_then_on(pace):
    paced = pace(lasts_s=0.4, rate_per_user=100.0)
    stream = paced.stream(1)
    paced.run_to(0.2)
    changed = clock() - paced.start
    paced.pacer.set_users(stream, 4)
    paced.run_to(0.5)
    before = [at for at in paced.planned if at < changed]

    assert len(before) == pytest.approx(100 * changed, abs=1.01)
    assert len(paced.planned) - len(before) == pytest.approx(400 * (0.4 - changed), abs=2)


def test_no_users_left_means_no_requests_until_there_are_some_again(pace):
    paced = pace(rate_per_user=200.0)
    stream = paced.stream(1)
    paced.run_to(0.1)
    paced.pacer.set_users(stream, 0)
    count = paced.client.engine.counts.planned
    paced.run_to(0.2)
    assert paced.client.engine.counts.planned == count
    again = paced.client.engine.turn_at - paced.start
    paced.pacer.set_users(stream, 1)
    paced.run_to(0.3)

    assert 0 <= paced.planned[count] - again < 0.0051


def test_what_was_due_before_a_change_of_users_keeps_its_planned_time(pace):
    """Held up, ten arrivals are due when nine tenths of the rate go away."""
    paced = pace(rate_per_user=10.0)
    stream = paced.stream(10)
    spin(0.1)
    paced.client.engine.turn_at = clock()  # a new turn of the loop
    changed = paced.client.engine.turn_at - paced.start
    paced.pacer.set_users(stream, 1)
    paced.run_to(0.4)
    before = plan("seed", 100.0, changed)

    assert len(before) >= 9
    assert paced.planned[: len(before)] == pytest.approx(before, abs=1e-6)
    assert paced.planned[len(before)] - changed <= 0.1
    assert all(later - earlier == pytest.approx(0.1) for earlier, later in pairwise(paced.planned[len(before) :]))


def test_a_closed_pacer_sends_nothing_more(serve, client_of, loop):
    paced = Paced(client_of(serve([serve_on])), loop, 200.0, 60.0)
    paced.stream(1)
    paced.run_to(0.05)
    paced.pacer.close()
    sent = paced.client.engine.counts.sent
    gevent.sleep(0.05)

    assert sent > 0
    assert paced.client.engine.counts.sent == sent


def test_a_gap_begins_right_after_an_arrival(pace):
    paced = pace()
    paced.stream(50)
    paced.run_to(0.1)
    first = paced.client.done[0].exchange.planned
    after = []
    for _ in range(20):
        gevent.sleep(0.003)
        paced.pacer.await_gap()
        after.append((clock() - first) % 0.02)

    assert sorted(after)[5] < 0.002  # of 20; two would be by chance, and a busy machine makes some late


@pytest.mark.parametrize("users", [0, 1])
def test_a_gap_is_not_waited_for_long(pace, users):
    paced = pace(rate_per_user=0.1)  # the first arrival is more than a second away
    if users:
        paced.stream(users)
        gevent.sleep(0.01)
    began = clock()
    paced.pacer.await_gap()

    assert clock() - began < 1.0
