"""`loadgate report`: write the report of a run and print where it is."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from analysis import wording
from analysis.choice_options import TOLERANCE_OPTION, RunPath, chosen, read_each_by, with_choice_options
from analysis.choices import baseline as joined
from analysis.documents import write_whole
from analysis.errors import BadRun, NotWritten
from analysis.objectives.objective import objective
from analysis.report import exit_code, github, gitlab, text_table, write_report
from analysis.run_format import REPORT_HTML

EXAMPLES = """\
\b
Examples:
  loadgate report reports/20261124-101500-json
  loadgate report reports/20261124-101500-json --window 30s..90s --percentiles p50,p99,p99.9
  loadgate report reports/20261124-101500-json --slo 'p99<800ms' --slo 'errors<1%'
  loadgate report reports/20261124-101500-json --baseline reports/main --tolerance 10%
  loadgate report results.jtl --timeout 40s --out reports/jmeter
  loadgate report locust_stats.csv
"""


@click.command(
    "report",
    epilog=EXAMPLES,
    short_help="Write the report of a run, or of another tool's CSV.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("paths", nargs=-1, required=True, metavar="RUN|CSV...", type=RunPath())
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write the report. [the run directory, or beside the file]",
)
@with_choice_options
@click.option(
    "--slo",
    multiple=True,
    callback=read_each_by(objective),
    metavar="OBJECTIVE",
    help="An objective, as 'p99<800ms' or 'errors<1%'. [those that the run was made with]",
)
@click.option(
    "--baseline",
    type=RunPath(),
    metavar="RUN",
    help="A run that this one must not be worse than. [that which the run was made with]",
)
@TOLERANCE_OPTION
@click.option("--no-plots", is_flag=True, help="Leave the pictures out (faster).")
def report(
    paths: tuple[Path, ...],
    out: Path | None,
    timeout: float | None,
    no_plots: bool,
    baseline: Path | None,
    tolerance: float | None,
    **choices: Any,
) -> None:
    """Turn a run into summary.json, report.md and report.html, and with objectives or a baseline into junit.xml.

    RUN is a run directory of loadgate, finished or not. CSV is what another tool recorded: Locust's --csv files or
    CsvRequestLogger, a JMeter JTL, k6's CSV, or a CSV of your own (docs/formats.md). Several are read as one run.

    Exit code: 0, 1 an objective was missed or something is worse than in the baseline, 2 no such run or no room for
    the report, 3 the run is invalid or does not decide.
    """
    try:
        choices["baseline"] = joined(baseline, tolerance)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        folder, summary = write_report(paths, out, chosen(**choices), timeout_s=timeout, plots=not no_plots)
    except BadRun as error:
        raise click.ClickException(str(error)) from None
    except NotWritten as error:
        click.echo(_terminal_text(error.summary, os.environ))
        raise click.ClickException(str(error)) from None
    click.echo(f"{folder / REPORT_HTML}\n{_terminal_text(summary, os.environ)}")
    for write in (_step_summary, _metrics):
        _try_to(write, folder, summary)
    click.get_current_context().exit(exit_code(summary))


def _terminal_text(summary: dict[str, Any], environment: Mapping[str, str]) -> str:
    text = text_table(summary)
    if environment.get("GITHUB_ACTIONS") != "true":
        return text
    import secrets  # as below

    return "\n".join([*github.without_commands(text, secrets.token_hex(16)), *github.annotations(summary)])


def _step_summary(_folder: Path, summary: dict[str, Any]) -> None:
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        from analysis.report.pages import step_summary_page  # nobody else need wait for it

        github.append(Path(path), step_summary_page(summary))


def _metrics(folder: Path, summary: dict[str, Any]) -> None:
    if os.environ.get("GITLAB_CI") == "true":
        write_whole(folder / gitlab.METRICS_TXT, gitlab.metrics(summary))


def _try_to(write: Callable[[Path, dict[str, Any]], None], folder: Path, summary: dict[str, Any]) -> None:
    """Write for a CI server. The report is there already, and is not lost with what a server wanted of it."""
    try:
        write(folder, summary)
    except OSError as error:
        click.echo(f"Warning: {wording.one_line(error)}; the report itself is written", err=True)
