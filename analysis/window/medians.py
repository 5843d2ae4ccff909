"""Medians of groups of weighted times: the response from second to second, small enough to look at as a series."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.population import Population, distinct
from analysis.samples import Array
from analysis.totals import totals

MOST_COUNTS = 10_000_000  # held at once
PART = 64  # times
_ROOM = 2.0**62  # for two numbers packed into one


def per_second(population: Population) -> tuple[Array, Array]:
    """Give the seconds that have latencies, ascending, and the median in us of each.

    Censored requests count at their bounds, so a median among them is a lower bound as well.
    """
    return _medians(population.second, population.value_us, population.at, population.count)


def median_of(series: NDArray[np.float64]) -> float:
    """Give the median of a series, not empty: the mean of the middle two where there are two.

    numpy's own imports its masked arrays first, which takes longer than to look at an hour.
    """
    ordered = np.sort(series)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def medians(group: Array, value: NDArray[Any], count: Array) -> tuple[Array, NDArray[Any]]:
    """Give each group once, ascending, and the median of its values: the ceil(n / 2)-th smallest of n."""
    return _medians(group, *distinct(value), count)


def _medians(group: Array, value: NDArray[Any], at: Array, count: Array) -> tuple[Array, NDArray[Any]]:
    """Do so for rows of which *at* says where in *value*, ascending, theirs is."""
    if not len(group):
        return group, value
    groups = int(group.max()) + 1
    if groups * (len(value) // PART + PART) <= MOST_COUNTS:
        return _counted(group, value, at, count)
    group, value, count = _sorted(group, value[at], count)
    rank = np.cumsum(count, dtype=np.int64)
    last = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    below = np.append(0, rank[last])[:-1]
    middle = below + (rank[last] - below + 1) // 2
    return group[last], value[np.searchsorted(rank, middle)]


def _counted(group: Array, value: NDArray[Any], at: Array, count: Array) -> tuple[Array, NDArray[Any]]:
    """Count by group and by place in *value*: of a histogram's few times that is faster than to sort its rows.

    First by parts of *value*, then in the part that the median is in: small tables stay in the cache.
    """
    groups, parts = int(group.max()) + 1, len(value) // PART + 1
    up_to = _up_to(group, lambda rows: at[rows] // PART, count, (groups, parts))
    middle = (up_to[:, -1:] + 1) // 2
    start = np.count_nonzero(up_to < middle, axis=1) * PART
    # What is below the part is at its place 0, and what is above it is behind its last one.
    inside = _up_to(group, lambda rows: np.clip(at[rows] - start[group[rows]], -1, PART) + 1, count, (groups, PART + 2))
    used = np.flatnonzero(up_to[:, -1])
    return used, value[(start + np.count_nonzero(inside < middle, axis=1) - 1)[used]]


def _up_to(group: Array, place: Callable[[slice], Array], count: Array, shape: tuple[int, int]) -> NDArray[np.int64]:
    """How many of each group are at or below each place, in the *shape* of (groups, places)."""
    counts = totals(lambda rows: group[rows] * np.int64(shape[1]) + place(rows), count, math.prod(shape))
    return np.cumsum(counts.reshape(shape), axis=1)


def _sorted(group: Array, value: NDArray[Any], count: Array) -> tuple[Array, NDArray[Any], Array]:
    """Sort rows by group, then by value: packed into one number where both fit, which is several times as fast."""
    width = _packed_width(group, value)
    if width is None:
        order = np.lexsort((value, group))
    else:
        packed = group.astype(np.int64) * width + value
        if (count == 1).all():
            packed.sort()
            return packed // width, packed % width, count
        order = np.argsort(packed)
    return group[order], value[order], count[order]


def _packed_width(group: Array, value: NDArray[Any]) -> int | None:
    if not len(group) or value.dtype.kind == "f" or value.min() < 0 or group.min() < 0:
        return None
    width = int(value.max()) + 1
    return width if float(group.max()) * width < _ROOM else None
