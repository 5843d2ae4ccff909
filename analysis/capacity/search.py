"""What a search for the capacity does next, from the levels that it has seen.

Doubling from the lowest rate until an objective is missed; then pairs of levels below and above the edge that is known
by then, in mixed order so that neither heat nor drift decides; at last the rate found is confirmed.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.capacity.edge import Edge, edge
from analysis.capacity.level import Level
from analysis.objectives.judgement import MET, MISSED

CONFIDENCE = 0.95  # of the answer
PRECISE, FEWEST_NEAR = 0.01, 4  # half an interval, as a share of the rate: narrower is of no use, after so many levels
DOUBLING, NEAR, CONFIRMATION = "doubling", "near the edge", "confirmation"
SHARES = {DOUBLING: 0.02, NEAR: 0.08, CONFIRMATION: 0.12}  # of the budget, at most, for one level once it has settled
SETTLING, LEAST_SETTLING_S = 0.3, 2.0  # as a share of that
SHORTEST_S, FEWEST_BEYOND = 5.0, 5
ASIDE, MOST_ASIDE = 0.7, 0.3  # logits of the share beyond the limit, below and above the edge; and of its rate

LOWEST_MISSED = "the objectives are missed at the lowest rate"
NEVER_MISSED = "the objectives hold up to the highest rate"
NOT_DECIDED = "the budget is too small to decide anything"
FOUND = "found"


@dataclass(frozen=True)
class Search:
    """What was asked for."""

    from_per_s: float
    to_per_s: float
    budget_s: float
    seed: int = 1


@dataclass(frozen=True)
class Step:
    """A level to be held."""

    kind: str
    rate_per_s: float
    settle_s: float  # before it is judged
    longest_s: float  # that is judged

    def is_over(self, so_far: Level) -> bool:
        """Whether it may end before its time. Near the edge it may not: what is stopped at an extreme is one."""
        if self.kind == NEAR or so_far.length_s < SHORTEST_S:
            return False
        if self.kind == DOUBLING and all(each.beyond <= (each.allowed or 0.0) * each.n / 2 for each in so_far.against):
            return True  # the edge is not here
        return so_far.result == MET or _is_missed(so_far)


@dataclass(frozen=True)
class Done:
    """Why the search is over; `edge` is what it found, if it found any."""

    why: str
    edge: Edge | None = None


def next_step(search: Search, levels: Sequence[Level]) -> Step | Done:
    """Choose what comes after *levels*."""
    left_s = search.budget_s - sum(each.took_s for each in levels)
    if not levels:
        return _step(search, DOUBLING, search.from_per_s)
    is_missed = any(map(_is_missed, levels))
    if is_missed and not any(each.looks_good for each in levels):
        return Done(LOWEST_MISSED)
    highest_per_s = max(each.rate_per_s for each in levels)
    if not is_missed:
        if highest_per_s < search.to_per_s:
            return _doubled(search, highest_per_s, left_s)
        if all(each.looks_good for each in levels):
            return Done(NEVER_MISSED)
    found = edge(levels, CONFIDENCE)
    if found is None:
        return Done(NOT_DECIDED)
    kinds = [each.kind for each in levels]
    if CONFIRMATION in kinds:
        return Done(FOUND, found)
    is_precise = found.half_width <= PRECISE and kinds.count(NEAR) >= FEWEST_NEAR
    if is_precise or left_s < _takes_s(search, NEAR) + _takes_s(search, CONFIRMATION):
        return _step(search, CONFIRMATION, found.low)
    return _step(search, NEAR, _beside(search, found, kinds.count(NEAR)))


def _is_missed(level: Level) -> bool:
    """Whether a level is beyond the edge: at the lowest rates a single slow request is many of them."""
    return any(
        each.result == MISSED and (each.allowed is None or each.beyond >= FEWEST_BEYOND) for each in level.against
    )


def _doubled(search: Search, highest_per_s: float, left_s: float) -> Step | Done:
    if left_s < _takes_s(search, DOUBLING):
        return Done(NOT_DECIDED)
    return _step(search, DOUBLING, min(2 * highest_per_s, search.to_per_s))


def _beside(search: Search, found: Edge, number: int) -> float:
    """Choose a rate below or above the edge: each pair in an order of its own."""
    sides = [-1.0, 1.0]
    random.Random(f"{search.seed} {number // 2}").shuffle(sides)
    aside = min(ASIDE / found.slope, MOST_ASIDE)
    return min(found.value * math.exp(sides[number % 2] * aside), search.to_per_s)


def _step(search: Search, kind: str, rate_per_s: float) -> Step:
    longest_s = max(SHORTEST_S, SHARES[kind] * search.budget_s)
    return Step(kind, rate_per_s, max(LEAST_SETTLING_S, SETTLING * longest_s), longest_s)


def _takes_s(search: Search, kind: str) -> float:
    step = _step(search, kind, 1.0)
    return step.settle_s + step.longest_s
