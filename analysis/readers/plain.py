"""A CSV of one's own, with columns that say measure and unit: `service_ms`, `first_byte_s`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.errors import BadRun
from analysis.outcomes import Outcome
from analysis.readers.cells import UNITS_US, flags, moments, seconds, statuses, times
from analysis.readers.clock import Clock
from analysis.readers.columns import Column, one_of
from analysis.readers.failure_counts import Way
from analysis.readers.headers import header_of
from analysis.readers.recorded import NO_PLAN, STATUS_ALONE, read_recorded
from analysis.readers.recording import Recording, Rows
from analysis.readers.statuses import outcome_of
from analysis.run import Run
from analysis.run_format import MEASURES, RESPONSE, SERVICE
from analysis.samples import OUTCOMES, UNMEASURED

KIND = "CSV"
ALSO_SERVICE = ("latency", "elapsed", "duration")
EXPECTED = (
    "a column of times named <measure>_<unit>, such as service_ms (the measure one of"
    f" {', '.join((*MEASURES, *ALSO_SERVICE))}, the unit s, ms or us); beside it may be second, at_s, time_s or"
    " timestamp, then name, label or url, and outcome, status or success"
)
NO_TIME = "No moment is recorded for the requests: they all count in the first second, and there is no rate."

_MEASURE = re.compile(rf"({'|'.join((*MEASURES, *ALSO_SERVICE))})_({'|'.join(UNITS_US)})")
_MOMENTS = {"second": seconds, "at_s": seconds, "time_s": seconds, "timestamp": moments}
_NAMES = ("name", "label", "url")
_WHAT_BECAME = {"outcome": lambda: one_of(OUTCOMES), "status": statuses, "success": flags}


def measure_of(column: str) -> str | None:
    """Name the measure of *column*, None if it is no column of times."""
    match = _MEASURE.fullmatch(column)
    if not match:
        return None
    return SERVICE if match[1] in ALSO_SERVICE else match[1]


def read_plain(paths: Sequence[Path], timeout_s: float | None) -> Run:
    """Read CSV files of one run, of the same columns or not."""
    headers = [header_of(path) for path in paths]
    notes = []
    if any(RESPONSE not in map(measure_of, header) for header in headers):
        notes.append(NO_PLAN)
    if not all(set(header) & set(_MOMENTS) for header in headers):
        notes.append(NO_TIME)
    if any("status" in header and "outcome" not in header for header in headers):
        notes.append(STATUS_ALONE)
    if not all(set(header) & set(_WHAT_BECAME) for header in headers):
        notes.append("What became of a request is not recorded: each is taken as ok.")
    return read_recorded(paths, KIND, _read_file, notes, timeout_s)


def _read_file(path: Path, recording: Recording) -> None:
    header = header_of(path)
    measures = {column: measure for column in header if (measure := measure_of(column))}
    _check_named_once(path, header, measures)
    columns: dict[str, Column] = {column: times(column.rpartition("_")[2]) for column in measures}
    moment = next((name for name in _MOMENTS if name in header), None)
    if moment:
        columns[moment] = _MOMENTS[moment]()
    name = next((name for name in _NAMES if name in header), None)
    if name:
        columns[name] = recording.names.column()
    columns |= {what: column() for what, column in _WHAT_BECAME.items() if what in header}
    starts, ends = Clock(), Clock()
    for block in recording.blocks(path, columns):
        times_us = {measure: block[column] for column, measure in measures.items()}
        nothing = np.zeros(len(next(iter(times_us.values()))), np.int64)
        start_us = block[moment] if moment else nothing
        took_us = times_us.get(RESPONSE, times_us.get(SERVICE, nothing + UNMEASURED))
        end_us = start_us + np.maximum(took_us, 0)
        starts.watch(start_us[took_us != UNMEASURED])
        ends.watch(end_us[took_us != UNMEASURED])
        recording.add(
            Rows(
                path.name,
                start_us,
                block[name] if name else nothing + recording.names.code("all requests"),
                recording.outcomes([block.get(what, nothing - 1) for what in _WHAT_BECAME], _judged),
                times_us,
                end_us,
            )
        )
    # Rows may be in the order of starts or of ends. In either, the other goes back without a fault of the clock.
    recording.watch(min(starts, ends, key=lambda clock: clock.step_s), path.name)


def _check_named_once(path: Path, header: Sequence[str], measures: Mapping[str, str]) -> None:
    """Refuse two columns of one measure, such as latency_ms and service_s: one of them would be lost."""
    for measure in set(measures.values()):
        same = [column for column in header if measures.get(column) == measure]
        if len(same) > 1:
            raise BadRun(f"{path.name}, line 1: {' and '.join(same)} are both {measure}: keep one of them")


def _judged(outcome_code: int, status: int, success: int) -> Way:
    """Name what became of a request, as the file does or from status and success; -1 is what the file does not say."""
    outcome = OUTCOMES[outcome_code] if outcome_code >= 0 else _outcome_of(status, success)
    return outcome, status if status > 0 else None, "", ""


def _outcome_of(status: int, success: int) -> Outcome:
    """Name the outcome; a status of 0 says that nobody answered."""
    if status < 0:
        return Outcome.BAD_ANSWER if success == 0 else Outcome.OK
    return outcome_of(status or None, success=None if success < 0 else bool(success))
