"""Weighted samples: the one data type of the analysis. A row says that *count* requests had this value.

Texts are codes (an index into `names`, `OUTCOMES` or `MEASURES`), so that millions of rows stay plain arrays. The
arrays may be of any integer type: a reader chooses the smallest that holds its numbers.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import Outcome
from analysis.run_format import ABSENT, MEASURES, RESPONSE

OUTCOMES = tuple(Outcome)
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

    def of_measure(self, measure: str) -> "Samples":
        return self.where(self.measure == MEASURES.index(measure))

    def of_name(self, name: str) -> "Samples":
        return self.where(self.name == self.names.index(name))

    def of_outcome(self, outcome: str) -> "Samples":
        return self.where(self.outcome == OUTCOMES.index(Outcome(outcome)))

    def within(self, from_s: int, to_s: int) -> "Samples":
        """Keep the requests planned from second *from_s* on and before *to_s*."""
        return self.where((self.second >= from_s) & (self.second < to_s))

    def where(self, chosen: NDArray[np.bool_]) -> "Samples":
        if chosen.all():
            return self  # millions of rows are not copied for nothing
        rows: dict[str, Any] = {name: array[chosen] for name, array in self._arrays().items()}
        return replace(self, **rows)

    def requests(self, code: Array, codes: int) -> NDArray[np.int64]:
        """Count requests by *code*, a column of the samples: each request has exactly one `response`."""
        responses = self.measure == MEASURES.index(RESPONSE)
        # Exact: a float64 holds whole numbers up to 2^53.
        return np.bincount(code[responses], self.count[responses], codes).astype(np.int64)

    def outcome_counts(self) -> dict[str, int]:
        """Count requests by outcome, those that occurred only."""
        counts = self.requests(self.outcome, len(OUTCOMES))
        return {str(outcome): int(count) for outcome, count in zip(OUTCOMES, counts, strict=True) if count}

    def _arrays(self) -> dict[str, Array]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "names"}
