"""Two runs compared: by how much every figure differs, how sure that is, and what follows.

A figure is a percentile of `response` or `service` time, the rate of requests that were ok, or the share of an
outcome. Differences are other minus baseline.

* How sure a difference is comes from blocks of each run's seconds, drawn anew many times (`resampling`, `spreads`).
* Percentiles on a request that never ended are bounds. One such percentile leaves one end of the difference open and
  may still show its sign; two leave nothing.
* Significant is what Holm's procedure over all figures leaves: chance alone shows any difference between equal runs
  with at most the probability that the confidence leaves out. Each interval is of its figure alone.
* Judgement. A figure is slower (more, fewer, ...) if its difference is significant and larger than the smallest that
  matters; the same if its whole interval is within that; not decided otherwise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from analysis.choices import TOLERANCE
from analysis.comparison.measured import (
    AGGREGATE,
    BOOTSTRAP,
    COMPARED,
    ORDER_STATISTICS,
    Measured,
    Missing,
    Side,
    same_requests,
)
from analysis.comparison.significance import UNKNOWN, Interval, Spread, holm, interval, p_value
from analysis.comparison.spreads import spread_of_counts, spreads
from analysis.outcomes import Outcome
from analysis.samples import OUTCOMES
from analysis.student import normal_score

OUTCOME_PART = 0.1  # of the tolerance, in percentage points, is what matters in the share of an outcome: 0.5 of 5
RESOLUTION = 0.001  # of a time; each is recorded within 0.05 %
LEAST_SHARE = -1.0  # no time or rate is less than 0
LEAST_LONGER, MOST_LONGER = 1.1, 1_000  # times as long: what is worth saying, and what anybody would wait for

RATE, OUTCOME = "rate", "outcome"
SLOWER, FASTER, MORE, FEWER, SAME, NOT_DECIDED = "slower", "faster", "more", "fewer", "same", "not decided"
CERTAIN = Spread(0.0, 0.0)
DOES_NOT_VARY = "an aggregate does not say how its figures vary"


@dataclass(frozen=True)
class Figure:
    kind: str  # "response", "service", "rate" or "outcome"
    name: str  # "p99", "ok_per_s", or the outcome
    baseline: float | None  # seconds, requests per second, or a share of all requests
    other: float | None
    baseline_censored: bool  # the true value is at least this
    other_censored: bool
    difference: Interval  # in the same unit; without `low` or `high` no limit is known there
    share: Interval  # the difference as a share of the baseline's value; of outcomes there is none
    matters: float | None  # the smallest difference that does
    p_value: float | None
    significant: bool
    judgement: str
    worse: bool  # the judgement is one that a user of the service would not like
    longer: float | None  # how many times as long both runs would have to be to decide it, should the difference stay
    note: str  # why there is no value, no difference, or no judgement of one that would be clear by itself


@dataclass(frozen=True)
class Comparison:
    method: str  # "bootstrap", "order statistics" or "aggregate"
    seconds: tuple[int, int]  # the lengths of the two windows
    confidence: float
    tolerance: float
    figures: tuple[Figure, ...]

    @property
    def worse(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.worse]


def compare(one: Side, two: Side, tolerance: float = TOLERANCE) -> Comparison:
    """Compare *two* with *one*, the baseline, each in its window; *tolerance* is a share of the baseline's value.

    Whether the two are comparable at all is asked elsewhere (`comparable.differing`).
    """
    confidence = one.choices.confidence
    pair = _Pair(one, two, _method(one, two), same_requests(one.inside, two.inside), tolerance)
    found = list(_figures(pair))
    tested = [figure for figure in found if figure.p_value is not None]
    significant = iter(holm([figure.p_value for figure in tested if figure.p_value is not None], 1 - confidence))
    seconds = (one.window.to_s - one.window.from_s, two.window.to_s - two.window.from_s)
    judged = tuple(
        _judged(figure, figure.p_value is not None and next(significant), len(tested), confidence) for figure in found
    )
    return Comparison(pair.method, seconds, confidence, tolerance, judged)


@dataclass(frozen=True)
class _Pair:
    one: Side
    two: Side
    method: str
    same: bool  # both are the same requests
    tolerance: float


def _method(one: Side, two: Side) -> str:
    methods = {one.method, two.method}
    return next(method for method in (AGGREGATE, ORDER_STATISTICS, BOOTSTRAP) if method in methods)


def _figures(pair: _Pair) -> Iterator[Figure]:
    for measure in COMPARED:
        one, two = pair.one.times[measure], pair.two.times[measure]
        if pair.one.populations[measure].n or pair.two.populations[measure].n:
            for name in one:
                yield _figure(pair, measure, name, one[name], two[name])
    yield _figure(pair, RATE, "ok_per_s", pair.one.ok_per_s(), pair.two.ok_per_s())
    for outcome in map(str, OUTCOMES):
        if outcome in pair.one.outcomes or outcome in pair.two.outcomes:
            yield _figure(pair, OUTCOME, outcome, pair.one.share(outcome), pair.two.share(outcome))


def _figure(pair: _Pair, kind: str, name: str, one: Measured | Missing, two: Measured | Missing) -> Figure:
    """Put a figure of both runs side by side; what follows from it is judged when all are there."""
    values = [measured.at_least if isinstance(measured, Measured) else None for measured in (one, two)]
    censored = [isinstance(measured, Measured) and measured.censored for measured in (one, two)]
    figure = Figure(
        kind, name, values[0], values[1], censored[0], censored[1],
        UNKNOWN, UNKNOWN, None, None, significant=False, judgement=NOT_DECIDED, worse=False, longer=None, note="",
    )  # fmt: skip
    if isinstance(one, Missing) or isinstance(two, Missing):
        return replace(figure, note=_missing_note(one, two))
    if pair.same:
        return _with_difference(pair, figure, one, one, CERTAIN, CERTAIN)
    if one.censored and two.censored:
        return replace(figure, note="both are only known to be at least this")
    if pair.method == AGGREGATE:
        low, high = _subtracted(one, two)
        return replace(figure, difference=replace(UNKNOWN, value=_known(low, high)), note=DOES_NOT_VARY)
    return _with_difference(pair, figure, one, two, *_spreads(pair, kind, one, two))


def _with_difference(
    pair: _Pair, figure: Figure, one: Measured, two: Measured, spread: Spread, share_spread: Spread
) -> Figure:
    confidence = pair.one.choices.confidence
    low, high = (0.0, 0.0) if pair.same else _subtracted(one, two)
    share = UNKNOWN
    if figure.kind != OUTCOME and one.at_least > 0:
        low_share, high_share = (0.0, 0.0) if pair.same else _shares(one, two)
        share = _possible(interval(low_share, high_share, share_spread, confidence))
    return replace(
        figure,
        difference=interval(low, high, spread, confidence),
        share=share,
        matters=_matters(figure.kind, one.at_least, pair.tolerance),
        p_value=p_value(low, high, spread),
    )


def _subtracted(one: Measured, two: Measured) -> tuple[float, float]:
    return two.at_least - one.at_most, two.at_most - one.at_least


def _shares(one: Measured, two: Measured) -> tuple[float, float]:
    low = two.at_least / one.at_most - 1 if math.isfinite(one.at_most) else -math.inf
    return low, two.at_most / one.at_least - 1


def _possible(share: Interval) -> Interval:
    return share if share.low is None else replace(share, low=max(LEAST_SHARE, share.low))


def _known(low: float, high: float) -> float | None:
    return next((end for end in (low, high) if math.isfinite(end)), None)


def _missing_note(one: Measured | Missing, two: Measured | Missing) -> str:
    if one == two and isinstance(one, Missing):
        return f"both have {one.why}"
    whose = (("the baseline", one), ("the other", two))
    return ", ".join(f"{who} has {measured.why}" for who, measured in whose if isinstance(measured, Missing))


def _matters(kind: str, baseline: float, tolerance: float) -> float:
    if kind == OUTCOME:
        return OUTCOME_PART * tolerance
    return baseline * (tolerance if kind == RATE else max(tolerance, RESOLUTION))


def _spreads(pair: _Pair, kind: str, one: Measured, two: Measured) -> tuple[Spread, Spread]:
    """Give the spread of the difference, and that of its share of the baseline."""
    difference, share = spreads(one, two, pair.one.blocks, pair.two.blocks, pair.one.choices.confidence)
    if kind == OUTCOME and pair.method == BOOTSTRAP:
        least = spread_of_counts(one, two)
        difference = replace(difference, down=max(difference.down, least), up=max(difference.up, least))
    return difference, share


def _judged(figure: Figure, significant: bool, tested: int, confidence: float) -> Figure:
    difference, matters = figure.difference, figure.matters
    if figure.p_value is None or difference.value is None or matters is None:
        return figure
    if significant and abs(difference.value) > matters:
        judgement = _direction(figure.kind, difference.value)
        return replace(figure, significant=True, judgement=judgement, worse=_is_worse(figure, judgement))
    if difference.low is not None and difference.high is not None and max(-difference.low, difference.high) <= matters:
        return replace(figure, significant=significant, judgement=SAME)
    clear_alone = not significant and abs(difference.value) > matters and figure.p_value <= 1 - confidence
    note = f"not clear enough among {tested} figures" if clear_alone else ""
    return replace(figure, significant=significant, longer=_longer(figure, matters, tested, confidence), note=note)


def _direction(kind: str, difference: float) -> str:
    up, down = (MORE, FEWER) if kind in (RATE, OUTCOME) else (SLOWER, FASTER)
    return up if difference > 0 else down


def _is_worse(figure: Figure, judgement: str) -> bool:
    if figure.kind == RATE or figure.name == Outcome.OK:
        return judgement == FEWER
    return judgement in (SLOWER, MORE)


def _longer(figure: Figure, matters: float, tested: int, confidence: float) -> float | None:
    """Say how many times as long runs would decide: an interval's width shrinks with the root of the length.

    A difference within what matters is decided when its whole interval is, a larger one when it is significant, at the
    level of Holm's first step.
    """
    value, low, high = figure.difference.value, figure.difference.low, figure.difference.high
    if value is None or low is None or high is None:
        return None
    if abs(value) < matters:
        narrower = max((high - value) / (matters - value), (value - low) / (matters + value))
    elif value:
        first_step = normal_score(1 - (1 - confidence) / tested) / normal_score(confidence)
        narrower = (value - low if value > 0 else high - value) / abs(value) * first_step
    else:
        return None
    # The interval of a share without a single exception in either run is as wide as one request's part of them.
    times = narrower if figure.kind == OUTCOME and figure.baseline == figure.other in (0, 1) else narrower**2
    return max(LEAST_LONGER, times) if times <= MOST_LONGER else None
