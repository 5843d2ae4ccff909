"""Whether a run met its objectives, as far as it can be told: one is met or missed only if the whole interval of its
figure is on one side of the limit.

A share's interval is Wilson's, a mean's the normal one, each of the effective number of requests, as a percentile's is
(`analysis.percentiles`, `analysis.correlation`). A rate is what was counted, which leaves no doubt, and so are the
limits of no request and of every one. How long a run would decide is how many requests make the interval as narrow as
the distance between figure and limit.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.correlation import FEWEST_SECONDS, design_effects
from analysis.count_intervals import wilson
from analysis.objectives.objective import ERRORS, PER_SECOND, SHARE, TIMEOUTS, Objective
from analysis.outcomes import Outcome
from analysis.percentiles import Estimate, effective_ranks, estimates
from analysis.population import TIMEOUTS as TIMED_OUT
from analysis.population import Population, population_of
from analysis.run import Run
from analysis.run_format import RESPONSE
from analysis.samples import OUTCOMES, Samples
from analysis.student import normal_score

MET, MISSED, UNDECIDED = "met", "missed", "undecided"
LONGEST_S = 86_400.0  # a run that would take longer is not worth naming


@dataclass(frozen=True)
class Measured:
    """A figure with its interval; None is not known. `spread` is the standard deviation that one request adds."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    censored: bool = False  # the figure is at least `value`
    n: int = 0
    needed: int | None = None  # requests without which there is no figure at all
    spread: float | None = None


@dataclass(frozen=True)
class Judged:
    """An objective and what the run says of it, as in summary.json."""

    text: str
    figure: str
    measure: str | None
    name: str | None
    unit: str
    operator: str
    limit: float
    every_s: float | None  # the figures are of the worst part of this length; None: of all
    value: float | None
    low: float | None
    high: float | None
    censored: bool
    n: int
    result: str
    needs_s: float | None  # how long a run would decide; None: it is decided, or no run of a day would

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """Some seconds of a run."""

    samples: Samples  # with timeouts as `Run.bounded` has them
    known: Collection[Fraction] | None  # the only percentiles that there are
    from_s: int
    to_s: float

    @property
    def length_s(self) -> float:
        return self.to_s - self.from_s

    def cut(self, from_s: int, to_s: int) -> "Part":
        return Part(self.samples.within(from_s, to_s), self.known, from_s, to_s)


def judged(
    objectives: Sequence[Objective], run: Run, window: tuple[int, int], main: str, confidence: float
) -> list[Judged]:
    """Judge *objectives*: latencies and rates by the seconds of the *window*, shares of outcomes by the whole run."""
    end_s = run.duration_s or 0.0
    whole = Part(run.bounded, run.source.known, 0, end_s)
    inside = Part(run.bounded.within(*window), run.source.known, window[0], min(window[1], end_s))
    found = [judge(each, whole if each.unit == SHARE else inside, main, confidence) for each in objectives]
    # The last seconds were enough to stop the run, whatever the rest of it says.
    stopped_by = run.manifest.get("stopped_by")
    return [replace(each, result=MISSED, needs_s=None) if each.text == stopped_by else each for each in found]


def verdict(found: Sequence[Judged]) -> str:
    """Say what the objectives together come to: one that is missed is enough to fail."""
    results = {each.result for each in found}
    if MISSED in results:
        return "fail"
    return "undecided" if UNDECIDED in results else "pass" if results else "none"


def judge(objective: Objective, part: Part, main: str, confidence: float) -> Judged:
    """Judge one objective by the requests of *part*; a latency without a measure is of the *main* one."""
    if objective.unit not in (SHARE, PER_SECOND):
        objective = replace(objective, measure=objective.measure or main)
    if objective.name is not None:
        part = replace(part, samples=_named(part.samples, objective.name))
    if objective.every_s is None:
        return _result(objective, _measured(objective, part, confidence), part.length_s)
    return _in_every(objective, part, int(objective.every_s), confidence)


def _in_every(objective: Objective, part: Part, every_s: int, confidence: float) -> Judged:
    """Judge each whole part: together they are as sure as one objective is (Bonferroni). The worst one is shown."""
    starts = range(part.from_s, math.floor(part.to_s) - every_s + 1, every_s)
    sure = 1 - (1 - confidence) / max(1, len(starts))
    found = []
    for start in starts:
        own = part.cut(start, start + every_s)
        found.append(_result(objective, _measured(objective, own, sure), own.length_s))
    for result in (MISSED, UNDECIDED, MET):
        alike = [each for each in found if each.result == result]
        if alike:
            worst = max if objective.is_ceiling else min
            # More time makes no part of it longer.
            return replace(worst(alike, key=lambda each: -math.inf if each.value is None else each.value), needs_s=None)
    return _result(objective, Measured(), part.length_s)


def _named(samples: Samples, name: str) -> Samples:
    code = samples.names.index(name) if name in samples.names else -1
    return samples.where(samples.name == code)


def _result(objective: Objective, found: Measured, length_s: float) -> Judged:
    result = _decided(objective, found)
    return Judged(
        objective.text,
        objective.figure,
        objective.measure,
        objective.name,
        objective.unit,
        objective.operator,
        objective.limit,
        objective.every_s,
        found.value,
        found.low,
        found.high,
        found.censored,
        found.n,
        result,
        _needs_s(objective, found, length_s) if result == UNDECIDED else None,
    )


def _decided(objective: Objective, found: Measured) -> str:
    good, bad = (found.high, found.low) if objective.is_ceiling else (found.low, found.high)
    if good is not None and objective.holds(good):
        return MET
    return MISSED if bad is not None and not objective.holds(bad) else UNDECIDED


