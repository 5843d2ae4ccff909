"""Reads runs: loadgate's own run directories, and what other tools recorded. The format is found from the header."""

from collections.abc import Sequence
from pathlib import Path

from analysis.readers.detection import found, read_as
from analysis.run import Run


def read(paths: Sequence[Path], timeout_s: float | None = None) -> Run:
    """Read *paths* as one run; *timeout_s* is the gateway's time limit, where the files do not say it.

    Raises BadRun with the file, line, column and value that is wrong.
    """
    return read_as(found(paths), timeout_s)
