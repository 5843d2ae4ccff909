"""Kinds of columns: how the cells of a CSV file become an array.

Arrow parses numbers, but checks come first: it would take `0x1` for a whole number.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.run_format import ABSENT
from analysis.samples import small

TEXT = pa.binary()
CODES = pa.dictionary(pa.int32(), TEXT)

LARGEST = 2**63 - 1
BAD_CELL = (ValueError, KeyError)  # pyarrow's errors are ValueErrors

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Lists:
    """What the cells of a column hold where each holds several numbers: all of them in a row, and how many each."""

    numbers: NDArray[Any]
    lengths: NDArray[np.int32]  # of each cell's list


@dataclass(frozen=True)
class Column:
    """How the cells of a column become an array. Other kinds than those below are made of theirs: only these need to
    know what `parse` is given, an Arrow array.
    """

    parse: Callable[[Any], Any]  # a block of cells to an array, or Lists; raises one of BAD_CELL if any is bad
    expected: str  # what a cell must be, as the message says it
    repeats: bool = False  # the same texts come again and again, so that each is worth converting once

    @property
    def cells(self) -> Any:
        """What Arrow is to read the cells as."""
        return CODES if self.repeats else TEXT


def parsed(cells: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    return {name: column.parse(cells[name]) for name, column in columns.items()}


def whole_numbers(largest: int = LARGEST, *, repeats: bool = False) -> Column:
    """Whole numbers, in 32 bits if *largest* fits them. They are read twice as fast if they *repeats*, and slower if
    not.
    """
    expected = "a whole number of 0 or more" if largest == LARGEST else f"a whole number from 0 to {largest}"
    return Column(partial(_whole, largest=largest), expected, repeats)


def optional_whole_numbers() -> Column:
    """Whole numbers, `ABSENT` where the cell is empty."""
    return Column(_whole_or_absent, "a whole number of 0 or more, or empty")


def lists_of(column: Column) -> Column:
    """Cells that each hold one or more of what *column* holds, with a space between them: `Lists`."""
    return Column(partial(_listed, parse=column.parse), f"{column.expected}; several have one space between them")


def numbers() -> Column:
    """Finite numbers, NaN where the cell is empty."""
    return Column(_numbers, "a finite number, or empty")


def texts() -> Column:
    return Column(_texts, "a text", repeats=True)


def one_of(names: Sequence[str]) -> Column:
    """Codes: the index of each cell in *names*."""
    codes = {str(name): code for code, name in enumerate(names)}
    expected = f"one of {', '.join(name or 'nothing' for name in codes)}"
    return Column(partial(_codes, code=codes.__getitem__), expected, repeats=True)


def numbered() -> tuple[Column, dict[str, int]]:
    """Codes for texts not known before, in order of appearance; the dict fills while the column is read."""
    codes: defaultdict[str, int] = defaultdict(lambda: len(codes))
    return Column(partial(_codes, code=codes.__getitem__), "a text", repeats=True), codes


def _whole(cells: Any, largest: int = LARGEST) -> NDArray[Any]:
    """Arrow would read 0x1 as well, so digits it must be."""
    if cells.type == CODES:
        found: NDArray[Any] = _whole(cells.dictionary, largest)[_numpy(cells.indices, np.int32)]
        return found
    digits = _bytes(cells)
    if len(digits) and (digits.min() < ord("0") or digits.max() > ord("9")):
        raise ValueError
    values = _numpy(pc.cast(cells, pa.int64()), np.int64)
    if len(values) and values.max() > largest:
        raise ValueError
    return values if largest > np.iinfo(np.int32).max else values.astype(np.int32)


def _listed(cells: Any, parse: Callable[[Any], NDArray[Any]]) -> Lists:
    lists = pc.split_pattern(cells, " ")
    numbers = lists.flatten()
    if _empty(numbers) > _empty(cells):
        raise ValueError  # a space too many
    return Lists(small(parse(numbers)), np.diff(_numpy(lists.offsets, np.int32)))


def _empty(cells: Any) -> int:
    return len(cells) - int(np.count_nonzero(np.diff(_offsets(cells))))


def _whole_or_absent(cells: Any) -> NDArray[Any]:
    return _where_filled(cells, _whole, ABSENT)


def _numbers(cells: Any) -> NDArray[Any]:
    return _where_filled(cells, _finite, np.nan)


def _finite(cells: Any) -> NDArray[Any]:
    values = _numpy(pc.cast(cells, pa.float64()), np.float64)
    if not np.isfinite(values).all():
        raise ValueError
    return values


def _where_filled(cells: Any, parse: Callable[[Any], NDArray[Any]], otherwise: float) -> NDArray[Any]:
    """Parse the cells that are not empty, and put *otherwise* in place of the others."""
    filled = np.diff(_offsets(cells)) > 0
    if filled.all():
        return parse(cells)
    found = parse(cells.filter(pc.cast(pc.binary_length(cells), pa.bool_())))
    values = np.full(len(cells), otherwise, found.dtype)
    values[filled] = found
    return values


def _texts(cells: Any) -> NDArray[Any]:
    codes, found = _coded(cells)
    return np.array([*found, None], object)[codes]  # None: an array of texts is else one of equally long ones


def _codes(cells: Any, code: Callable[[str], int]) -> NDArray[Any]:
    codes, found = _coded(cells)
    known = np.fromiter(map(code, found), np.int32, len(found))
    if known.max(initial=0) <= np.iinfo(np.int8).max:
        known = known.astype(np.int8)
    return known[codes] if len(known) != 1 else np.full(len(codes), known[0])


def _coded(cells: Any) -> tuple[NDArray[np.int32], list[str]]:
    r"""Give the code of each cell, and the text of each code. A byte that is no text becomes one as `\xe9`."""
    coded = cells if cells.type == CODES else cells.dictionary_encode()
    found = [text.decode("utf-8", "backslashreplace") for text in coded.dictionary.to_pylist()]
    return _numpy(coded.indices, np.int32), found


def _numpy(array: Any, kind: Any) -> NDArray[Any]:
    """Give an Arrow array without nulls as a numpy one. Arrow's own way imports pandas first, if that is installed."""
    if not len(array):
        return np.zeros(0, kind)
    values: NDArray[Any] = np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]
    return values


def _offsets(cells: Any) -> NDArray[np.int32]:
    if not len(cells):
        return np.zeros(1, np.int32)  # Arrow may have no buffers then
    return np.frombuffer(cells.buffers()[1], np.int32)[cells.offset : cells.offset + len(cells) + 1]


def _bytes(cells: Any) -> NDArray[np.uint8]:
    """Give the bytes of all cells, one after the other."""
    offsets = _offsets(cells)
    if offsets[0] == offsets[-1]:
        return np.zeros(0, np.uint8)
    return np.frombuffer(cells.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
