"""Cautions about the latencies: whose they are, how many, and whether they are of one and the same state."""

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from analysis.cautions.caution import Caution, Evidence
from analysis.failures import what_to_do
from analysis.outcomes import POPULATION, Outcome
from analysis.percentiles import PERCENTILES
from analysis.run import Run
from analysis.run_format import LATENESS, SERVICE
from analysis.window import DRIFT_P_VALUE, DRIFT_SHARE, RAMP, WARM_UP, Window, change_text
from analysis.wording import failure_text, length_text, one_line, share_text, time_text

FAILED_SHARE = 0.5  # of the requests that should at least be ok
HIGHEST_EXPECTED = PERCENTILES["p99"]  # a higher percentile is wanted, but not missed
EARLY_SHARE = 0.9  # of the limit, before which no time limit cuts a request
WIDE = 3.0  # times as wide as for independent requests


def nothing_measured(evidence: Evidence) -> Caution | None:
    if evidence.measured.n > 0:
        return None
    if any(evidence.outcomes.get(outcome) for outcome in POPULATION):
        text = f"No request planned from {evidence.window.from_s:,} to {evidence.window.to_s:,} s was answered well."
        return Caution("nothing_measured", True, text, "Choose another part of the run (--window, --warmup).")
    became = ", ".join(f"{count:,} {outcome}" for outcome, count in evidence.outcomes.items())
    if not became:
        return Caution("nothing_measured", True, "No request was planned.", "Run longer, or at a higher rate.")
    advice = f"{_main_failure(evidence.run)}Send one request with loadgate send before running again."
    # Objectives of outcomes and rates are about this too, and so is a baseline: a service that is down misses them.
    choices, manifest = evidence.choices, evidence.run.manifest
    is_asked = bool(choices.slo or choices.baseline or manifest.get("slo") or manifest.get("baseline"))
    return Caution("nothing_measured", not is_asked, f"No request was answered well: {became}.", advice)


def mostly_failed(evidence: Evidence) -> Caution | None:
    ok = evidence.outcomes.get(Outcome.OK, 0)
    if evidence.measured.n == 0 or ok >= FAILED_SHARE * evidence.requests:
        return None
    text = (
        f"{ok:,} of {evidence.requests:,} requests ({share_text(ok, evidence.requests)}) were ok. Expected is"
        f" {share_text(FAILED_SHARE, 1)} or more."
    )
    why = _main_failure(evidence.run) or "The outcomes say why. "
    return Caution("mostly_failed", False, text, f"{why}The latencies are of few requests, not of this load.")


def few_requests(evidence: Evidence) -> Caution | None:
    """Look at the highest percentile asked for up to p99, or the lowest where all are higher."""
    chosen = evidence.choices.percentiles
    name = max(chosen, key=lambda name: _expected(chosen[name]))
    estimate = evidence.latency[evidence.measure][name]
    if estimate["value_s"] is not None or not estimate["needs_s"]:
        return None
    text = f"{evidence.measured.n:,} latencies are too few for a {name}, which takes {estimate['needs']:,}."
    advice = f"Run longer: about {length_text(estimate['needs_s'])} at this rate."
    return Caution("few_requests", False, text, advice)


def correlated(evidence: Evidence) -> Caution | None:
    """Tell of the widest interval: n requests that resemble their neighbours are worth n / widening^2."""
    estimates = evidence.latency[evidence.measure]
    widened = {
        name: estimates[name].get("widened") or 0.0
        for name in evidence.choices.percentiles
        if estimates[name]["value_s"] is not None
    }
    widest = max(widened, key=lambda name: widened[name], default="")
    if not widest or widened[widest] <= WIDE:
        return None
    n = evidence.measured.n
    text = (
        f"The interval of {widest} is {widened[widest]:.1f} times as wide as for independent requests: latencies of"
        f" one time resemble each other so much that {n:,} support it like"
        f" {max(1, round(n / widened[widest] ** 2)):,} independent ones. Allowed is {WIDE:g} times."
    )
    advice = "Believe the interval, not the number of requests. To narrow it run longer; a higher rate will not do."
    return Caution("correlated", False, text, advice)


