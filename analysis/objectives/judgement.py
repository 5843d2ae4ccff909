"""Whether a run met its objectives, as far as it can be told: one is met or missed only if the whole interval of its
figure is on one side of the limit.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from analysis.objectives.figures import Measured, Part, measured
from analysis.objectives.objective import PER_SECOND, SHARE, Objective
from analysis.run import Run
from analysis.samples import Samples

MET, MISSED, UNDECIDED = "met", "missed", "undecided"
LONGEST_S = 86_400.0  # a run that would take longer is not worth naming


@dataclass(frozen=True)
class Judged:
    """An objective and what the run says of it, as in summary.json."""

    text: str
    figure: str
    measure: str | None
    name: str | None
    unit: str
    operator: str
    limit: float
    every_s: float | None  # the figures are of the worst part of this length; None: of all
    value: float | None
    low: float | None
    high: float | None
    censored: bool
    n: int
    result: str
    needs_s: float | None  # how long a run would decide; None: it is decided, or no run of a day would

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def judged(
    objectives: Sequence[Objective],
    run: Run,
    window: tuple[int, int],
    main: str,
    confidence: float,
    shown: Collection[Fraction] = (),
) -> list[Judged]:
    """Judge *objectives*: latencies and rates by the seconds of the *window*, shares of outcomes by the whole run.

    The interval of a percentile is that of a table of the percentiles *shown*.
    """
    end_s = run.duration_s or 0.0
    whole = Part(run.bounded, run.source.known, 0, end_s)
    to_s = min(window[1], end_s)
    inside = Part(run.bounded.within(*window), run.source.known, window[0], to_s, shown, end_s - to_s + window[0])
    return [
        _stopped(each, run, main, confidence)
        if each.text == run.manifest.get("stopped_by")
        else judge(each, whole if each.unit == SHARE else inside, main, confidence)
        for each in objectives
    ]


def _stopped(objective: Objective, run: Run, main: str, confidence: float) -> Judged:
    """Judge the objective that ended a run by its last seconds: those missed it, whatever the rest says."""
    end_s = math.ceil(run.duration_s or 0)
    # Shares are of what ended then, which was planned up to the time limit before.
    earlier_s = run.manifest["gateway"].get("timeout_s") or 0.0 if objective.unit == SHARE else 0.0
    from_s = max(0, math.floor(end_s - (objective.stop_after_s or end_s) - earlier_s))
    last = Part(run.bounded.within(from_s, end_s), run.source.known, from_s, end_s)
    return replace(judge(objective, last, main, confidence), result=MISSED, needs_s=None)


def is_partial(manifest: Mapping[str, Any]) -> bool:
    """Whether a run was interrupted, or goes on still: what was met so far is not met by the run."""
    return manifest["state"] != "complete" and not manifest.get("stopped_by")


def verdict(results: Collection[str], manifest: Mapping[str, Any]) -> str:
    """Say what the *results* of all objectives of a run come to: one that is missed is enough to fail."""
    if MISSED in results:
        return "fail"
    if not results:
        return "none"
    return "undecided" if UNDECIDED in results or is_partial(manifest) else "pass"


def judge(objective: Objective, part: Part, main: str, confidence: float) -> Judged:
    """Judge one objective by the requests of *part*; a latency without a measure is of the *main* one."""
    if objective.unit not in (SHARE, PER_SECOND):
        objective = replace(objective, measure=objective.measure or main)
    if objective.name is not None:
        part = replace(part, samples=named(part.samples, objective.name))
    if not len(part.samples.second):
        return _result(objective, Measured(), part)
    if objective.every_s is None:
        return _result(objective, measured(objective, part, confidence), part)
    return _in_every(objective, part, int(objective.every_s), confidence)


def _in_every(objective: Objective, part: Part, every_s: int, confidence: float) -> Judged:
    """Judge each whole piece: together they are as sure as one objective is (Bonferroni). The worst one is shown."""
    # An aggregate does not say what happened when.
    pieces = list(part.pieces(every_s)) if part.known is None else []
    sure = 1 - (1 - confidence) / max(1, len(pieces))
    found = [_result(objective, measured(objective, piece, sure), piece) for piece in pieces]
    for result in (MISSED, UNDECIDED, MET):
        alike = [each for each in found if each.result == result]
        if alike:
            # More time makes no piece of it longer.
            return replace(max(alike, key=_badness), needs_s=None)
    return _result(objective, Measured(), part)


def _badness(judged: Judged) -> float:
    """Order pieces of a run from the best to the worst; those without a figure come first."""
    if judged.value is None:
        return -math.inf
    return judged.value if judged.operator[0] == "<" else -judged.value


def named(samples: Samples, name: str) -> Samples:
    """Keep the requests of that name."""
    code = samples.names.index(name) if name in samples.names else -1
    return samples.where(samples.name == code)


def _result(objective: Objective, found: Measured, part: Part) -> Judged:
    result = _decided(objective, found)
    return Judged(
        objective.text,
        objective.figure,
        objective.measure,
        objective.name,
        objective.unit,
        objective.operator,
        objective.limit,
        objective.every_s,
        found.value,
        found.low,
        found.high,
        found.censored,
        found.n,
        result,
        _needs_s(found, part) if result == UNDECIDED else None,
    )


def _decided(objective: Objective, found: Measured) -> str:
    good, bad = (found.high, found.low) if objective.is_ceiling else (found.low, found.high)
    if good is not None and objective.holds(good):
        return MET
    return MISSED if bad is not None and not objective.holds(bad) else UNDECIDED


def _needs_s(found: Measured, part: Part) -> float | None:
    if not found.n or found.decides is None:
        return None
    seconds = part.besides_s + part.length_s * max(found.decides, found.n + 1) / found.n
    return seconds if seconds <= LONGEST_S else None
