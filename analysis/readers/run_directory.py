"""Run directories (format 1) read into memory: manifest, samples, timeline, failures and notable requests.

A run can be read while it is going and after a crash: a file that is not there yet has no rows, and a last line that
was cut off is left out and named in `Run.cut`. A bad row is never skipped. Several directories are one run, of
generators that ran side by side.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from analysis.errors import BadRun
from analysis.failures import ANSWERERS, FAILED, Failure, failures_of
from analysis.readers.columns import Arrays, Column, numbers, one_of, optional_whole_numbers, texts, whole_numbers
from analysis.readers.latency_file import FileEnd, LatencyFiles
from analysis.readers.manifest import read_manifest, recorded_manifest
from analysis.readers.side_by_side import check_distinct, check_same, check_side_by_side, joined_manifest, shifts_s
from analysis.readers.tables import Table, joined, no_rows, read_table
from analysis.readers.taken import Spans, may_count_in_part, read_marks, spans_of
from analysis.run import LATENCY_FILE, LOADGATE, Run, Source
from analysis.run_format import (
    CAPACITY,
    FAILURE_COLUMNS,
    FAILURES,
    LATENCY,
    LONGEST_RUN_S,
    MANIFEST,
    NOTABLE,
    NOTABLE_COLUMNS,
    SUMMARY,
    TIMELINE,
    TIMELINE_COLUMNS,
)
from analysis.samples import OUTCOMES
from analysis.timeline import NUMBERS, Timeline, merged

if TYPE_CHECKING:
    from analysis.capacity.record import Record

NO_MANIFEST = "It has no run.json: what load was ordered, and whether all of the run is there, is not known."
NO_TIMELINE = "Of the run directory no more was kept than this and summary.json: how the generator did is not known."

_TIMELINE: dict[str, Column] = {
    name: numbers() if name in NUMBERS else whole_numbers() for name in TIMELINE_COLUMNS
} | {"second": whole_numbers(LONGEST_RUN_S)}
_FAILURES: dict[str, Column] = dict.fromkeys(FAILURE_COLUMNS, texts()) | {
    "second": whole_numbers(),
    "outcome": one_of(FAILED),
    "answered_by": one_of(ANSWERERS),
    "status": optional_whole_numbers(),
    "count": whole_numbers(),
}
_NOTABLE: dict[str, Column] = dict.fromkeys(NOTABLE_COLUMNS, texts()) | {
    "at_s": numbers(),
    "outcome": one_of(OUTCOMES),
    "answered_by": one_of(ANSWERERS),
    "response_s": numbers(),
}

T = TypeVar("T")


@dataclass(frozen=True)
class _Files:
    """What one run directory holds beside its samples and its manifest."""

    latency: FileEnd
    timeline: Table
    failures: Table | None  # None: the run has no such file
    notable: Table

    def cut(self) -> list[str]:
        tables: dict[str, FileEnd | Table | None]
        tables = {LATENCY: self.latency, TIMELINE: self.timeline, FAILURES: self.failures, NOTABLE: self.notable}
        return [name for name, table in tables.items() if table and table.cut]


def read_run(run_dir: Path) -> Run:
    """Read *run_dir*; raises BadRun with the file, line, column and value that is wrong."""
    return read_runs((run_dir,))


def read_runs(run_dirs: Sequence[Path]) -> Run:
    """Read runs of generators that ran side by side as one run; seconds count from the start of the earliest.

    Raises BadRun as `read_run` does, and for runs that differ in target, limits or load model, or of which one had
    ended when another started.
    """
    manifests = _each(run_dirs, read_manifest)
    check_distinct(run_dirs, manifests)
    check_same(run_dirs, manifests)
    shifts = dict(zip(run_dirs, shifts_s(run_dirs, manifests), strict=True))
    spans = dict(zip(run_dirs, spans_of(run_dirs, manifests, _each(run_dirs, read_marks)), strict=True))
    samples = LatencyFiles()
    found = _each(run_dirs, lambda run_dir: _read_files(run_dir, spans[run_dir], shifts[run_dir], samples))
    check_side_by_side(shifts, [files.latency.last_s for files in found])
    cut = [
        name if len(found) == 1 else f"{run_dir}/{name}"
        for run_dir, files in zip(run_dirs, found, strict=True)
        for name in files.cut()
    ]
    return Run(
        joined_manifest(manifests, list(shifts.values())),
        samples.samples(),
        _timeline([files.timeline for files in found]),
        _rows([files.notable for files in found]),
        _failures([files.failures for files in found]),
        tuple(cut),
        Source(LOADGATE, tuple(map(str, run_dirs)), _notes(shifts)),
        _record(run_dirs),
    )


def _record(run_dirs: Sequence[Path]) -> "Record | None":
    """Read what a search for the capacity left; several runs side by side are none."""
    if len(run_dirs) > 1 or not (run_dirs[0] / CAPACITY).is_file():
        return None
    from analysis.capacity.record import read_record  # few runs have one

    return read_record(run_dirs[0])


def read_latency(paths: Sequence[Path], timeout_s: float | None = None) -> Run:
    """Read latency.csv files of one run whose manifest is not known, with the gateway's time limit if it is.

    What a summary.json beside the only one of them says of the run is taken from there.
    """
    for path in paths:
        _check_alone(path)
    samples = LatencyFiles()
    found = _each(paths, samples.add)
    beside = paths[0].parent
    is_kept = len(paths) == 1 and (beside / SUMMARY).is_file() and not (beside / MANIFEST).exists()
    return Run(
        read_manifest(beside) if is_kept else recorded_manifest(LATENCY_FILE, paths, timeout_s),
        samples.samples(),
        _timeline([]),
        notable=[],
        cut=tuple(str(path) for path, files in zip(paths, found, strict=True) if files.cut),
        source=Source(LATENCY_FILE, tuple(map(str, paths)), (NO_TIMELINE if is_kept else NO_MANIFEST,)),
    )


def _check_alone(path: Path) -> None:
    """Raise BadRun for a latency.csv in the folder of a run of which it does not tell what counts."""
    if path.name != LATENCY or not (path.parent / MANIFEST).is_file():
        return
    try:
        manifest = read_manifest(path.parent)
    except BadRun:
        return  # that is damaged, and this file all that there is
    if may_count_in_part(manifest):
        raise BadRun(f"{path}: which of its rows count, the files beside it say; name its folder, {path.parent}")


def _each(paths: Sequence[Path], read: Callable[[Path], T]) -> list[T]:
    """Read all of *paths*; of several, an error says whose it is."""
    found = []
    for path in paths:
        try:
            found.append(read(path))
        except BadRun as error:
            if len(paths) == 1 or str(error).startswith(str(path)):
                raise
            raise BadRun(f"{path if path.is_dir() else path.parent}/{error}") from None
    return found


def _read_files(run_dir: Path, spans: Spans, shift_s: int, samples: LatencyFiles) -> _Files:
    latency = samples.add(run_dir / LATENCY, shift_s, spans[LATENCY])
    timeline = read_table(run_dir / TIMELINE, _TIMELINE, spans[TIMELINE])
    notable = read_table(run_dir / NOTABLE, _NOTABLE, spans[NOTABLE])
    timeline.columns["second"] = timeline.columns["second"] + np.int64(shift_s)
    notable.columns["at_s"] = notable.columns["at_s"] + shift_s
    has_failures = (run_dir / FAILURES).exists() or bool(spans[FAILURES].end)
    failures = read_table(run_dir / FAILURES, _FAILURES, spans[FAILURES]) if has_failures else None
    return _Files(latency, timeline, failures, notable)


def _together(tables: Sequence[Table], columns: dict[str, Column]) -> Arrays:
    return joined([no_rows(columns), *(table.columns for table in tables)], columns)


def _timeline(tables: Sequence[Table]) -> Timeline:
    return merged(_together(tables, _TIMELINE))


def _failures(tables: Sequence[Table | None]) -> list[Failure] | None:
    """Join how requests failed; if one generator does not say, the rest is not all."""
    known = [table for table in tables if table]
    return failures_of(_together(known, _FAILURES)) if len(known) == len(tables) else None


def _rows(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """List the notable requests in the order of time; the order of the rows in the file has no say."""
    columns = {name: array.tolist() for name, array in _together(tables, _NOTABLE).items()}
    columns["outcome"] = [str(OUTCOMES[code]) for code in columns["outcome"]]
    columns["answered_by"] = [str(ANSWERERS[code]) for code in columns["answered_by"]]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return sorted(rows, key=lambda row: (_or_last(row["at_s"]), [str(value) for value in row.values()]))


def _or_last(at_s: float) -> float:
    return math.inf if math.isnan(at_s) else at_s


def _notes(shifts: dict[Path, int]) -> tuple[str, ...]:
    if len(shifts) == 1:
        return ()
    starts = ", ".join(f"{shift:,} s" for shift in shifts.values())
    return (
        f"{len(shifts)} runs side by side, read as one. By their clocks they started {starts} after the earliest;"
        " seconds count from there.",
    )
