"""Which rows of run directories belong to the run, where workers sent it: every report once.

A master adds a row to workers.csv when those of the reports are in the other files, and then tells the workers so. A
run that was never closed may have rows behind these: they are not taken, and their workers know that. A worker leaves
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
from analysis.run_format import FAILURES, LATENCY, NOTABLE, TIMELINE, WORKERS, WORKERS_COLUMNS

Manifest = Mapping[str, Any]
Spans = Mapping[str, Span]  # by file

LISTS, PLACES = WORKERS_COLUMNS[:2], WORKERS_COLUMNS[2:]
WHOLE_FILES: Spans = dict.fromkeys((LATENCY, TIMELINE, FAILURES, NOTABLE), WHOLE)  # in the order of PLACES


@dataclass(frozen=True)
class Marks:
    """What workers.csv says."""

    taken: dict[int, int]  # how many reports, by the number of their worker
    rows: Arrays  # PLACES, and in `reports` the last that each row names


def read_marks(run_dir: Path) -> Marks | None:
    """Read workers.csv; None for a run without workers. Raises BadRun."""
    path = run_dir / WORKERS
    if not path.exists():
        return None
    columns = dict.fromkeys(LISTS, lists_of(whole_numbers())) | dict.fromkeys(PLACES, whole_numbers())
    taken: dict[int, int] = {}
    rows = [no_rows(dict.fromkeys(("reports", *PLACES), whole_numbers()))]
    blocks: Iterable[dict[str, Any]] = Blocks(path, columns)
    for block in blocks:
        workers, reports = (block.pop(name) for name in LISTS)
        if (workers.lengths != reports.lengths).any():
            raise BadRun(f"{WORKERS}: a row has not as many reports as workers")
        taken |= dict(zip(workers.numbers.tolist(), reports.numbers.tolist(), strict=True))
        rows.append({**block, "reports": reports.numbers[np.cumsum(reports.lengths) - 1]})
    return Marks(taken, joined(rows, ("reports", *PLACES)))


def spans_of(manifests: Sequence[Manifest], marks: Sequence[Marks | None]) -> list[Spans]:
    """Give the spans of each run's files that count, for runs that are read as one."""
    taken: dict[tuple[Any, Any], int] = {}  # by run and worker
    for manifest, each in zip(manifests, marks, strict=True):
        if each and manifest.get("left_by") is None:
            taken |= {(manifest.get("id"), worker): reports for worker, reports in each.taken.items()}
    return [
        _spans(each.rows, taken.get((manifest.get("id"), manifest.get("left_by")), 0), manifest["state"])
        if each
        else WHOLE_FILES
        for manifest, each in zip(manifests, marks, strict=True)
    ]


def _spans(rows: Arrays, taken: int, state: str) -> Spans:
    begin = int((rows["reports"] <= taken).sum())  # a report without requests has no row
    end = len(rows["reports"]) if state == "running" else None
    return {
        file: Span(_place(rows[column], begin), None if end is None else _place(rows[column], end))
        for file, column in zip(WHOLE_FILES, PLACES, strict=True)
    }


def _place(places: Any, rows: int) -> int:
    """Give where so many of the first rows end."""
    return int(places[rows - 1]) if rows else 0
