"""Medians of groups of weighted times: the response from second to second, small enough to look at as a series."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.population import distinct
from analysis.run_format import MEASURES
from analysis.samples import IN_POPULATION, UNMEASURED, Array, Samples

MOST_COUNTS = 10_000_000  # of groups x times, held at once
_ROOM = 2.0**62  # for two numbers packed into one


def per_second(samples: Samples, measure: str, from_s: int, to_s: int) -> tuple[Array, Array]:
    """Give the seconds of the window that have latencies, ascending, and the median in us of each.

    Censored requests count at their bounds, so a median among them is a lower bound as well.
    """
    chosen = (samples.measure == MEASURES.index(measure)) & (samples.value_us != UNMEASURED)
    chosen &= (samples.second >= from_s) & (samples.second < to_s) & IN_POPULATION[samples.outcome]
    return medians(samples.second[chosen], samples.value_us[chosen], samples.count[chosen])


def medians(group: Array, value: NDArray[Any], count: Array) -> tuple[Array, NDArray[Any]]:
    """Give each group once, ascending, and the median of its values: the ceil(n / 2)-th smallest of n."""
    if not len(group):
        return group, value
    value, at = distinct(value)
    groups = int(group.max()) + 1
    if groups * len(value) <= MOST_COUNTS:
        return _counted(group, value, at, count)
    group, value, count = _sorted(group, value[at], count)
    rank = np.cumsum(count, dtype=np.int64)
    last = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    below = np.append(0, rank[last])[:-1]
    middle = below + (rank[last] - below + 1) // 2
    return group[last], value[np.searchsorted(rank, middle)]


def _counted(group: Array, value: NDArray[Any], at: Array, count: Array) -> tuple[Array, NDArray[Any]]:
    """Count by group and by place in *value*: of a histogram's few times that is faster than to sort its rows."""
    groups = int(group.max()) + 1
    counts = np.bincount(group.astype(np.int64) * len(value) + at, count, groups * len(value))
    rank = np.cumsum(counts.reshape(groups, -1), axis=1)
    used = np.flatnonzero(rank[:, -1])
    middle = (rank[used, -1].astype(np.int64) + 1) // 2
    return used, value[np.count_nonzero(rank[used] < middle[:, None], axis=1)]


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
