"""Which format files are in, by their header line, and who reads it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.errors import BadRun
from analysis.readers import jmeter, k6, locust_requests, locust_stats, plain
from analysis.readers.headers import READABLE, header_of, unreadable
from analysis.readers.run_directory import read_latency, read_runs
from analysis.run import LATENCY_FILE, Run
from analysis.run_format import FAILURE_COLUMNS, LATENCY_COLUMNS, MANIFEST, NOTABLE_COLUMNS, TIMELINE_COLUMNS

RUN_DIRECTORY = "loadgate run directory"

Read = Callable[[Sequence[Path], float | None], Run]

READERS: dict[str, Read] = {
    RUN_DIRECTORY: lambda paths, _timeout_s: read_runs(paths),
    LATENCY_FILE: read_latency,
    locust_stats.KIND: locust_stats.read_stats,
    locust_requests.KIND: locust_requests.read_request_log,
    jmeter.KIND: jmeter.read_jtl,
    k6.KIND: k6.read_k6,
    plain.KIND: plain.read_plain,
}
_BY_COLUMNS = (
    (LATENCY_FILE, LATENCY_COLUMNS),
    *((locust_stats.KIND, needed) for needed in locust_stats.NEEDED.values()),
    (locust_requests.KIND, locust_requests.NEEDED),
    (jmeter.KIND, jmeter.NEEDED),
    (k6.KIND, k6.NEEDED),
)
_OF_A_RUN = (TIMELINE_COLUMNS, FAILURE_COLUMNS, NOTABLE_COLUMNS)


@dataclass(frozen=True)
class Found:
    kind: str
    paths: tuple[Path, ...]  # in the order of their names
    notes: tuple[str, ...]  # what was taken out of a directory


def found(paths: Sequence[Path]) -> Found:
    """Find the one format that *paths* are in. Raises BadRun where there is none, or more than one."""
    taken = {path: _taken(path) for path in sorted(set(paths))}
    if len({path.resolve() for path in taken.values()}) < len(paths):
        raise BadRun(f"a file is given twice: {', '.join(sorted(map(str, paths)))}")
    kinds = {path: RUN_DIRECTORY if path.is_dir() else kind_of(path) for path in taken.values()}
    first = next(iter(kinds))
    for path, kind in kinds.items():
        if kind != kinds[first]:
            raise BadRun(f"{first} is a {kinds[first]} and {path} a {kind}: files of one format are read as one run")
    notes = tuple(f"{file.name} was taken from {path}." for path, file in taken.items() if file != path)
    return Found(kinds[first], tuple(sorted(kinds)), notes)


def read_as(found: Found, timeout_s: float | None) -> Run:
    run = READERS[found.kind](found.paths, timeout_s)
    if not found.notes:
        return run
    return replace(run, source=replace(run.source, notes=(*run.source.notes, *found.notes)))


def kind_of(path: Path) -> str:
    """Tell the format of a file. Raises BadRun for an unknown one, with what would be right."""
    header = header_of(path)
    for kind, columns in _BY_COLUMNS:
        if set(columns) <= set(header):
            return kind
    for columns in _OF_A_RUN:
        if set(columns) <= set(header):
            raise unreadable(path, "it is one file of a run directory of loadgate: give the directory")
    if any(plain.measure_of(column) for column in header):
        return plain.KIND
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and header[0].count(delimiter) > 1:
            raise unreadable(path, f"its columns are separated by {name}, and only commas are read")
    raise unreadable(path, f"its first line is {','.join(header)[:200]!r}. Needed is {plain.EXPECTED}")


def _taken(path: Path) -> Path:
    """Give *path*, or of a directory that is no run directory the one file in it that can be read."""
    if not path.is_dir() or (path / MANIFEST).exists():
        return path
    files = [file for file in sorted(path.glob("*.csv")) + sorted(path.glob("*.jtl")) if _is_readable(file)]
    sets = [file for file in files if file.name.endswith(f"_{locust_stats.STATS}.csv")]
    chosen = sets or files
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise BadRun(f"{path} is not a run: it has no {MANIFEST}, and no CSV that can be read. {READABLE}")
    names = ", ".join(file.name for file in chosen[:10])
    raise BadRun(f"{path} is not a run: it has no {MANIFEST}, and more than one file to read ({names}): name the file")


def _is_readable(file: Path) -> bool:
    try:
        return bool(kind_of(file))
    except BadRun:
        return False
