"""k6's CSV (`--out csv=FILE`): a row per metric of each request, written as requests end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadRun
from analysis.outcomes import Outcome
from analysis.readers.cells import LONGEST_DAYS, LONGEST_US, by_text, codes_in, moments
from analysis.readers.columns import Column, numbers
from analysis.readers.failure_counts import Way, is_timeout
from analysis.readers.headers import header_of
from analysis.readers.recorded import NO_PLAN, STATUS_ALONE, read_recorded
from analysis.readers.recording import CODES, Recording, Rows
from analysis.readers.statuses import outcome_of, status_of
from analysis.run import Run
from analysis.run_format import CONNECT, FIRST_BYTE, SERVICE
from analysis.samples import UNMEASURED

KIND = "k6 CSV"
NEEDED = ("metric_name", "timestamp", "metric_value")
NOTES = (
    NO_PLAN,
    "The time of a request is that of its end, in whole seconds: a slow answer counts in the second it came in, a"
    " warm-up is cut by answers, not by sending, and the requests in flight are not known.",
    "Service time is without setting up the connection, which is measured apart (connect).",
    STATUS_ALONE,
)

Block = Mapping[str, NDArray[Any]]

_REQUESTS, _DROPPED, _USERS = "http_reqs", "dropped_iterations", "vus"
_CONNECTING, _TLS = "http_req_connecting", "http_req_tls_handshaking"
_MEASURES = {"http_req_duration": SERVICE, "http_req_waiting": FIRST_BYTE}
_METRICS = {name: code for code, name in enumerate((_REQUESTS, _DROPPED, _USERS, _CONNECTING, _TLS, *_MEASURES))}
_TIMED_OUT = 1050
_ERRORS_OF_STATUS = range(1400, 1600)  # 1000 more than the status
_HIGHEST_COUNT = 2**31  # in a row


def read_k6(paths: Sequence[Path], timeout_s: float | None) -> Run:
    """Read the CSV files of one run, one of each process."""
    return read_recorded(paths, KIND, _read_file, NOTES, timeout_s)


def _read_file(path: Path, recording: Recording) -> None:
    header = header_of(path)
    columns = {"metric_name": codes_in(_METRICS, -1), "timestamp": moments(), "metric_value": numbers()}
    columns |= {name: column for name, column in _optional(recording).items() if name in header}
    name = next((name for name in ("name", "url", "method") if name in header), None)
    if name:
        columns[name] = recording.names.column()
    file = _File(path.name, name, recording)
    for block in recording.blocks(path, columns):
        file.add(block)
    file.end()


def _optional(recording: Recording) -> dict[str, Column]:
    """Columns of tags: a metric that is no HTTP request may hold anything there, and k6 can leave each of them out."""
    return {
        "status": by_text(lambda text: status_of(text) or 0, "a text"),
        "error_code": by_text(lambda text: int(text) if text.isdecimal() and len(text) == 4 else 0, "a text"),
        "error": recording.vocabulary.column(),
        "expected_response": codes_in({"true": 1, "false": 0}, -1),
    }


@dataclass
class _File:
    """One file while it is read."""

    file: str
    name_column: str | None
    recording: Recording
    _connecting: NDArray[np.int64] = field(default_factory=lambda: np.zeros((4, 0), np.int64))
    _tls_us: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _dropped: int = 0

    def __post_init__(self) -> None:
        self.dropped_name = self.recording.names.code("dropped iterations")

    def add(self, block: Block) -> None:
        rows = {metric: block["metric_name"] == code for metric, code in _METRICS.items()}
        judge = partial(self._judged, has_status="status" in block)
        outcome = self.recording.outcomes(_tags(block), judge, rows[_REQUESTS])
        at_us, name = block["timestamp"], self._names(block)
        self._add_counts(block, name, outcome)
        for metric, measure in _MEASURES.items():
            chosen, times_us = rows[metric], self._times_us(block, metric)
            self.recording.add(Rows(self.file, at_us[chosen], name[chosen], outcome[chosen], {measure: times_us}))
        connecting = np.stack([column[rows[_CONNECTING]] for column in (at_us, name, outcome)])
        self._add_connects(np.vstack([connecting, self._times_us(block, _CONNECTING)]), self._times_us(block, _TLS))

    def end(self) -> None:
        if self._dropped:
            self.recording.failures.add(Outcome.DROPPED, None, "", "", self._dropped)
            self.recording.notes.append(
                f"{self.file}: {self._dropped:,} iterations were dropped, because no user was free: each counts as one"
                " request that was not sent, however many it would have made."
            )

    def _names(self, block: Block) -> NDArray[np.int64]:
        if self.name_column:
            return block[self.name_column]
        return np.full(len(block["timestamp"]), self.recording.names.code("all requests"), np.int64)

    def _judged(self, status: int, code: int, error: int, expected: int, *, has_status: bool) -> Way:
        answer = _answer(status, code)
        is_good = not code and not error and expected != 0 and (answer is not None or not has_status)
        timed_out = code == _TIMED_OUT or (not code and is_timeout(error))
        outcome = outcome_of(answer, success=is_good, timed_out=timed_out)
        return outcome, answer, str(code) if code else "", self.recording.vocabulary.text(error)

    def _add_counts(self, block: Block, name: NDArray[Any], outcome: NDArray[Any]) -> None:
        """Add requests and dropped iterations, and the rows of no request that tell how many users there were."""
        metric, value = block["metric_name"], block["metric_value"]
        is_dropped, is_users = metric == _METRICS[_DROPPED], metric == _METRICS[_USERS]
        chosen = is_dropped | is_users | (metric == _METRICS[_REQUESTS])
        if not (value[chosen] >= 0).all() or (value[chosen] >= _HIGHEST_COUNT).any():
            raise BadRun(f"{self.file}: a metric_value of {_REQUESTS}, {_DROPPED} or {_USERS} is not a count")
        counts, users = (np.where(which, 0, value)[chosen].astype(np.int64) for which in (is_users, ~is_users))
        self._dropped += int(counts[is_dropped[chosen]].sum())
        at_us = block["timestamp"][chosen]
        name = np.where(is_dropped, self.dropped_name, name)[chosen]
        outcome = np.where(is_dropped, CODES[Outcome.DROPPED], outcome)[chosen]
        self.recording.add(Rows(self.file, at_us, name, outcome, {}, end_us=at_us, users=users, count=counts))

    def _add_connects(self, connecting: NDArray[np.int64], tls_us: NDArray[np.int64]) -> None:
        """Add what connecting and TLS took together; the rows of a request follow each other, but for a block's end."""
        connecting, tls_us = np.hstack([self._connecting, connecting]), np.concatenate([self._tls_us, tls_us])
        pairs = min(len(tls_us), connecting.shape[1])
        self._connecting, self._tls_us = connecting[:, pairs:], tls_us[pairs:]
        at_us, name, outcome, times_us = connecting[:, :pairs]
        times_us = times_us + tls_us[:pairs]
        times_us[times_us == 0] = UNMEASURED  # the connection was reused
        self.recording.add(Rows(self.file, at_us, name, outcome, {CONNECT: times_us}))

    def _times_us(self, block: Block, metric: str) -> NDArray[np.int64]:
        times_us = block["metric_value"][block["metric_name"] == _METRICS[metric]] * 1_000
        bad = np.flatnonzero(~((times_us >= 0) & (times_us <= LONGEST_US)))
        if len(bad):
            raise BadRun(
                f"{self.file}: metric_value {times_us[bad[0]] / 1_000:g} of {metric} is not a time in ms from 0 to"
                f" {LONGEST_DAYS} days"
            )
        whole_us: NDArray[np.int64] = np.rint(times_us).astype(np.int64)
        return whole_us


def _tags(block: Block) -> list[NDArray[Any]]:
    nothing = np.zeros(len(block["timestamp"]), np.int64)
    found = [block.get(name, nothing) for name in ("status", "error_code", "error")]
    return [*found, block.get("expected_response", nothing - 1)]


def _answer(status: int, error_code: int) -> int | None:
    """Give the status of the answer; None where it timed out, be it in the middle of the answer."""
    if error_code == _TIMED_OUT:
        return None
    return status or (error_code - 1_000 if error_code in _ERRORS_OF_STATUS else None)
