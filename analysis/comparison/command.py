"""`loadgate compare`: how runs differ from a baseline."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from analysis import choices
from analysis.comparison.report import COMPARE_HTML, InvalidRun, text_tables, write_comparison
from analysis.errors import BadRun
from analysis.units import duration

WORSE, INVALID = 1, 3  # exit codes
MOST_TOLERANCE = 10.0
EXAMPLES = """\
\b
Examples:
  loadgate compare reports/before reports/after
  loadgate compare reports/before reports/after --tolerance 10% --percentiles p50,p99
  loadgate compare reports/1-instance reports/2-instances reports/4-instances --force
  loadgate compare old.jtl new.jtl --timeout 40s --out reports/jmeter-compared
"""


class NotComparable(click.ClickException):
    exit_code = 2  # 1 is a regression


def tolerance(text: str) -> float:
    """Read `5%`. Raises ValueError with a sentence for the user."""
    match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?)\s*%", text.strip())
    share = float(match[1]) / 100 if match else MOST_TOLERANCE + 1
    if share > MOST_TOLERANCE:
        raise ValueError(f"{text!r} is not a tolerance of 0% to {100 * MOST_TOLERANCE:.0f}%; write 5%")
    return share


def _read_by(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    def convert(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return convert


@click.command(
    "compare",
    epilog=EXAMPLES,
    short_help="Compare runs with a baseline.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("baseline", metavar="BASELINE", type=click.Path(path_type=Path))
@click.argument("others", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write the pages. [RUN-against-BASELINE, beside the last RUN]",
)
@click.option(
    "--tolerance",
    callback=_read_by(tolerance),
    default="5%",
    metavar="P",
    show_default=True,
    help="Differences that do not matter: a share of the baseline's time or rate. Of an outcome's share of the"
    " requests, a tenth of it in percentage points.",
)
@click.option(
    "--percentiles",
    callback=_read_by(choices.percentiles),
    default="p50,p90,p95,p99,p99.9",
    metavar="LIST",
    show_default=True,
    help="The percentiles to compare.",
)
@click.option(
    "--confidence",
    callback=_read_by(choices.confidence),
    default="95%",
    metavar="C",
    show_default=True,
    help="Of the intervals, and that equal runs show no difference at all.",
)
@click.option(
    "--warmup",
    callback=_read_by(duration),
    metavar="T",
    help="Leave out the first T of every run. [the ramp, and the warm-up by rule]",
)
@click.option(
    "--window",
    callback=_read_by(choices.window),
    metavar="T..T",
    help="Only this part of every run, as 30s..90s or 30s.. to the end.",
)
@click.option(
    "--timeout",
    callback=_read_by(duration),
    metavar="T",
    help="The gateway's time limit, for files that do not say it.",
)
@click.option("--force", is_flag=True, help="Compare runs that are invalid, or of different targets or loads.")
@click.option("--no-plots", is_flag=True, help="Leave the picture out (faster).")
def compare(
    baseline: Path,
    others: tuple[Path, ...],
    out: Path | None,
    timeout: float | None,
    force: bool,
    no_plots: bool,
    **chosen: Any,
) -> None:
    """Compare every RUN with BASELINE: percentiles, rate and outcomes, with intervals, and which differences are real.

    Each is a run directory of loadgate, or another tool's CSV as for loadgate report. Runs of another target, with
    other limits, payloads or load are refused, as are invalid ones. Writes compare.html, compare.md and compare.json.

    Exit code: 0 nothing is worse, 1 a figure is worse by more than the tolerance, 2 not comparable, 3 a run is invalid.
    """
    if chosen["warmup"] is not None and chosen["window"] is not None:
        raise click.UsageError("--warmup and --window both say what to leave out; give one of them")
    chosen["warmup_s"], margin = chosen.pop("warmup"), chosen.pop("tolerance")
    try:
        folder, document = write_comparison(
            (baseline, *others),
            out,
            choices.Choices(**chosen),
            tolerance=margin,
            force=force,
            timeout_s=timeout,
            plots=not no_plots,
        )
    except InvalidRun as error:
        click.echo(f"Error: {error}", err=True)
        click.get_current_context().exit(INVALID)
    except BadRun as error:
        raise NotComparable(str(error)) from None
    click.echo(f"{text_tables(document)}\n{folder / COMPARE_HTML}")
    click.get_current_context().exit(WORSE if document["worse"] else 0)
