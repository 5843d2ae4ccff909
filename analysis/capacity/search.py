"""What a search for the capacity does next, from the levels that it has seen.

Doubling from the lowest rate until an objective is missed; then pairs of levels below and above the edge that is known
by then, in mixed order so that neither heat nor drift decides; at last the rate found is confirmed. A level that the
generator spoiled is held again, and tells nothing.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.capacity import CONFIDENCE
from analysis.capacity.edge import Edge, edge
from analysis.capacity.level import Level
from analysis.correlation import FEWEST_SECONDS
from analysis.objectives.judgement import MET, MISSED

PRECISE, FEWEST_NEAR = 0.01, 4  # half an interval, as a share of the rate: narrower is of no use, after so many levels
DOUBLING, HIGHEST, NEAR, CONFIRMATION = "doubling", "highest rate", "near the edge", "confirmation"
# Of the budget, at most, for one level once it has settled.
SHARES = {DOUBLING: 0.02, HIGHEST: 0.12, NEAR: 0.08, CONFIRMATION: 0.12}
SETTLING, LEAST_SETTLING_S = 0.3, 2.0  # as a share of that
SHORTEST_S, FEWEST_BEYOND = 5.0, 5
CONTRADICTS, FEWEST_CONTRADICTING = 0.8, 2  # of a rate that looked good: missed below it, so many levels are no chance
MOST_CONFIRMATIONS, LOWER = 2, 0.95  # one that is missed is followed by one at this share of its rate, or less
FEWEST_TO_MEASURE = 3  # levels: at the lowest rates not every payload has been sent
ASIDE, MOST_ASIDE = 0.7, 0.3  # logits of the share beyond the limit, below and above the edge; and of its rate

LOWEST_MISSED = "the objectives are missed at the lowest rate"
NEVER_MISSED = "the objectives hold up to the highest rate"
NOT_DECIDED = "the budget is too small to decide anything"
NOT_MEASURED = "an objective depends on something that is not measured"
GENERATOR = "the generator was the limit"
CHANGED = "the service did not stay the same"
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

    @property
    def may_end_early(self) -> bool:
        """Whether it may end before its time. Near the edge it may not: what is stopped at an extreme is one."""
        return self.kind != NEAR

    def is_over(self, so_far: Level) -> bool:
        """Whether it ends before its time, by what was seen so far."""
        if not self.may_end_early or so_far.length_s < (SHORTEST_S if self.kind == DOUBLING else FEWEST_SECONDS):
            return False
        if self.kind == DOUBLING and all(each.beyond <= each.allowed * each.n / 2 for each in so_far.against):
            return True  # the edge is not here
        return so_far.result == MET or _is_missed(so_far)


@dataclass(frozen=True)
class Done:
    """Why the search is over; `edge` is what it found, if it found any."""

    why: str
    edge: Edge | None = None


def next_step(search: Search, levels: Sequence[Level]) -> Step | Done:
    """Choose what comes after *levels*."""
    if not levels:
        return _step(search, DOUBLING, search.from_per_s)
    left_s = search.budget_s - sum(each.took_s for each in levels)
    sound = [each for each in levels if not each.spoiled]
    last = levels[-1]
    if last.spoiled and last.kind != NEAR:
        if not (len(levels) > 1 and levels[-2].spoiled and levels[-2].kind == last.kind):
            return _step(search, last.kind, last.rate_per_s)
        return Done(FOUND, edge(sound, CONFIDENCE)) if last.kind == CONFIRMATION else Done(GENERATOR)
    if len(sound) >= FEWEST_TO_MEASURE and not_measured(sound) and sound[0].looks_good:
        return Done(NOT_MEASURED)
    if not any(_is_missed(each) or (each.kind == HIGHEST and not each.looks_good) for each in sound):
        return _upwards(search, sound, left_s)
    if not any(each.looks_good for each in sound):
        return Done(LOWEST_MISSED)
    if len(contradicting(sound)) >= FEWEST_CONTRADICTING:
        return Done(CHANGED)
    return _nearer(search, levels, left_s)


def _upwards(search: Search, sound: Sequence[Level], left_s: float) -> Step | Done:
    """Go on to the highest rate, as long as nothing is missed, and stay there."""
    highest = max(sound, key=lambda each: each.rate_per_s)
    if sound[-1].kind == HIGHEST:
        return Done(NEVER_MISSED)
    if highest.rate_per_s < search.to_per_s:
        kind, rate_per_s = DOUBLING, min(2 * highest.rate_per_s, search.to_per_s)
    else:
        kind, rate_per_s = HIGHEST, search.to_per_s
    if left_s < _takes_s(search, kind):
        return Done(NOT_MEASURED if not_measured(sound) else NOT_DECIDED)
    return _step(search, kind, rate_per_s)


def _nearer(search: Search, levels: Sequence[Level], left_s: float) -> Step | Done:
    """Look around the edge, and then confirm it."""
    sound = [each for each in levels if not each.spoiled]
    found = edge(sound, CONFIDENCE)
    if sound[-1].kind == CONFIRMATION:
        kinds = [each.kind for each in sound]
        if sound[-1].result == MISSED and kinds.count(CONFIRMATION) < MOST_CONFIRMATIONS:
            return _step(search, CONFIRMATION, min(found.low, LOWER * sound[-1].rate_per_s))
        return Done(FOUND, found) if found.value <= search.to_per_s else Done(NEVER_MISSED)
    near = [each for each in levels if each.kind == NEAR]
    sound_near = [each for each in near if not each.spoiled]
    is_precise = found.half_width <= PRECISE and len(sound_near) >= FEWEST_NEAR
    if is_precise or left_s < _takes_s(search, NEAR) + _takes_s(search, CONFIRMATION):
        if 2 * len(sound_near) < len(near):
            return Done(GENERATOR)
        return _step(search, CONFIRMATION, min(found.low, search.to_per_s))
    return _step(search, NEAR, _beside(search, found, len(sound_near)))


def contradicting(levels: Sequence[Level]) -> list[Level]:
    """List the levels at which an objective was surely missed, far below a rate that looked good."""
    best_per_s = max((each.rate_per_s for each in levels if each.looks_good), default=0.0)
    return [each for each in levels if _is_missed(each) and each.rate_per_s < CONTRADICTS * best_per_s]


def not_measured(levels: Sequence[Level]) -> str:
    """Name an objective for which no request of all these levels counts; empty if there is none."""
    by_objective = zip(*(each.against for each in levels), strict=True)
    return next((found[0].text for found in by_objective if not any(each.n for each in found)), "")


def _is_missed(level: Level) -> bool:
    """Whether a level is beyond the edge: at the lowest rates a single slow request is many of them."""
    return any(each.result == MISSED and each.beyond >= FEWEST_BEYOND for each in level.against)


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
