"""M/M/c: Poisson arrivals, exponential service, c servers, first come first served. In closed form, and simulated.

The response time's tail is Kleinrock's (Queueing Systems I, 1975, section 3.5), with Erlang's C for the chance to wait.
"""

import heapq
import math

import numpy as np

from analysis.capacity.level import Level, against
from analysis.capacity.search import NEAR, SHORTEST_S, Done, next_step
from analysis.objectives.figures import Part
from analysis.run_format import MEASURES, RESPONSE
from analysis.samples import OUTCOMES, Samples

LOOK_S = 2  # between looks at a level
OK, THROTTLED, TIMED_OUT = (OUTCOMES.index(name) for name in ("ok", "throttled", "gateway_timeout"))


def erlang_c(c, load):
    """The chance to wait, with c servers that are offered *load* erlang."""
    blocked = 1.0
    for servers in range(1, c + 1):
        blocked = load * blocked / (servers + load * blocked)
    return blocked / (1 - load / c * (1 - blocked))


def slower(limit_s, rate_per_s, mean_s, c):
    """P(response > limit)."""
    load = rate_per_s * mean_s
    if load >= c:
        return 1.0
    served, waits, spare = math.exp(-limit_s / mean_s), erlang_c(c, load), c - 1 - load
    if abs(spare) < 1e-9:
        return served * (1 + waits * limit_s / mean_s)
    return served * (1 + waits * (1 - math.exp(-limit_s / mean_s * spare)) / spare)


def capacity(limit_s, allowed, mean_s, c):
    """The rate at which just *allowed* of the requests take longer than the limit."""
    low, high = 0.0, c / mean_s
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if slower(limit_s, middle, mean_s, c) <= allowed else (low, middle)
    return low


class Queue:
    """A service whose levels take no time: c servers, a time limit, and perhaps a cap on evenly spaced requests."""

    def __init__(self, seed, mean_s, c, *, timeout_s=40.0, cap_per_s=None):
        self._chance = np.random.default_rng(seed)
        self._mean_s, self._c, self._timeout_s, self._cap_per_s = mean_s, c, timeout_s, cap_per_s

    def level(self, objectives, step):
        """Hold a rate as a search does."""
        settle_s, most_s = math.ceil(step.settle_s), math.ceil(step.settle_s) + math.ceil(step.longest_s)
        arrive, took_s, outcome = self._responses(step.rate_per_s, most_s)
        looked_at = [] if step.kind == NEAR else range(settle_s + math.ceil(SHORTEST_S), most_s, LOOK_S)
        for to_s in (*looked_at, most_s):
            sent = (arrive >= settle_s) & (arrive < to_s)
            age_s = np.minimum(took_s, to_s - arrive)  # of what is in flight
            level = self._level(objectives, step, arrive[sent], age_s[sent], outcome[sent], settle_s, to_s)
            if step.is_over(level):
                break
        drained_s = max([to_s, *(arrive + took_s)[arrive < to_s]])
        sent = (arrive >= settle_s) & (arrive < to_s)
        found = self._level(objectives, step, arrive[sent], took_s[sent], outcome[sent], settle_s, to_s)
        return Level(found.kind, found.rate_per_s, found.length_s, drained_s, found.against)

    def _level(self, objectives, step, arrive, took_s, outcome, from_s, to_s):
        n = len(arrive)
        samples = Samples(
            np.floor(arrive).astype(np.int64), np.zeros(n, np.int64), outcome,
            np.full(n, MEASURES.index(RESPONSE)), (took_s * 1e6).astype(np.int64), np.ones(n, np.int64), ("json",),
        )  # fmt: skip
        return Level(
            step.kind, step.rate_per_s, to_s - from_s, to_s, against(objectives, Part(samples, None, from_s, to_s))
        )

    def _responses(self, rate_per_s, seconds):
        """When requests arrive, how long each takes, and its outcome."""
        if self._cap_per_s:
            arrive = np.arange(math.ceil(rate_per_s * seconds)) / rate_per_s
            passed = np.floor(arrive * min(1.0, self._cap_per_s / rate_per_s) * rate_per_s + 1e-9)
            is_capped = np.diff(passed, prepend=-1) < 1
            return arrive, np.full(len(arrive), 0.001), np.where(is_capped, THROTTLED, OK)
        gaps = self._chance.exponential(1 / rate_per_s, int(rate_per_s * seconds * 1.5) + 100)
        arrive = np.cumsum(gaps)
        arrive = arrive[arrive < seconds]
        served_s, took_s = self._chance.exponential(self._mean_s, len(arrive)), np.zeros(len(arrive))
        free = [0.0] * self._c
        for number, now in enumerate(arrive.tolist()):
            end = max(now, free[0]) + served_s[number]
            heapq.heapreplace(free, end)
            took_s[number] = end - now
        return arrive, np.minimum(took_s, self._timeout_s), np.where(took_s > self._timeout_s, TIMED_OUT, OK)


def searched(search, service, objectives):
    """Search to the end; give what came of it, and the levels."""
    levels = []
    while True:
        step = next_step(search, levels)
        if isinstance(step, Done):
            return step, levels
        levels.append(service.level(objectives, step))
        assert len(levels) < 100
