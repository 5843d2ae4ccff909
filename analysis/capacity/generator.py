"""Whether a level was the generator's fault: then it tells nothing of the service."""

import math

from analysis.lateness import LATE_S, LATE_SHARE, allowed_s, judged_at
from analysis.outcomes import Outcome
from analysis.percentiles import nearest_rank
from analysis.population import population_of
from analysis.run_format import LATENESS, SERVICE
from analysis.samples import Samples
from analysis.wording import share_text, time_text

CONFIDENCE = 0.95
SHORT_SHARE, POISSON_DEVIATIONS = 0.02, 4  # of the ordered requests that may be missing: there are many levels


def trouble(samples: Samples, ordered: float, *, is_missed: bool) -> str:
    """Say what was wrong with the sending of *samples*, where so many were ordered; empty if nothing was.

    Late is what a run would be cautioned against. Dropped arrivals are the service's doing if it *is_missed* anyway.
    """
    lateness, counts = population_of(samples, LATENESS), samples.outcome_counts()
    if lateness.n:
        share = judged_at(lateness.n, CONFIDENCE)
        late_s = lateness.at_least_s(nearest_rank(lateness.n, share))
        if late_s > allowed_s(population_of(samples, SERVICE)):
            return (
                f"{share_text(float(1 - share), 1)} of the requests left {time_text(late_s)} or more after their"
                f" planned time; allowed are {time_text(LATE_S)}, or {share_text(LATE_SHARE, 1)} of the service time"
            )
    planned, dropped = sum(counts.values()), counts.get(Outcome.DROPPED, 0)
    if dropped and not is_missed:
        return (
            f"{dropped:,} of {planned:,} requests were not sent, because --max-in-flight was reached before an"
            " objective gave way"
        )
    if planned < ordered - max(1.0, SHORT_SHARE * ordered, POISSON_DEVIATIONS * math.sqrt(ordered)):
        return f"{planned:,} requests were planned where {ordered:,.0f} were ordered"
    return ""
