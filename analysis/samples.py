"""Weighted samples: the one data type of the analysis. A row says that *count* requests had this value.

Texts are codes (an index into `names`, `OUTCOMES` or `MEASURES`), so that millions of rows stay plain arrays. The
arrays may be of any integer type: a reader chooses the smallest that holds its numbers.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import CENSORED, POPULATION, Outcome
from analysis.run_format import ABSENT, MEASURES, RESPONSE
from analysis.totals import totals

OUTCOMES = tuple(Outcome)
IN_POPULATION = np.array([outcome in POPULATION for outcome in OUTCOMES])  # by outcome code
IS_CENSORED = np.array([outcome in CENSORED for outcome in OUTCOMES])
UNMEASURED = ABSENT  # `value_us` where nothing was measured

Array = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Samples:
    second: Array  # since the start of the run, of the planned time
    name: Array  # index into `names`
    outcome: Array  # index into `OUTCOMES`
    measure: Array  # index into `MEASURES`
    value_us: Array  # microseconds, or UNMEASURED
    count: Array
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len({len(array) for array in self._arrays().values()}) != 1:
            raise ValueError("the columns of Samples differ in length")

    @cached_property
    def _sorted_by_measure(self) -> bool:
        return bool((self.measure[1:] >= self.measure[:-1]).all())

    @cached_property
    def _seconds(self) -> tuple[int, int]:
        """The first and the last."""
        return int(self.second.min()), int(self.second.max())

    def of_measure(self, measure: str) -> "Samples":
        code = MEASURES.index(measure)
        if not self._sorted_by_measure:
            return self.where(self.measure == code)
        # Of the same type, or all measures would be converted.
        bounds = np.searchsorted(self.measure, np.array([code, code + 1], self.measure.dtype))
        return self.at(slice(*bounds))

    def of_outcome(self, outcome: str) -> "Samples":
        return self.where(self.outcome == OUTCOMES.index(Outcome(outcome)))

    def within(self, from_s: int, to_s: int) -> "Samples":
        """Keep the requests planned from second *from_s* on and before *to_s*."""
        if not len(self.second) or (from_s <= self._seconds[0] and self._seconds[1] < to_s):
            return self
        return self.where((self.second >= from_s) & (self.second < to_s))

    def ended_as(self, outcomes: Collection[Outcome]) -> NDArray[np.bool_]:
        """Mark the rows of any of *outcomes*, at least one."""
        # Compared one by one: to look them up in a table, numpy would make an index of 64 bits of each row.
        return reduce(np.logical_or, (self.outcome == OUTCOMES.index(outcome) for outcome in outcomes))

    def where(self, chosen: NDArray[np.bool_]) -> "Samples":
        return self if chosen.all() else self.at(chosen)  # millions of rows are not copied for nothing

    def at(self, places: Any) -> "Samples":
        """Take the rows at *places*: whatever numpy takes for an index."""
        rows: dict[str, Any] = {name: array[places] for name, array in self._arrays().items()}
        return replace(self, **rows)

    def requests(self, column: str, codes: int) -> NDArray[np.int64]:
        """Count requests by the codes in a *column*: each request has exactly one `response`."""
        responses = self.of_measure(RESPONSE)
        code: Array = getattr(responses, column)
        return totals(lambda rows: code[rows], responses.count, codes)

    def outcome_counts(self) -> dict[str, int]:
        """Count requests by outcome, those that occurred only."""
        counts = self.requests("outcome", len(OUTCOMES))
        return {str(outcome): int(count) for outcome, count in zip(OUTCOMES, counts, strict=True) if count}

    def folded(self) -> "Samples":
        """Join the rows that differ in nothing but `count`; they come back sorted, in small integer types."""
        columns = [getattr(self, name) for name in _KEY]
        packing = _Packing.of(columns)
        if packing:
            keys, count = _totals(packing.packed(columns), self.count)
            columns = packing.unpacked(keys)
        else:
            columns, count = _totals_of_rows(columns, self.count)
        rows = {name: small(column, _SMALLEST[name]) for name, column in zip(_KEY, columns, strict=True)}
        return Samples(**rows, count=small(count), names=self.names)

    def _arrays(self) -> dict[str, Array]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "names"}


def joined(parts: Sequence[Samples]) -> Samples:
    """Put *parts*, at least one, behind each other; they share the longest of their `names`."""
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Samples)
        if field.name != "names"
    }
    return Samples(**columns, names=max((part.names for part in parts), key=len))


_KEY = ("second", "name", "outcome", "measure", "value_us")  # rows that agree in these are one
_SMALLEST = {"second": np.int32, "name": np.int32, "outcome": np.int8, "measure": np.int8, "value_us": np.int32}


@dataclass(frozen=True)
class _Packing:
    """Several columns as one whole number that sorts as they do: the sort of one is many times faster."""

    lows: tuple[int, ...]
    spans: tuple[int, ...]

    @classmethod
    def of(cls, columns: Sequence[Array]) -> "_Packing | None":
        """Choose a packing for *columns*; None where their ranges do not fit 63 bits."""
        if not len(columns[0]):
            return None
        lows = tuple(int(column.min()) for column in columns)
        spans = tuple(int(column.max()) - low + 1 for column, low in zip(columns, lows, strict=True))
        return cls(lows, spans) if math.prod(spans) < 2**63 else None

    def packed(self, columns: Sequence[Array]) -> NDArray[np.int64]:
        keys = np.zeros(len(columns[0]), np.int64)
        for column, low, span in zip(columns, self.lows, self.spans, strict=True):
            if span > 1:
                keys *= span
                keys += column
                keys -= low
        return keys

    def unpacked(self, keys: NDArray[np.int64]) -> list[Array]:
        columns: list[Array] = []
        for low, span in zip(reversed(self.lows), reversed(self.spans), strict=True):
            rest = keys if span == 1 else keys // span
            columns.insert(0, keys - rest * span + low)
            keys = rest
        return columns


def _totals(keys: NDArray[np.int64], count: Array) -> tuple[NDArray[np.int64], Array]:
    """Sort *keys*, each once, with the total of its counts."""
    if (count == 1).all():
        return np.unique(keys, return_counts=True)
    order = np.argsort(keys)
    keys = keys[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    return keys[firsts], np.add.reduceat(count[order], firsts, dtype=np.int64)


def _totals_of_rows(columns: Sequence[Array], count: Array) -> tuple[list[Array], Array]:
    """Do the same for rows that cannot be packed."""
    if not len(count):
        return list(columns), count
    order = np.lexsort(columns[::-1])
    columns = [column[order] for column in columns]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    firsts = np.flatnonzero(is_first)
    return [column[firsts] for column in columns], np.add.reduceat(count[order], firsts, dtype=np.int64)


def small(column: Array, smallest: Any = np.int32) -> Array:
    """Shrink *column* to *smallest*, or to 64 bits where a value does not fit."""
    limits = np.iinfo(smallest)
    fits = not len(column) or (limits.min <= column.min() and column.max() <= limits.max)
    return column.astype(smallest if fits else np.int64, copy=False)
