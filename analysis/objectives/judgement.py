"""Whether a run met its objectives, as far as it can be told: one is met or missed only if the whole interval of its
figure is on one side of the limit.

A share's interval is Wilson's, a mean's Student's, each of the effective number of requests, as a percentile's is
(`analysis.percentiles`, `analysis.correlation`). A rate is what was counted, which leaves no doubt, and so are the
limits of no request and of every one.

How long a run would decide is the length at which POWER of such runs do, if the figure is what it was found to be
(sample size of a test of one share: Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003,
chapter 2). A percentile within its limit is such a share: more than p of the requests are.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.correlation import FEWEST_SECONDS, design_effects
from analysis.count_intervals import wilson
from analysis.objectives.objective import ERRORS, PER_SECOND, SHARE, TIMEOUTS, Objective
from analysis.outcomes import Outcome
from analysis.percentiles import effective_ranks, estimates, requests_needed
from analysis.population import TIMEOUTS as TIMED_OUT
from analysis.population import Population, population_of
from analysis.run import Run
from analysis.run_format import RESPONSE
from analysis.samples import OUTCOMES, Samples
from analysis.student import normal_score, student_score

MET, MISSED, UNDECIDED = "met", "missed", "undecided"
LONGEST_S = 86_400.0  # a run that would take longer is not worth naming
COLUMNS = ("second", "name", "outcome", "measure", "value_us", "count")
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
    shown: Collection[Fraction] = ()  # percentiles in the same table: intervals are narrowed by each other
    besides_s: float = 0.0  # what the run has besides these seconds

    @property
    def length_s(self) -> float:
        return self.to_s - self.from_s

    def cut(self, from_s: int, to_s: int) -> "Part":
        return replace(self, samples=self.samples.within(from_s, to_s), from_s=from_s, to_s=to_s)

    def pieces(self, every_s: int) -> Iterator["Part"]:
        """Cut into whole pieces of *every_s* seconds, with one sort for all of them."""
        starts = range(self.from_s, math.floor(self.to_s) - every_s + 1, every_s)
        order = np.argsort(self.samples.second, kind="stable")
        bounds = np.searchsorted(self.samples.second[order], [*starts, self.from_s + len(starts) * every_s])
        for start, first, last in zip(starts, bounds, bounds[1:], strict=False):
            yield replace(self, samples=_rows(self.samples, order[first:last]), from_s=start, to_s=start + every_s)


def judged(
    objectives: Sequence[Objective],
    run: Run,
    window: tuple[int, int],
    main: str,
    confidence: float,
    shown: Collection[Fraction] = (),
) -> list[Judged]:
    """Judge *objectives*: latencies and rates by the seconds of the *window*, shares of outcomes by the whole run.

    The interval of a percentile is that of a table of the percentiles *shown*.
    """
    end_s = run.duration_s or 0.0
    whole = Part(run.bounded, run.source.known, 0, end_s)
    to_s = min(window[1], end_s)
    inside = Part(run.bounded.within(*window), run.source.known, window[0], to_s, shown, end_s - to_s + window[0])
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
    if not len(part.samples.second):
        return _result(objective, Measured(), part)
    if objective.every_s is None:
        return _result(objective, _measured(objective, part, confidence), part)
    return _in_every(objective, part, int(objective.every_s), confidence)


def _in_every(objective: Objective, part: Part, every_s: int, confidence: float) -> Judged:
    """Judge each whole piece: together they are as sure as one objective is (Bonferroni). The worst one is shown."""
    # An aggregate does not say what happened when.
    pieces = list(part.pieces(every_s)) if part.known is None else []
    sure = 1 - (1 - confidence) / max(1, len(pieces))
    found = [_result(objective, _measured(objective, piece, sure), piece) for piece in pieces]
    for result in (MISSED, UNDECIDED, MET):
        alike = [each for each in found if each.result == result]
        if alike:
            # More time makes no piece of it longer.
            return replace(max(alike, key=_badness), needs_s=None)
    return _result(objective, Measured(), part)


def _badness(judged: Judged) -> float:
    """Order pieces of a run from the best to the worst; those without a figure come first."""
    if judged.value is None:
        return -math.inf
    return judged.value if judged.operator[0] == "<" else -judged.value


def _rows(samples: Samples, chosen: NDArray[np.intp]) -> Samples:
    columns: dict[str, Any] = {name: getattr(samples, name)[chosen] for name in COLUMNS}
    return replace(samples, **columns)


def _named(samples: Samples, name: str) -> Samples:
    code = samples.names.index(name) if name in samples.names else -1
    return samples.where(samples.name == code)


def _result(objective: Objective, found: Measured, part: Part) -> Judged:
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
        _needs_s(found, part) if result == UNDECIDED else None,
    )


def _decided(objective: Objective, found: Measured) -> str:
    good, bad = (found.high, found.low) if objective.is_ceiling else (found.low, found.high)
    if good is not None and objective.holds(good):
        return MET
    return MISSED if bad is not None and not objective.holds(bad) else UNDECIDED


def _needs_s(found: Measured, part: Part) -> float | None:
    if not found.n or found.decides is None:
        return None
    seconds = part.besides_s + part.length_s * max(found.decides, found.n + 1) / found.n
    return seconds if seconds <= LONGEST_S else None


def _measured(objective: Objective, part: Part, confidence: float) -> Measured:
    if objective.unit == SHARE:
        return _share(part.samples, _counted(objective.figure), objective.limit, confidence)
    if objective.unit == PER_SECOND:
        return _rate(part, objective.figure)
    assert objective.measure is not None
    population = population_of(part.samples, objective.measure)
    if objective.percentile is None:
        # Of an aggregate, the times between its percentiles are not known.
        return _mean(population, objective.limit, confidence) if part.known is None else Measured(n=population.n)
    return _percentile(population, objective, objective.percentile, part, confidence)


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
    if part.length_s <= 0:
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
