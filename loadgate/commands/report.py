"""`loadgate report RUN`: write the report of a run directory and print where it is."""

import click

from analysis.__main__ import main


@click.command(short_help="Write the report of a run directory again.")
@click.argument("run")
@click.option("--no-plots", is_flag=True, help="Leave the pictures out (faster).")
def report(run: str, no_plots: bool) -> None:
    """Turn the run directory RUN into summary.json, report.md and report.html.

    Exit code: 0, 2 no such run, 3 the run is invalid.
    """
    click.get_current_context().exit(main([*(["--no-plots"] if no_plots else []), "--", run]))
