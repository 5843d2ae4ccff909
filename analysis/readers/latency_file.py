"""latency.csv: the samples of a run. Several files of it, in any order, are worth one file with all their rows.

A row of the file is a list of times that equally many requests took.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import BadRun
from analysis.readers.columns import Arrays, lists_of, numbered, one_of, optional_whole_numbers, whole_numbers
from analysis.readers.tables import Blocks, joined, no_rows
from analysis.run_format import MEASURES, RESPONSE
from analysis.samples import IN_POPULATION, OUTCOMES, UNMEASURED, Samples, small

LONGEST_RUN_S = 10_000_000  # over a hundred days: a later second is none
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
        self._blocks = [_spread(no_rows(self._columns))]

    def add(self, path: Path, shift_s: int = 0) -> FileEnd:
        """Read *path*, whose second 0 is second *shift_s* of the run."""
        table, last_s = Blocks(path, self._columns), -1
        for rows in table:
            rows["second"] += np.int32(shift_s)
            last_s = max(last_s, int(rows["second"].max(initial=-1)))
            self._blocks.append(_spread(rows))
            _check_measured(path.name, self._blocks[-1])
        return FileEnd(table.cut, None if last_s < 0 else last_s)

    def samples(self) -> Samples:
        """Give all rows. They are moved, not copied: this is the end."""
        return Samples(**joined(self._blocks, self._columns), names=tuple(self._names))


def _spread(rows: dict[str, Any]) -> Arrays:
    """Give each time of a list a row of its own."""
    times = rows["value_us"]
    block = {name: np.repeat(array, times.lengths) for name, array in rows.items() if array is not times}
    return block | {"value_us": small(times.numbers), "count": small(block["count"])}


def _check_measured(file: str, block: Arrays) -> None:
    """Refuse a request of the latency population without a time: it would vanish from the percentiles."""
    unmeasured = block["outcome"][(block["value_us"] == UNMEASURED) & (block["measure"] == MEASURES.index(RESPONSE))]
    lost = unmeasured[IN_POPULATION[unmeasured]]
    if len(lost):
        raise BadRun(f"{file}: value_us is empty in a row of measure 'response', outcome '{OUTCOMES[lost.min()]}'")
