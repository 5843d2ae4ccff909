"""latency.csv: the samples of a run. Several files of it, in any order, are worth one file with all their rows.

A row of the file is a list of times that equally many requests took.
"""

from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import BadRun
from analysis.readers.columns import Arrays, lists_of, numbered, one_of, optional_whole_numbers, whole_numbers
from analysis.readers.csv_batches import WHOLE, Span
from analysis.readers.tables import Blocks, joined, no_rows
from analysis.run_format import LONGEST_RUN_S, MEASURES, RESPONSE
from analysis.samples import IN_POPULATION, OUTCOMES, UNMEASURED, Array, Samples, small

LENGTH = "length"  # of the list of times in a row
MOST_REQUESTS = 10**12  # of one time: a total of millions of rows fits 64 bits


@dataclass(frozen=True)
class FileEnd:
    cut: bool
    last_s: int | None  # the last second in which a request was planned


class LatencyFiles:
    """The rows read so far."""

    def __init__(self) -> None:
        names, self._names = numbered()
        self._columns = {
            "second": whole_numbers(LONGEST_RUN_S, repeats=True),
            "name": names,
            "outcome": one_of(OUTCOMES),
            "measure": one_of(MEASURES),
            "value_us": lists_of(optional_whole_numbers()),
            "count": whole_numbers(MOST_REQUESTS, repeats=True),
        }
        self._parts = [[part] for part in _by_measure(_split(no_rows(self._columns)))]

    def add(self, path: Path, shift_s: int = 0, span: Span = WHOLE) -> FileEnd:
        """Read a *span* of *path*, whose second 0 is second *shift_s* of the run."""
        table, last_s = Blocks(path, self._columns, span), -1
        for rows in table:
            rows["second"] += np.int32(shift_s)
            last_s = max(last_s, int(rows["second"].max(initial=-1)))
            block = _split(rows)
            _check_measured(path.name, block)
            for parts, part in zip(self._parts, _by_measure(block), strict=True):
                parts.append(part)
        return FileEnd(table.cut, None if last_s < 0 else last_s)

    def samples(self) -> Samples:
        """Give all times, those of a measure together. They are moved, not copied: this is the end."""
        rows = joined(list(chain(*self._parts)), [*self._columns, LENGTH])
        value_us, length = rows.pop("value_us"), rows.pop(LENGTH)
        columns = {name: np.repeat(array, length) for name, array in rows.items()}
        return Samples(**columns, value_us=value_us, names=tuple(self._names))


def _by_measure(rows: Arrays) -> list[Arrays]:
    """Part a block by measure while it is in the cache, which is several times as fast as to sort all rows later."""
    order = np.argsort(rows["measure"], kind="stable")
    at = _places(rows[LENGTH], order)
    rows = {name: array[at if name == "value_us" else order] for name, array in rows.items()}
    codes = np.arange(len(MEASURES) + 1, dtype=rows["measure"].dtype)
    of_rows = np.searchsorted(rows["measure"], codes)
    of_numbers = np.append(0, np.cumsum(rows[LENGTH]))[of_rows]
    return [
        {name: array[slice(*(numbers if name == "value_us" else cells))] for name, array in rows.items()}
        for cells, numbers in zip(pairwise(of_rows), pairwise(of_numbers), strict=True)
    ]


def _places(length: Array, order: Array) -> Array:
    """Give the place of each number of lists that stand behind each other, for the lists in another *order*."""
    last = np.cumsum(length, dtype=np.int64)[order] - 1
    length = length[order]
    steps = np.ones(length.sum(), np.int64)  # from one place to the next
    steps[np.cumsum(length) - length] = last - length + 1 - np.append(0, last)[:-1]
    return np.cumsum(steps, out=steps)


def _split(rows: dict[str, Any]) -> Arrays:
    """Part the lists of times from how long they are."""
    times = rows["value_us"]
    return rows | {"value_us": times.numbers, LENGTH: times.lengths, "count": small(rows["count"])}


def _check_measured(file: str, rows: Arrays) -> None:
    """Refuse a request of the latency population without a time: it would vanish from the percentiles."""
    absent = rows["value_us"][np.cumsum(rows[LENGTH]) - rows[LENGTH]] == UNMEASURED
    unmeasured = rows["outcome"][absent & (rows["measure"] == MEASURES.index(RESPONSE))]
    lost = unmeasured[IN_POPULATION[unmeasured]]
    if len(lost):
        raise BadRun(f"{file}: value_us is empty in a row of measure 'response', outcome '{OUTCOMES[lost.min()]}'")
