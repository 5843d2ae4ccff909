"""A run in numbers: what summary.json holds. Strict JSON: nothing measured is null, never 0 or NaN."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analysis.cautions import Caution, Evidence, cautions
from analysis.failures import most_frequent, what_to_do
from analysis.outcomes import Outcome
from analysis.percentiles import PERCENTILES, largest, percentile
from analysis.population import Population, population_of
from analysis.run_format import FORMAT, MEASURES, RESPONSE, SERVICE
from analysis.run_reader import Run
from analysis.samples import Samples

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


def summarize(run: Run) -> dict[str, Any]:
    """Reduce *run* to the numbers of its report."""
    outcomes = run.samples.outcome_counts()
    populations = _populations(run.samples)
    found = cautions(Evidence(run, outcomes, populations))
    return {
        "format": FORMAT,
        "verdict": _verdict(found),
        "run": {**{key: run.manifest.get(key) for key in FROM_MANIFEST}, "duration_s": run.duration_s},
        "outcomes": outcomes,
        **_failures(run),
        "latency": _latency(populations),
        "by_name": {name: _of_name(run.samples.of_name(name)) for name in sorted(run.samples.names)},
        "rate": _rate(outcomes, run.duration_s),
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


def _of_name(samples: Samples) -> dict[str, Any]:
    return {"outcomes": samples.outcome_counts(), "latency": _latency(_populations(samples))}


def _populations(samples: Samples) -> dict[str, Population]:
    return {measure: population_of(samples, measure) for measure in MEASURES}


def _latency(populations: Mapping[str, Population]) -> dict[str, Any]:
    return {
        measure: {
            "n": population.n,
            **{name: asdict(percentile(population, p)) for name, p in PERCENTILES.items()},
            "max": asdict(largest(population)),
        }
        for measure, population in populations.items()
        if population.n or measure in ALWAYS_SHOWN
    }


def _rate(outcomes: Mapping[str, int], duration_s: float | None) -> dict[str, float | None]:
    planned = sum(outcomes.values())
    counts = {
        "planned_per_s": planned,
        "sent_per_s": planned - outcomes.get(Outcome.DROPPED, 0),
        "ok_per_s": outcomes.get(Outcome.OK, 0),
    }
    return {name: count / duration_s if duration_s else None for name, count in counts.items()}
