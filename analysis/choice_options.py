"""The options of `choices`, the same for every command that reads runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from analysis.choices import TOLERANCE, Choices, confidence, percentiles, tolerance, window
from analysis.percentiles import PERCENTILES
from analysis.units import duration

Command = Callable[..., Any]


def read_by(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Make a click callback of *parse*, whose ValueErrors are sentences for the user."""

    def convert(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return convert


def read_each_by(parse: Callable[[str], Any]) -> Callable[..., tuple[Any, ...]]:
    """Make a click callback of *parse* for an option that may be given several times."""
    convert = read_by(parse)
    return lambda context, parameter, texts: tuple(convert(context, parameter, text) for text in texts)


class RunPath(click.Path):
    """A path of something to read. An empty one, as of a variable that is not set, is not the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty name is no file and no run", param, ctx)
        return super().convert(value, param, ctx)


def limit(text: str) -> float:
    """Read a time limit. Raises ValueError with a sentence for the user."""
    limit_s = duration(text)
    if limit_s == 0:
        raise ValueError(f"{text!r} is not a time limit; leave it out where there is none")
    return limit_s


OPTIONS = (
    click.option(
        "--percentiles",
        callback=read_by(percentiles),
        default=",".join(PERCENTILES),
        metavar="LIST",
        show_default=True,
        help="The percentiles to give.",
    ),
    click.option(
        "--confidence",
        callback=read_by(confidence),
        default="95%",
        metavar="C",
        show_default=True,
        help="Of the confidence intervals.",
    ),
    click.option(
        "--warmup",
        callback=read_by(duration),
        metavar="T",
        help="Leave out the first T of a run. [the ramp, and the warm-up by rule]",
    ),
    click.option(
        "--window",
        callback=read_by(window),
        metavar="T..T",
        help="Only this part of a run, as 30s..90s or 30s.. to the end.",
    ),
    click.option(
        "--timeout",
        callback=read_by(limit),
        metavar="T",
        help="The gateway's time limit, for files that do not say it.",
    ),
)


TOLERANCE_OPTION = click.option(
    "--tolerance",
    callback=read_by(tolerance),
    metavar="P",
    help="Differences that do not matter: a share of the baseline's time or rate. Of an outcome's share of the"
    f" requests, a tenth of it in percentage points. [{100 * TOLERANCE:g}%]",
)


def with_choice_options(command: Command) -> Command:
    """Add the options to a click command, which gives what it gets of them to `chosen`; `timeout` is apart."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def chosen(*, warmup: float | None, **others: Any) -> Choices:
    """Make the choices of the options' values."""
    if warmup is not None and others["window"] is not None:
        raise click.UsageError("--warmup and --window both say what to leave out; give one of them")
    return Choices(warmup_s=warmup, **others)
