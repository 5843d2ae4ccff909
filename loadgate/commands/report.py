"""`loadgate report RUN`: write the report of a run directory and print where it is."""

from pathlib import Path

import click

from analysis.errors import BadRun
from analysis.report import REPORT_HTML, exit_code, text_table, write_report
from loadgate.errors import ConfigError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--no-plots", is_flag=True, help="Leave the pictures out (faster).")
@click.pass_context
def report(context: click.Context, run: Path, no_plots: bool) -> None:
    """Turn the run directory RUN into summary.json, report.md and report.html."""
    try:
        summary = write_report(run, plots=not no_plots)
    except (BadRun, OSError) as error:
        raise ConfigError(str(error)) from error
    click.echo(f"{run / REPORT_HTML}\n{text_table(summary)}")
    context.exit(exit_code(summary))
