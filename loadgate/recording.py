"""Records requests: packed in the hot path, folded with numpy into a histogram a few times a second."""

import math
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis import run_format
from analysis.outcomes import CENSORED
from loadgate.exchange import Exchange
from loadgate.histogram import OUTCOMES, RESPONSE, Histogram, histogram

OUTCOME_CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}
CENSORED_CODES = [OUTCOME_CODES[outcome] for outcome in CENSORED]
MICROSECONDS = 1e6
COLUMNS = 11
RECORD = struct.Struct(f"{COLUMNS}d")
FIRST_ROOM = 1000  # records; more is made where it is needed


class Batch(NamedTuple):
    """`n` requests that ended since the last fold."""

    second: NDArray[np.int64]  # (n,)
    name: NDArray[np.int64]  # (n,), codes of `names`
    outcome: NDArray[np.int64]  # (n,), codes of `OUTCOMES`
    times_s: NDArray[np.float64]  # (measures, n), in the order of `run_format.MEASURES`; NaN where not measured
    answer_bytes: NDArray[np.int64]  # (n,)
    names: list[str]

    @property
    def response_s(self) -> NDArray[np.float64]:
        """Planned to last byte of each request."""
        response: NDArray[np.float64] = self.times_s[RESPONSE]
        return response

    def histogram(self) -> Histogram:
        """How many requests took which times, in the buckets of the run format."""
        measured = ~np.isnan(self.times_s)
        times_us = np.full(measured.shape, -1)
        times_us[measured] = run_format.bucketed((self.times_s[measured] * MICROSECONDS + 0.5).astype(np.int64))
        return histogram(self.second, self.name, self.outcome, times_us, self.names)


class Recording:
    """What was recorded and not folded yet. Seconds count from `start`; a request belongs to its planned one."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._names: list[str] = []
        self._codes: dict[str, int] = {}
        self._records = bytearray(RECORD.size * FIRST_ROOM)
        self._end = 0  # of the last record, in bytes

    def __len__(self) -> int:
        """How many requests are not folded yet."""
        return self._end // RECORD.size

    def add(self, exchange: Exchange) -> None:
        """Record one request that has its outcome. Called for each, so it only copies."""
        name = exchange.request.payload.name
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self._names)
            self._names.append(name)
        if self._end == len(self._records):
            self._records.extend(bytes(self._end))
        RECORD.pack_into(
            self._records,
            self._end,
            exchange.planned,
            exchange.sent,
            exchange.uploaded or math.nan,
            exchange.first_byte or math.nan,
            exchange.done or math.nan,
            exchange.connect_s or math.nan,
            *exchange.gateway_times_s,
            code,
            OUTCOME_CODES[exchange.outcome],  # type: ignore[index] # it has one
            exchange.answer_bytes,
        )
        self._end += RECORD.size

    def fold(self) -> Batch | None:
        """Take what was recorded since the last call; None if that is nothing."""
        if not self._end:
            return None
        table = np.frombuffer(self._records, np.float64, self._end // 8).reshape(-1, COLUMNS).T.copy()
        self._end = 0
        planned, sent, uploaded, first_byte, done, connect_s, gateway_s, backend_s = table[:8]
        name, outcome, answer_bytes = table[8:].astype(np.int64)
        # A request that never got its first byte waited for it until the end.
        waited = np.isnan(first_byte) & np.isin(outcome, CENSORED_CODES)
        times_s = {
            run_format.RESPONSE: done - planned,
            run_format.SERVICE: done - sent,
            run_format.LATENESS: sent - planned,
            run_format.FIRST_BYTE: np.where(waited, done, first_byte) - sent,
            run_format.UPLOAD: uploaded - sent,
            run_format.CONNECT: connect_s,
            run_format.GATEWAY: gateway_s,
            run_format.BACKEND: backend_s,
        }
        second = np.maximum(np.floor(planned - self._start), 0).astype(np.int64)
        by_measure = np.array([times_s[measure] for measure in run_format.MEASURES])
        return Batch(second, name, outcome, by_measure, answer_bytes, self._names)