def timeouts_early(evidence: Evidence) -> Caution | None:
    """Tell of timeouts that came long before the limit that they are counted at."""
    recorded, counted = (
        samples.of_measure(SERVICE).of_outcome(Outcome.GATEWAY_TIMEOUT)
        for samples in (evidence.run.samples, evidence.run.bounded)
    )
    recorded_us, counted_us, count = recorded.value_us, counted.value_us, recorded.count
    early = recorded_us < EARLY_SHARE * counted_us
    if not early.any():
        return None
    latest_s, counted_s = recorded_us[early].max() / 1e6, counted_us[early].max() / 1e6
    text = (
        f"{count[early].sum():,} of {count.sum():,} gateway timeouts came within {time_text(latest_s)}, long before the"
        f" {time_text(counted_s)} that they are counted as at least. Expected is {share_text(EARLY_SHARE, 1)} of it or"
        " more."
    )
    advice = "Something else than that limit gave up: see who answered and why, and whether --timeout is the gateway's."
    return Caution("timeouts_early", False, text, advice)


def no_steady_state(evidence: Evidence) -> Caution | None:
    window = evidence.window
    if window.steady is not False:
        return None
    if window.unsteady == RAMP:
        ramp_s = evidence.run.manifest["load"].get("ramp_s") or 0.0
        text = f"The run ended after {window.to_s:,} s, in its ramp of {ramp_s:g} s: it never had its full load."
        return Caution("no_steady_state", False, text, "Run longer than the ramp.")
    text = f"The median {evidence.measure} {_changed(window)}"
    advice = "Percentiles of such a run depend on when it ended. Find what changed, run longer, or choose a steady part"
    return Caution("no_steady_state", False, text, f"{advice} (--window).{_too_high(evidence)}")


def other_tool(evidence: Evidence) -> Caution | None:
    """Say of another tool's record what no reading can repair, once; its format's other limits are in the notes."""
    source = evidence.run.source
    if source.is_own or evidence.populations[LATENESS].n:
        return None
    text = (
        f"Recorded by another tool ({one_line(source.kind)}), without a plan: how long a request waited before it was"
        " sent is not in the numbers (coordinated omission)."
    )
    notes = " What else its format cannot tell is in the notes on the source." if source.notes else ""
    return Caution("other_tool", False, text, f"Read the times as those of the service alone, from the send on.{notes}")


def _expected(share: Fraction) -> tuple[bool, Fraction]:
    is_expected = share <= HIGHEST_EXPECTED
    return is_expected, share if is_expected else -share


def _changed(window: Window) -> str:
    change = change_text(window.change)
    if window.unsteady == WARM_UP:
        return f"changed by {change} after more than half of the run. A warm-up may take half of it at most."
    p_value = window.drift.p_value if window.drift else 0.0
    return (
        f"changed by {change} from the beginning of the window to its end. Allowed is {share_text(DRIFT_SHARE, 1)}, or"
        f" what chance does in {share_text(DRIFT_P_VALUE, 1)} of steady runs (p {_p_text(p_value)})."
    )


def _p_text(p_value: float) -> str:
    return "< 0.0001" if p_value < 0.0001 else f"= {p_value:.2g}"


def _too_high(evidence: Evidence) -> str:
    load: Mapping[str, Any] = evidence.run.manifest["load"]
    rising = (evidence.window.change or 0.0) > 0
    return (
        " A queue that grows all along means that the rate is too high." if rising and load["model"] == "open" else ""
    )


def _main_failure(run: Run) -> str:
    """Quote the most frequent failure and say what to do about it; empty for a run that does not say."""
    if not run.failures:
        return ""
    first = run.failures[0]
    return f"Most frequent: {failure_text(asdict(first)).rstrip('.')}. {what_to_do(first, run.manifest['gateway'])} "
