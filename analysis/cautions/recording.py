"""Cautions about the record: parts of it are missing, or contradict each other."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import numpy as np

from analysis.cautions.caution import Caution, Evidence
from analysis.failures import FAILED, Failure
from analysis.outcomes import Outcome
from analysis.run import CLOCK_STEP_S, LOADGATE, Run
from analysis.run_format import REDISTRIBUTE, SERVICE
from analysis.samples import UNMEASURED, Samples
from analysis.wording import length_text

SAMPLED_EACH_S = 1.0  # how often the requests in flight are counted
MOST_NAMED = 3
CLOCK_S = 5.0  # between the clock on the wall and the run's own, with what starting and ending take ...
CLOCK_SHARE = 0.01  # ... and of a longer run this much: a clock is also set by making it run slower or faster


def counts_differ(evidence: Evidence) -> Caution | None:
    """Compare the histograms with the generator's own counters, the timeline and the failures, to the request."""
    state, counts = evidence.run.manifest["state"], evidence.run.manifest.get("counts")
    if evidence.run.source.kind != LOADGATE:
        return None  # there is one record only
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


def in_flight_differs(evidence: Evidence) -> Caution | None:
    """Check the times against the requests in flight: their mean is the rate times the mean time (Little, A Proof for
    the Queuing Formula: L = lambda W, Operations Research 9 (1961)).

    Over a whole run, which begins and ends with nothing in flight, that is exact, and no sampling of arrivals is in
    it. But those in flight are counted only at the end of each second, and constant arrivals, or a service that works
    in step with the second, keep that moment from being like the others. In between, they can be fewer by at most the
    requests sent in that second, or more by at most those that finished, so the two means can differ by the requests
    of one second, and by those that an answer waited in the generator before it was seen. Closer than that it cannot
    tell: it finds recorded times that are wrong by more than a second. It is no proof either way, while the counts
    are compared to the request; so it is not serious.
    """
    run, load = evidence.run, evidence.run.manifest["load"]
    if load["model"] == "recorded" or not evidence.by_itself or run.manifest.get("workers_lost"):
        return None
    timeline, lag_s = run.timeline, np.nan_to_num(run.timeline.loop_lag_ms) / 1000
    seconds = int(timeline.second[-1]) + 1
    if len(timeline.second) < seconds or lag_s.max() >= SAMPLED_EACH_S:
        return None  # it could not count them each second
    counted = float(timeline.in_flight.sum()) / seconds
    timed = _total_s(run.samples, SERVICE) / seconds
    most = np.maximum(timeline.sent, timeline.finished)
    allowed = float((most * (SAMPLED_EACH_S + lag_s)).sum()) / seconds
    if abs(counted - timed) <= allowed:
        return None
    text = (
        f"{counted:,.1f} requests were in flight on average by timeline.csv, but {timed:,.1f} by the times in"
        f" latency.csv (requests a second times mean service time). Allowed is a difference of {allowed:,.1f}, the"
        " requests of one second."
    )
    advice = "Requests were lost, or their times are wrong by seconds. Run again; if it stays, report it."
    return Caution("in_flight_differs", False, text, advice)


def clock_step(evidence: Evidence) -> Caution | None:
    """Tell of a clock that was set: seen against the run's own, or in the rows of another tool's record."""
    if evidence.run.source.clock_step_s:
        return _recorded_clock_step(evidence.run.source.clock_step_s)
    wall_s = _wall_s(evidence.run)
    if wall_s is None or not evidence.by_itself or evidence.run.manifest.get("workers_lost"):
        return None
    own_s = int(evidence.run.timeline.second[-1]) + 1
    allowed_s = max(CLOCK_S, CLOCK_SHARE * own_s)
    if abs(wall_s - own_s) <= allowed_s:
        return None
    text = (
        f"By the time of day the run took {wall_s:,.1f} s, by its own clock {own_s:,} s: the time was set"
        f" {'back' if wall_s < own_s else 'forward'} meanwhile, or the machine slept. Allowed is a difference of"
        f" {length_text(allowed_s)}."
    )
    advice = (
        "Do not look for its requests in other logs by the time of day. Latencies are not touched: they come from a"
        " clock that cannot be set."
    )
    return Caution("clock_step", False, text, advice)