def _needs_s(objective: Objective, found: Measured, length_s: float) -> float | None:
    if not found.n or (found.censored and found.high is None):
        return None
    requests = float(found.needed or 0)
    if found.value is not None and found.spread is not None:
        distance = abs(found.value - objective.limit)
        requests = max(requests, (found.spread / distance) ** 2 if distance else math.inf)
    seconds = length_s * max(requests, found.n + 1) / found.n
    return seconds if seconds <= LONGEST_S else None


def _measured(objective: Objective, part: Part, confidence: float) -> Measured:
    if objective.unit == SHARE:
        return _share(part.samples, _counted(objective.figure), objective.limit, confidence)
    if objective.unit == PER_SECOND:
        return _rate(part, objective.figure)
    assert objective.measure is not None
    population = population_of(part.samples, objective.measure)
    if objective.percentile is None:
        return _mean(population, confidence)
    [estimate] = estimates(population, [objective.percentile], confidence, part.known)
    return _percentile(population, float(objective.percentile), estimate, objective.limit, confidence)


def _counted(figure: str) -> NDArray[np.bool_]:
    """Mark the outcomes, by their codes, that make up a share."""
    if figure == ERRORS:
        return np.array([outcome is not Outcome.OK for outcome in OUTCOMES])
    if figure == TIMEOUTS:
        return np.array([outcome in TIMED_OUT for outcome in OUTCOMES])
    return np.array([outcome.value == figure for outcome in OUTCOMES])


def _rate(part: Part, figure: str) -> Measured:
    counts = part.samples.outcome_counts()
    total = sum(counts.values())
    count = counts.get(Outcome.OK, 0) if figure == "ok_rate" else total - counts.get(Outcome.DROPPED, 0)
    if not total or part.length_s <= 0:
        return Measured()
    per_s = count / part.length_s
    return Measured(per_s, per_s, per_s, n=total)


def _share(samples: Samples, is_counted: NDArray[np.bool_], limit: float, confidence: float) -> Measured:
    responses = samples.of_measure(RESPONSE)
    n = int(responses.count.sum())
    if not n:
        return Measured()
    counted = is_counted[responses.outcome]
    k = int(responses.count[counted].sum())
    if limit in (0, 1):
        return Measured(k / n, k / n, k / n, n=n)
    deviation = _sums(responses.second, responses.count * counted) - k / n * _sums(responses.second, responses.count)
    effect = _effect(deviation, k * (1 - k / n), confidence)
    low, high = wilson(k / effect, n / effect, confidence)
    spread = normal_score(confidence) * math.sqrt(effect * limit * (1 - limit))
    return Measured(k / n, low, high, n=n, spread=spread)


def _mean(population: Population, confidence: float) -> Measured:
    if population.n < 2:
        return Measured(n=population.n, needed=2 if population.n else None)
    value_us = population.value_us.astype(np.int64)
    counts = np.diff(population.bounds_rank, prepend=0)  # of each time
    mean = float(np.sum(counts * value_us) / population.n) / 1e6
    squares = float(np.sum(counts * (value_us / 1e6 - mean) ** 2))
    of_second = _sums(population.second, population.count * value_us[population.at]) / 1e6
    deviation = of_second - mean * _sums(population.second, population.count)
    spread = normal_score(confidence) * math.sqrt(_effect(deviation, squares, confidence) * squares / population.n)
    reach = spread / math.sqrt(population.n)
    censored = bool(population.censored.any())
    return Measured(mean, mean - reach, None if censored else mean + reach, censored, population.n, spread=spread)


def _percentile(
    population: Population, share: float, estimate: Estimate, limit_s: float, confidence: float
) -> Measured:
    spread, low_s, high_s = None, estimate.low_s, estimate.high_s
    if estimate.needed:
        low_s, high_s = _ends(population, share, estimate.widened or 1.0, confidence)
    if estimate.value_s is not None and population.n:
        # The distance to the limit, in requests: what share of them would have to change sides.
        within = float(population.bounds_rank[np.searchsorted(population.value_us, limit_s * 1e6) - 1]) / population.n
        effect = (estimate.widened or 1.0) ** 2
        apart = abs(within - share)
        reach = normal_score(confidence) * math.sqrt(share * (1 - share) * effect)
        spread = reach / apart * abs(estimate.value_s - limit_s) if apart else math.inf
    return Measured(estimate.value_s, low_s, high_s, estimate.censored, population.n, estimate.needed, spread)


def _ends(population: Population, share: float, widened: float, confidence: float) -> tuple[float | None, float | None]:
    """Give what is known of the interval of a percentile that too few requests support: one end is enough to miss an
    objective by, or to meet it.
    """
    low, high = effective_ranks(population.n, Fraction(share).limit_denominator(10**9), widened**2, confidence)
    return (
        None if low is None else population.at_least_s(low),
        None if high is None else population.at_most_s(high),
    )


def _sums(second: NDArray[Any], amount: NDArray[Any]) -> NDArray[np.float64]:
    """Add up whole numbers second by second: exact, so in whatever order they come."""
    return np.bincount(second - second.min(), amount).astype(np.float64)


def _effect(deviation: NDArray[np.float64], variance: float, confidence: float) -> float:
    """How many requests are worth an independent one; 1 where seconds are too few to be compared."""
    if len(deviation) < FEWEST_SECONDS:
        return 1.0
    return float(design_effects(deviation[:, np.newaxis], np.array([variance]), confidence)[0])
