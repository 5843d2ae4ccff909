"""Keeps Locust's own statistics true, so that its page, CSV files and console show what was measured."""

import csv
import time
from pathlib import Path
from typing import Any

import gevent
import numpy as np
from locust import stats as locust_stats
from locust.exception import InterruptTaskSet, RescheduleTask, StopTest, StopUser
from numpy.typing import NDArray

from analysis.outcomes import Outcome
from loadgate.histogram import OUTCOMES
from loadgate.recording import OUTCOME_CODES, Batch

METHOD = "POST"


def merge(batch: Batch, stats: locust_stats.RequestStats) -> None:
    """Add a batch to Locust's statistics: one `StatsEntry.extend` for each name, not a call for each request."""
    for code in np.flatnonzero(np.bincount(batch.name)).tolist():
        entry = _entry(batch, batch.name == code, batch.names[code], stats)
        stats.get(batch.names[code], METHOD).extend(entry)
        stats.total.extend(entry)
        _merge_errors(batch.outcome[batch.name == code], batch.names[code], stats)


def fire(batch: Batch, request_event: Any) -> bool:
    """Fire Locust's request event for every request. False if a listener asked for the test to stop."""
    go_on = True
    response_ms = batch.response_s * 1000
    rows = zip(batch.name.tolist(), batch.outcome.tolist(), response_ms, batch.answer_bytes.tolist(), strict=True)
    for name, code, elapsed_ms, length in rows:
        outcome = OUTCOMES[code]
        try:
            request_event.fire(
                request_type=METHOD,
                name=batch.names[name],
                response_time=None if np.isnan(elapsed_ms) else float(elapsed_ms),
                response_length=length,
                exception=None if outcome is Outcome.OK else RequestFailedError(outcome.value),
                context={},
            )
        except StopTest:
            go_on = False
        except (StopUser, InterruptTaskSet, RescheduleTask):
            pass  # meant for a user's task, and there is none here
    return go_on


class RequestFailedError(Exception):
    """How Locust's listeners see a request that did not end `ok`: by the name of its outcome."""


def _entry(batch: Batch, chosen: NDArray[np.bool_], name: str, stats: locust_stats.RequestStats) -> Any:
    response_ms = batch.response_s[chosen] * 1000
    measured_ms = response_ms[~np.isnan(response_ms)]
    failures = int(np.count_nonzero(batch.outcome[chosen] != OUTCOME_CODES[Outcome.OK]))
    now = time.time()
    entry: Any = locust_stats.StatsEntry(stats, name, METHOD)
    entry.last_request_timestamp = now
    entry.num_requests = len(response_ms)
    entry.num_none_requests = len(response_ms) - len(measured_ms)
    entry.num_failures = failures
    entry.total_content_length = int(batch.answer_bytes[chosen].sum())
    entry.num_reqs_per_sec[int(now)] = len(response_ms)
    if failures:
        entry.num_fail_per_sec[int(now)] = failures
    if len(measured_ms):
        entry.total_response_time = float(measured_ms.sum())
        entry.min_response_time = float(measured_ms.min())
        entry.max_response_time = float(measured_ms.max())
        values, counts = np.unique(np.rint(measured_ms).astype(np.int64), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            entry.response_times[locust_stats.bucket_response_time(value)] += count
    return entry


def _merge_errors(outcomes: NDArray[np.int64], name: str, stats: locust_stats.RequestStats) -> None:
    for code, count in zip(*(part.tolist() for part in np.unique(outcomes, return_counts=True)), strict=True):
        if OUTCOMES[code] is Outcome.OK:
            continue
        error, now = OUTCOMES[code].value, time.time()
        key = locust_stats.StatsError.create_key(METHOD, name, error)
        found = stats.errors.setdefault(key, locust_stats.StatsError(METHOD, name, error, first_seen=now))
        found.occurrences += count
        found.last_seen = now


class LocustCsv:
    """Locust's own CSV files in the run directory, for tools that read those."""

    def __init__(self, environment: Any, directory: Path) -> None:
        self._prefix = str(directory / "locust")
        percentiles = locust_stats.PERCENTILES_TO_REPORT
        self._writer = locust_stats.StatsCSVFileWriter(environment, percentiles, self._prefix, full_history=True)
        self._greenlet = gevent.spawn(self._writer.stats_writer)

    def close(self) -> None:
        """Stop, and write the last figures: Locust itself leaves those of up to a second before."""
        self._greenlet.kill()
        self._writer.close_files()
        last = {
            "stats": self._writer.requests_csv,
            "failures": self._writer.failures_csv,
            "exceptions": self._writer.exceptions_csv,
        }
        for name, write in last.items():
            with Path(f"{self._prefix}_{name}.csv").open("w", newline="", encoding="utf-8") as file:
                write(csv.writer(file))
