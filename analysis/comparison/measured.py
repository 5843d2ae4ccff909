"""What a run's window shows, figure by figure, each with how it varies: percentiles, the rate, shares of outcomes.

How a figure varies comes from the resamples of the window's seconds. A window of fewer than LEAST_SECONDS has too few
blocks to draw from: there it is what independent requests would show, and correlation between seconds cannot be seen.
An aggregate, which has some percentiles and no seconds, shows nothing of how it varies.
"""

import math
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.choices import Choices
from analysis.comparison.resampling import Resamples, percentiles_s, resamples
from analysis.count_intervals import poisson, wilson
from analysis.outcomes import Outcome
from analysis.percentiles import estimates, nearest_rank
from analysis.population import Population, population_of
from analysis.run import Run
from analysis.run_format import MEASURES, RESPONSE, SERVICE
from analysis.samples import OUTCOMES, Samples
from analysis.window import Window

COMPARED = (RESPONSE, SERVICE)
LEAST_SECONDS = 10
BOOTSTRAP, ORDER_STATISTICS, AGGREGATE = "bootstrap", "order statistics", "aggregate"
SEED = 0  # of the draws, beside what a run holds

Number = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A figure of one run: what is known of its value, and how it varies (as far as that is known)."""

    at_least: float
    at_most: float  # infinite where the value is that of a request that never ended
    low: float  # the interval of independent requests
    high: float
    drawn_low: Number | None = None  # of each resample; the first is the window itself
    drawn_high: Number | None = None
    count: int = 0  # of an outcome, of `total` requests
    total: int = 0

    @property
    def censored(self) -> bool:
        return self.at_most != self.at_least


@dataclass(frozen=True)
class Missing:
    """A figure that a run does not have, and why."""

    why: str


@dataclass(frozen=True)
class Side:
    """One of the runs of a comparison."""

    run: Run
    window: Window
    choices: Choices

    @cached_property
    def inside(self) -> Samples:
        """The rows of its window, of the measures that are compared."""
        samples = self.run.bounded.within(self.window.from_s, self.window.to_s)
        return samples.where(np.isin(samples.measure, [MEASURES.index(measure) for measure in COMPARED]))

    @cached_property
    def responses(self) -> Samples:
        return self.inside.of_measure(RESPONSE)

    @cached_property
    def outcomes(self) -> dict[str, int]:
        return self.responses.outcome_counts()

    @property
    def length_s(self) -> float:
        return max(0.0, min(self.window.to_s, self.run.duration_s or 0.0) - self.window.from_s)

    @cached_property
    def method(self) -> str:
        if self.run.source.known is not None:
            return AGGREGATE
        busy, seconds = len(np.unique(self.responses.second)), self.window.to_s - self.window.from_s
        # With requests in few of its seconds, some of the resamples would have none.
        return BOOTSTRAP if busy >= max(LEAST_SECONDS, seconds / 2) else ORDER_STATISTICS

    @cached_property
    def populations(self) -> dict[str, Population]:
        return {measure: population_of(self.inside, measure) for measure in COMPARED}

    @property
    def blocks(self) -> float | None:
        """Count the blocks of its seconds that are drawn anew; None where they are not."""
        return self.resamples.blocks if self.resamples else None

    @cached_property
    def resamples(self) -> Resamples | None:
        """Draw by what the run holds, not by its place: exchanging two runs turns their difference around, exactly."""
        if self.method != BOOTSTRAP:
            return None
        rows = self.inside
        sums = (np.bincount(rows.second, weights=of) for of in (rows.count, rows.value_us))
        content = zlib.crc32(b"".join(column.tobytes() for column in sums))
        return resamples(self.window.from_s, self.window.to_s, (SEED, content))

    @cached_property
    def times(self) -> dict[str, dict[str, Measured | Missing]]:
        """Every chosen percentile of each measure, in seconds."""
        return {measure: self._times(population) for measure, population in self.populations.items()}

    def _times(self, population: Population) -> dict[str, Measured | Missing]:
        names, shares = list(self.choices.percentiles), list(self.choices.percentiles.values())
        drawn_low = drawn_high = None
        if population.n and self.resamples:
            drawn_low, drawn_high = percentiles_s(self.resamples, population, shares)
        if drawn_low is not None and not np.isfinite(drawn_low).all():
            drawn_low = drawn_high = None  # a resample without any such request has no percentiles
        measured: dict[str, Measured | Missing] = {}
        found = estimates(population, shares, self.choices.confidence, self.run.source.known)
        for at, (name, estimate) in enumerate(zip(names, found, strict=True)):
            if estimate.value_s is None:
                measured[name] = Missing(self._why_missing(name, population.n, estimate.needed))
                continue
            measured[name] = Measured(
                estimate.value_s,
                _or_infinite(population.at_most_s(nearest_rank(population.n, shares[at]))),
                estimate.low_s or 0.0,
                _or_infinite(estimate.high_s),
                None if drawn_low is None else drawn_low[:, at],
                None if drawn_high is None else drawn_high[:, at],
            )
        return measured

    def ok_per_s(self) -> Measured | Missing:
        ok, length_s = self.outcomes.get(Outcome.OK, 0), self.length_s
        if not length_s:
            return Missing("an empty window")
        drawn = None if self.resamples is None else self.drawn_outcomes[:, OUTCOMES.index(Outcome.OK)] / length_s
        low, high = poisson(ok, self.choices.confidence)
        return Measured(ok / length_s, ok / length_s, low / length_s, high / length_s, drawn, drawn)

    def share(self, outcome: str) -> Measured | Missing:
        """Measure the share of *outcome* among all requests."""
        count, total = self.outcomes.get(outcome, 0), sum(self.outcomes.values())
        if not total:
            return Missing("no requests")
        drawn = None
        if self.resamples is not None:
            drawn = self.drawn_outcomes[:, OUTCOMES.index(Outcome(outcome))]
            drawn = drawn / np.maximum(1.0, self.drawn_outcomes.sum(axis=1))
        low, high = wilson(count, total, self.choices.confidence)
        return Measured(count / total, count / total, low, high, drawn, drawn, count, total)

    def _why_missing(self, name: str, n: int, needed: int | None) -> str:
        if self.run.source.known is not None:
            return f"no {name} in its file"
        return f"{n:,} of the {needed:,} latencies that {name} takes" if needed else "no latencies"

    @cached_property
    def drawn_outcomes(self) -> Number:
        """Count the requests in each resample by what became of them: [resamples, outcomes]."""
        assert self.resamples is not None
        rows, steps, kinds = self.responses, self.resamples.drawn.shape[1], len(OUTCOMES)
        place = self.resamples.step(rows.second) * kinds + rows.outcome
        counts = np.bincount(place, weights=rows.count, minlength=steps * kinds).reshape(steps, kinds)
        return self.resamples.totals(counts.astype(np.float64))


def same_requests(one: Samples, two: Samples) -> bool:
    """Say whether these are the same requests, row by row: a run compared with itself."""
    columns = ("second", "name", "outcome", "measure", "value_us", "count")
    return one.names == two.names and all(np.array_equal(getattr(one, name), getattr(two, name)) for name in columns)


def _or_infinite(number: float | None) -> float:
    return math.inf if number is None else number
