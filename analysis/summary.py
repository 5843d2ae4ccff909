"""A run in numbers: what summary.json holds. Strict JSON: nothing measured is null, never 0 or NaN."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analysis.cautions import Caution, Evidence, cautions
from analysis.choices import Choices
from analysis.failures import most_frequent, what_to_do
from analysis.outcomes import Outcome
from analysis.percentiles import estimates, largest
from analysis.population import Population, population_of
from analysis.run import Run
from analysis.run_format import FORMAT, MEASURES, RESPONSE, SERVICE
from analysis.samples import Samples
from analysis.window import Window

ALWAYS_SHOWN = (RESPONSE, SERVICE)
MOST_FAILURES = 50  # ways to fail; failures.csv has them all
FROM_MANIFEST = (
    "name",
    "target",
    "state",
    "started_at",
    "ended_at",
    "versions",
    "seed",
    "credential",
    "gateway",
    "load",
    "payloads",
    "workers",
    "probe",
)


def summarize(run: Run, choices: Choices, window: Window) -> dict[str, Any]:
    """Reduce *run* to the numbers of its report: its outcomes are of all of it, latency and rate of its *window*."""
    inside = run.samples.within(window.from_s, window.to_s)
    outcomes = run.samples.outcome_counts()
    populations = _populations(inside)
    found = cautions(Evidence(run, outcomes, populations))
    return {
        "format": FORMAT,
        "verdict": _verdict(found),
        "run": {**{key: run.manifest.get(key) for key in FROM_MANIFEST}, "duration_s": run.duration_s},
        "outcomes": outcomes,
        **_failures(run),
        "source": {"kind": run.source.kind, "files": list(run.source.files), "notes": list(run.source.notes)},
        "window": {**window.as_json(), "outcomes": inside.outcome_counts()},
        "percentiles": {name: float(share) for name, share in choices.percentiles.items()},
        "confidence": choices.confidence,
        "latency": _latency(populations, choices),
        "by_name": {name: _part(inside.of_name(name), choices) for name in sorted(run.samples.names)},
        "by_outcome": {name: _latency(_populations(inside.of_outcome(name)), choices) for name in outcomes},
        "rate": _rate(inside.outcome_counts(), min(window.to_s, run.duration_s or 0) - window.from_s),
        "slo": [],
        "cautions": [asdict(caution) for caution in found],
    }


def _verdict(found: list[Caution]) -> str:
    return "invalid" if any(caution.serious for caution in found) else "none"


def _failures(run: Run) -> dict[str, Any]:
    """List how requests failed, and count those that failed in yet other ways; null for a run that does not say."""
    if run.failures is None:
        return {"failures": None, "failures_more": None}
    shown, gateway = most_frequent(run.failures, MOST_FAILURES), run.manifest["gateway"]
    return {
        "failures": [{**asdict(failure), "advice": what_to_do(failure, gateway)} for failure in shown],
        "failures_more": sum(failure.count for failure in run.failures) - sum(failure.count for failure in shown),
    }


def _part(samples: Samples, choices: Choices) -> dict[str, Any]:
    return {"outcomes": samples.outcome_counts(), "latency": _latency(_populations(samples), choices)}


def _populations(samples: Samples) -> dict[str, Population]:
    return {measure: population_of(samples, measure) for measure in MEASURES}


def _latency(populations: Mapping[str, Population], choices: Choices) -> dict[str, Any]:
    return {
        measure: {
            "n": population.n,
            **_estimates(population, choices),
            "max": asdict(largest(population)),
        }
        for measure, population in populations.items()
        if population.n or measure in ALWAYS_SHOWN
    }


def _estimates(population: Population, choices: Choices) -> dict[str, Any]:
    found = estimates(population, choices.percentiles.values(), choices.confidence)
    return {name: asdict(estimate) for name, estimate in zip(choices.percentiles, found, strict=True)}


def _rate(outcomes: Mapping[str, int], length_s: float) -> dict[str, float | None]:
    planned = sum(outcomes.values())
    counts = {
        "planned_per_s": planned,
        "sent_per_s": planned - outcomes.get(Outcome.DROPPED, 0),
        "ok_per_s": outcomes.get(Outcome.OK, 0),
    }
    return {name: count / length_s if length_s else None for name, count in counts.items()}
