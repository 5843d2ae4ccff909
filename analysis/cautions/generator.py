"""Cautions about the generator: what it sent was late, or not what was ordered."""

import math

import numpy as np

from analysis.cautions.caution import Caution, Evidence
from analysis.lateness import HALF, LATE_S, LATE_SHARE, lateness_over
from analysis.outcomes import Outcome
from analysis.percentiles import percentile
from analysis.run import Run
from analysis.run_format import LATENESS, REDISTRIBUTE, SERVICE
from analysis.wording import share_text, time_text

SHORT_SHARE = 0.01  # of the ordered requests that may be missing
BUSY_CPU = 0.9  # CPU share of one generator process ...
BUSY_SHARE = 0.10  # ... in more than this share of the seconds
POISSON_DEVIATIONS = 3  # how far a fair Poisson plan may fall below its mean


def generator_late(evidence: Evidence) -> Caution | None:
    service = evidence.populations[SERVICE]
    late = lateness_over(evidence.populations[LATENESS], service, evidence.choices.confidence)
    if not late:
        return None
    median_s = percentile(service, HALF) or 0.0
    text = (
        f"{late}. Allowed is {time_text(LATE_S)}, or {share_text(LATE_SHARE, 1)} of the median service time of"
        f" {time_text(median_s)}."
    )
    advice = "Lower the rate, give the generator a free core, or add processes (--processes)."
    return Caution("generator_late", True, text, advice)


def arrivals_dropped(evidence: Evidence) -> Caution | None:
    dropped = evidence.outcomes.get(Outcome.DROPPED, 0)
    if not dropped:
        return None
    if not evidence.run.source.is_own:
        text = (
            f"{dropped:,} of {evidence.requests:,} planned requests ({share_text(dropped, evidence.requests)}) were"
            f" not sent by {evidence.run.source.kind.split()[0]}, which had nobody free to send them. Allowed is none."
        )
        return Caution("arrivals_dropped", True, text, "Give it more virtual users, or lower the rate.")
    limit = evidence.run.manifest["load"].get("max_in_flight")
    text = (
        f"{dropped:,} of {evidence.requests:,} planned requests ({share_text(dropped, evidence.requests)}) were"
        f" not sent, because the limit of {f'{limit:,} ' if limit else ''}requests in flight in a process was reached."
        " Allowed is none."
    )
    advice = "The service could not take this rate. Lower the rate, or raise --max-in-flight to see it queue."
    return Caution("arrivals_dropped", True, text, advice)


def below_rate(evidence: Evidence) -> Caution | None:
    ordered = _ordered_requests(evidence.run)
    if ordered is None or evidence.run.manifest.get("workers_lost"):
        return None
    if len(evidence.run.source.files) > 1:
        return None  # of generators that did not start together, rate times length is more than they were to plan
    requests, slack = ordered
    if evidence.requests >= requests - slack:
        return None
    text = (
        f"{evidence.requests:,} requests were planned where the load asked for {requests:,.0f}"
        f" ({share_text(evidence.requests, round(requests))}). Allowed is {share_text(SHORT_SHARE, 1)} less."
    )
    manifest = evidence.run.manifest
    if manifest.get("workers_left") or (manifest.get("absences") and manifest.get("lost_worker") == REDISTRIBUTE):
        advice = (
            "A worker's share was missing until others had it, which in a run of more than two minutes is too little."
        )
    else:
        advice = "The generator did not deliver the rate: lower it, or add processes (--processes)."
    return Caution("below_rate", True, text, advice)


def generator_busy(evidence: Evidence) -> Caution | None:
    timeline, window = evidence.run.timeline, evidence.window
    inside = (timeline.second >= window.from_s) & (timeline.second < window.to_s)
    measured = timeline.cpu_share[inside & np.isfinite(timeline.cpu_share)]
    busy = int(np.count_nonzero(measured >= BUSY_CPU))
    if busy <= BUSY_SHARE * len(measured):
        return None
    text = (
        f"A generator process used {share_text(BUSY_CPU, 1)} of a core or more in {busy:,} of {len(measured):,}"
        f" seconds. Allowed is {share_text(BUSY_SHARE, 1)} of them."
    )
    return Caution("generator_busy", False, text, "Times may include the generator's own. Add processes (--processes).")


def generator_limit(evidence: Evidence) -> Caution | None:
    """Tell that a search came to the end of its generator, and not of the service."""
    if evidence.searched is None or evidence.searched["verdict"] != "invalid":
        return None
    advice = "Give the generator free cores, more processes (--processes) or a higher --max-in-flight."
    return Caution("generator_limit", True, evidence.searched["sentence"], advice)


def requests_resent(evidence: Evidence) -> Caution | None:
    resent = int(evidence.run.timeline.resent.sum())
    if not resent:
        return None
    text = (
        f"{resent:,} requests were sent a second time, because a kept-alive connection had been closed by the"
        " other side. Allowed is none; their times include both attempts."
    )
    advice = "The gateway's keep-alive is shorter than the pauses on a connection; its tail latency includes this."
    return Caution("requests_resent", False, text, advice)


def _ordered_requests(run: Run) -> tuple[float, float] | None:
    """How many requests a complete open load asked for, and how many may be missing; None if it cannot be
    said: not of a load shape, which has its rate only at its peak.

    A ramp plans half the rate on average, and in whole users, so by up to a second's worth less. A fair
    Poisson plan may be shorter by chance.
    """
    load = run.manifest["load"]
    rate, duration_s, ramp_s = load.get("rate_per_s"), load.get("duration_s"), load.get("ramp_s") or 0.0
    is_whole = load["model"] == "open" and run.manifest["state"] == "complete" and not load.get("shape")
    if not is_whole or not rate or not duration_s:
        return None
    ordered = rate * (duration_s - min(ramp_s, duration_s) / 2)
    slack = max(1.0, SHORT_SHARE * ordered)
    if load.get("arrivals") == "poisson":
        slack = max(slack, POISSON_DEVIATIONS * math.sqrt(ordered))
    return ordered, slack + (rate if ramp_s else 0.0)
