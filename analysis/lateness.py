"""How late a generator may send: the rule of the caution and of the picture."""

from fractions import Fraction

from analysis.percentiles import PERCENTILES, confidence_ranks, nearest_rank, percentile
from analysis.population import Population
from analysis.wording import share_text, time_text

# Lateness, at p99 or the highest percentile below it that the requests support ...
LATE_S = 0.010  # ... that a person would call late ...
LATE_SHARE = 0.10  # ... and that changes what was measured: its share of the median service time
HALF = PERCENTILES["p50"]
JUDGED = [PERCENTILES[name] for name in ("p99", "p95", "p90")]


def judged_at(n: int, confidence: float) -> Fraction:
    """Choose the highest percentile up to p99 that *n* requests support: one late request of forty is no finding."""
    return next((share for share in JUDGED if confidence_ranks(n, share, confidence)[1]), HALF)


def lateness_over(lateness: Population, service: Population, confidence: float) -> str:
    """Say how late requests left, if that is more than is allowed; else, and where nothing was sent, empty."""
    if not lateness.n:
        return ""
    share = judged_at(lateness.n, confidence)
    late_s = lateness.at_least_s(nearest_rank(lateness.n, share))
    if late_s <= allowed_s(service):
        return ""
    return (
        f"{share_text(float(1 - share), 1)} of the requests left {time_text(late_s)} or more after their planned time"
    )


def allowed_s(service: Population | None) -> float:
    """Give the lateness in seconds above which the run is cautioned against."""
    return max(LATE_S, LATE_SHARE * ((percentile(service, HALF) if service else None) or 0.0))
