"""Reasons not to trust a run, a closed list: each with its figure, its threshold and what to do about it.

The serious ones make the run invalid: what was measured then is the generator, or not what was ordered.
Thresholds are judgements, kept in one place at the top.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np

from analysis.failures import FAILED, Failure, what_to_do
from analysis.outcomes import Outcome
from analysis.percentiles import PERCENTILES, confidence_ranks, nearest_rank, requests_needed
from analysis.population import Population
from analysis.run import Run
from analysis.run_format import LATENESS, RESPONSE, SERVICE
from analysis.wording import failure_text, length_text, share_text, time_text

# Lateness, at p99 or the highest percentile below it that the requests support ...
LATE_S = 0.010  # ... that a person would call late ...
LATE_SHARE = 0.10  # ... and that changes what was measured: its share of the median service time
SHORT_SHARE = 0.01  # of the ordered requests that may be missing
BUSY_CPU = 0.9  # CPU share of one generator process ...
BUSY_SHARE = 0.10  # ... in more than this share of the seconds
FAILED_SHARE = 0.5  # of the requests that should at least be ok
POISSON_DEVIATIONS = 3  # how far a fair Poisson plan may fall below its mean


@dataclass(frozen=True)
class Caution:
    name: str
    serious: bool
    text: str
    advice: str


@dataclass(frozen=True)
class Evidence:
    """What the checks look at."""

    run: Run
    outcomes: Mapping[str, int]
    populations: Mapping[str, Population]

    @property
    def requests(self) -> int:
        return sum(self.outcomes.values())


def cautions(evidence: Evidence) -> list[Caution]:
    """List what speaks against the run, the serious reasons first."""
    found = [caution for check in CHECKS if (caution := check(evidence))]
    return sorted(found, key=lambda caution: not caution.serious)


def nothing_measured(evidence: Evidence) -> Caution | None:
    if evidence.populations[RESPONSE].n > 0:
        return None
    became = ", ".join(f"{count:,} {outcome}" for outcome, count in evidence.outcomes.items())
    if not became:
        return Caution("nothing_measured", True, "No request was planned.", "Run longer, or at a higher rate.")
    advice = f"{_main_failure(evidence.run)}Send one request with loadgate send before running again."
    return Caution("nothing_measured", True, f"No request was answered well: {became}.", advice)


def counts_differ(evidence: Evidence) -> Caution | None:
    """Compare the histograms with the generator's own counters, the timeline and the failures, to the request."""
    state, counts = evidence.run.manifest["state"], evidence.run.manifest.get("counts")
    if evidence.run.manifest.get("workers_lost"):
        return None  # they do differ then, and that says why
    if state == "running" or (state == "interrupted" and counts is None):
        return None
    if counts is None:
        text = "The run is complete, but the generator left no counts to check it against."
    else:
        text = _differences(evidence, counts)
    if not text:
        return None
    return Caution(
        "counts_differ",
        True,
        text,
        "Requests were lost or counted twice in recording. Run again; if it stays, report it.",
    )


def incomplete(evidence: Evidence) -> Caution | None:
    state = evidence.run.manifest["state"]
    if state == "complete":
        return None
    if state == "interrupted":
        text = "The run was interrupted before its planned end; this is what it had measured until then."
    else:
        text = "The run is still going, or was killed: this is what it had written so far."
    return Caution("incomplete", False, text, "Let a run end by itself before comparing it with another.")


def line_cut(evidence: Evidence) -> Caution | None:
    if not evidence.run.cut:
        return None
    text = f"The last line of {' and '.join(evidence.run.cut)} was cut off and left out."
    return Caution("line_cut", False, text, "At most one row per file is missing; the rest is whole.")


def generator_late(evidence: Evidence) -> Caution | None:
    lateness, service = evidence.populations[LATENESS], evidence.populations[SERVICE]
    if lateness.n == 0:
        return None
    percentile = _supported(lateness.n)
    late_s = lateness.at_least_s(nearest_rank(lateness.n, percentile))
    median_s = service.at_least_s(nearest_rank(service.n, PERCENTILES["p50"])) if service.n else 0.0
    if late_s <= LATE_S or late_s <= LATE_SHARE * median_s:
        return None
    text = (
        f"{share_text(float(1 - percentile), 1)} of the requests left {time_text(late_s)} or more after their planned"
        f" time. Allowed is"
        f" {time_text(LATE_S)}, or {share_text(LATE_SHARE, 1)} of the median service time of {time_text(median_s)}."
    )
    advice = "Lower the rate, give the generator a free core, or add processes (--processes)."
    return Caution("generator_late", True, text, advice)


def arrivals_dropped(evidence: Evidence) -> Caution | None:
    dropped = evidence.outcomes.get(Outcome.DROPPED, 0)
    if not dropped:
        return None
    limit = evidence.run.manifest["load"].get("max_in_flight")
    text = (
        f"{dropped:,} of {evidence.requests:,} planned requests ({share_text(dropped, evidence.requests)}) were"
        f" not sent, because the limit of {f'{limit:,} ' if limit else ''}requests in flight in a process was reached."
        " Allowed is none."
    )
    advice = "The service could not take this rate. Lower the rate, or raise --max-in-flight to see it queue."
    return Caution("arrivals_dropped", True, text, advice)


def worker_lost(evidence: Evidence) -> Caution | None:
    lost = evidence.run.manifest.get("workers_lost") or 0
    if not lost:
        return None
    text = (
        f"{lost} of {evidence.run.manifest.get('workers', lost)} worker processes went away in mid-run, with the"
        " requests they had not reported and their share of the load. Allowed is none."
    )
    return Caution("worker_lost", True, text, "Find out why (memory? killed?), and run again.")


