"""Totals of many rows by where they belong, gone through some rows at a time: what is made on the way stays in the
cache, and takes no new memory.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 1 << 16  # in a piece


def pieces(rows: int, least: int = ROWS) -> Iterator[slice]:
    """Cut *rows* into pieces of *least* rows, or of `ROWS` if that is more."""
    step = max(least, ROWS)
    return (slice(start, start + step) for start in range(0, rows, step))


def totals(place: Callable[[slice], NDArray[Any]], count: NDArray[np.integer[Any]], places: int) -> NDArray[np.int64]:
    """Add up *count* by place; *place* gives where each row of a piece belongs.

    Exact to 2^53: up to there a float64, which numpy adds up in, holds whole numbers.
    """
    found = np.zeros(places)
    for rows in pieces(len(count), places):
        found += np.bincount(place(rows), count[rows], places)
    return found.astype(np.int64)
