"""A run's report: summary.json, report.md, report.html and the plots, beside the run's own files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis import wording
from analysis.choices import Choices
from analysis.errors import BadRun
from analysis.outcomes import MEANING
from analysis.percentiles import requests_needed
from analysis.readers import read
from analysis.run import Run
from analysis.run_format import BACKEND, CONNECT, FIRST_BYTE, GATEWAY, LATENESS, RESPONSE, SERVICE, UPLOAD
from analysis.summary import summarize
from analysis.window import window_of

SUMMARY, REPORT_HTML, REPORT_MD = "summary.json", "report.html", "report.md"
MOST_NOTABLE = 100  # rows shown; notable.csv has them all
FAILURES_TOLD = 3  # in the terminal
EXIT_CODES = {"none": 0, "invalid": 3}
MEASURE_MEANING = {
    RESPONSE: "from the planned time to the last byte: what a user feels, waiting in line included",
    SERVICE: "from sending to the last byte: what the gateway and the model took",
    LATENESS: "from the planned time to sending: the generator's own delay",
    FIRST_BYTE: "from sending to the first byte of the answer",
    UPLOAD: "from sending to the last byte of the body handed over",
    CONNECT: "setting up TCP and TLS, where a request had to wait for it",
    GATEWAY: "the gateway's own part of the time, as the gateway says",
    BACKEND: "from the gateway's sending to the head of the model's answer, as the gateway says, in whole milliseconds",
}


def write_report(
    paths: Sequence[Path],
    out: Path | None = None,
    choices: Choices | None = None,
    *,
    timeout_s: float | None = None,
    plots: bool = True,
) -> tuple[Path, dict[str, Any]]:
    """Read *paths* as one run and write its report; return the report's folder and its summary. Raises BadRun."""
    choices = choices or Choices()
    folder = out or _folder(paths)
    run = read(paths, timeout_s)
    window = window_of(run, choices)
    summary = summarize(run, choices, window)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    if plots:
        from analysis.plots import plots_of  # matplotlib takes longer to import than a report without it

        for plot in plots_of(run, choices, window):
            pictures[plot.name] = plot.svg
            _write(folder / f"{plot.name}.png", plot.png)
    _write(folder / SUMMARY, (json.dumps(summary, indent=2, allow_nan=False) + "\n").encode())
    for page in (REPORT_MD, REPORT_HTML):
        _write(folder / page, _rendered(f"{page}.j2", run, summary, pictures))
    return folder, summary


def _folder(paths: Sequence[Path]) -> Path:
    """A run directory is its report's folder; a file has one beside it."""
    if len(paths) > 1:
        raise BadRun(f"{len(paths)} files or runs are read as one: say with --out DIR where its report should be")
    path = paths[0]
    return path.with_name(f"{path.stem}-report") if path.is_file() else path


