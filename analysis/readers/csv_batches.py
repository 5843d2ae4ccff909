"""The cells of a CSV file as Arrow arrays of bytes, some megabytes at a time.

Only whole lines are read: what stands after the last line end was cut off while it was written. Most files hold no
quotes. There a line is a row, so blocks of lines are parsed side by side; from the first quote on a row may be of
many lines, and Arrow finds out where each ends. A header in the middle is what `cat` leaves when it joins two files.
"""

import csv
import os
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from analysis.errors import BadRun
from analysis.readers.columns import CODES, TEXT
from analysis.run_format import WORKERS

BLOCK_BYTES = 1 << 20  # of the file in one batch: they and their arrays stay in the cache
SHORT_LINE = 4096  # as nearly all are
LONGEST_LINE = BLOCK_BYTES  # what is longer is no table
THREADS = min(pa.cpu_count(), 4)


class Span(NamedTuple):
    """The rows between two offsets."""

    begin: int = 0
    end: int | None = None  # None: that of the file


WHOLE = Span()


@dataclass(frozen=True)
class Extent:
    """Where the rows of a file are, in bytes."""

    header: tuple[str, ...]  # empty: there is no whole header, so there are no rows
    written: tuple[str, ...]  # the same with the blanks around its names
    start: int
    end: int
    cut: bool  # something that is no whole line stands after all rows


@dataclass(frozen=True)
class Place:
    """Where a row begins: *rows* rows after the one that begins at *offset*."""

    offset: int
    rows: int = 0


@dataclass(frozen=True)
class Batch:
    cells: dict[str, Any]  # Arrow arrays, by the name of the column
    after: Place


