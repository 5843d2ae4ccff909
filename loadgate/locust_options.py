"""loadgate's options on Locust's command line."""

import argparse
from collections.abc import Callable
from typing import Any

from loadgate import options


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option of a load to Locust's parser.

    `--json` is Locust's too (it prints the final statistics as JSON, as `--json-file` does to a file). Here it names
    a body to send, as everywhere in loadgate.
    """
    group = parser.add_argument_group("loadgate", conflict_handler="resolve")
    parser.set_defaults(json=False)
    for option in (*options.WHAT, *options.HOW, *options.LIMITS, *options.LOCUST_ONLY, *options.SEARCH):
        help_text = option.help.replace("%", "%%")  # argparse fills it in
        fields: dict[str, Any] = {"dest": option.name, "help": help_text, "default": option.default}
        if option.parse is None:
            fields["action"] = "store_true"
        else:
            fields |= {"type": _checked(option.parse), "metavar": option.metavar}
        if option.repeatable:
            fields["action"] = "append"
        group.add_argument(*option.flags, **fields)


def _checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Argparse keeps the sentence of an ArgumentTypeError and hides that of a ValueError."""

    def parse_argument(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument
