"""A CSV file that grows by whole rows, and space kept back for when the file system is full."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from analysis.documents import cleared


class RowFile:
    """A CSV file with its columns on the first line. Nothing waits in a buffer, so nothing is written later."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Raises OSError."""
        self._file = cleared(path).open("xb", buffering=0)
        self.end = 0  # of what was kept, in bytes
        add_all({self: csv_text([columns])})

    def write(self, text: bytes) -> None:
        """Write behind the last row that was kept. Raises OSError, and may have written a part then."""
        self._file.seek(self.end)
        _write(self._file, text)

    def keep(self) -> None:
        """Keep what was written."""
        self.end = self._file.tell()

    def take_back(self) -> None:
        """Cut off what was written and not kept. Raises OSError."""
        self._file.truncate(self.end)

    def close(self) -> None:
        self._file.close()


def add_all(texts: dict[RowFile, bytes]) -> None:
    """Add to all of these files, in their order, or to none. Raises OSError."""
    try:
        for file, text in texts.items():
            file.write(text)
    except OSError:
        for file in texts:
            with suppress(OSError):  # what stands in one of them must not stay in the others
                file.take_back()
        raise
    for file in texts:
        file.keep()


def csv_text(rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows as they are in a file; empty if there are none."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def space_kept(folder: Path, size_bytes: int) -> IO[bytes]:
    """A file without a name that takes up so much space until it is closed, or its process is gone. Raises OSError."""
    kept = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - whoever asked for it closes it
    try:
        _write(kept, os.urandom(size_bytes))  # zeros would take up none where files are compressed
    except OSError:
        kept.close()
        raise
    return kept


def _write(file: IO[bytes], content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]  # a file system that is nearly full takes a part
