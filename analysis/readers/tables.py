"""CSV files as columns: found by header name, whole lines only, every bad cell named by its line.

Cells are converted a block of rows at a time. Only when a block fails is the file read again, cell by cell,
to name the first bad one. A last line without a line end was cut off while it was written: its last number
may have lost digits and still look like one, so it is left out whatever it holds, and `Table.cut` says so. A
header in the middle is what `cat` leaves when it joins two files.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadRun
from analysis.run_format import ABSENT

BLOCK_ROWS = 50_000

_BAD_CELL = (ValueError, KeyError, OverflowError, csv.Error)


@dataclass(frozen=True)
class Column:
    parse: Callable[[Sequence[str]], NDArray[Any]]  # a block of cells; raises one of _BAD_CELL if any is bad
    expected: str  # what a cell must be, as the message says it


@dataclass(frozen=True)
class Table:
    columns: dict[str, NDArray[Any]]
    cut: bool  # the last line was cut off and left out


def read_table(path: Path, columns: Mapping[str, Column]) -> Table:
    """Read the wanted *columns* of *path*; a file that does not exist yet has no rows."""
    if not path.exists():
        return Table(_joined([], columns), cut=False)
    try:
        blocks = list(_blocks(path, columns))
    except _BAD_CELL:
        raise _first_bad_cell(path, columns) from None
    return Table(_joined(blocks, columns), cut=_is_cut(path))


def whole_numbers() -> Column:
    return Column(_whole, "a whole number of 0 or more")


def optional_whole_numbers() -> Column:
    """Whole numbers, `ABSENT` where the cell is empty."""
    return Column(_whole_or_absent, "a whole number of 0 or more, or empty")


def numbers() -> Column:
    """Finite numbers, NaN where the cell is empty."""
    return Column(_numbers, "a finite number, or empty")


def texts() -> Column:
    return Column(lambda cells: np.array(cells, dtype=object), "a text")


def one_of(names: Sequence[str]) -> Column:
    """Codes: the index of each cell in *names*."""
    codes = {str(name): code for code, name in enumerate(names)}
    expected = f"one of {', '.join(name or 'nothing' for name in codes)}"
    return Column(lambda cells: _mapped(codes.__getitem__, cells), expected)


def numbered() -> tuple[Column, dict[str, int]]:
    """Codes for texts not known before, in order of appearance; the dict fills while the column is read."""
    codes: defaultdict[str, int] = defaultdict(lambda: len(codes))
    return Column(lambda cells: _mapped(codes.__getitem__, cells), "a text"), codes


def _blocks(path: Path, columns: Mapping[str, Column]) -> Iterator[list[NDArray[Any]]]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        reader = csv.reader(_whole_lines(file))
        header = next(reader, None)
        if header is None:
            return
        wanted = _positions(path, header, columns)
        while block := list(islice(reader, BLOCK_ROWS)):
            rows = [row for row in block if row != header]
            if rows:
                yield _parsed(rows, len(header), wanted, columns)


def _parsed(
    rows: list[list[str]], width: int, wanted: Sequence[int], columns: Mapping[str, Column]
) -> list[NDArray[Any]]:
    cells = list(zip(*rows, strict=True))
    if len(cells) != width:
        raise ValueError
    return [column.parse(cells[at]) for at, column in zip(wanted, columns.values(), strict=True)]


def _positions(path: Path, header: list[str], columns: Mapping[str, Column]) -> list[int]:
    for name in columns:
        if name not in header:
            raise BadRun(f"{path.name}, line 1: column {name!r} is missing from {','.join(header)[:200]!r}")
    return [header.index(name) for name in columns]


def _joined(blocks: list[list[NDArray[Any]]], columns: Mapping[str, Column]) -> dict[str, NDArray[Any]]:
    if not blocks:
        return {name: column.parse(()) for name, column in columns.items()}
    return {name: np.concatenate(parts) for name, parts in zip(columns, zip(*blocks, strict=True), strict=True)}


def _first_bad_cell(path: Path, columns: Mapping[str, Column]) -> BadRun:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        reader = csv.reader(_whole_lines(file))
        try:
            header = next(reader)
            for row in reader:
                problem = None if row == header else _problem(row, header, columns)
                if problem:
                    return BadRun(f"{path.name}, line {reader.line_num}: {problem}")
        except csv.Error as error:
            return BadRun(f"{path.name}, line {reader.line_num}: not CSV: {error}")
    return BadRun(f"{path.name}: changed while it was read")


def _problem(row: list[str], header: list[str], columns: Mapping[str, Column]) -> str | None:
    if len(row) != len(header):
        return f"{len(row)} columns where the header has {len(header)}"
    cells = dict(zip(header, row, strict=True))
    for name, column in columns.items():
        try:
            column.parse((cells[name],))
        except _BAD_CELL:
            return f"{name} {cells[name][:60]!r} is not {column.expected}"
    return None


def _whole_lines(file: Iterator[str]) -> Iterator[str]:
    return (line for line in file if line.endswith("\n"))


def _is_cut(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 1, 0))
        return file.read(1) not in (b"\n", b"")


def _mapped(convert: Callable[[str], int], cells: Sequence[str]) -> NDArray[np.int64]:
    return np.fromiter(map(convert, cells), np.int64, len(cells))


def _whole(cells: Sequence[str]) -> NDArray[np.int64]:
    values = _mapped(int, cells)
    if (values < 0).any():
        raise ValueError
    return values


def _whole_or_absent(cells: Sequence[str]) -> NDArray[np.int64]:
    values = np.array([int(cell) if cell else ABSENT for cell in cells], np.int64)
    if np.count_nonzero(values < 0) != cells.count(""):
        raise ValueError
    return values


def _numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    values = np.array([float(cell) if cell else math.nan for cell in cells], np.float64)
    if np.count_nonzero(~np.isfinite(values)) != cells.count(""):
        raise ValueError
    return values
