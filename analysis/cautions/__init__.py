"""Reasons not to trust a run, a closed list: each with its figure, its threshold and what to do about it.

The serious ones make the run invalid: what was measured then is the generator, or not what was ordered. Thresholds are
judgements, kept at the top of the module of their subject. What was planned, sent and recorded is checked over the
whole run; what the latencies say, and how late their requests were sent, over the window.
"""

from collections.abc import Callable

from analysis.cautions.caution import Caution, Evidence
from analysis.cautions.generator import (
    arrivals_dropped,
    below_rate,
    generator_busy,
    generator_late,
    generator_limit,
    requests_resent,
)
from analysis.cautions.latencies import (
    correlated,
    few_requests,
    mostly_failed,
    no_steady_state,
    nothing_measured,
    other_tool,
    timeouts_early,
)
from analysis.cautions.recording import (
    clock_step,
    counts_differ,
    in_flight_differs,
    incomplete,
    line_cut,
    worker_away,
    worker_lost,
)

__all__ = ["CHECKS", "Caution", "Evidence", "cautions"]

CHECKS: tuple[Callable[[Evidence], Caution | None], ...] = (
    nothing_measured,
    counts_differ,
    worker_lost,
    arrivals_dropped,
    below_rate,
    generator_late,
    incomplete,
    line_cut,
    worker_away,
    other_tool,
    generator_busy,
    in_flight_differs,
    clock_step,
    no_steady_state,
    mostly_failed,
    few_requests,
    timeouts_early,
    correlated,
    requests_resent,
)


# A search goes beyond what the service carries, and its levels are checked for what the generator did, each by itself.
OF_A_SEARCH = (
    counts_differ,
    worker_lost,
    generator_limit,
    incomplete,
    line_cut,
    worker_away,
    clock_step,
    timeouts_early,
)


def cautions(evidence: Evidence) -> list[Caution]:
    """List what speaks against the run, the serious reasons first."""
    checks = OF_A_SEARCH if evidence.searched else CHECKS
    found = [caution for check in checks if (caution := check(evidence))]
    return sorted(found, key=lambda caution: not caution.serious)
