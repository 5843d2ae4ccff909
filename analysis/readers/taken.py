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
from analysis.run_format import LATENCY, OFFSETS, WORKERS

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
    """Read workers.csv; None where there is none. Raises BadRun."""
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
        for worker, count in zip(workers.numbers.tolist(), reports.numbers.tolist(), strict=True):
            if count < taken.get(worker, 0):
                raise _falls(f"reports of worker {worker}", taken[worker], count)
            taken[worker] = count
        parts.append({**block, LAST: reports.numbers[np.cumsum(reports.lengths) - 1]})
    rows = joined(parts, (LAST, *offsets))
    for name in offsets:
        falling = np.flatnonzero(np.diff(rows[name]) < 0)
        if len(falling):
            raise _falls(name, *rows[name][falling[0] : falling[0] + 2].tolist())
    return Marks(taken, rows)


def spans_of(runs: Sequence[Path], manifests: Sequence[Manifest], marks: Sequence[Marks | None]) -> list[Spans]:
    """Give the spans of each run's files that count, for runs that are read as one.

    Raises BadRun where it is not known what a master has taken, or what of it is here.
    """
    masters = {
        manifest.get("id"): each for manifest, each in zip(manifests, marks, strict=True) if not _is_kept(manifest)
    }
    kept = {manifest.get("id") for manifest in manifests if _is_kept(manifest)}
    found = []
    for run, manifest, each in zip(runs, manifests, marks, strict=True):
        is_matched = manifest.get("id") in kept  # reports of two are told apart by what workers.csv says
        if each is None:
            if is_matched or may_count_in_part(manifest):
                _check_empty(run)
            found.append(WHOLE_FILES)
            continue
        is_open = manifest["state"] == "running"
        if is_matched and not is_open:
            _check_whole(run, each)
        begin = _begin(run, manifest, each, masters) if _is_kept(manifest) else 0
        found.append(_spans(each, begin, is_open=is_open))
    return found


def may_count_in_part(manifest: Manifest) -> bool:
    """Whether only some of its rows may count, which the files beside them say."""
    return _is_kept(manifest) or bool(manifest["state"] == "running" and manifest.get("sharing"))


def _is_kept(manifest: Manifest) -> bool:
    return manifest.get("kept_by") is not None


def _begin(run: Path, manifest: Manifest, marks: Marks, masters: Mapping[Any, Marks | None]) -> int:
    """How many of the reports that a worker kept its master has taken."""
    worker, run_id = manifest["kept_by"], manifest.get("id")
    if not masters:
        return 0
    if run_id not in masters:
        raise BadRun(f"{run} is what worker {worker} kept of another run: name that one's folder with it, or it alone")
    master = masters[run_id]
    first, taken = int(marks.rows[LAST][:1].sum()), master.taken.get(worker, 0) if master else 0
    if first > taken + 1:
        raise BadRun(
            f"{run} begins with report {first:,} of worker {worker}, and of those before, its run has {taken:,}:"
            f" {WORKERS} of one of them has lost rows"
        )
    return int((marks.rows[LAST] <= taken).sum())


def _check_whole(run: Path, marks: Marks) -> None:
    """A run that ended has no rows behind those that workers.csv tells of."""
    for file, column in OFFSETS.items():
        size, told = (run / file).stat().st_size if (run / file).is_file() else 0, _offset(marks, column, None)
        if told and size != told:
            raise BadRun(f"{run}/{file} has {size:,} bytes where {WORKERS} says {told:,}; one of them was changed")


def _check_empty(run: Path) -> None:
    """A run that was killed before its first row has no workers.csv either."""
    path = run / LATENCY
    if not path.is_file():
        return
    with path.open("rb") as file:
        file.readline()
        if file.read(1):
            raise BadRun(f"{run} has no {WORKERS}, which says what of it counts; it was not copied with the rest")


def _falls(what: str, before: int, then: int) -> BadRun:
    return BadRun(f"{WORKERS}: {what} fall from {before:,} to {then:,}; it was changed")


def _spans(marks: Marks, begin: int, *, is_open: bool) -> Spans:
    return {
        file: Span(_offset(marks, column, begin), _offset(marks, column, None) if is_open else None)
        for file, column in OFFSETS.items()
    }


def _offset(marks: Marks, column: str, rows: int | None) -> int:
    """Give where so many of the first rows end; None: all of them."""
    offsets = marks.rows[column][:rows]
    return int(offsets[-1]) if len(offsets) else 0