def extent_of(path: Path, span: Span = WHOLE) -> Extent:
    """Find the header of *path* and the rows of a *span* of it.

    Raises BadRun for what is no table of text, and for a span that does not begin and end with rows.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        end = _last_line_end(file, size)
        if not end:
            _check_line_ends(file, path.name)
        written, start = _header(file, end, path.name)
        _check_row_ends(file, path.name, size, span)
    header, start = tuple(name.strip() for name in written), max(start, span.begin)
    if span.end is None:
        return Extent(header, written, start, end, cut=end < size)
    return Extent(header, written, start, max(start, span.end), cut=False)


class Lines:
    """The lines between two offsets, as text. Raises csv.Error for one that is longer than `LONGEST_LINE`."""

    def __init__(self, file: BinaryIO, start: int, end: int, before: int = 0) -> None:
        file.seek(start)
        self.offset = start  # after the line read last
        self.number = before  # of the line read last
        self._file, self._end = file, end
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(min(self._end - self.offset, LONGEST_LINE + 1)):
            self.number += 1
            if len(line) > LONGEST_LINE:
                raise csv.Error(f"a line of more than {LONGEST_LINE:,} bytes")
            text = line.decode("utf-8-sig" if self.offset == 0 else "utf-8", "backslashreplace")
            self.offset += len(line)
            self._taken.append(text)
            yield text

    def take(self) -> list[str]:
        """Give the lines read since this was asked last."""
        taken, self._taken = self._taken, []
        return taken

    @property
    def are_all_read(self) -> bool:
        return self.offset >= self._end


def line_ends(file: BinaryIO, end: int) -> int:
    """Count the line ends before the offset *end*."""
    file.seek(0)
    count = 0
    while end > 0 and (block := file.read(min(BLOCK_BYTES, end))):
        count += block.count(b"\n")
        end -= len(block)
    return count


def batches(path: Path, extent: Extent, types: dict[str, Any]) -> Iterator[Batch]:
    """Yield the cells of the columns that *types* names, as `TEXT` or `CODES`.

    Raises ValueError where Arrow cannot tell the cells apart; the rows before may or may not have been yielded.
    """
    # One more column, so that a row of a table with one column of interest is not taken for a header.
    wanted = {extent.header.index(name): kind for name, kind in types.items()}
    wanted.setdefault(len(extent.header) - 1, TEXT)
    names = {str(at): extent.written[at] for at in wanted}
    for rows, after in _parts(path, extent, wanted):
        header = _alike(rows, names)
        kept = rows if header is None else _filtered(rows, pc.invert(header))
        yield Batch({extent.header[at]: kept.column(str(at)) for at in wanted}, after)


def _parts(path: Path, extent: Extent, wanted: dict[int, Any]) -> Iterator[tuple[Any, Place]]:
    offset = yield from _without_quotes(path, extent, wanted)
    if offset < extent.end:
        yield from _with_quotes(path, extent, offset, wanted)


def _without_quotes(path: Path, extent: Extent, wanted: dict[int, Any]) -> Generator[tuple[Any, Place], None, int]:
    """Yield the rows up to the first block with a quote, and return where that begins."""
    waiting = deque[tuple[Any, int, int]]()
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(THREADS) as pool:
        start, next_start = extent.start, extent.start
        while start < extent.end:
            while next_start < extent.end and len(waiting) < 2 * THREADS:
                end = _block_end(file, next_start, extent.end)
                parsed = pool.submit(_parsed, file.fileno(), next_start, end, len(extent.header), wanted)
                waiting.append((parsed, next_start, end))
                next_start = end
            parsed, start, end = waiting.popleft()
            rows = parsed.result()
            if rows is None:
                break
            yield rows, Place(end)
            start = end
    return start


def _with_quotes(path: Path, extent: Extent, offset: int, wanted: dict[int, Any]) -> Iterator[tuple[Any, Place]]:
    stream = pa.OSFile(str(path)).get_stream(offset, extent.end - offset)
    reader = arrow_csv.open_csv(stream, *_options(len(extent.header), wanted, BLOCK_BYTES, quotes=True))
    rows, held = 0, reader.read_next_batch()
    for batch in reader:
        rows += len(held)
        yield held, Place(offset, rows)
        held = batch
    if len(held) and held.column(str(len(extent.header) - 1))[-1].as_py().endswith(b"\n"):
        raise ValueError("the last cell may have been cut off within its quotes")
    yield held, Place(extent.end)


def _block_end(file: FileIO, start: int, end: int) -> int:
    """Find the last line end before *end* in the block that begins at *start*."""
    if end - start <= BLOCK_BYTES:
        return end
    for reach in (SHORT_LINE, BLOCK_BYTES):
        tail = os.pread(file.fileno(), reach, start + BLOCK_BYTES - reach)
        if b"\n" in tail:
            return start + BLOCK_BYTES - reach + tail.rindex(b"\n") + 1
    raise ValueError("a line is longer than a block")


def _parsed(file: int, start: int, end: int, width: int, wanted: dict[int, Any]) -> Any:
    """Parse a block of lines; None if it has a quote, so that a line may be no row."""
    block = os.pread(file, end - start, start)
    if b'"' in block:
        return None
    table = arrow_csv.read_csv(pa.BufferReader(block), *_options(width, wanted, len(block) + 1, quotes=False))
    [rows] = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]  # all lines blank
    return rows


def _options(width: int, wanted: dict[int, Any], block_bytes: int, *, quotes: bool) -> tuple[Any, Any, Any]:
    """Columns are named by their number: names in a file can be anything, and the same ones."""
    return (
        arrow_csv.ReadOptions(
            column_names=[str(at) for at in range(width)], block_size=block_bytes, use_threads=quotes
        ),
        arrow_csv.ParseOptions(newlines_in_values=quotes, ignore_empty_lines=True),
        arrow_csv.ConvertOptions(
            check_utf8=False,
            null_values=[],
            strings_can_be_null=False,
            include_columns=[str(at) for at in wanted],
            column_types={str(at): kind for at, kind in wanted.items()},
        ),
    )


def _alike(rows: Any, cells: dict[str, str]) -> Any:
    """Mark the rows that have these *cells*; None if there is no such row, which is found out fast."""
    columns = {name: _distinct(rows.column(name)) for name in cells}
    few_first = sorted(cells, key=lambda name: len(columns[name]))
    if any(cells[name].encode() not in columns[name].to_pylist() for name in few_first):
        return None
    marks = reduce(pc.and_, (pc.equal(rows.column(name).cast(TEXT), cell.encode()) for name, cell in cells.items()))
    return marks if pc.any(marks).as_py() else None


def _filtered(rows: Any, kept: Any) -> Any:
    """Encode anew what is left, so that no code is of what was left out."""
    arrays = {name: rows.column(name).cast(TEXT).filter(kept) for name in rows.schema.names}
    coded = [array.dictionary_encode() if rows.column(name).type == CODES else array for name, array in arrays.items()]
    return pa.RecordBatch.from_arrays(coded, rows.schema.names)


def _distinct(column: Any) -> Any:
    """Give the texts that occur; of a column without codes, all of them."""
    return column.dictionary if column.type == CODES else column


def _last_line_end(file: BinaryIO, size: int) -> int:
    """Find the offset after the last line end, 0 if there is none."""
    end = size
    while end > 0:
        start = max(end - BLOCK_BYTES, 0)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _check_line_ends(file: BinaryIO, name: str) -> None:
    """Refuse a file in whose first block CR is the only line end; at its very end it is a CR and LF cut off."""
    file.seek(0)
    if b"\r" in file.read(BLOCK_BYTES)[:-1]:
        raise _cr_alone(name)


def _check_row_ends(file: BinaryIO, name: str, size: int, span: Span) -> None:
    for offset in filter(None, span):
        file.seek(min(offset - 1, size))
        if file.read(1) != b"\n":
            raise BadRun(
                f"{name}: no row ends at byte {offset:,}, though {WORKERS} says so; it was changed, or lost rows"
            )


def _cr_alone(name: str) -> BadRun:
    return BadRun(f"{name}, line 1: its lines end in CR alone; save it with LF, or CR and LF")


def _header(file: BinaryIO, end: int, name: str) -> tuple[tuple[str, ...], int]:
    """Read the header, in which a quoted name may have line ends; give it and the offset after it."""
    lines = Lines(file, 0, end)
    try:
        header = next(csv.reader(lines), [])
    except csv.Error as error:
        if "\r" in "".join(lines.take()).rstrip():
            raise _cr_alone(name) from None
        raise BadRun(f"{name}, line {lines.number}: not CSV: {error}") from None
    if any("\0" in cell for cell in header):
        raise BadRun(f"{name}, line 1: not UTF-8: it has NUL bytes, as UTF-16 has; save it as UTF-8")
    if end and not header:
        header = [""]  # a blank line, which has no name
    return tuple(header), lines.offset
