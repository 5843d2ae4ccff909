"""The figures that objectives are about, with their intervals, of some seconds of a run.

A share's interval is Wilson's, a mean's Student's, each of the effective number of requests, as a percentile's is
(`analysis.percentiles`, `analysis.correlation`). A rate is what was counted, which leaves no doubt, and so are the
limits of no request and of every one.

How many requests would decide is the number at which POWER of such runs do, if the figure is what it was found to be
(sample size of a test of one share: Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003,
chapter 2). A percentile within its limit is such a share: more than p of the requests are.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.correlation import FEWEST_SECONDS, design_effects
from analysis.count_intervals import wilson
from analysis.objectives.objective import ERRORS, OK_RATE, PER_SECOND, SHARE, TIMEOUTS, Objective
from analysis.outcomes import Outcome
from analysis.percentiles import effective_ranks, estimates, requests_needed
from analysis.population import TIMEOUTS as TIMED_OUT
from analysis.population import Population, population_of
from analysis.run_format import RESPONSE
from analysis.samples import OUTCOMES, Samples
from analysis.student import normal_score, student_score

UNFINISHED = OUTCOMES.index(Outcome.UNFINISHED)
POWER = 0.8  # of the runs of the length named decide: with half of them, every second one would be in vain


@dataclass(frozen=True)
class Measured:
    """A figure with its interval; None is not known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    censored: bool = False  # the figure is at least `value`
    n: int = 0
    decides: float | None = None  # how many requests would decide; None: no number of them


@dataclass(frozen=True)
class Part:
    """Some seconds of a run."""

    samples: Samples  # with timeouts as `Run.bounded` has them
    known: Collection[Fraction] | None  # the only percentiles that there are
    from_s: int
    to_s: float
    shown: Collection[Fraction] = ()  # percentiles in the same table: intervals are narrowed by each other
    besides_s: float = 0.0  # what the run has besides these seconds

    @property
    def length_s(self) -> float:
        return self.to_s - self.from_s

    def pieces(self, every_s: int) -> Iterator["Part"]:
        """Cut into whole pieces of *every_s* seconds, with one sort for all of them."""
        starts = range(self.from_s, math.floor(self.to_s) - every_s + 1, every_s)
        order = np.argsort(self.samples.second, kind="stable")
        bounds = np.searchsorted(self.samples.second[order], [*starts, self.from_s + len(starts) * every_s])
        for start, (first, last) in zip(starts, pairwise(bounds), strict=True):
            yield replace(self, samples=self.samples.at(order[first:last]), from_s=start, to_s=start + every_s)


def measured(objective: Objective, part: Part, confidence: float) -> Measured:
    """Measure the figure of *objective* in *part*; a latency has its measure."""
    if objective.unit == SHARE:
        return _share(part.samples, counted(objective.figure), objective.limit, confidence)
    if objective.unit == PER_SECOND:
        return _rate(part, objective.figure)
    assert objective.measure is not None
    population = population_of(part.samples, objective.measure)
    if objective.percentile is None:
        # Of an aggregate, the times between its percentiles are not known.
        return _mean(population, objective.limit, confidence) if part.known is None else Measured(n=population.n)
    return _percentile(population, objective, objective.percentile, part, confidence)


def counted(figure: str) -> NDArray[np.bool_]:
    """Mark the outcomes, by their codes, that make up a share."""
    if figure == ERRORS:
        return np.array([outcome is not Outcome.OK for outcome in OUTCOMES])
    if figure == TIMEOUTS:
        return np.array([outcome in TIMED_OUT for outcome in OUTCOMES])
    return np.array([outcome.value == figure for outcome in OUTCOMES])


def _rate(part: Part, figure: str) -> Measured:
    counts = part.samples.outcome_counts()
    total = sum(counts.values())
    count = counts.get(Outcome.OK, 0) if figure == OK_RATE else total - counts.get(Outcome.DROPPED, 0)
    if part.length_s <= 0:
        return Measured()
    per_s = count / part.length_s
    return Measured(per_s, per_s, per_s, n=total)


def _share(samples: Samples, is_counted: NDArray[np.bool_], limit: float, confidence: float) -> Measured:
    responses = samples.of_measure(RESPONSE)
    if not is_counted[UNFINISHED] or is_counted.sum() > 1:
        responses = responses.where(
            responses.outcome != UNFINISHED
        )  # given up by us: what it would have become is open
    n = int(responses.count.sum())
    if not n:
        return Measured()
    counted = is_counted[responses.outcome]
    k = int(responses.count[counted].sum())
    if limit in (0, 1):
        return Measured(k / n, k / n, k / n, n=n)
    deviation = _sums(responses.second, responses.count * counted) - k / n * _sums(responses.second, responses.count)
    effect = min(n, _effect(deviation, k * (1 - k / n), confidence))
    low, high = wilson(k / effect, n / effect, confidence)
    return Measured(k / n, low, high, n=n, decides=_requests(k / n, limit, confidence) * effect)


