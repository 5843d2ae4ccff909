"""A run in numbers: what summary.json holds. Strict JSON: nothing measured is null, never 0 or NaN."""

import heapq
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from analysis.cautions import Evidence, cautions
from analysis.choices import Choices
from analysis.errors import BadRun
from analysis.failures import most_frequent, what_to_do
from analysis.objectives.judgement import judged, verdict
from analysis.objectives.objective import Objective, objective
from analysis.outcomes import Outcome
from analysis.percentiles import Estimate, estimates, largest
from analysis.population import Population, main_measure, population_of, times_of
from analysis.run import Run
from analysis.run_format import FORMAT, MEASURES, RESPONSE, SERVICE
from analysis.samples import Samples
from analysis.window import Window, reading

INVALID = "invalid"
CORES = ThreadPoolExecutor()
ALWAYS_SHOWN = (RESPONSE, SERVICE)
MOST_NAMES = 50  # the busiest; latency.csv has them all
MOST_FAILURES = 50  # ways to fail; failures.csv has them all
FROM_MANIFEST = (
    "name",
    "target",
    "state",
    "started_at",
    "ended_at",
    "stopped_by",
    "versions",
    "seed",
    "credential",
    "gateway",
    "load",
    "payloads",
    "workers",
    "sharing",
    "lost_worker",
    "probe",
    "slo",
)


def summarize(run: Run, choices: Choices, window: Window) -> dict[str, Any]:
    """Reduce *run* to the numbers of its report: its outcomes are of all of it, latency and rate of its *window*."""
    inside = run.bounded.within(window.from_s, window.to_s)
    length_s = min(window.to_s, run.duration_s or 0) - window.from_s
    outcomes = run.samples.outcome_counts()
    inside_outcomes = outcomes if inside is run.bounded else inside.outcome_counts()
    populations = _of_each_measure(run.population if inside is run.bounded else partial(population_of, inside))
    asked = _Asked(choices, run.source.known, length_s, (run.duration_s or 0) - length_s)
    latency = _latency(populations, asked)
    searched = _answer(run, choices)
    found = cautions(Evidence(run, outcomes, populations, window, choices, latency, searched))
    main = main_measure(populations)
    seconds, shown = (window.from_s, window.to_s), tuple(choices.percentiles.values())
    # A search judges them at each rate.
    texts = [] if run.record else _objectives(run, choices)
    objectives = judged(texts, run, seconds, main, choices.confidence, shown)
    results = [each.result for each in objectives]
    judged_as = searched["verdict"] if searched else verdict(results, run.manifest)
    is_invalid = any(caution.serious for caution in found)
    return {
        "format": FORMAT,
        "verdict": INVALID if is_invalid else judged_as,
        "run": {**{key: run.manifest.get(key) for key in FROM_MANIFEST}, "duration_s": run.duration_s},
        "source": {
            "kind": run.source.kind,
            "files": [Path(file).name for file in run.source.files],  # where they are is nobody else's business
            "notes": list(run.source.notes),
        },
        "outcomes": outcomes,
        **_failures(run),
        "window": {
            **window.as_json(),
            "reading": reading(window, run.duration_s or 0.0),
            "outcomes": inside_outcomes,
        },
        "percentiles": {name: float(share) for name, share in choices.percentiles.items()},
        "confidence": choices.confidence,
        "main": main,
        "latency": latency,
        **_by_name(inside, inside_outcomes, latency, asked),
        "by_outcome": _by_outcome(run.samples.within(window.from_s, window.to_s), inside_outcomes, latency, asked),
        "rate": _rate(inside_outcomes, length_s),
        "slo": [each.as_json() for each in objectives],
        "baseline": None,  # `comparison.baseline` adds it
        "capacity": _capacity(run, searched, is_invalid=is_invalid),
        "cautions": [asdict(caution) for caution in found],
    }


def _answer(run: Run, choices: Choices) -> dict[str, Any] | None:
    """Answer the search of a run that was one. Raises BadRun for other objectives than it had."""
    if run.record is None:
        return None
    if choices.slo:
        raise BadRun("a search for the capacity was made with its objectives, so it cannot be judged by others (--slo)")
    from analysis.capacity.answer import answer  # few runs have one

    return answer(run.record, run.manifest)


def _capacity(run: Run, searched: dict[str, Any] | None, *, is_invalid: bool) -> dict[str, Any] | None:
    """Join what was asked for and the answer, which an invalid run has none of."""
    if run.record is None or searched is None:
        return None
    from analysis.capacity.answer import withdrawn  # as above

    if is_invalid and searched["verdict"] != INVALID:
        searched = withdrawn(searched)
    return {**run.record.as_json(), "answer": searched}


