"""Keeps Locust's own statistics true, so that its page, CSV files and console show what was measured.

Importing this has Locust keep times to three significant digits, in place of two: see the end of the file.
"""

import csv
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import numpy as np
from locust import stats as locust_stats
from locust.exception import InterruptTaskSet, RescheduleTask, StopTest, StopUser
from numpy.typing import NDArray

from analysis.documents import cleared
from analysis.outcomes import Outcome
from loadgate.histogram import OUTCOMES
from loadgate.recording import OUTCOME_CODES, Batch
from loadgate.run_directory import unwritable

METHOD = "POST"
WRITTEN = ("stats", "stats_history", "failures", "exceptions")  # Locust's own files
# Times as Locust keeps them: whole microseconds below a millisecond, then three significant digits, 900 to a decade.
DECADES_US = 10 ** np.arange(3, 12)
STEPS_US = 10 ** np.arange(len(DECADES_US) + 1)
OF_A_DECADE = 900
# Every key of every dictionary of Locust's is one of these objects: to look up one that is the same is faster.
BUCKETS_MS: list[float] = [
    us / 1000 for us in [*range(1000), *(np.outer(STEPS_US[1:], np.arange(100, 1000)).ravel().tolist())]
]
WINDOW_S = locust_stats.CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW
STALE_S = 8  # Locust takes no window that is longer or shorter by more
SECONDS_KEPT = 30  # Locust asks for the rate of the last 12
HISTORY_NAMES = 20
TURN_S = 0.001


def tell(batch: Batch, environment: Any) -> bool:
    """Have Locust count a batch. False if a listener of its request event asked for the test to stop."""
    event = environment.events.request
    if any(not listener.__module__.startswith("locust.") for listener in event._handlers):
        return fire(batch, event)  # Locust's own listener, which is among these, counts them
    merge(batch, environment.stats)
    return True


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


