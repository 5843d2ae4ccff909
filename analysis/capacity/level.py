"""One level of a search: a rate that was held for a while, and how the objectives fared at it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.correlation import FEWEST_SECONDS, design_effects
from analysis.objectives.figures import Part, counted
from analysis.objectives.judgement import MET, MISSED, UNDECIDED, judge
from analysis.objectives.objective import PER_SECOND, SHARE, Objective
from analysis.population import population_of
from analysis.run_format import RESPONSE

SURE = 0.999  # of a level's results: it is looked at again and again, and a search has many levels
EFFECT_CONFIDENCE = 0.95

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Against:
    """How a level did against one objective."""

    text: str
    result: str  # MET, MISSED or UNDECIDED, at SURE
    beyond: float  # requests beyond its limit, ...
    n: float  # ... of so many ...
    allowed: float | None  # ... of which this share may be; None: it is not about a share of requests
    effect: float = 1.0  # so many requests tell as much as one that does not depend on others

    @property
    def looks_good(self) -> bool:
        """Whether the limit is kept, sure or not."""
        if self.allowed is None or self.result != UNDECIDED:
            return self.result != MISSED
        return self.beyond <= self.allowed * self.n


@dataclass(frozen=True)
class Level:
    kind: str  # of the step that it was
    rate_per_s: float
    length_s: float  # that was judged, once it had settled
    took_s: float  # with settling before and draining after
    against: tuple[Against, ...]

    @property
    def result(self) -> str:
        results = {each.result for each in self.against}
        return MISSED if MISSED in results else UNDECIDED if UNDECIDED in results else MET

    @property
    def looks_good(self) -> bool:
        return all(each.looks_good for each in self.against)


def against(objectives: Sequence[Objective], part: Part) -> tuple[Against, ...]:
    """Judge each of *objectives* by the requests of *part*."""
    return tuple(_against(objective, part) for objective in objectives)


def _against(objective: Objective, part: Part) -> Against:
    result = judge(objective, part, RESPONSE, SURE).result
    allowed = _allowed(objective)
    if allowed is None:
        return Against(objective.text, result, 0.0, 0.0, None)
    beyond, n = _by_second(objective, part)
    return Against(objective.text, result, float(beyond.sum()), float(n.sum()), allowed, _effect(beyond, n))


def _allowed(objective: Objective) -> float | None:
    """Give the share of requests that may be beyond the limit; of a percentile, those above it."""
    if objective.unit == SHARE:
        return objective.limit if objective.is_ceiling else 1 - objective.limit
    if objective.unit == PER_SECOND or objective.percentile is None:
        return None
    return float(1 - objective.percentile if objective.is_ceiling else objective.percentile)


def _by_second(objective: Objective, part: Part) -> tuple[Numbers, Numbers]:
    """Count, second by second, the requests beyond the limit, and all of them."""
    if objective.unit == SHARE:
        rows = part.samples.of_measure(RESPONSE)
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
    return float(design_effects(deviation, np.array([total * share * (1 - share)]), EFFECT_CONFIDENCE)[0])