def _objectives(run: Run, choices: Choices) -> list[Objective]:
    """Choose the objectives: those of the reader, or those that the run was made with. Raises BadRun."""
    try:
        return list(choices.slo) or [objective(text) for text in run.manifest.get("slo") or []]
    except ValueError as error:
        raise BadRun(f"run.json: slo: {error}") from None


def _failures(run: Run) -> dict[str, Any]:
    """List how requests failed, and count those that failed in yet other ways; null for a run that does not say."""
    if run.failures is None:
        return {"failures": None, "failures_more": None}
    shown, gateway = most_frequent(run.failures, MOST_FAILURES), run.manifest["gateway"]
    return {
        "failures": [{**asdict(failure), "advice": what_to_do(failure, gateway)} for failure in shown],
        "failures_more": sum(failure.count for failure in run.failures) - sum(failure.count for failure in shown),
    }


@dataclass(frozen=True)
class _Asked:
    """What is wanted of every population."""

    choices: Choices
    known: tuple[Fraction, ...] | None
    length_s: float  # of the window
    cut_s: float  # what a run has besides


def _by_name(samples: Samples, outcomes: Mapping[str, int], latency: dict[str, Any], asked: _Asked) -> dict[str, Any]:
    """Reduce each name, the busiest first, and count those that are left out."""
    requests = samples.requests("name", len(samples.names))
    occurring = np.flatnonzero(requests).tolist()
    busiest = heapq.nsmallest(MOST_NAMES, occurring, key=lambda code: (-requests[code], samples.names[code]))
    if len(busiest) == 1:
        parts = {samples.names[busiest[0]]: {"outcomes": outcomes, "latency": latency}}
    else:
        parts = {samples.names[code]: _part(samples.where(samples.name == code), asked) for code in busiest}
    return {"by_name": parts, "names_more": len(occurring) - len(busiest)}


def _part(samples: Samples, asked: _Asked) -> dict[str, Any]:
    return {
        "outcomes": samples.outcome_counts(),
        "latency": _latency(_of_each_measure(partial(population_of, samples)), asked),
    }


def _by_outcome(
    samples: Samples, outcomes: Mapping[str, int], latency: dict[str, Any], asked: _Asked
) -> dict[str, Any]:
    """Reduce the times of each outcome as recorded, also of those that make up no percentile of the run."""
    if list(outcomes) == [Outcome.OK]:
        return {Outcome.OK: {measure: latency[measure] for measure in ALWAYS_SHOWN}}
    shown = [samples.of_measure(measure) for measure in ALWAYS_SHOWN]
    return {outcome: _latency(_times(shown, outcome), asked) for outcome in outcomes}


def _times(shown: list[Samples], outcome: str) -> dict[str, Population]:
    return {measure: times_of(of.of_outcome(outcome)) for measure, of in zip(ALWAYS_SHOWN, shown, strict=True)}


def _of_each_measure(population: Callable[[str], Population]) -> dict[str, Population]:
    return dict(zip(MEASURES, _side_by_side(population, MEASURES), strict=True))


def _latency(populations: Mapping[str, Population], asked: _Asked) -> dict[str, Any]:
    shown = {name: each for name, each in populations.items() if each.n or name in ALWAYS_SHOWN}
    found = _side_by_side(partial(_estimates, asked=asked), shown.values())
    return {
        name: {"n": each.n, **percentiles, "max": _json(largest(each), each.n, asked)}
        for (name, each), percentiles in zip(shown.items(), found, strict=True)
    }


def _side_by_side(reduce: Callable[[Any], Any], parts: Iterable[Any]) -> list[Any]:
    """Reduce each part on a core of its own: numpy counts and sorts without Python's lock."""
    return list(CORES.map(reduce, parts))


def _estimates(population: Population, asked: _Asked) -> dict[str, Any]:
    percentiles = asked.choices.percentiles
    found = estimates(population, list(percentiles.values()), asked.choices.confidence, asked.known)
    return {name: _json(estimate, population.n, asked) for name, estimate in zip(percentiles, found, strict=True)}


def _json(estimate: Estimate, n: int, asked: _Asked) -> dict[str, Any]:
    return {
        "value_s": estimate.value_s,
        "low_s": estimate.low_s,
        "high_s": estimate.high_s,
        "censored": estimate.censored,
        "widened": estimate.widened,
        "needs": estimate.needed,
        "needs_s": asked.cut_s + estimate.needed * asked.length_s / n if estimate.needed and n else None,
    }


def _rate(outcomes: Mapping[str, int], length_s: float) -> dict[str, float | None]:
    """Count per second of the window."""
    planned = sum(outcomes.values())
    counts = {
        "planned_per_s": planned,
        "sent_per_s": planned - outcomes.get(Outcome.DROPPED, 0),
        "ok_per_s": outcomes.get(Outcome.OK, 0),
    }
    return {name: count / length_s if length_s > 0 else None for name, count in counts.items()}
