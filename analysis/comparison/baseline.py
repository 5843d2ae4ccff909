"""A run against its baseline: one objective more, that nothing is worse than it was.

It is missed if any figure is surely worse, and was measured as worse by more than the tolerance (`compare`). It is met
if none is, and if it is sure that the share of `ok` and at least one percentile of the main measure are not, by more
than that: the other end of what a comparison can say. Between the two the run does not decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis import wording
from analysis.choices import TOLERANCE, Baseline, Choices
from analysis.comparison.comparable import TARGET, difference_text, differing
from analysis.comparison.compare import OUTCOME, OUTCOME_PART, RATE
from analysis.comparison.measured import Side
from analysis.comparison.report import Labelled, comparison, labelled_run, why_invalid
from analysis.comparison.wording import longer_text, name_text
from analysis.errors import BadRun
from analysis.objectives.judgement import MET, MISSED, UNDECIDED, verdict
from analysis.outcomes import Outcome
from analysis.readers.manifest import directory_of
from analysis.run import Run
from analysis.run_format import MANIFEST, SUMMARY
from analysis.summary import INVALID
from analysis.window import Window

THIS_RUN = "this run"
MOST_NAMES = 3


def with_baseline(summary: dict[str, Any], run: Run, window: Window, choices: Choices, run_dir: Path) -> dict[str, Any]:
    """Add to *summary* how its *run* compares with its baseline, and judge it by that too.

    A baseline that was chosen now has to be right: BadRun says what is not. That which the run in *run_dir* was made
    with may be gone, which decides nothing.
    """
    baseline = choices.baseline or _made_with(run, run_dir)
    if baseline is None:
        return summary
    try:
        if not choices.baseline:
            _check_is_run(directory_of(baseline.path))
        found = _compared(baseline, summary, Side(run, window, choices))
    except BadRun as error:
        if choices.baseline:
            raise
        found = _result(baseline, UNDECIDED, f"It could not be compared: {error}.")
    results = [*(each["result"] for each in summary["slo"]), found["result"]]
    judged = INVALID if summary["verdict"] == INVALID else verdict(results, run.manifest)
    return {**summary, "verdict": judged, "baseline": found}


def _made_with(run: Run, run_dir: Path) -> Baseline | None:
    described = run.manifest.get("baseline")
    if not described or not described.get("path"):
        return None
    return Baseline(run_dir / described["path"], described.get("tolerance", TOLERANCE))


def _check_is_run(path: Path) -> None:
    """Refuse what a run names as its baseline and is no run: of a file that it may not know, a report would quote."""
    if path.exists() and not any((path / name).is_file() for name in (MANIFEST, SUMMARY)):
        raise BadRun(f"the baseline {wording.one_line(path.name)} is no run")


def _compared(baseline: Baseline, summary: dict[str, Any], side: Side) -> dict[str, Any]:
    path = directory_of(baseline.path)
    if not path.exists():
        raise BadRun(f"the baseline {wording.one_line(path.name)} is not there")
    one = labelled_run("A", path, side.choices)
    settings = differing(one.side.run, side.run)
    different = difference_text(settings, but=TARGET)
    if different:
        raise BadRun(f"the run cannot be compared with its baseline {one.label}: {different}")
    if one.summary["verdict"] == INVALID:
        return _result(baseline, UNDECIDED, f"The baseline is an invalid run: {why_invalid(one)}")
    if one.side.run.manifest.get("verdict") == INVALID:
        return _result(baseline, UNDECIDED, f"The baseline is an invalid run, as its {SUMMARY} says.")
    # Another place to ask is what many baselines are for: the same service, deployed anew.
    settings = [replace(each, prevents=False) for each in settings]
    found = comparison(one, Labelled("B", THIS_RUN, side, summary), settings, baseline.tolerance)
    result, reason = decided(found, summary["main"], baseline.tolerance)
    kept = ("method", "seconds", "figures", "cautions", "differs")
    return _result(baseline, result, reason) | {key: found[key] for key in kept}


def _result(baseline: Baseline, result: str, reason: str) -> dict[str, Any]:
    return {
        "name": wording.one_line(directory_of(baseline.path).resolve().name),  # where it is is nobody else's business
        "tolerance": baseline.tolerance,
        "outcome_points": 100 * OUTCOME_PART * baseline.tolerance,
        "result": result,
        "reason": reason,
        "method": None,
        "seconds": None,
        "figures": [],
        "cautions": [],
        "differs": [],
    }


def decided(found: Mapping[str, Any], main: str, tolerance: float) -> tuple[str, str]:
    """Give the result of a comparison with a baseline, for the *main* measure, and the sentences that say why."""
    if found["worse"]:
        return MISSED, found["headline"]
    figures = [each for each in found["figures"] if None not in (each["baseline"], each["other"])]
    sound = [each for each in figures if _is_no_worse(each)]
    kinds = {each["kind"] for each in sound if each["kind"] == main or each["name"] == Outcome.OK}
    if kinds == {main, OUTCOME}:
        rest = len(figures) - len(sound)
        few = f"; {_open_names(figures, sound)}" if rest else ""
        matters = wording.share_text(tolerance, 1)
        return MET, f"{len(sound)} of {len(figures)} figures are surely not worse by more than {matters}{few}."
    return UNDECIDED, _open_text(figures, OUTCOME if main in kinds else main)


def _open_names(figures: Sequence[Mapping[str, Any]], sound: Sequence[Mapping[str, Any]]) -> str:
    """Say of which figures it is open, the first few by their names."""
    names = [name_text(each) for each in figures if each not in sound]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"not decided: {', '.join(names[:MOST_NAMES])}{more}"


def _is_no_worse(figure: Mapping[str, Any]) -> bool:
    """Whether it is sure that a figure is not worse by more than what matters."""
    low, high, matters = figure["difference"]["low"], figure["difference"]["high"], figure["matters"]
    if matters is None:
        return False
    if figure["kind"] == RATE or (figure["kind"], figure["name"]) == (OUTCOME, Outcome.OK):
        return low is not None and -low <= matters
    return high is not None and high <= matters


def _open_text(figures: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Say of which *kind* of figure it is open whether it is worse, and what would help."""
    times = [each["longer"] for each in figures if each["kind"] == kind and each["longer"]]
    help_text = f": runs {longer_text(min(times))} as long would tell" if times else ""
    what = "the share of ok requests" if kind == OUTCOME else f"any percentile of {kind}"
    return f"No figure is known to be worse, but it is not sure that {what} is not{help_text}."
