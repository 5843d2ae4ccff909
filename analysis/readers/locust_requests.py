"""Locust's CsvRequestLogger: a CSV with a row per request, written as each ends."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from analysis.readers.cells import moments, statuses, times
from analysis.readers.clock import Clock
from analysis.readers.failure_counts import Vocabulary, Way, is_timeout
from analysis.readers.recorded import NO_PLAN, STATUS_ALONE, read_recorded
from analysis.readers.recording import Recording, Rows
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
    clock, judge = Clock(), partial(_judged, recording.vocabulary)
    for block in recording.blocks(path, columns):
        end_us = block["timestamp"] + np.maximum(block["response_time_ms"], 0)
        clock.watch(end_us[block["response_time_ms"] != UNMEASURED])
        recording.add(
            Rows(
                path.name,
                block["timestamp"],
                recording.names.typed(block["request_type"], block["name"]),
                recording.outcomes([block["status_code"], block["exception"]], judge),
                {SERVICE: block["response_time_ms"]},
                end_us,
            )
        )
    recording.watch(clock, path.name)


def _judged(vocabulary: Vocabulary, status: int, exception: int) -> Way:
    outcome = outcome_of(status or None, success=not exception, timed_out=is_timeout(exception))
    return outcome, status or None, "", vocabulary.text(exception)
