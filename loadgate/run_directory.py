"""Writes the run directory, format 1: readable while the run is going and after a crash."""

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from analysis import run_format
from analysis.capacity.record import Record
from analysis.documents import cleared, write_whole
from loadgate.errors import ConfigError

FORMULA = ("=", "+", "-", "@")


def check_writable(path: Path) -> None:
    """Raise ConfigError where a run could not be written to `path`. Leaves nothing behind."""
    if path.exists() and not path.is_dir():
        raise ConfigError(f"--out {str(path)!r} is a file; name a folder that does not exist yet")
    if (path / run_format.MANIFEST).exists():
        raise ConfigError(f"--out {str(path)!r} holds a run already; name a folder that does not exist yet")
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ConfigError(f"--out {str(path)!r} cannot be written ({error.strerror})") from None
    finally:
        for folder in reversed(made):
            folder.rmdir()


class RunDirectory:
    """The files of one run. Every row goes out with the second that it belongs to; the manifest frames them."""

    def __init__(self, path: Path, manifest: dict[str, Any], advice: Mapping[str, str]) -> None:
        """`advice` is the gateway's, by reason: the manifest gets that for the reasons that come up."""
        self.path = path
        self.manifest = manifest
        self._advice = advice
        self._reasons: set[str] = set()
        self.outcomes: Counter[str] = Counter()  # of the rows so far, for progress
        path.mkdir(parents=True, exist_ok=True)
        self._write_manifest()
        self._files: list[TextIO] = []
        self._latency = self._table(run_format.LATENCY, run_format.LATENCY_COLUMNS)
        self._timeline = self._table(run_format.TIMELINE, run_format.TIMELINE_COLUMNS)
        self._failures = self._table(run_format.FAILURES, run_format.FAILURE_COLUMNS)
        self._notable = self._table(run_format.NOTABLE, run_format.NOTABLE_COLUMNS)

    def append(self, report: dict[str, list[Sequence[Any]]]) -> None:
        """Add one process's rows: `latency`, `timeline`, `failures` and `notable`, each in its file's columns."""
        for *key, times_us, count in report["latency"]:
            self._latency.writerow((*key, " ".join(map(str, times_us)), count))
        self._timeline.writerows(report["timeline"])
        self._failures.writerows(_guarded(report["failures"]))
        self._notable.writerows(_guarded(report["notable"]))
        for file in self._files:
            file.flush()
        self._advise({reason for _, _, _, _, reason, *_ in report["failures"]})
        for _, _, outcome, measure, times_us, count in report["latency"]:
            if measure == run_format.RESPONSE:
                self.outcomes[outcome] += count * max(len(times_us), 1)

    def keep(self, record: Record) -> None:
        """Keep what a search for the capacity has so far."""
        write_whole(self.path / run_format.CAPACITY, (json.dumps(record.as_json(), indent=2) + "\n").encode())

    def close(self, state: str, **fields: Any) -> None:
        """Complete the manifest: `complete` or `interrupted`, and what only the end knows."""
        for file in self._files:
            file.close()
        self.manifest |= {"state": state, **fields}
        self._write_manifest()

    def _advise(self, reasons: set[str]) -> None:
        if reasons <= self._reasons:
            return
        self._reasons |= reasons
        known = {reason: text for reason, text in self._advice.items() if reason in self._reasons}
        self.manifest["gateway"]["advice"] = known
        self._write_manifest()

    def _table(self, name: str, columns: Iterable[str]) -> Any:
        file = cleared(self.path / name).open("x", newline="", encoding="utf-8")
        self._files.append(file)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        file.flush()
        return table

    def _write_manifest(self) -> None:
        write_whole(self.path / run_format.MANIFEST, (json.dumps(self.manifest, indent=2) + "\n").encode())


def _guarded(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """The rows as no spreadsheet takes them for formulas, which a service must not write (OWASP, CSV injection)."""
    for row in rows:
        yield [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row]
