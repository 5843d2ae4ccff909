"""GitHub Actions: annotations of what speaks against a run, and the page of a step.

The format is GitHub's "Workflow commands for GitHub Actions": any line of a step's output that begins with `::` may be
a command, so text from a service is printed between two lines that stop commands and start them again.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.objectives.judgement import MISSED, UNDECIDED
from analysis.report import slo
from analysis.wording import one_line

ERROR, WARNING = "error", "warning"
COMMANDS = {MISSED: ERROR, UNDECIDED: WARNING}


def annotations(summary: Mapping[str, Any]) -> list[str]:
    """Write a line for each objective that was missed or is open, and for each caution."""
    name = one_line(summary["run"]["name"])
    return [_annotation(command, f"{name}: {what}", text) for command, what, text in _against(summary)]


def without_commands(text: str, token: str) -> list[str]:
    """Print *text* between lines that keep it from being a command; nobody can guess the *token* that ends it."""
    return [f"::stop-commands::{token}", text, f"::{token}::"]


def append(path: Path, page: bytes) -> None:
    """Add *page* to a file that other steps may have written to. Raises OSError."""
    with path.open("ab") as file:
        file.write(b"\n" + page + b"\n")


def _against(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give command, title and text of what speaks against the run, the objectives first."""
    for row in slo.rows(summary):
        if row.found in COMMANDS:
            yield COMMANDS[row.found], f"{row.objective} {row.result.lower()}", row.reason
    for caution in summary["cautions"]:
        word = "invalid" if caution["serious"] else "caution"
        command = ERROR if caution["serious"] else WARNING
        yield command, f"{word}, {caution['name'].replace('_', ' ')}", f"{caution['text']} {caution['advice']}"


def _annotation(command: str, title: str, text: str) -> str:
    return f"::{command} title={_property(one_line(title))}::{_data(one_line(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