def _mean(population: Population, limit_s: float, confidence: float) -> Measured:
    n, fewest = population.n, requests_needed(0.5, confidence)
    if n < fewest:  # as the median: all of them may be on one side of it by chance
        return Measured(n=n, decides=fewest)
    value_us = population.value_us.astype(np.int64)
    counts = np.diff(population.bounds_rank, prepend=0)  # of each time
    mean_s = float(np.sum(counts * value_us) / n) / 1e6
    squares = float(np.sum(counts * (value_us / 1e6 - mean_s) ** 2))
    of_second = _sums(population.second, population.count * value_us[population.at]) / 1e6
    effect = _effect(of_second - mean_s * _sums(population.second, population.count), squares, confidence)
    score, variance = normal_score(confidence), squares / (n - 1) * effect
    reach_s = student_score(score, max(1.0, n / effect - 1)) * math.sqrt(variance / n)
    low_s = max(0.0, mean_s - reach_s)
    decides = variance * ((score + _power_score()) / (mean_s - limit_s)) ** 2 if mean_s != limit_s else None
    if not population.censored.any():
        return Measured(mean_s, low_s, mean_s + reach_s, n=n, decides=decides)
    return Measured(mean_s, low_s, None, True, n, decides if mean_s > limit_s else None)


def _percentile(
    population: Population, objective: Objective, share: Fraction, part: Part, confidence: float
) -> Measured:
    table = sorted({*part.shown, share})
    estimate = estimates(population, table, confidence, part.known)[table.index(share)]
    found = Measured(estimate.value_s, estimate.low_s, estimate.high_s, estimate.censored, population.n)
    if part.known is not None or not population.n:
        return found
    effect = (estimate.widened or 1.0) ** 2
    if estimate.needed:
        low_s, high_s = _ends(population, share, effect, confidence)
        return replace(found, low=low_s, high=high_s, decides=estimate.needed)
    return replace(found, decides=_to_decide(population, objective, float(share), confidence) * effect)


def _ends(
    population: Population, share: Fraction, effect: float, confidence: float
) -> tuple[float | None, float | None]:
    """Give what is known of the interval of a percentile that too few requests support: one end is enough to miss an
    objective by, or to meet it.
    """
    low, high = effective_ranks(population.n, share, effect, confidence)
    return (
        None if low is None else population.at_least_s(low),
        None if high is None else population.at_most_s(high),
    )


def _to_decide(population: Population, objective: Objective, share: float, confidence: float) -> float:
    """Say how many independent requests would tell whether more than *share* of them are within the limit; infinite if
    that depends on those that were cut off.
    """
    side: Literal["left", "right"] = "right" if objective.operator in ("<=", ">") else "left"
    times = int(np.searchsorted(population.value_us / 1e6, objective.limit, side))
    if not times:
        return _requests(0.0, share, confidence)
    surely, at_most = population.exact_rank[times - 1] / population.n, population.bounds_rank[times - 1] / population.n
    if surely > share:
        return _requests(float(surely), share, confidence)
    return _requests(float(at_most), share, confidence) if at_most < share else math.inf


def _requests(found: float, limit: float, confidence: float) -> float:
    """Say how many independent requests tell a share that is *found* from the *limit*."""
    if found == limit:
        return math.inf
    reach = normal_score(confidence) * math.sqrt(limit * (1 - limit)) + _power_score() * math.sqrt(found * (1 - found))
    return (reach / (found - limit)) ** 2


def _power_score() -> float:
    return normal_score(2 * POWER - 1)


def _sums(second: NDArray[Any], amount: NDArray[Any]) -> NDArray[np.float64]:
    """Add up whole numbers second by second: exact, so in whatever order they come."""
    return np.bincount(second - second.min(), amount).astype(np.float64)


def _effect(deviation: NDArray[np.float64], variance: float, confidence: float) -> float:
    """How many requests are worth an independent one; 1 where seconds are too few to be compared."""
    if len(deviation) < FEWEST_SECONDS:
        return 1.0
    return float(design_effects(deviation[:, np.newaxis], np.array([variance]), confidence)[0])