def text_table(summary: dict[str, Any]) -> str:
    """Write the percentiles of *summary* as a table for the terminal, and what speaks against them."""
    run, outcomes = summary["run"], summary["outcomes"]
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())
    head = [f"{wording.one_line(run['name'])}: {wording.load_text(run['load'])}", counts or "no requests"]
    head += [wording.failure_text(failure) for failure in _that_say_why(summary)[:FAILURES_TOLD]]
    columns = [*summary["percentiles"], "max"]
    lines = [("", "n", *columns)]
    for measure, figures in summary["latency"].items():
        cells = (wording.estimate_text(figures[name]) for name in columns)
        lines.append((measure, f"{figures['n']:,}", *cells))
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    table = "\n".join("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines)
    reasons = [
        wording.one_line(f"{'INVALID' if caution['serious'] else 'caution'}: {caution['text']} {caution['advice']}")
        for caution in summary["cautions"]
    ]
    return "\n".join([*head, table, *reasons])


def exit_code(summary: dict[str, Any]) -> int:
    return EXIT_CODES[summary["verdict"]]


def unsupported_notes(summary: dict[str, Any]) -> list[str]:
    """Say for each percentile printed as `-` how many requests, and how long a run, would support it."""
    n, duration_s = summary["latency"][RESPONSE]["n"], summary["run"]["duration_s"]
    if n == 0:
        return []
    notes = []
    for name, p in summary["percentiles"].items():
        if summary["latency"][RESPONSE][name]["value_s"] is None:
            notes.append(_unsupported_note(name, p, n / duration_s))
    return notes


def _unsupported_note(name: str, p: float, per_s: float) -> str:
    needed = requests_needed(p)
    return f"{name} takes {needed:,} latencies: a run of about {wording.length_text(needed / per_s)} at this rate."


def gateway_notes(summary: dict[str, Any]) -> list[str]:
    """Say what of the service time was whose, as far as the gateway said so; medians, each of its own."""
    latency = summary["latency"]
    said = [measure for measure in (GATEWAY, BACKEND) if measure in latency]
    if not said and latency[SERVICE]["n"] and summary["run"]["gateway"].get("latency_asked"):
        return ["The gateway was asked for its part of the time, and did not say."]
    medians = [latency[measure]["p50"] for measure in (SERVICE, BACKEND, GATEWAY) if measure in latency]
    if len(said) < 2 or any(median["value_s"] is None for median in medians):
        return []
    service, backend, gateway = map(wording.estimate_text, medians)
    told, n = min(latency[GATEWAY]["n"], latency[BACKEND]["n"]), latency[SERVICE]["n"]
    of_these = "" if told == n else f", of {told:,} of these {n:,} requests,"
    return [
        f"At p50, service is {service}; the gateway says{of_these} {backend} for the model's side and {gateway} for"
        " itself. Each is a median of its own, so they need not add up."
    ]


def headline(summary: dict[str, Any]) -> str:
    """Say in plain words whether the numbers can be used."""
    if summary["verdict"] == "invalid":
        return "Invalid: these numbers do not describe the service."
    if any(caution["name"] == "mostly_failed" for caution in summary["cautions"]):
        return "Measured well, but most requests failed: these latencies are of the few that did not."
    if summary["run"]["state"] == "complete":
        return "Valid measurement. No objective was set, so nothing passed or failed."
    if summary["run"]["state"] == "interrupted":
        return "Partial: the run was interrupted, and these are its numbers until then."
    return "Partial: the run has not ended, and these are its numbers so far."


def _that_say_why(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The failures of which more is known than their outcome."""
    failures: list[dict[str, Any]] = summary["failures"] or []
    return [failure for failure in failures if failure["answered_by"] or failure["reason"] or failure["message"]]


def _page_text(text: object) -> object:
    """Keep a text from outside on its line in HTML, without marks that turn letters around; escaping is Jinja's."""
    return text if isinstance(text, Markup) else wording.one_line(text)


def _rendered(template: str, run: Run, summary: dict[str, Any], pictures: dict[str, str]) -> bytes:
    """Fill *template*; every text that goes in is escaped for the kind of page it is."""
    is_html = template.startswith(REPORT_HTML)
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=is_html,  # noqa: S701 - Markdown has `finalize` for it
        finalize=_page_text if is_html else wording.markdown_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(
        summary=summary,
        headline=headline(summary),
        total=sum(summary["outcomes"].values()),
        notable=run.notable[:MOST_NOTABLE],
        notable_count=len(run.notable),
        notes=unsupported_notes(summary) + gateway_notes(summary),
        pictures={name: Markup(svg) for name, svg in pictures.items()},  # noqa: S704 - our own drawing
        columns=[*summary["percentiles"], "max"],
        measure_meaning=MEASURE_MEANING,
        meaning={str(outcome): text for outcome, text in MEANING.items()},
        text=wording,
    )
    return page.encode()


def _write(path: Path, content: bytes) -> None:
    """Write *path* at once or not at all: a reader never sees half a report."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
