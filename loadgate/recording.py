"""Records requests: a list in the hot path, folded with numpy into histogram rows a few times a second."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis import run_format
from analysis.outcomes import CENSORED, Outcome
from loadgate.connection import Exchange

OUTCOMES = list(Outcome)
OUTCOME_CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}
MICROSECONDS = 1e6
VALUE_BITS = 40  # 12 days in microseconds

# One row of `latency.csv`: this many requests of one second, name, outcome and measure took the same time.
LatencyRow = tuple[int, str, str, str, int | None, int]


class Batch(NamedTuple):
    """Requests that ended since the last fold. Arrays of equal length; times in seconds, NaN where not measured."""

    second: NDArray[np.int64]
    name: NDArray[np.int64]
    outcome: NDArray[np.int64]
    measures: dict[str, NDArray[np.float64]]
    answer_bytes: NDArray[np.int64]
    names: list[str]  # by code

    def rows(self) -> Iterator[LatencyRow]:
        """The batch as histogram rows."""
        # What makes a row is packed into one number, because numpy sorts those much faster than rows of several.
        labels, label = np.unique(
            (self.second * len(self.names) + self.name) * len(OUTCOMES) + self.outcome, return_inverse=True
        )
        shown_labels = [self._shown(packed) for packed in labels.tolist()]
        for measure, seconds in self.measures.items():
            keep = np.ones(len(seconds), bool) if measure == run_format.RESPONSE else ~np.isnan(seconds)
            unmeasured = np.isnan(seconds[keep])
            values = run_format.bucketed(np.where(unmeasured, 0.0, seconds[keep] * MICROSECONDS + 0.5).astype(np.int64))
            values[unmeasured] = -1
            keys, counts = np.unique(label[keep] << VALUE_BITS | values + 1, return_counts=True)
            for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
                second, name, outcome = shown_labels[key >> VALUE_BITS]
                value = (key & (1 << VALUE_BITS) - 1) - 1
                shown = None if value < 0 else value
                yield second, name, outcome, measure, shown, count

    def _shown(self, packed: int) -> tuple[int, str, str]:
        rest, outcome = divmod(packed, len(OUTCOMES))
        second, name = divmod(rest, len(self.names))
        return second, self.names[name], OUTCOMES[outcome].value


class Recording:
    """What was recorded and not folded yet. Seconds count from `start`; a request belongs to its planned one."""

    def __init__(self, start: float) -> None:
        self._names: list[str] = []
        self._start = start
        self._codes: dict[str, int] = {}
        self._records: list[tuple[float, float, float, float, float, float, int, int, int]] = []

    def add(self, exchange: Exchange, outcome: Outcome, answer_bytes: int) -> None:
        """Record one request that got this many bytes of answer body. Called for each, so it only copies."""
        name = exchange.request.payload.name
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self._names)
            self._names.append(name)
        # A request that never got its first byte waited for it until the end.
        first_byte = exchange.first_byte or (exchange.done if outcome in CENSORED else None)
        self._records.append(
            (
                exchange.planned,
                exchange.sent,
                exchange.uploaded or math.nan,
                first_byte or math.nan,
                exchange.done or math.nan,
                exchange.connect_s or math.nan,
                code,
                OUTCOME_CODES[outcome],
                answer_bytes,
            )
        )

    def fold(self) -> Batch | None:
        """Take what was recorded since the last call; None if that is nothing."""
        if not self._records:
            return None
        table = np.array(self._records)
        self._records = []
        planned, sent, uploaded, first_byte, done, connect_s, name, outcome, answer_bytes = table.T
        measures = {
            run_format.RESPONSE: done - planned,
            run_format.SERVICE: done - sent,
            run_format.LATENESS: sent - planned,
            run_format.FIRST_BYTE: first_byte - sent,
            run_format.UPLOAD: uploaded - sent,
            run_format.CONNECT: connect_s,
        }
        second = np.maximum(np.floor(planned - self._start), 0).astype(np.int64)
        codes = (column.astype(np.int64) for column in (name, outcome, answer_bytes))
        name, outcome, answer_bytes = codes
        return Batch(second, name, outcome, measures, answer_bytes, self._names)
