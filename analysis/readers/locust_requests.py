"""Locust's CsvRequestLogger: a CSV with a row per request, written as each ends."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import Outcome
from analysis.readers.cells import moments, statuses, times
from analysis.readers.clock import Clock
from analysis.readers.failure_counts import is_timeout
from analysis.readers.recorded import NO_PLAN, STATUS_ALONE, read_recorded
from analysis.readers.recording import CODES, Recording, Rows, distinct
from analysis.readers.statuses import outcome_of
from analysis.run import Run
from analysis.run_format import SERVICE
from analysis.samples import UNMEASURED

KIND = "Locust CsvRequestLogger"
NEEDED = ("timestamp", "request_type", "name", "response_time_ms", "status_code", "exception")
NOTES = (
    NO_PLAN,
    "How many users there were is not recorded.",
    STATUS_ALONE,
)


def read_request_log(paths: Sequence[Path], timeout_s: float | None) -> Run:
    """Read the logs of one run, one of each process."""
    return read_recorded(paths, KIND, _read_file, NOTES, timeout_s)


def _read_file(path: Path, recording: Recording) -> None:
    columns = {
        "timestamp": moments(),
        "request_type": recording.names.texts(),
        "name": recording.names.texts(),
        "response_time_ms": times("ms"),
        "status_code": statuses(),
        "exception": recording.vocabulary.column(),
    }
    clock = Clock()
    for block in recording.blocks(path, columns):
        end_us = block["timestamp"] + np.maximum(block["response_time_ms"], 0)
        clock.watch(end_us[block["response_time_ms"] != UNMEASURED])
        kinds, kind = distinct([block["status_code"], block["exception"]])
        outcomes = _outcomes(kinds, np.bincount(kind, minlength=len(kinds)), recording)
        recording.add(
            Rows(
                path.name,
                block["timestamp"],
                recording.names.typed(block["request_type"], block["name"]),
                outcomes[kind],
                {SERVICE: block["response_time_ms"]},
                end_us,
            )
        )
    recording.watch(clock, path.name)


def _outcomes(kinds: Sequence[tuple[int, ...]], counts: NDArray[Any], recording: Recording) -> NDArray[np.int8]:
    """Name the outcome of each of *kinds*, and count those that failed."""
    codes = np.zeros(len(kinds), np.int8)
    for number, ((status, exception), count) in enumerate(zip(kinds, counts.tolist(), strict=True)):
        outcome = outcome_of(status or None, success=not exception, timed_out=is_timeout(exception))
        codes[number] = CODES[outcome]
        if outcome is not Outcome.OK:
            recording.failures.add(outcome, status or None, "", recording.vocabulary.text(exception), count)
    return codes
