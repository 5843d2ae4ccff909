"""What is in a report: the numbers of a run, its pictures and its pages."""

import json
from pathlib import Path
from typing import Any

from analysis.choices import Choices
from analysis.report import junit, slo
from analysis.report.pages import html_page, markdown_page
from analysis.run import Run
from analysis.run_format import CAPACITY, REPORT_HTML, REPORT_MD, SUMMARY
from analysis.summary import summarize
from analysis.window import window_of


def contents_of(run: Run, choices: Choices, path: Path, *, plots: bool) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Give the summary of *run*, and the report's files by their names; *path* is where the run was read. Raises
    BadRun.
    """
    window = window_of(run, choices)
    summary = summarize(run, choices, window)
    if choices.baseline or run.manifest.get("baseline"):
        from analysis.comparison.baseline import with_baseline  # as below

        summary = with_baseline(summary, run, window, choices, path)
    drawn = []
    if plots:
        from analysis.plots import plots_of  # matplotlib takes longer to import than a report without it

        drawn = plots_of(run, choices, window)
    files = {
        SUMMARY: _json(summary),
        REPORT_MD: markdown_page(summary, drawn),
        REPORT_HTML: html_page(summary, run.notable, drawn),
    }
    files |= {f"{plot.name}.png": plot.png for plot in drawn}
    if summary["capacity"]:
        files[CAPACITY] = _json(summary["capacity"])
    if slo.rows(summary):
        files[junit.JUNIT_XML] = junit.document(summary)
    return summary, files


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()
