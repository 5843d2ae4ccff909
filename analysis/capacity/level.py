"""One level of a search: a rate that was held for a while, how the objectives fared at it, and what else it showed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.capacity import CONFIDENCE
from analysis.capacity.generator import trouble
from analysis.correlation import FEWEST_SECONDS, design_effects
from analysis.objectives.figures import UNFINISHED, Part, counted
from analysis.objectives.judgement import MET, MISSED, UNDECIDED, judge, named
from analysis.objectives.objective import SHARE, Objective
from analysis.outcomes import Outcome
from analysis.percentiles import PERCENTILES, estimates
from analysis.population import Population, population_of
from analysis.run_format import RESPONSE, SERVICE
from analysis.samples import OUTCOMES
from analysis.timeline import Timeline

SURE = 0.999  # of a level's results: it is looked at again and again, and a search has many levels
SHOWN = ("p50", "p90", "p99")
DROPPED = OUTCOMES.index(Outcome.DROPPED)
NEVER_ENDED = (Outcome.DROPPED, Outcome.UNFINISHED)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Against:
    """How a level did against one objective."""

    text: str
    result: str  # MET, MISSED or UNDECIDED, at SURE
    beyond: float  # requests beyond its limit, ...
    n: float  # ... of so many ...
    allowed: float  # ... of which this share may be
    effect: float = 1.0  # so many requests tell as much as one that does not depend on others
    censored: bool = False  # the figure is at least what was measured

    @property
    def looks_good(self) -> bool:
        """Whether the limit is kept, sure or not."""
        return self.beyond <= self.allowed * self.n if self.result == UNDECIDED else self.result == MET


@dataclass(frozen=True)
class Level:
    kind: str  # of the step that it was
    rate_per_s: float
    length_s: float  # that was judged, once it had settled
    took_s: float  # with settling before and draining after
    against: tuple[Against, ...]
    from_s: int = 0  # second of the run in which the judged part begins
    spoiled: str = ""  # why it tells nothing of the service: a sentence about the generator
    outcomes: Mapping[str, int] = field(default_factory=dict)
    latency: Mapping[str, Any] = field(default_factory=dict)  # of the response: {percentile: estimate}
    mean_s: float | None = None  # service time of requests that reached the model, those cut off at what they had
    in_flight: float | None = None  # on average, counted each second
    finished_per_s: float | None = None  # requests that ended while it was held, whenever they were planned

    @property
    def result(self) -> str:
        results = {each.result for each in self.against}
        return MISSED if MISSED in results else UNDECIDED if UNDECIDED in results else MET

    @property
    def looks_good(self) -> bool:
        return all(each.looks_good for each in self.against)

    @property
    def ok_per_s(self) -> float | None:
        """Good answers while it was held: of requests that pile up, all may be answered in the end."""
        ended = sum(count for name, count in self.outcomes.items() if name not in NEVER_ENDED)
        if self.finished_per_s is None or not ended:
            return None
        return self.finished_per_s * self.outcomes.get(Outcome.OK, 0) / ended

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "result": self.result, "ok_per_s": self.ok_per_s}


def level_of(
    kind: str,
    rate_per_s: float,
    took_s: float,
    part: Part,
    objectives: Sequence[Objective],
    timeline: Timeline | None = None,
) -> Level:
    """Judge the requests of *part*, planned while a rate was held, and sum up what else they show.

    What the generator dropped is no request of the service's, and spoils a level that met its objectives otherwise.
    """
    of_service = replace(part, samples=part.samples.where(part.samples.outcome != DROPPED))
    found = against(objectives, of_service)
    response, service = (population_of(part.samples, measure) for measure in (RESPONSE, SERVICE))
    figures = estimates(response, [PERCENTILES[name] for name in SHOWN], CONFIDENCE)
    is_missed = any(each.result == MISSED for each in found)
    return Level(
        kind,
        rate_per_s,
        part.length_s,
        took_s,
        found,
        part.from_s,
        trouble(part.samples, rate_per_s * part.length_s, is_missed=is_missed),
        part.samples.outcome_counts(),
        {
            name: {key: getattr(figure, key) for key in ("value_s", "low_s", "high_s", "censored")}
            for name, figure in zip(SHOWN, figures, strict=True)
        },
        _mean_s(service),
        *_counted(timeline, part),
    )


def against(objectives: Sequence[Objective], part: Part) -> tuple[Against, ...]:
    """Judge each of *objectives* by the requests of *part*."""
    return tuple(_against(objective, part) for objective in objectives)


def _against(objective: Objective, part: Part) -> Against:
    found = judge(objective, part, RESPONSE, SURE)
    if objective.name is not None:
        part = replace(part, samples=named(part.samples, objective.name))
    beyond, n = _by_second(objective, part)
    counts = float(beyond.sum()), float(n.sum())
    return Against(objective.text, found.result, *counts, _allowed(objective), _effect(beyond, n), found.censored)


def _mean_s(service: Population) -> float | None:
    if not service.n:
        return None
    times = np.diff(service.bounds_rank, prepend=0)
    return float(np.sum(times * service.value_us.astype(np.int64)) / service.n / 1e6)


def _counted(timeline: Timeline | None, part: Part) -> tuple[float | None, float | None]:
    """Give how many were in flight on average, and how many finished a second."""
    if timeline is None:
        return None, None
    inside = (timeline.second >= part.from_s) & (timeline.second < part.from_s + part.length_s)
    if not inside.any():
        return None, None
    return float(timeline.in_flight[inside].mean()), float(timeline.finished[inside].sum()) / part.length_s


def _allowed(objective: Objective) -> float:
    """Give the share of requests that may be beyond the limit; of a percentile, those above it."""
    if objective.unit == SHARE:
        return objective.limit if objective.is_ceiling else 1 - objective.limit
    assert objective.percentile is not None, "a mean or a rate is no share of requests"
    return float(1 - objective.percentile if objective.is_ceiling else objective.percentile)


def _by_second(objective: Objective, part: Part) -> tuple[Numbers, Numbers]:
    """Count, second by second, the requests beyond the limit, and all of them."""
    if objective.unit == SHARE:
        rows = part.samples.of_measure(RESPONSE)
        rows = rows.where(rows.outcome != UNFINISHED)  # what it will become is open
        second, count, is_within = rows.second, rows.count, ~counted(objective.figure)[rows.outcome]
    else:
        population = population_of(part.samples, objective.measure or RESPONSE)
        second, count = population.second, population.count
        is_within = population.value_us[population.at] <= objective.limit * 1e6
    is_beyond = ~is_within if objective.is_ceiling else is_within
    at, seconds = second - part.from_s, math.ceil(part.length_s)
    beyond, n = (np.bincount(at, amount, seconds).astype(np.float64) for amount in (count * is_beyond, count))
    return beyond, n


def _effect(beyond: Numbers, n: Numbers) -> float:
    total = n.sum()
    if len(n) < FEWEST_SECONDS or not total:
        return 1.0
    share = beyond.sum() / total
    deviation = (beyond - share * n)[:, np.newaxis]
    return float(design_effects(deviation, np.array([total * share * (1 - share)]), CONFIDENCE)[0])
