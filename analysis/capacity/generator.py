"""Whether a level was the generator's fault: then it tells nothing of the service."""

import math

from analysis.capacity import CONFIDENCE
from analysis.lateness import lateness_over
from analysis.outcomes import Outcome
from analysis.population import population_of
from analysis.run_format import LATENESS, SERVICE
from analysis.samples import Samples

SHORT_SHARE, POISSON_DEVIATIONS = 0.02, 4  # of the ordered requests that may be missing: there are many levels


def trouble(samples: Samples, ordered: float, *, is_missed: bool) -> str:
    """Say what was wrong with the sending of *samples*, where so many requests were *ordered*; empty if nothing was.

    Late is what a run would be cautioned against. Dropped arrivals are the service's doing if it *is_missed* anyway.
    """
    counts = samples.outcome_counts()
    late = lateness_over(population_of(samples, LATENESS), population_of(samples, SERVICE), CONFIDENCE)
    if late:
        return late
    planned, dropped = sum(counts.values()), counts.get(Outcome.DROPPED, 0)
    if dropped and not is_missed:
        return (
            f"{dropped:,} of {planned:,} requests were not sent, because --max-in-flight was reached before an"
            " objective gave way"
        )
    if planned < ordered - max(1.0, SHORT_SHARE * ordered, POISSON_DEVIATIONS * math.sqrt(ordered)):
        return f"{planned:,} requests were planned where {ordered:,.0f} were ordered"
    return ""
