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
        rows: dict[str, Any] = {name: array[chosen] for name, array in self._arrays().items()}
        return replace(self, **rows)

    def outcome_counts(self) -> dict[str, int]:
        """Count requests by outcome, those that occurred only: each has exactly one `response`."""
        responses = self.of_measure(RESPONSE)
        counts = np.zeros(len(OUTCOMES), np.int64)
        np.add.at(counts, responses.outcome, responses.count)
        return {str(outcome): int(count) for outcome, count in zip(OUTCOMES, counts, strict=True) if count}

    def _arrays(self) -> dict[str, Array]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "names"}
