"""Requests that give back a table of percentiles: as many at each percentile's value as lie between it and the one
below.

That makes the nearest rank of a name's own percentile its own value. The requests of all names together have
percentiles of their own, also in the table: requests whose value is only known to lie between two percentiles are
moved down, no further than that allows, until those come out as well.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


def ranks(n: Whole, percentiles: Sequence[Fraction]) -> Whole:
    """Give the nearest rank of each percentile (columns) for each of *n* requests (rows)."""
    found = [-(-n * p.numerator // p.denominator) for p in percentiles]
    return np.minimum(np.maximum(np.stack(found, axis=1), 1), n[:, None])


def requests_of(n: Whole, values: Whole, lowest: Whole, of_all: Whole, percentiles: Sequence[Fraction]) -> list[Whole]:
    """Give rows of (name, value, count), as three arrays.

    Of each name: *n* requests, its *lowest* value, and ascending *values* at the ascending *percentiles*, the last of
    which is 1. *of_all* are the values of all names together.
    """
    counts = np.diff(ranks(n, percentiles), axis=1, prepend=0)
    lows = np.concatenate([np.minimum(lowest, values[:, 0])[:, None], values[:, :-1]], axis=1)
    order = np.argsort(values.ravel(), kind="stable")  # whoever moves down first would have come next anyway
    name = np.repeat(np.arange(len(n)), len(percentiles))[order]
    low, high, left = lows.ravel()[order], values.ravel()[order], counts.ravel()[order]
    free = np.maximum(left - 1, 0)  # the highest of a bracket is what the percentile says
    rows: list[tuple[Whole, Whole, Whole]] = []
    for value, rank in zip(of_all.tolist(), ranks(np.array([n.sum()]), percentiles)[0].tolist(), strict=True):
        missing = rank - int(left[high <= value].sum()) - sum(int(moved.sum()) for _, _, moved in rows)
        movable = np.where((low <= value) & (value < high), free, 0)
        moved = np.clip(missing - (np.cumsum(movable) - movable), 0, movable)
        free, left = free - moved, left - moved
        rows.append((name, np.full(len(name), value), moved))
    columns = [np.concatenate(column) for column in zip((name, high, left), *rows, strict=True)]
    return [column[columns[2] > 0] for column in columns]
