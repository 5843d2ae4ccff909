"""`loadgate compare`: how runs differ from a baseline."""

from pathlib import Path
from typing import Any

import click

from analysis.choice_options import TOLERANCE_OPTION, RunPath, chosen, with_choice_options
from analysis.choices import TOLERANCE
from analysis.comparison.report import COMPARE_HTML, InvalidRun, text_tables, write_comparison
from analysis.errors import BadRun, NotWritten

WORSE, INVALID = 1, 3  # exit codes
EXAMPLES = """\
\b
Examples:
  loadgate compare reports/before reports/after
  loadgate compare reports/before reports/after --tolerance 10% --percentiles p50,p99
  loadgate compare reports/1-instance reports/2-instances reports/4-instances --force
  loadgate compare old.jtl new.jtl --timeout 40s --out reports/jmeter-compared
"""


@click.command(
    "compare",
    epilog=EXAMPLES,
    short_help="Compare runs with a baseline.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("baseline", metavar="BASELINE", type=RunPath())
@click.argument("others", nargs=-1, required=True, metavar="RUN...", type=RunPath())
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write the pages. [RUN-against-BASELINE, beside the last RUN]",
)
@TOLERANCE_OPTION
@with_choice_options
@click.option("--force", is_flag=True, help="Compare runs that are invalid, or of different targets or loads.")
@click.option("--no-plots", is_flag=True, help="Leave the picture out (faster).")
def compare(
    baseline: Path,
    others: tuple[Path, ...],
    out: Path | None,
    timeout: float | None,
    force: bool,
    no_plots: bool,
    tolerance: float | None,
    **choices: Any,
) -> None:
    """Compare every RUN with BASELINE: percentiles, rate and outcomes, with intervals, and which differences are real.

    Each is a run directory of loadgate, or another tool's CSV as for loadgate report. Runs of another target, with
    other limits, payloads or load are refused, as are invalid ones. Writes compare.html, compare.md and compare.json.

    Exit code: 0 nothing is worse, or nothing can be decided; 1 a figure is worse by more than the tolerance;
    2 not comparable; 3 a run is invalid.
    """
    try:
        folder, summary = write_comparison(
            (baseline, *others),
            out,
            chosen(**choices),
            tolerance=TOLERANCE if tolerance is None else tolerance,
            force=force,
            timeout_s=timeout,
            plots=not no_plots,
        )
    except InvalidRun as error:
        click.echo(f"Error: {error}", err=True)
        click.get_current_context().exit(INVALID)
    except BadRun as error:
        raise click.ClickException(str(error)) from None
    except NotWritten as error:
        click.echo(text_tables(error.summary))
        raise click.ClickException(str(error)) from None
    click.echo(f"{text_tables(summary)}\n{folder / COMPARE_HTML}")
    click.get_current_context().exit(WORSE if summary["worse"] else 0)
