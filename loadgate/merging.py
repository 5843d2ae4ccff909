"""Rows of `latency.csv` from several processes, added up to about as many as one process would have written."""

from collections import defaultdict
from collections.abc import Iterable

from loadgate.histogram import LONGEST_LIST, Row

Key = tuple[int, str, str, str]  # second, name, outcome, measure


class Merging:
    """What came in since the last `take`: how many requests of each key took which time."""

    def __init__(self) -> None:
        self._counts: dict[Key, dict[int, int]] = {}
        self._unmeasured: dict[Key, int] = defaultdict(int)

    def add(self, rows: Iterable[Row]) -> None:
        """Count the requests of these rows."""
        for *key, times_us, count in rows:
            if not times_us:
                self._unmeasured[tuple(key)] += count  # type: ignore[index] # mypy cannot count them
                continue
            counts = self._counts.setdefault(tuple(key), {})  # type: ignore[arg-type]
            for time_us in times_us:
                counts[time_us] = counts.get(time_us, 0) + count

    def take(self) -> list[Row]:
        """The rows, in the order of their keys: times of a key that as many requests took share one."""
        rows: list[Row] = [(*key, [], count) for key, count in self._unmeasured.items()]
        for key, counts in self._counts.items():
            times_of: dict[int, list[int]] = defaultdict(list)
            for time_us in sorted(counts):
                times_of[counts[time_us]].append(time_us)
            for count, times_us in times_of.items():
                rows += [
                    (*key, times_us[at : at + LONGEST_LIST], count) for at in range(0, len(times_us), LONGEST_LIST)
                ]
        self._counts, self._unmeasured = {}, defaultdict(int)
        return sorted(rows, key=_key)


def _key(row: Row) -> Key:
    return row[:4]
