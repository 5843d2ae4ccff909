"""CSV files as columns: found by header name, whole lines only, every bad cell named by its line.

Arrow tells the cells apart and numpy holds the numbers. Only where a block of rows fails are rows read one by one, to
name the first bad cell. A last line without a line end was cut off while it was written: its last number may have
lost digits and still look like one, so it is left out whatever it holds, and `cut` says so.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.errors import BadRun
from analysis.readers.columns import BAD_CELL, TEXT, Arrays, Column, parsed
from analysis.readers.csv_batches import THREADS, WHOLE, Batch, Extent, Place, Span, batches, extent_of
from analysis.readers.exact_rows import exact_blocks
from analysis.run_format import WORKERS


@dataclass(frozen=True)
class Table:
    columns: Arrays
    cut: bool  # the last row was cut off and left out


class Blocks:
    """The wanted *columns* of the rows of a *span* of *path*, some megabytes at a time; a file that does not exist yet
    has no rows.

    So millions of rows can be folded without holding them. `cut` is known when they have all come. Iterating raises
    BadRun with the file, line, column and value of the first bad cell.
    """

    def __init__(self, path: Path, columns: Mapping[str, Column], span: Span = WHOLE) -> None:
        self.cut = False
        self._path, self._columns, self._span = path, columns, span

    def __iter__(self) -> Iterator[Arrays]:
        if not self._path.exists():
            if self._span.end:
                raise BadRun(f"{self._path.name} is missing, though {WORKERS} tells of its rows")
            return
        if not self._path.is_file():  # a pipe without end, say
            raise BadRun(f"{self._path.name}: not a file")
        extent = extent_of(self._path, self._span)
        self.cut = extent.cut
        if extent.header:
            _check_header(self._path.name, extent.header, self._columns)
            yield from self._blocks(extent)

    def _blocks(self, extent: Extent) -> Iterator[Arrays]:
        after, types = Place(extent.start), {name: column.cells for name, column in self._columns.items()}
        try:
            for batch, arrays in _parsed_ahead(batches(self._path, extent, types), self._columns):
                yield arrays
                after = batch.after
        except BAD_CELL:
            self.cut |= yield from exact_blocks(self._path, extent, after, self._columns)


def _parsed_ahead(found: Iterator[Batch], columns: Mapping[str, Column]) -> Iterator[tuple[Batch, dict[str, Any]]]:
    """Parse the columns that take long in several threads. Those whose texts repeat take no time, and may number them
    in order of appearance: they have their turn when the batch has.
    """
    slow = {name: column for name, column in columns.items() if not column.repeats}
    quick = {name: column for name, column in columns.items() if column.repeats}
    waiting = deque[tuple[Batch, Future[dict[str, Any]]]]()
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in chain(found, [None] * THREADS):
            if batch:
                waiting.append((batch, pool.submit(parsed, batch.cells, slow)))
            if len(waiting) > THREADS or (waiting and not batch):
                ready, arrays = waiting.popleft()
                yield ready, arrays.result() | parsed(ready.cells, quick)


def read_table(path: Path, columns: Mapping[str, Column], span: Span = WHOLE) -> Table:
    """Read the wanted *columns* of a *span* of *path* at once. Raises BadRun as `Blocks` do."""
    blocks = Blocks(path, columns, span)
    return Table(joined([no_rows(columns), *blocks], columns), blocks.cut)


def joined(blocks: Sequence[Arrays], columns: Iterable[str]) -> Arrays:
    """Put the arrays of *blocks*, at least one, behind each other. They are emptied: no column is held twice."""
    return {name: np.concatenate([block.pop(name) for block in blocks]) for name in columns}


def no_rows(columns: Mapping[str, Column]) -> dict[str, Any]:
    """Give what *columns* are parsed to where there are no rows."""
    return parsed(dict.fromkeys(columns, pa.nulls(0, TEXT)), columns)


def _check_header(file: str, header: Sequence[str], columns: Mapping[str, Column]) -> None:
    for name in columns:
        if name not in header:
            raise BadRun(f"{file}, line 1: column {name!r} is missing from {','.join(header)[:200]!r}")
        if header.count(name) > 1:
            raise BadRun(f"{file}, line 1: column {name!r} is named twice")
