"""Runs compared with a baseline: compare.json, compare.md, compare.html and a picture, in a folder of their own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analysis import wording
from analysis.choices import TOLERANCE, Choices
from analysis.comparison import wording as compare_wording
from analysis.comparison.comparable import Differing, cut, difference_text, differing
from analysis.comparison.compare import OUTCOME_PART, Comparison, compare
from analysis.comparison.measured import AGGREGATE, LEAST_SECONDS, ORDER_STATISTICS, Side
from analysis.documents import html_document, markdown_document, write_whole
from analysis.errors import BadRun, NotWritten
from analysis.readers import read
from analysis.run_format import FORMAT
from analysis.summary import INVALID, summarize
from analysis.window import window_of

if TYPE_CHECKING:
    from analysis.plots import Plot  # imports matplotlib, which takes longer than a comparison without it

COMPARE_JSON, COMPARE_MD, COMPARE_HTML = "compare.json", "compare.md", "compare.html"
PICTURE = "compare.png"
LETTERS = "ABCDEFGHI"
LONGEST_NAME = 100  # letters of a run's name in the folder's
ALL_THE_SAME = "--force compares them all the same"


class InvalidRun(BadRun):
    """A run can be read, but its numbers do not describe the service."""


@dataclass(frozen=True)
class Labelled:
    """A run as the reader of a comparison knows it."""

    letter: str
    label: str  # the name of its directory: hostile text, on one line
    side: Side
    summary: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.letter} ({self.label})"


def write_comparison(
    paths: Sequence[Path],
    out: Path | None = None,
    choices: Choices | None = None,
    *,
    tolerance: float = TOLERANCE,
    force: bool = False,
    timeout_s: float | None = None,
    plots: bool = True,
) -> tuple[Path, dict[str, Any]]:
    """Compare the first of *paths* with each of the others and write the pages; return their folder and the numbers.

    Raises BadRun for what cannot be read or compared, InvalidRun for a run that is invalid; *force* compares both.
    Raises NotWritten where the pages have no room.
    """
    choices = choices or Choices()
    runs = labelled(paths, choices, timeout_s)
    summary = compared(runs, tolerance, force=force)
    folder, plot = out or _folder(paths), None
    if plots:
        from analysis.plots.comparison_curves import comparison_plot  # matplotlib takes longer to import than the rest

        plot = comparison_plot({each.title: each.side for each in runs})
    content = {COMPARE_JSON: (json.dumps(summary, indent=2, allow_nan=False) + "\n").encode()} | _pages(summary, plot)
    try:
        _write(folder, content | ({f"{plot.name}.png": plot.png} if plot else {}))
    except OSError as error:
        raise NotWritten(folder, error, summary) from None
    return folder, summary


def _write(folder: Path, content: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    is_ours = (folder / COMPARE_JSON).exists()
    for name, written in content.items():
        write_whole(folder / name, written)
    if is_ours and PICTURE not in content:
        (folder / PICTURE).unlink(missing_ok=True)  # of an earlier comparison


def labelled(paths: Sequence[Path], choices: Choices, timeout_s: float | None = None) -> list[Labelled]:
    """Read every one of *paths* as a run and give it a letter and the name of its directory.

    Raises BadRun, which begins with that name.
    """
    if not 2 <= len(paths) <= len(LETTERS):
        raise BadRun(f"{len(paths)} runs cannot be compared: name a baseline and 1 to {len(LETTERS) - 1} others")
    return [labelled_run(letter, path, choices, timeout_s) for letter, path in zip(LETTERS, paths, strict=False)]


def labelled_run(letter: str, path: Path, choices: Choices, timeout_s: float | None = None) -> Labelled:
    """Read *path* as a run. Raises BadRun, which begins with the name of its directory."""
    label = wording.one_line(path.resolve().name) or letter
    try:
        run = read([path], timeout_s)
        if run.record is not None:
            raise BadRun("it is a search for the capacity, whose rates are its own; compare runs at one rate")
        side = Side(run, window_of(run, choices), choices)
        return Labelled(letter, label, side, summarize(run, choices, side.window))
    except BadRun as error:
        named = str(error).startswith((f"{label},", f"{label} ", f"{path} "))
        raise BadRun(str(error) if named else f"{label}: {error}") from None


def compared(runs: Sequence[Labelled], tolerance: float, *, force: bool) -> dict[str, Any]:
    """Compare every run with the first; what compare.json holds. Raises BadRun, or InvalidRun, unless *force*."""
    baseline, *others = runs
    choices, comparisons = baseline.side.choices, []
    for other in others:
        settings = differing(baseline.side.run, other.side.run)
        if not force:
            _refuse(baseline, other, settings)
        comparisons.append(comparison(baseline, other, settings, tolerance))
    return {
        "format": FORMAT,
        "worse": any(each["worse"] for each in comparisons),
        "percentiles": {name: float(share) for name, share in choices.percentiles.items()},
        "confidence": choices.confidence,
        "tolerance": {"share": tolerance, "outcome_points": 100 * OUTCOME_PART * tolerance},
        "runs": [_run(each) for each in runs],
        "comparisons": comparisons,
    }


def text_tables(summary: dict[str, Any]) -> str:
    """Write every comparison for the terminal: its sentence, then a line for each figure."""
    lines = []
    for comparison in summary["comparisons"]:
        one, two = comparison["baseline"], comparison["other"]
        head = comparison["headline"] if len(summary["comparisons"]) == 1 else f"{two}: {comparison['headline']}"
        rows = [("", one, two, "difference", f"share of {one}", ""), *map(_cells, comparison["figures"])]
        lines += [head, *_aligned(rows), *(f"caution: {caution}" for caution in comparison["cautions"]), ""]
    names = (f"{run['letter']} is {run['label']}: {wording.load_text(run['load'])}" for run in summary["runs"])
    return "\n".join([*lines, *map(wording.one_line, names)])


def _refuse(baseline: Labelled, other: Labelled, settings: Sequence[Differing]) -> None:
    different = difference_text(settings)
    if different:
        raise BadRun(f"{other.label} cannot be compared with {baseline.label}: {different} ({ALL_THE_SAME})")
    for each in (baseline, other):
        if each.summary["verdict"] == INVALID:
            raise InvalidRun(f"the run {each.label} is invalid: {why_invalid(each)} ({ALL_THE_SAME})")


def why_invalid(of: Labelled) -> str:
    return " ".join(wording.one_line(caution["text"]) for caution in of.summary["cautions"] if caution["serious"])


def comparison(baseline: Labelled, other: Labelled, settings: Sequence[Differing], tolerance: float) -> dict[str, Any]:
    """Compare two runs that differ in *settings*."""
    compared = compare(baseline.side, other.side, tolerance)
    figures = [asdict(figure) for figure in compared.figures]
    return {
        "baseline": baseline.letter,
        "other": other.letter,
        "headline": compare_wording.headline(figures, tolerance),
        "worse": bool(compared.worse),
        "method": compared.method,
        "seconds": list(compared.seconds),
        "figures": figures,
        "cautions": _cautions(baseline, other, settings, compared),
        "differs": [asdict(each) for each in settings],
    }


def _cautions(baseline: Labelled, other: Labelled, settings: Sequence[Differing], compared: Comparison) -> list[str]:
    found = [
        f"The run {each.title} is invalid: {why_invalid(each)}"
        for each in (baseline, other)
        if each.summary["verdict"] == INVALID
    ]
    found += [
        f"Not the same question: {each.what} is {cut(each.baseline)} in {baseline.letter} and {cut(each.other)} in"
        f" {other.letter}."
        for each in settings
        if each.prevents
    ]
    if compared.method == ORDER_STATISTICS:
        found.append(
            f"A window of {min(compared.seconds)} s is too short to see how its seconds depend on each other, which"
            f" takes {LEAST_SECONDS}: the intervals are those of independent requests, and may be too narrow."
        )
    if compared.method == AGGREGATE:
        found.append("An aggregate does not say how its figures vary, so no difference is decided.")
    return found


def _run(of: Labelled) -> dict[str, Any]:
    run, kept = of.summary["run"], ("name", "target", "state", "started_at", "versions", "seed", "load", "duration_s")
    window = {end: of.summary["window"][end] for end in ("from_s", "to_s")}
    return {"letter": of.letter, "label": of.label, **{key: run[key] for key in kept}, "window": window}


def _cells(figure: dict[str, Any]) -> tuple[str, ...]:
    text, interval = compare_wording, compare_wording.interval_text(figure)
    return (
        text.name_text(figure),
        text.value_text(figure, "baseline"),
        text.value_text(figure, "other"),
        text.difference_text(figure) + (f" ({interval})" if interval else ""),
        text.share_of_baseline_text(figure),
        text.judgement_text(figure) + (f" ({figure['note']})" if figure["note"] else ""),
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:-1]), row[-1]]).rstrip() for row in rows
    ]


def _folder(paths: Sequence[Path]) -> Path:
    """Beside the last run, named for it and the baseline: a run directory holds one run, this is about two."""
    baseline, last = (path.resolve() for path in (paths[0], paths[-1]))
    return last.with_name(f"{last.stem[:LONGEST_NAME]}-against-{baseline.stem[:LONGEST_NAME]}")


def _pages(summary: dict[str, Any], plot: "Plot | None") -> dict[str, bytes]:
    context = {
        "summary": summary,
        "runs": {run["letter"]: run for run in summary["runs"]},
        "plot": plot,
        "drawing": Markup(plot.svg) if plot else "",  # noqa: S704 - our own
        "text": wording,
        "figure_text": compare_wording,
    }
    return {
        COMPARE_HTML: html_document(f"{COMPARE_HTML}.j2", **context),
        COMPARE_MD: markdown_document(f"{COMPARE_MD}.j2", **context),
    }
