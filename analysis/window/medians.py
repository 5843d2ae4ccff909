"""Medians of groups of weighted times: the response from second to second, small enough to look at as a series."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.population import distinct
from analysis.samples import IN_POPULATION, UNMEASURED, Array, Samples

MOST_COUNTS = 10_000_000  # held at once
PART = 64  # times
_ROOM = 2.0**62  # for two numbers packed into one


def per_second(samples: Samples, measure: str, from_s: int, to_s: int) -> tuple[Array, Array]:
    """Give the seconds of the window that have latencies, ascending, and the median in us of each.

    Censored requests count at their bounds, so a median among them is a lower bound as well.
    """
    measured = samples.of_measure(measure).within(from_s, to_s)
    chosen = measured.where((measured.value_us != UNMEASURED) & IN_POPULATION[measured.outcome])
    return medians(chosen.second, chosen.value_us, chosen.count)


def medians(group: Array, value: NDArray[Any], count: Array) -> tuple[Array, NDArray[Any]]:
    """Give each group once, ascending, and the median of its values: the ceil(n / 2)-th smallest of n."""
    if not len(group):
        return group, value
    value, at = distinct(value)
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
    group, part, place = group.astype(np.int64), at // PART, at % PART
    ranks = _ranks(group, part, count, len(value) // PART + 1)
    middle = (ranks[:, -1] + 1) // 2
    middle_part = _reaching(ranks, middle)
    below = np.where(middle_part > 0, np.take_along_axis(ranks, middle_part[:, None] - 1, axis=1)[:, 0], 0)
    inside = part == middle_part[group]
    place_ranks = _ranks(group[inside], place[inside], count[inside], PART, len(ranks))
    used = np.flatnonzero(ranks[:, -1])
    return used, value[(middle_part * PART + _reaching(place_ranks, middle - below))[used]]


def _ranks(group: Array, place: Array, count: Array, places: int, groups: int = 0) -> NDArray[np.int64]:
    """How many of each group are at or below each place, (groups, places)."""
    groups = groups or int(group.max()) + 1
    counts = np.bincount(group * places + place, count, groups * places)
    return np.cumsum(counts.reshape(groups, places), axis=1).astype(np.int64)


def _reaching(ranks: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first place of each group at which its *ranks* reach *rank*."""
    at: NDArray[np.int64] = np.count_nonzero(ranks < rank[:, None], axis=1)
    return at


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
