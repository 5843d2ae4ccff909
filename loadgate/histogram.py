"""Requests counted by what became of them and how long they took: `latency.csv` before it is written."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis import run_format
from analysis.outcomes import Outcome

OUTCOMES = list(Outcome)
NAME_BITS, OUTCOME_BITS = 24, 4
MEASURE_BITS, TIME_BITS = 3, 41  # 12 days in microseconds, and one value more for what was not measured
MEASURE_CODES = np.arange(len(run_format.MEASURES))[:, np.newaxis]
RESPONSE = run_format.MEASURES.index(run_format.RESPONSE)
LONGEST_LIST = 1000  # times in a row, so that every CSV reader takes it

# A row of `latency.csv`: second, name, outcome, measure, times in us, and how many requests took each of them.
Row = tuple[int, str, str, str, list[int], int]


class Histogram(NamedTuple):
    """How many requests each key has. A key is the place of a label, a measure and a time, packed into one number,
    because numpy sorts those many times faster than rows of several.
    """

    labels: NDArray[np.int64]  # ascending, each a second, a name and an outcome, packed
    keys: NDArray[np.int64]  # ascending
    counts: NDArray[np.int64]  # of each key
    names: Sequence[str]

    def rows(self) -> Iterator[Row]:
        """Yield the rows: the times of a label and measure that have the same count share one."""
        order = np.lexsort((self.keys, self.counts, self.keys >> TIME_BITS))
        groups, times = self.keys[order] >> TIME_BITS, (self.keys[order] & ((1 << TIME_BITS) - 1)) - 1
        counts = self.counts[order]
        changes = (np.diff(groups) != 0) | (np.diff(counts) != 0) | (times[:-1] < 0)
        for start, end in pairwise([0, *(np.flatnonzero(changes) + 1).tolist(), len(order)]):
            place, measure = divmod(int(groups[start]), 1 << MEASURE_BITS)
            shown = (*self._shown(int(self.labels[place])), run_format.MEASURES[measure])
            for at in range(start, end, LONGEST_LIST):
                of_row = times[at : min(at + LONGEST_LIST, end)].tolist()
                yield *shown, of_row if of_row[0] >= 0 else [], int(counts[start])

    def _shown(self, label: int) -> tuple[int, str, str]:
        rest, outcome = divmod(label, 1 << OUTCOME_BITS)
        second, name = divmod(rest, 1 << NAME_BITS)
        return second, self.names[name], OUTCOMES[outcome].value


def histogram(
    second: NDArray[np.int64],
    name: NDArray[np.int64],
    outcome: NDArray[np.int64],
    times_us: NDArray[np.int64],
    names: Sequence[str],
) -> Histogram:
    """Count n requests by their codes, all (n,), and *times_us*, (measures, n), below 0 where not measured."""
    labels, place = np.unique(((second << NAME_BITS) | name) << OUTCOME_BITS | outcome, return_inverse=True)
    packed = (place << MEASURE_BITS | MEASURE_CODES) << TIME_BITS | times_us + 1
    counted = times_us >= 0
    counted[RESPONSE] = True  # every request has this measure
    return Histogram(labels, *np.unique(packed[counted], return_counts=True), names)


def merged(parts: Sequence[Histogram]) -> Histogram:
    """Add up *parts*, at least one, of the same names."""
    labels, places = np.unique(np.concatenate([part.labels for part in parts]), return_inverse=True)
    keys, first = [], 0
    for part in parts:
        own = places[first : first + len(part.labels)]
        first += len(part.labels)
        label, rest = np.divmod(part.keys, 1 << MEASURE_BITS + TIME_BITS)
        keys.append(own[label] << MEASURE_BITS + TIME_BITS | rest)
    found, at = np.unique(np.concatenate(keys), return_inverse=True)
    # Exact: a float64 holds whole numbers up to 2^53.
    counts = np.bincount(at, np.concatenate([part.counts for part in parts]), len(found)).astype(np.int64)
    return Histogram(labels, found, counts, parts[-1].names)