def bucket_of(times_ms: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places in `BUCKETS_MS` of times in ms, (n,): within 0.5 % from 0.1 ms on; the last one is 11 days."""
    times_us = np.rint(times_ms * 1000).astype(np.int64)
    decade = np.searchsorted(DECADES_US, times_us, side="right")
    step_us = STEPS_US[decade]
    place: NDArray[np.int64] = OF_A_DECADE * decade + (times_us + step_us // 2) // step_us
    return np.minimum(place, len(BUCKETS_MS) - 1)


def bucket_ms(time_ms: float) -> float:
    """Round one time in ms to its bucket, for what Locust counts itself."""
    return BUCKETS_MS[int(bucket_of(np.array([time_ms]))[0])]


def percentiles_ms(counts: Mapping[float, int], shares: Sequence[float]) -> list[float]:
    """The times that Locust takes for these `shares` (0 to 1) of requests counted by time; 0 where there are none."""
    if not counts:
        return [0.0] * len(shares)
    times_ms = sorted(counts)
    up_to = np.cumsum([counts[ms] for ms in times_ms])
    ranks = np.minimum((up_to[-1] * np.array(shares)).astype(np.int64), up_to[-1] - 1)
    return [times_ms[at] for at in np.searchsorted(up_to, ranks, side="right").tolist()]


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
        counts = np.bincount(bucket_of(measured_ms))
        places = np.flatnonzero(counts)
        buckets_ms = [BUCKETS_MS[place] for place in places.tolist()]
        entry.response_times = dict(zip(buckets_ms, counts[places].tolist(), strict=True))
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


class _Patient:
    """A CSV writer that lets the loop go on after each row: Locust takes up to half a millisecond for one."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def writerow(self, row: Iterable[Any]) -> None:
        self._writer.writerow(row)
        gevent.sleep(TURN_S)


class _Writer(locust_stats.StatsCSVFileWriter):
    """Locust's writer, whose history has a row for every name in every second: only while there are few."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.requests_csv_writer = _Patient(self.requests_csv_writer)  # type: ignore[assignment] # Locust only writes rows

    def _stats_history_data_rows(self, csv_writer: Any, now: float) -> None:
        self.full_history = len(self.environment.stats.entries) <= HISTORY_NAMES
        super()._stats_history_data_rows(csv_writer, now)

    def _percentile_fields(self, stats_entry: Any, use_current: bool | None = None) -> list[Any]:
        return _percentile_fields(self, stats_entry, use_current is not None)  # in the history Locust says it


class LocustCsv:
    """Locust's own CSV files in the run directory, for tools that read those."""

    def __init__(self, environment: Any, directory: Path, on_failed: Callable[[OSError], None]) -> None:
        """`on_failed` is told when they cannot be written any more. Raises OSError where they cannot be made."""
        self._directory, self._on_failed = directory, on_failed
        self._prefix = str(directory / "locust")
        for name in WRITTEN:
            cleared(Path(f"{self._prefix}_{name}.csv"))
        percentiles = locust_stats.PERCENTILES_TO_REPORT
        self._writer = _Writer(environment, percentiles, self._prefix, full_history=True)
        self._greenlet = gevent.spawn(self._write)

    def close(self) -> None:
        """Stop, and write the last figures: Locust itself leaves those of up to a second before. Raises OSError."""
        self._greenlet.kill()
        writer = self._writer
        for file in (
            writer.requests_csv_filehandle,
            writer.stats_history_csv_filehandle,
            writer.failures_csv_filehandle,
            writer.exceptions_csv_filehandle,
        ):
            with suppress(OSError):  # or the others would stay open; where there is no room, what follows says so
                file.close()
        last = {
            "stats": self._writer.requests_csv,
            "failures": self._writer.failures_csv,
            "exceptions": self._writer.exceptions_csv,
        }
        for name, write in last.items():
            with Path(f"{self._prefix}_{name}.csv").open("w", newline="", encoding="utf-8") as file:
                write(csv.writer(file))

    def _write(self) -> None:
        try:
            self._writer.stats_writer()
        except OSError as error:
            self._on_failed(unwritable(self._directory, error))


def _percentile_fields(writer: locust_stats.StatsCSV, entry: Any, use_current: bool = False) -> list[Any]:
    """What Locust writes of an entry, with its digits: `StatsCSV` would cut times to whole milliseconds.

    It would also sort all of an entry's times again for each percentile, and hold up the loop meanwhile.
    """
    if not entry.num_requests:
        return writer.percentiles_na
    counts = _latest(entry) if use_current and entry.use_response_times_cache else entry.response_times
    # A whole number as Locust writes it.
    return [int(ms) if ms.is_integer() else ms for ms in percentiles_ms(counts, writer.percentiles_to_report)]


def _latest(entry: Any) -> Mapping[float, int]:
    """Requests by time in about the last ten seconds, as Locust finds them."""
    cache, wanted = entry.response_times_cache or {}, int(time.time()) - WINDOW_S
    second = min(cache, key=lambda second: (abs(second - wanted), second), default=None)
    if second is None or abs(second - wanted) > STALE_S:
        return {}
    return locust_stats.diff_response_time_dicts(entry.response_times, cache[second].response_times)  # type: ignore[return-value] # Locust says int


def _cache_response_times(entry: Any, second: int) -> None:
    """Do what Locust does once a second, and forget the counts of seconds that it asks for no more."""
    _cache_as_locust(entry, second)
    for counts in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
        for old in [each for each in counts if each < second - SECONDS_KEPT]:
            del counts[old]


_cache_as_locust = locust_stats.StatsEntry._cache_response_times

# The first is Locust's own hook, for which it suggests three digits itself; for its CSV files there is none. It says
# int of a time, and takes floats.
locust_stats.bucket_response_time = bucket_ms  # type: ignore[assignment]
locust_stats.StatsCSV._percentile_fields = _percentile_fields  # type: ignore[assignment, method-assign]
locust_stats.StatsEntry._cache_response_times = _cache_response_times  # type: ignore[assignment, method-assign]
