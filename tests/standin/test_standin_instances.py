import heapq
import itertools
import math
import random
import statistics
from functools import partial

import pytest

from loadgate.standin.answers import Answer
from loadgate.standin.instances import Instances, Job

DONE = Answer(200, b"{}")


class Simulation:
    """A clock that jumps from event to event."""

    def __init__(self):
        self.now_s = 0.0
        self._events = []
        self._order = itertools.count()

    def clock(self):
        return self.now_s

    def call_at(self, when_s, action):
        heapq.heappush(self._events, (when_s, next(self._order), action))

    def run(self, *, late_s=0.0):
        while self._events:
            when_s, _, action = heapq.heappop(self._events)
            self.now_s = max(self.now_s, when_s + late_s)
            action()


class Bed:
    """Instances on a simulated clock, and what they did."""

    def __init__(self, slots, queue):
        self.time = Simulation()
        self.threads = []
        self.starts_s, self.ends_s = {}, {}
        self.instances = Instances(
            slots,
            queue,
            clock=self.time.clock,
            call_at=self.time.call_at,
            offload=lambda work, done: self.threads.append((work, done)),
        )

    def submit(self, name, service_s, **more):
        def finished(_reply):
            self.ends_s[name] = self.time.now_s

        def started(start_s):
            self.starts_s[name] = start_s

        job = {"work": lambda: DONE, **more}
        return self.instances.submit(
            Job(service_s=service_s, queued_s=self.time.now_s, started=started, finished=finished, **job)
        )


def erlang_c_wait_s(arrivals_per_s, mean_s, slots):
    """Mean waiting time of M/M/c (Erlang 1917; Gross & Harris, Fundamentals of Queueing Theory, 2.3)."""
    load = arrivals_per_s * mean_s
    busy = load**slots / math.factorial(slots) * slots / (slots - load)
    waiting = busy / (sum(load**k / math.factorial(k) for k in range(slots)) + busy)
    return waiting * mean_s / (slots - load)


def poisson_run(slots, load, count, mean_s=0.1):
    """Arrivals and service times of an M/M/c, and when the instances started each."""
    bed, chance, arrival_s, jobs = Bed(slots, 10**9), random.Random(7), 0.0, []
    for name in range(count):
        arrival_s += chance.expovariate(load / mean_s)
        jobs.append((arrival_s, chance.expovariate(1 / mean_s)))
        bed.time.call_at(arrival_s, partial(bed.submit, name, jobs[-1][1]))
    bed.time.run()
    return jobs, [bed.starts_s[name] for name in range(count)]


@pytest.mark.parametrize(("slots", "load"), [(1, 0.7), (4, 3.2), (8, 6.0)])
def test_every_start_is_that_of_the_kiefer_wolfowitz_recursion(slots, load):
    jobs, starts_s = poisson_run(slots, load, 20_000)
    free_s = [0.0] * slots
    for (arrival_s, service_s), start_s in zip(jobs, starts_s, strict=True):
        expected_s = max(arrival_s, heapq.heappop(free_s))
        assert start_s == pytest.approx(expected_s, abs=1e-9)
        heapq.heappush(free_s, expected_s + service_s)


# Tolerance: three standard deviations of the mean of so many correlated waits, measured over 20 seeds.
@pytest.mark.parametrize(("slots", "load", "tolerance"), [(1, 0.7, 0.13), (4, 3.2, 0.25), (8, 6.0, 0.28)])
def test_mean_waiting_time_is_erlang_c_for_poisson_arrivals_and_exponential_service(slots, load, tolerance):
    jobs, starts_s = poisson_run(slots, load, 60_000)
    mean_wait_s = statistics.fmean(start_s - job[0] for start_s, job in zip(starts_s, jobs, strict=True))
    assert mean_wait_s == pytest.approx(erlang_c_wait_s(load / 0.1, 0.1, slots), rel=tolerance)


def test_the_queue_is_first_come_first_served():
    bed = Bed(1, 10)
    for name in "abc":
        bed.submit(name, 1.0)
    bed.time.run()
    assert bed.ends_s == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_a_full_queue_refuses():
    bed = Bed(2, 1)
    assert [bed.submit(name, 1.0) for name in "abcd"] == [True, True, True, False]


def test_a_late_timer_does_not_add_up_over_a_busy_period():
    bed = Bed(1, 1000)
    for name in range(1000):
        bed.submit(name, 0.1)
    bed.time.run(late_s=0.001)
    assert bed.ends_s[999] == pytest.approx(100.0, abs=0.002)


def test_computing_is_part_of_the_service_time():
    bed = Bed(1, 0)

    def work():
        bed.time.now_s += 0.3
        return DONE

    bed.submit("a", 1.0, work=work)
    bed.time.run()
    assert bed.ends_s["a"] == 1.0


def test_computing_longer_than_the_service_time_delays_the_successor():
    bed = Bed(1, 1)

    def work():
        bed.time.now_s += 3.0
        return DONE

    bed.submit("a", 1.0, work=work)
    bed.submit("b", 1.0)
    bed.time.run()
    assert bed.ends_s == {"a": 3.0, "b": 4.0}


def test_a_heavy_job_holds_its_slot_while_a_thread_computes():
    bed = Bed(1, 1)
    bed.submit("a", 1.0, heavy=True)
    bed.submit("b", 1.0)
    bed.time.run()
    assert bed.ends_s == {}
    ((work, done),) = bed.threads
    done(work())
    bed.time.run()
    assert bed.ends_s == {"a": 1.0, "b": 2.0}