def below_rate(evidence: Evidence) -> Caution | None:
    ordered = _ordered_requests(evidence.run)
    if ordered is None or evidence.run.manifest.get("workers_lost"):
        return None
    requests, slack = ordered
    if evidence.requests >= requests - slack:
        return None
    text = (
        f"{evidence.requests:,} requests were planned where the load asked for {requests:,.0f}"
        f" ({share_text(evidence.requests, round(requests))}). Allowed is {share_text(SHORT_SHARE, 1)} less."
    )
    advice = "The generator did not deliver the rate: lower it, or add processes (--processes)."
    return Caution("below_rate", True, text, advice)


def generator_busy(evidence: Evidence) -> Caution | None:
    measured = evidence.run.timeline.cpu_share[np.isfinite(evidence.run.timeline.cpu_share)]
    busy = int(np.count_nonzero(measured >= BUSY_CPU))
    if busy <= BUSY_SHARE * len(measured):
        return None
    text = (
        f"A generator process used {share_text(BUSY_CPU, 1)} of a core or more in {busy:,} of {len(measured):,}"
        f" seconds. Allowed is {share_text(BUSY_SHARE, 1)} of them."
    )
    return Caution("generator_busy", False, text, "Times may include the generator's own. Add processes (--processes).")


def few_requests(evidence: Evidence) -> Caution | None:
    n, needed = evidence.populations[RESPONSE].n, requests_needed(PERCENTILES["p99"])
    if n == 0 or confidence_ranks(n, PERCENTILES["p99"])[1] is not None:
        return None
    duration_s = evidence.run.duration_s
    length = f": about {length_text(duration_s * needed / n)} at this rate" if duration_s else ""
    text = f"{n:,} latencies are too few for a p99, which takes {needed:,}."
    return Caution("few_requests", False, text, f"Run longer{length}.")


def mostly_failed(evidence: Evidence) -> Caution | None:
    ok = evidence.outcomes.get(Outcome.OK, 0)
    if evidence.populations[RESPONSE].n == 0 or ok >= FAILED_SHARE * evidence.requests:
        return None
    text = (
        f"{ok:,} of {evidence.requests:,} requests ({share_text(ok, evidence.requests)}) were ok. Expected is"
        f" {share_text(FAILED_SHARE, 1)} or more."
    )
    why = _main_failure(evidence.run) or "The outcomes say why. "
    return Caution("mostly_failed", False, text, f"{why}The latencies are of few requests, not of this load.")


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


CHECKS: tuple[Callable[[Evidence], Caution | None], ...] = (
    nothing_measured,
    counts_differ,
    worker_lost,
    arrivals_dropped,
    below_rate,
    generator_late,
    incomplete,
    line_cut,
    generator_busy,
    mostly_failed,
    few_requests,
    requests_resent,
)


def _supported(n: int) -> Fraction:
    """The highest percentile up to p99 that n requests support: one late request of forty is no finding."""
    supported = [share for name, share in PERCENTILES.items() if name != "p99.9" and confidence_ranks(n, share)[1]]
    return max(supported, default=PERCENTILES["p50"])


def _differences(evidence: Evidence, counts: Mapping[str, int]) -> str:
    dropped, unfinished = (evidence.outcomes.get(name, 0) for name in (Outcome.DROPPED, Outcome.UNFINISHED))
    histograms = {
        "planned": evidence.requests,
        "finished": evidence.requests - dropped - unfinished,
        "dropped": dropped,
        "unfinished": unfinished,
    }
    timeline = {
        name: int(getattr(evidence.run.timeline, name).sum())
        for name in ("planned", "sent", "finished", "dropped", "resent")
    }
    wrong = [
        f"{counts[name]:,} {name} by the generator's counters but {count:,} in {file}"
        for file, found in (("latency.csv", histograms), ("timeline.csv", timeline))
        for name, count in found.items()
        if count != counts[name]
    ]
    wrong += _differing_failures(evidence.outcomes, evidence.run.failures)
    return f"The counts do not agree: {'; '.join(wrong)}." if wrong else ""


def _differing_failures(outcomes: Mapping[str, int], failures: list[Failure] | None) -> list[str]:
    if failures is None:
        return []
    counts: Counter[str] = Counter()
    for failure in failures:
        counts[failure.outcome] += failure.count
    return [
        f"{outcomes.get(outcome, 0):,} {outcome} in latency.csv but {counts[outcome]:,} in failures.csv"
        for outcome in FAILED
        if counts[outcome] != outcomes.get(outcome, 0)
    ]


def _main_failure(run: Run) -> str:
    """Quote the most frequent failure and say what to do about it; empty for a run that does not say."""
    if not run.failures:
        return ""
    first = run.failures[0]
    return f"Most frequent: {failure_text(asdict(first)).rstrip('.')}. {what_to_do(first, run.manifest['gateway'])} "


def _ordered_requests(run: Run) -> tuple[float, float] | None:
    """How many requests a complete open load asked for, and how many may be missing; None if it cannot be
    said.

    A ramp plans half the rate on average, and in whole users, so by up to a second's worth less. A fair
    Poisson plan may be shorter by chance.
    """
    load = run.manifest["load"]
    rate, duration_s, ramp_s = load.get("rate_per_s"), load.get("duration_s"), load.get("ramp_s") or 0.0
    if load["model"] != "open" or run.manifest["state"] != "complete" or not rate or not duration_s:
        return None
    ordered = rate * (duration_s - min(ramp_s, duration_s) / 2)
    slack = max(1.0, SHORT_SHARE * ordered)
    if load.get("arrivals") == "poisson":
        slack = max(slack, POISSON_DEVIATIONS * math.sqrt(ordered))
    return ordered, slack + (rate if ramp_s else 0.0)