def _recorded_clock_step(step_s: float) -> Caution:
    text = (
        f"From row to row the time in the record goes back by {step_s:,.1f} s: the clock was set meanwhile, recordings"
        f" were joined, or the rows are not in the order of time. Allowed is {length_text(CLOCK_STEP_S)}."
    )
    advice = (
        "Do not trust seconds, rates and the window, unless the rows were only sorted by something else. Latencies are"
        " mostly not touched. The notes on the source name the file."
    )
    return Caution("clock_step", False, text, advice)


def incomplete(evidence: Evidence) -> Caution | None:
    state = evidence.run.manifest["state"]
    if state == "complete":
        return None
    stopped_by = evidence.run.manifest.get("stopped_by")
    if stopped_by is not None:
        text = f"The run was stopped because it missed {stopped_by!r}; this is what it had measured until then."
    elif state == "interrupted":
        text = "The run was interrupted before its planned end; this is what it had measured until then."
    else:
        text = "The run is still going, or was killed: this is what it had written so far."
    return Caution("incomplete", False, text, "Let a run end by itself before comparing it with another.")


def line_cut(evidence: Evidence) -> Caution | None:
    if not evidence.run.cut:
        return None
    text = f"The last line of {' and '.join(evidence.run.cut)} was cut off and left out."
    return Caution("line_cut", False, text, "At most one row per file is missing; the rest is whole.")


def worker_lost(evidence: Evidence) -> Caution | None:
    """Tell of workers that went away for good: what they had not told of is missing, and maybe their load."""
    manifest = evidence.run.manifest
    lost = int(manifest.get("workers_lost") or 0)
    if not lost:
        return None
    workers = manifest.get("workers") or lost
    redistributed = manifest.get("lost_worker") == REDISTRIBUTE and lost < workers
    text = f"{lost} of {workers} worker processes went away in mid-run."
    text += " Others took their share of the load seconds later." if redistributed else ""
    gone = [absence for absence in manifest.get("absences") or [] if absence["back_s"] is None]
    if gone:
        unreported = f"{sum(absence['unreported'] for absence in gone):,}"
        is_open = manifest["load"]["model"] == "open"
        text += f" Not counted are {'at most' if is_open else 'about'} {unreported} requests of theirs"
        text += ": " if is_open else ", if these were answered as fast as those before: "
        text += ", ".join(
            f"{absence['worker']} was last heard of at second {absence['heard_s']:,g}, and had told of those before"
            f" {absence['told_s']:,}"
            for absence in gone[:MOST_NAMED]
        )
        text += f", and {len(gone) - MOST_NAMED:,} more." if len(gone) > MOST_NAMED else "."
    text += "" if redistributed else " Allowed is none."
    return Caution("worker_lost", not redistributed, text, "Find out why (memory? killed?), and run again.")


def worker_away(evidence: Evidence) -> Caution | None:
    """Tell of workers that were not there all the time, and lost nothing by it."""
    manifest = evidence.run.manifest
    back = [absence for absence in manifest.get("absences") or [] if absence["back_s"] is not None]
    told = [
        *(
            f"{each['worker']} was not heard of from second {each['heard_s']:,g} to {each['back_s']:,g}"
            for each in back
        ),
        *(
            f"{each['worker']} was told to stop at second {each['at_s']:,g}"
            for each in manifest.get("workers_left") or []
        ),
    ]
    if not told:
        return None
    more = f"; and {len(told) - MOST_NAMED:,} more" if len(told) > MOST_NAMED else ""
    text = f"{'; '.join(told[:MOST_NAMED])}{more}. All that they sent is counted."
    return Caution("worker_away", False, text, "Look for seconds in which the load was not what was planned.")


def _total_s(samples: Samples, measure: str) -> float:
    """Add up the times of all requests that have one, of whatever outcome."""
    timed = samples.of_measure(measure)
    timed = timed.where(timed.value_us != UNMEASURED)
    return float(timed.value_us.astype(np.float64) @ timed.count) / 1e6


def _wall_s(run: Run) -> float | None:
    """How long the run took by the time of day; None where it does not say."""
    if run.manifest["load"]["model"] == "recorded":
        return None
    try:
        start, end = (datetime.fromisoformat(run.manifest[key]) for key in ("started_at", "ended_at"))
        return (end - start).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None


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
