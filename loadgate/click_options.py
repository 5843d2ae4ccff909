"""loadgate's options on its own commands' lines."""

from collections.abc import Callable
from typing import Any

import click

from loadgate.options import Option

Command = Callable[..., Any]


def with_options(*options: Option, as_text: bool = False) -> Callable[[Command], Command]:
    """Add options to a click command: their values, or, once these are checked, the texts that were given."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = _decorator(option, as_text)(command)
        return command

    return decorate


def checked(parse: Callable[[str], Any], as_text: bool = False) -> Callable[..., Any]:
    """A click callback that parses a text (or each of several) and names the option where it cannot."""

    def callback(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
        try:
            values = [parse(text) if isinstance(text, str) else text for text in _several(given)]
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None
        if as_text:
            return given
        return values if isinstance(given, tuple) else values[0]

    return callback


def _several(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else (given,)


def _decorator(option: Option, as_text: bool) -> Callable[[Command], Command]:
    if option.parse is None:
        return click.option(*option.flags, option.name, is_flag=True, help=option.help)
    return click.option(
        *option.flags,
        option.name,
        type=click.UNPROCESSED,  # `parse` does it, and the default is a value already
        default=None if as_text or option.repeatable else option.default,
        multiple=option.repeatable,
        metavar=option.metavar,
        help=option.help,
        callback=checked(option.parse, as_text),
    )
