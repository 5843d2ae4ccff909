"""How a service scales, described from the levels of a search: nothing here decides.

The universal scalability law (Gunther, Guerrilla Capacity Planning, 2007, chapter 4) is fitted in its linear form: the
time that a request takes at concurrency N is (1 + sigma (N - 1) + kappa N (N - 1)) / lambda. The knee is where the
power, throughput by response time, is highest (Kleinrock, Power and deterministic rules of thumb for probabilistic
problems in computer communications, ICC 1979).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.capacity.level import Level
from analysis.outcomes import POPULATION

FEWEST_RATES = 4  # that differ, for a law of three parameters
LITTLE_SHARE = 0.25  # by which those in flight may differ from rate x time for a level to be steady
IDLE = 0.3  # of the highest throughput, at which nothing waits
FULL = 0.9  # of the rate, answered with ok: a service that cannot do more
KEPT_UP = 0.97  # of the rate, answered with ok

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scalability:
    """The law's parameters; concurrency is requests in the service at a time."""

    lambda_per_s: float  # throughput at a concurrency of 1
    sigma: float  # contention: what of the work cannot be shared
    kappa: float  # coherency: what each pays for each other
    peak_concurrency: float | None  # None: throughput only grows
    peak_per_s: float | None
    measured_to: float  # the highest concurrency that was measured: what is beyond is extrapolated
    levels: int

    def per_s(self, concurrency: float) -> float:
        """Throughput at a concurrency."""
        n = concurrency
        return self.lambda_per_s * n / (1 + self.sigma * (n - 1) + self.kappa * n * (n - 1))


def concurrency(level: Level) -> float | None:
    """Requests in the service at a time, by Little's law: the rate of those that reached it times their mean time."""
    if level.mean_s is None or not level.length_s:
        return None
    return sum(level.outcomes.get(each, 0) for each in POPULATION) / level.length_s * level.mean_s


def is_steady(level: Level) -> bool:
    """Whether a level was no queue that only grew: it kept up, and Little's law agrees with those counted in flight."""
    by_law = concurrency(level)
    if level.spoiled or by_law is None or level.in_flight is None or (level.ok_per_s or 0) < KEPT_UP * level.rate_per_s:
        return False
    return abs(level.in_flight - by_law) <= max(1.0, LITTLE_SHARE * by_law)  # counted once a second


def scalability(levels: Sequence[Level]) -> Scalability | None:
    """Fit the law to the steady *levels*; None if they are too few."""
    steady = [each for each in levels if is_steady(each)]
    if len({each.rate_per_s for each in steady}) < FEWEST_RATES:
        return None
    n = np.array([max(1.0, concurrency(each) or 0.0) for each in steady])
    time_s = np.array([each.mean_s or 0.0 for each in steady])
    requests = np.array([sum(each.outcomes.values()) for each in steady])
    base_s, contention_s, coherency_s = _fitted(n, time_s, np.sqrt(requests) / time_s)
    if base_s <= 0:
        return None
    sigma, kappa = contention_s / base_s, coherency_s / base_s
    law = Scalability(1 / base_s, sigma, kappa, None, None, float(n.max()), len(steady))
    if kappa <= 0 or sigma >= 1:
        return law
    peak = math.sqrt((1 - sigma) / kappa)
    return replace(law, peak_concurrency=peak, peak_per_s=law.per_s(peak))


def _fitted(n: Numbers, time_s: Numbers, weight: Numbers) -> tuple[float, float, float]:
    """Least squares with no coefficient below 0: the best of those fits in which some are 0 (there are three)."""
    columns = np.stack((np.ones_like(n), n - 1, n * (n - 1)), axis=1)
    best, least = (0.0, 0.0, 0.0), math.inf
    for chosen in itertools.chain.from_iterable(itertools.combinations(range(3), size) for size in (1, 2, 3)):
        part = columns[:, chosen]
        found = np.linalg.lstsq(part * weight[:, np.newaxis], time_s * weight, rcond=None)[0]
        wrong = float(np.sum(((part @ found - time_s) * weight) ** 2))
        if (found >= 0).all() and wrong < least:
            filled = np.zeros(3)
            filled[list(chosen)] = found
            best, least = (float(filled[0]), float(filled[1]), float(filled[2])), wrong
    return best


def was_full(levels: Sequence[Level]) -> bool:
    """Whether the service was seen to answer fewer than it was sent."""
    return any((each.ok_per_s or math.inf) < FULL * each.rate_per_s for each in levels if not each.spoiled)


def _known(levels: Sequence[Level]) -> list[Level]:
    return [each for each in levels if not each.spoiled and each.mean_s and each.ok_per_s]


def knee(levels: Sequence[Level]) -> Level | None:
    """Give the level of the highest power; None if they are too few, or power still grew at the highest rate."""
    known = _known(levels)
    if len({each.rate_per_s for each in known}) < FEWEST_RATES:
        return None
    best = max(known, key=lambda each: (each.ok_per_s or 0.0) / (each.mean_s or math.inf))
    return None if best.rate_per_s == max(each.rate_per_s for each in known) else best


def servers(levels: Sequence[Level]) -> float | None:
    """Say how many requests the service seems to work on at a time: its highest throughput times its time when idle."""
    known = sorted(_known(levels), key=lambda each: each.rate_per_s)
    if not known or knee(levels) is None:
        return None  # it was never full
    highest = max(each.ok_per_s or 0.0 for each in known)
    idle = [each for each in known if each.rate_per_s <= IDLE * highest] or known[:1]
    requests = [sum(each.outcomes.values()) for each in idle]
    return highest * float(np.average([each.mean_s or 0.0 for each in idle], weights=requests))
