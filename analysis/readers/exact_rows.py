"""Rows read one by one, where Arrow or a check refused a block: to name the first bad cell.

If none is bad after all, this is how they are read: the last row was cut off within a quoted cell, or a row of many
lines is longer than a block.
"""

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.errors import BadRun
from analysis.readers.columns import BAD_CELL, TEXT, Arrays, Column, parsed
from analysis.readers.csv_batches import LONGEST_LINE, Extent, Lines, Place, line_ends

BLOCK_ROWS = 10_000


@dataclass(frozen=True)
class Row:
    line: int  # its last one
    cells: Sequence[str]
    problem: str = ""
    is_open: bool = False  # the file ends within its last cell


def exact_blocks(
    path: Path, extent: Extent, after: Place, columns: Mapping[str, Column]
) -> Generator[Arrays, None, bool]:
    """Yield the rows *after* a place; return whether the last was cut off within a cell. Raises BadRun."""
    usual = csv.field_size_limit(LONGEST_LINE)
    try:
        with path.open("rb") as file:
            lines = Lines(file, after.offset, extent.end, line_ends(file, after.offset))
            rows = _rows(lines, len(extent.header))
            _check(path, islice(rows, after.rows))
            cut = False
            while block := list(islice(rows, BLOCK_ROWS)):
                cut = block[-1].is_open
                yield _converted(path, block[:-1] if cut else block, extent, columns)
            return cut
    finally:
        csv.field_size_limit(usual)


def _rows(lines: Lines, width: int) -> Iterator[Row]:
    try:
        for cells in csv.reader(lines):
            own = lines.take()
            if not cells:
                continue  # a blank line is no row
            problem = "" if len(cells) == width else f"{len(cells)} columns where the header has {width}"
            yield Row(lines.number, cells, problem, is_open=lines.are_all_read and _is_open(own))
    except csv.Error as error:
        yield Row(lines.number, (), f"not CSV: {error}")


def _is_open(lines: list[str]) -> bool:
    """A quote more closes a cell that is open; after a whole row it begins another."""
    return len(list(csv.reader([*lines, '"']))) == 1


def _check(path: Path, rows: Iterator[Row]) -> None:
    for row in rows:
        if row.problem:
            raise BadRun(f"{path.name}, line {row.line}: {row.problem}")


def _converted(path: Path, rows: Sequence[Row], extent: Extent, columns: Mapping[str, Column]) -> Arrays:
    rows = [row for row in rows if tuple(row.cells) != extent.written]
    sound = rows[: next((at for at, row in enumerate(rows) if row.problem), len(rows))]
    places = {name: extent.header.index(name) for name in columns}
    cells = {name: pa.array([row.cells[at].encode() for row in sound], TEXT) for name, at in places.items()}
    try:
        arrays = parsed(cells, columns)
    except BAD_CELL:
        first_bad = {name: _first_bad(cells[name], column) for name, column in columns.items()}
        name = min(first_bad, key=first_bad.__getitem__)
        at = first_bad[name]
        problem = f"{name} {sound[at].cells[places[name]][:60]!r} is not {columns[name].expected}"
        raise BadRun(f"{path.name}, line {sound[at].line}: {problem}") from None
    _check(path, iter(rows[len(sound) :]))
    return arrays


def _first_bad(cells: Any, column: Column) -> int:
    """Halve the cells until the first bad one is found; give their number if none is bad."""
    good, bad = 0, len(cells) + 1  # how many from the start are all good, and how many are not
    while bad - good > 1:
        half = (good + bad) // 2
        try:
            column.parse(cells[good:half])
            good = half
        except BAD_CELL:
            bad = half
    return good
