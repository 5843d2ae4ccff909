"""A run's report: summary.json, report.md, report.html, the plots and junit.xml, beside the run's own files."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from analysis import wording
from analysis.choices import Choices
from analysis.documents import write_whole
from analysis.errors import BadRun, NotWritten
from analysis.readers import read
from analysis.report import junit, slo
from analysis.run_format import REPORT_MD

PICTURES = {
    f"{name}.png"
    for name in ("capacity", "percentiles", "heatmap", "over_time", "distribution", "lateness", "outcomes")
}
FAILURES_TOLD = 3  # in the terminal
EXIT_CODES = {"none": 0, "pass": 0, "fail": 1, "undecided": 3, "invalid": 3}
VERDICTS = {"pass": "PASS", "fail": "FAIL", "undecided": "NOT DECIDED", "invalid": "INVALID"}


def write_report(
    paths: Sequence[Path],
    out: Path | None = None,
    choices: Choices | None = None,
    *,
    timeout_s: float | None = None,
    plots: bool = True,
) -> tuple[Path, dict[str, Any]]:
    """Read *paths* as one run and write its report; return the report's folder and its summary.

    Raises BadRun, and NotWritten where the report has no room.
    """
    folder = out or _folder(paths)
    with ThreadPoolExecutor() as meanwhile:  # most of reading is Arrow's and the disk's
        ready = meanwhile.submit(_imported)
        run = read(paths, timeout_s)
    contents_of = ready.result()
    summary, files = contents_of(run, choices or Choices(), paths[0], plots=plots)
    try:
        _write(folder, files)
    except OSError as error:
        raise NotWritten(folder, error, summary) from None
    return folder, summary


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stale = _of_earlier_report(folder) - files.keys()
    for name, content in files.items():
        write_whole(folder / name, content)
    for name in stale:
        (folder / name).unlink(missing_ok=True)


def _imported() -> Callable[..., tuple[dict[str, Any], dict[str, bytes]]]:
    """Import what makes a report of a run, and compile its pages, which takes a while: both are kept."""
    from analysis.report.contents import contents_of
    from analysis.report.pages import compile_pages

    compile_pages()
    return contents_of


def _folder(paths: Sequence[Path]) -> Path:
    """A run directory is its report's folder; a file has one beside it."""
    if len(paths) > 1:
        raise BadRun(f"{len(paths)} files or runs are read as one: say with --out DIR where its report should be")
    path = paths[0]
    return path.with_name(f"{path.stem}-report") if path.is_file() else path


def text_table(summary: dict[str, Any]) -> str:
    """Write the percentiles of *summary*, or the answer of a search, for the terminal, and what speaks against them."""
    run, outcomes = summary["run"], summary["outcomes"]
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())
    head = [f"{wording.one_line(run['name'])}: {wording.load_text(run['load'])}", counts or "no requests"]
    head += [wording.failure_text(failure) for failure in _that_say_why(summary)[:FAILURES_TOLD]]
    reasons = [
        wording.one_line(f"{'INVALID' if caution['serious'] else 'caution'}: {caution['text']} {caution['advice']}")
        for caution in summary["cautions"]
    ]
    if summary["capacity"]:
        from analysis.capacity.wording import text_lines  # few runs have one

        return "\n".join([*head, *reasons, *text_lines(summary["capacity"]), VERDICTS[summary["verdict"]]])
    if summary["window"]["cut"]:
        head.append(wording.one_line(summary["window"]["reading"]))
    objectives = [slo.line_text(row) for row in slo.rows(summary)]
    verdict = [VERDICTS[summary["verdict"]]] if objectives else []
    return "\n".join([*head, *_latency_lines(summary), *reasons, *objectives, *verdict])


def _latency_lines(summary: dict[str, Any]) -> list[str]:
    columns = [*summary["percentiles"], "max"]
    lines = [("", "n", *columns)]
    for measure, figures in summary["latency"].items():
        cells = (wording.estimate_text(figures[name]) for name in columns)
        lines.append((measure, f"{figures['n']:,}", *cells))
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]


def exit_code(summary: dict[str, Any]) -> int:
    return EXIT_CODES[summary["verdict"]]


def _that_say_why(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The failures of which more is known than their outcome."""
    failures: list[dict[str, Any]] = summary["failures"] or []
    return [failure for failure in failures if failure["answered_by"] or failure["reason"] or failure["message"]]


def _of_earlier_report(folder: Path) -> set[str]:
    """Name the files of ours that not every report has."""
    return _pictures_of(folder / REPORT_MD) | ({junit.JUNIT_XML} if junit.is_ours(folder / junit.JUNIT_XML) else set())


def _pictures_of(page: Path) -> set[str]:
    """Name the pictures of ours that an earlier report.md shows; text from outside cannot make such a line of it."""
    if not page.is_file():
        return set()
    return PICTURES & set(
        re.findall(r"^!\[[^]]*\]\((\w+\.png)\)$", page.read_text("utf-8", errors="replace"), re.MULTILINE)
    )
