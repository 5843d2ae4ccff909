"""What is wrong with what was to be read, or with where to write what came of it."""

from pathlib import Path
from typing import Any


class BadRun(Exception):  # noqa: N818 - named for what is wrong
    """A file or run that cannot be read, or not as asked; the message says what, where, and what would be right."""


class NotWritten(OSError):  # noqa: N818 - named for what is wrong
    """A report or a comparison could not be written, or not all of it. Its *summary* is there all the same."""

    def __init__(self, folder: Path, error: OSError, summary: dict[str, Any]) -> None:
        super().__init__(f"not all pages could be written to {str(folder)!r} ({error.strerror or error})")
        self.summary = summary
