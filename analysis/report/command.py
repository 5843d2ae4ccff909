"""`loadgate report`: write the report of a run and print where it is."""

from pathlib import Path
from typing import Any

import click

from analysis.choice_options import RunPath, chosen, read_each_by, with_choice_options
from analysis.errors import BadRun
from analysis.objectives.objective import objective
from analysis.report import REPORT_HTML, exit_code, text_table, write_report

EXAMPLES = """\
\b
Examples:
  loadgate report reports/20261124-101500-json
  loadgate report reports/20261124-101500-json --window 30s..90s --percentiles p50,p99,p99.9
  loadgate report reports/20261124-101500-json --slo 'p99<800ms' --slo 'errors<1%'
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
@click.option("--no-plots", is_flag=True, help="Leave the pictures out (faster).")
def report(paths: tuple[Path, ...], out: Path | None, timeout: float | None, no_plots: bool, **choices: Any) -> None:
    """Turn a run into summary.json, report.md and report.html.

    RUN is a run directory of loadgate, finished or not. CSV is what another tool recorded: Locust's --csv files or
    CsvRequestLogger, a JMeter JTL, k6's CSV, or a CSV of your own (docs/formats.md). Several are read as one run.

    Exit code: 0, 1 an objective was missed, 2 no such run, 3 the run is invalid or does not decide.
    """
    try:
        folder, summary = write_report(paths, out, chosen(**choices), timeout_s=timeout, plots=not no_plots)
    except BadRun as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{folder / REPORT_HTML}\n{text_table(summary)}")
    click.get_current_context().exit(exit_code(summary))
