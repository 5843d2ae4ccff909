"""Which rows of run directories belong to the run, where workers sent it: every report once.

A master adds a row to workers.csv when those of the reports are in the other files, and then tells the workers so. A
run that was never closed may have rows behind these: they are not taken, and their workers know that. A worker keeps
what it was not told of in a directory of its own, of the same id, though the master may have taken the first of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import BadRun
from analysis.readers.columns import Arrays, lists_of, whole_numbers
from analysis.readers.csv_batches import WHOLE, Span
from analysis.readers.tables import Blocks, joined, no_rows
from analysis.run_format import OFFSETS, WORKERS

Manifest = Mapping[str, Any]
Spans = Mapping[str, Span]  # by file

LISTS, LAST = ("workers", "reports"), "last"
WHOLE_FILES: Spans = dict.fromkeys(OFFSETS, WHOLE)


@dataclass(frozen=True)
class Marks:
    """What workers.csv says."""

    taken: dict[int, int]  # how many reports, by the number of their worker
    rows: Arrays  # the offsets, and as LAST the last number of reports that a row names


def read_marks(run_dir: Path) -> Marks | None:
    """Read workers.csv; None for a run without workers. Raises BadRun."""
    path, number = run_dir / WORKERS, whole_numbers()
    if not path.exists():
        return None
    offsets = dict.fromkeys(OFFSETS.values(), number)
    taken: dict[int, int] = {}
    parts = [no_rows(offsets | {LAST: number})]
    blocks: Iterable[dict[str, Any]] = Blocks(path, dict.fromkeys(LISTS, lists_of(number)) | offsets)
    for block in blocks:
        workers, reports = (block.pop(name) for name in LISTS)
        if (workers.lengths != reports.lengths).any():
            raise BadRun(f"{WORKERS}: a row has not as many reports as workers")
        taken |= dict(zip(workers.numbers.tolist(), reports.numbers.tolist(), strict=True))
        parts.append({**block, LAST: reports.numbers[np.cumsum(reports.lengths) - 1]})
    return Marks(taken, joined(parts, (LAST, *offsets)))


def spans_of(manifests: Sequence[Manifest], marks: Sequence[Marks | None]) -> list[Spans]:
    """Give the spans of each run's files that count, for runs that are read as one."""
    runs = list(zip(manifests, marks, strict=True))
    taken = {manifest.get("id"): each.taken for manifest, each in runs if each and manifest.get("kept_by") is None}
    return [
        _spans(manifest, each, taken.get(manifest.get("id"), {})) if each else WHOLE_FILES for manifest, each in runs
    ]


def _spans(manifest: Manifest, marks: Marks, taken: Mapping[int, int]) -> Spans:
    """Give the spans of a run that has *marks*, where the master has *taken* so many reports."""
    is_open, kept_by, begin = manifest["state"] == "running", manifest.get("kept_by"), 0
    if kept_by is not None:
        # One row for each report, but not for those without requests.
        begin = int((marks.rows[LAST] <= taken.get(kept_by, 0)).sum())
    return {
        file: Span(_offset(marks, column, begin), _offset(marks, column, None) if is_open else None)
        for file, column in OFFSETS.items()
    }


def _offset(marks: Marks, column: str, rows: int | None) -> int:
    """Give where so many of the first rows end; None: all of them."""
    offsets = marks.rows[column][:rows]
    return int(offsets[-1]) if len(offsets) else 0
