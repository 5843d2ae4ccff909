"""From the rate that so many instances carry to how many the traffic needs, and back.

The lower end of the interval counts, less the headroom. Instances are taken to share the load evenly: a pool of more
carries at least as much each, because they share one queue's luck, as long as nothing behind them is shared.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.capacity import CONFIDENCE
from analysis.count_intervals import wilson
from analysis.outcomes import Outcome
from analysis.population import TIMEOUTS

TIMES = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # the target, or else what was measured
POOLS = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass(frozen=True)
class Carried:
    """The rate that *instances* carry together, at least; the headroom is a share, from 0 and below 1."""

    low_per_s: float
    instances: int
    headroom: float

    @property
    def each_per_s(self) -> float:
        """What one may be given."""
        return self.low_per_s / self.instances * (1 - self.headroom)

    def needed(self, rate_per_s: float) -> int:
        """How many instances a rate needs."""
        return max(1, math.ceil(rate_per_s / self.each_per_s - 1e-9))


def plan(carried: Carried, target_per_s: float | None, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Plan for several rates, in requests/s, and several numbers of instances.

    `all_hanging` is how many requests are in flight if all wait for the time limit of the gateway in the *manifest*.
    """
    base_per_s = target_per_s or carried.low_per_s
    rates = [times * base_per_s for times in TIMES]
    needed = None if target_per_s is None else carried.needed(target_per_s)
    pools = sorted({*POOLS, carried.instances, *([needed] if needed else [])})
    timeout_s = manifest["gateway"].get("timeout_s")
    return {
        "each_per_s": carried.each_per_s,
        "target": None if needed is None else {"rate_per_s": target_per_s, "instances": needed},
        "for_rates": [
            {
                "rate_per_s": rate_per_s,
                "instances": carried.needed(rate_per_s),
                "all_hanging": rate_per_s * timeout_s if timeout_s else None,
            }
            for rate_per_s in rates
        ],
        "for_instances": [{"instances": each, "rate_per_s": each * carried.each_per_s} for each in pools],
    }


def over_limit(payloads: Sequence[Mapping[str, Any]]) -> float | None:
    """Give the share (0 to 1) of the bodies, left out or not, that are over the gateway's limit; None if that is not
    known.
    """
    bodies = sum((each.get("count") or 0) + (each.get("skipped") or 0) for each in payloads)
    if not bodies or any(each.get("over_limit") is None for each in payloads):
        return None
    return float(sum(each["over_limit"] for each in payloads) / bodies)


def timed_out(outcomes: Mapping[str, int]) -> dict[str, float] | None:
    """Give the share (0 to 1) of requests that the time limit cut, and its interval as of independent requests; None
    of no request.
    """
    total = sum(outcomes.values()) - outcomes.get(Outcome.UNFINISHED, 0)
    if not total:
        return None
    cut = sum(outcomes.get(each, 0) for each in TIMEOUTS)
    low, high = wilson(cut, total, CONFIDENCE)
    return {"share": cut / total, "low": low, "high": high, "n": total}
