"""Writes the run directory, format 1: readable while the run is going, after a crash, and when its disk is full."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from analysis import run_format
from analysis.capacity.record import Record
from analysis.documents import write_whole
from loadgate.errors import ConfigError
from loadgate.row_file import RowFile, add_all, csv_text, space_kept

FORMULA = ("=", "+", "-", "@")
# Kept back: the first part for the rows that come after the disk is full, the other for the manifest and the report.
KEPT_BYTES, KEPT_FOR_END_BYTES = 4 << 20, 2 << 20


def check_writable(path: Path) -> None:
    """Raise ConfigError where a run could not be written to `path`. Leaves nothing behind."""
    missing: list[Path] = []
    try:
        if path.exists() and not path.is_dir():
            raise ConfigError(f"--out {str(path)!r} is a file; name a folder that does not exist yet")
        if (path / run_format.MANIFEST).exists():
            raise ConfigError(f"--out {str(path)!r} holds a run already; name a folder that does not exist yet")
        missing += [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        space_kept(path, KEPT_BYTES).close()
    except OSError as error:
        raise ConfigError(f"--out {str(path)!r} cannot be written ({error.strerror})") from None
    finally:
        for folder in missing:
            with suppress(OSError):  # not made, or somebody else's run is there by now
                folder.rmdir()


class RunDirectory:
    """The files of one run. Every row goes out with the second that it belongs to; the manifest frames them.

    Some space is kept back. Once the file system is full, or fails in another way, a part of it is given free for the
    rows of the requests in flight, and at the end the rest.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], advice: Mapping[str, str]) -> None:
        """`advice` is the gateway's, by reason: the manifest gets that for the reasons that come up."""
        self.path = path
        self.manifest = manifest
        self._advice = advice
        self._reasons: set[str] = set()
        self.outcomes: Counter[str] = Counter()  # of the rows so far, for progress
        self.is_cut_off = False  # no row is written any more
        path.mkdir(parents=True, exist_ok=True)
        self._kept = space_kept(path, KEPT_BYTES)
        self._write_manifest()
        self._latency = RowFile(path / run_format.LATENCY, run_format.LATENCY_COLUMNS)
        self._timeline = RowFile(path / run_format.TIMELINE, run_format.TIMELINE_COLUMNS)
        self._failures = RowFile(path / run_format.FAILURES, run_format.FAILURE_COLUMNS)
        self._notable = RowFile(path / run_format.NOTABLE, run_format.NOTABLE_COLUMNS)
        self._workers: RowFile | None = None

    def append(self, report: dict[str, list[Sequence[Any]]], taken: Mapping[int, int] | None = None) -> None:
        """Add rows: `latency`, `timeline`, `failures` and `notable`, each in its file's columns.

        Where they came from workers, `taken` says how many reports of each are in the files with these, by its number.
        They go into all of the files or into none. Raises OSError once this takes the space that was kept back, and
        nothing but the last rows should come then; where they have no room either, no row is written any more.
        """
        latency = ((*key, " ".join(map(str, times_us)), count) for *key, times_us, count in report["latency"])
        rows = {
            self._latency: csv_text(latency),
            self._timeline: csv_text(report["timeline"]),
            self._failures: csv_text(_guarded(report["failures"])),
            self._notable: csv_text(_guarded(report["notable"])),
        }
        reasons = {reason for _, _, _, _, reason, *_ in report["failures"]}

        def write() -> None:
            self._advise(reasons)
            add_all({file: text for file, text in (rows | self._marks(rows, taken)).items() if text})

        try:
            self._write_somehow(write)
        finally:
            if not self.is_cut_off:
                self._count(report["latency"])

    def _marks(self, rows: Mapping[RowFile, bytes], taken: Mapping[int, int] | None) -> dict[RowFile, bytes]:
        """What to write behind these rows, so that they are taken; in a file that only a run with workers has."""
        if not taken:
            return {}
        if self._workers is None:
            self._workers = RowFile(self.path / run_format.WORKERS, run_format.WORKERS_COLUMNS)
        lists = [" ".join(map(str, numbers)) for numbers in (taken, taken.values())]
        return {self._workers: csv_text([(*lists, *(file.end + len(text) for file, text in rows.items()))])}

    def _count(self, rows: Iterable[Sequence[Any]]) -> None:
        for _, _, outcome, measure, times_us, count in rows:
            if measure == run_format.RESPONSE:
                self.outcomes[outcome] += count * max(len(times_us), 1)

    def keep(self, record: Record) -> None:
        """Keep what a search for the capacity has so far. Raises OSError as `append` does."""
        content = (json.dumps(record.as_json(), indent=2) + "\n").encode()
        self._write_somehow(lambda: write_whole(self.path / run_format.CAPACITY, content))

    def note(self, **fields: Any) -> None:
        """Have the manifest tell what is known by now. Raises OSError as `append` does."""
        self.manifest |= fields
        self._write_somehow(self._write_manifest)

    def close(self, state: str, **fields: Any) -> None:
        """Complete the manifest: `complete` or `interrupted`, and what only the end knows. Raises OSError."""
        for file in (self._latency, self._timeline, self._failures, self._notable, self._workers):
            if file is not None:
                file.close()
        self._kept.close()
        self.manifest |= {"state": state, **fields}
        self._write_manifest()

    def _write_somehow(self, write: Callable[[], None]) -> None:
        if self.is_cut_off:
            return
        try:
            write()
        except OSError as error:
            try:
                self._kept.truncate(KEPT_FOR_END_BYTES)
                write()
            except OSError:
                self.is_cut_off = True
            raise unwritable(self.path, error) from None

    def _advise(self, reasons: set[str]) -> None:
        if reasons <= self._reasons:
            return
        self._reasons |= reasons
        known = {reason: text for reason, text in self._advice.items() if reason in self._reasons}
        self.manifest["gateway"]["advice"] = known
        self._write_manifest()

    def _write_manifest(self) -> None:
        write_whole(self.path / run_format.MANIFEST, (json.dumps(self.manifest, indent=2) + "\n").encode())


def unwritable(path: Path, error: OSError) -> OSError:
    """The error of a run whose folder takes no more, in words for its user."""
    return OSError(f"{str(path)!r} can no longer be written ({error.strerror or error})")


def _guarded(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """The rows as no spreadsheet takes them for formulas, which a service must not write (OWASP, CSV injection)."""
    for row in rows:
        yield [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row]
