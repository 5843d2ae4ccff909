"""Locust's `--csv` set: aggregates, written over while the test runs.

`X_stats.csv` has percentiles of all time, one row per name and one of all; `X_failures.csv` has error texts;
`X_stats_history.csv` has a row a second, whose percentiles and averages are of all time up to then as well, so it
serves for the timeline alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadRun
from analysis.outcomes import Outcome
from analysis.readers.brackets import requests_of
from analysis.readers.cells import LONGEST_DAYS, LONGEST_US, by_text, moments
from analysis.readers.columns import Column, numbers, texts, whole_numbers
from analysis.readers.failure_counts import FailureCounts
from analysis.readers.headers import header_of
from analysis.readers.manifest import RECORDED, recorded_manifest
from analysis.readers.names import Names
from analysis.readers.recorded import NO_PLAN, moment_text
from analysis.readers.recording import CODES
from analysis.readers.second_counts import SecondCounts, unknown_columns
from analysis.readers.statuses import outcome_in_words
from analysis.readers.tables import read_table
from analysis.run import Run, Source
from analysis.run_format import MEASURES, RESPONSE, SERVICE
from analysis.samples import UNMEASURED, Samples
from analysis.timeline import Timeline

KIND = "Locust --csv"
STATS, HISTORY, FAILURES, EXCEPTIONS = "stats", "stats_history", "failures", "exceptions"
NEEDED = {
    STATS: ("Type", "Name", "Request Count", "Failure Count"),
    HISTORY: ("Timestamp", "User Count", "Type", "Name"),
    FAILURES: ("Method", "Name", "Error", "Occurrences"),
    EXCEPTIONS: ("Count", "Message", "Traceback", "Nodes"),
}

AGGREGATED = ("", "Aggregated")
NOTES = (
    NO_PLAN,
    "Locust rounds times to two digits (39.6 s and 40.4 s are both 40 s), and its percentiles are all that it keeps:"
    " others, and the times in between, are not known, and a confidence interval cannot be given.",
    "Its percentiles are of all requests, failed ones included: a fast refusal makes them better.",
    "Outcomes are guessed from the error texts.",
)
CUMULATIVE = (
    "In _stats_history.csv the Total columns count from the start, and so do the percentiles unless --csv-full-history"
    " was used; Requests/s and Failures/s are means of the last seconds. Only users and the number of finished requests"
    " are taken from there, so what was sent when, and what was in flight, are not known."
)

_PERCENTILE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")


@dataclass(frozen=True)
class _Stats:
    """A row for each name: how many requests, how many failed, times in microseconds."""

    names: Sequence[tuple[str, str]]  # type and name
    n: NDArray[np.int64]
    failed: NDArray[np.int64]
    lowest_us: NDArray[np.int64]
    values_us: NDArray[np.int64]  # a column for each percentile
    per_s: NDArray[np.float64]

    def where(self, chosen: Sequence[int]) -> "_Stats":
        arrays = {name: value[chosen] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return _Stats([self.names[at] for at in chosen], **arrays)


def kind_of(header: Sequence[str]) -> str | None:
    """Say which file of the set has this *header*."""
    return next((kind for kind, needed in NEEDED.items() if set(needed) <= set(header)), None)


def files_of(path: Path) -> dict[str, Path]:
    """Find the files of the set that *path* belongs to, by kind."""
    kind = kind_of(header_of(path))
    prefix = path.name.removesuffix(f"_{kind}.csv")
    siblings = {kind: path.with_name(f"{prefix}_{kind}.csv") for kind in NEEDED} if prefix != path.name else {}
    found = {name: sibling for name, sibling in siblings.items() if sibling.is_file()} | {str(kind): path}
    if STATS not in found:
        raise BadRun(f"{path.name}: the percentiles are in {prefix}_{STATS}.csv, which is not beside it")
    return found


def read_stats(paths: Sequence[Path], timeout_s: float | None) -> Run:
    """Read the set that *paths* are of. Raises BadRun for more than one: percentiles cannot be put together."""
    sets = {found[STATS]: found for found in map(files_of, paths)}
    if len(sets) > 1:
        raise BadRun(
            f"{' and '.join(sorted(map(str, sets)))} are of two runs, and percentiles of two runs cannot be put"
            " together: give one"
        )
    [(path, files)] = sets.items()
    stats, percentiles, cut = _read_stats(path)
    total, parts = _parted(path, stats)
    failures = _read_failures(files[FAILURES]) if FAILURES in files else {}
    timeline, started_us = _read_history(files[HISTORY]) if HISTORY in files else _no_history()
    samples, counted, unknown = _samples(total, parts, percentiles, failures)
    notes = [*NOTES, *([CUMULATIVE] if HISTORY in files else [])]
    if unknown:
        notes.append(f"Of {unknown:,} failures there is no error text: they count as bad_answer.")
    per_s = float(total.per_s[0])
    load = {
        "model": RECORDED,
        "recorded_by": KIND,
        "duration_s": round(int(total.n[0]) / per_s, 3) if per_s > 0 else None,
    }
    name = path.name.removesuffix(f"_{STATS}.csv")
    return Run(
        recorded_manifest(
            KIND,
            [path],
            timeout_s,
            name=name if name != path.name else path.stem,
            started_at=moment_text(started_us),
            load=load,
        ),
        samples,
        timeline,
        notable=[],
        failures=counted.failures(),
        cut=(path.name,) if cut else (),
        source=Source(
            KIND, tuple(sorted(map(str, files.values()))), tuple(notes), tuple(p for p in percentiles if p < 1)
        ),
    )


def _read_stats(path: Path) -> tuple[_Stats, list[Fraction], bool]:
    """Read the rows of _stats.csv, and which percentiles they have, ascending up to 1."""
    found = {Fraction(match[1]) / 100: name for name in header_of(path) if (match := _PERCENTILE.fullmatch(name))}
    percentiles = sorted(p for p in found if 0 < p <= 1)
    if not percentiles:
        raise BadRun(f"{path.name}, line 1: no column is a percentile, such as 50%")
    values = [found[p] for p in percentiles]
    if percentiles[-1] < 1:
        percentiles, values = [*percentiles, Fraction(1)], [*values, "Max Response Time"]
    columns = {"Type": texts(), "Name": texts(), "Request Count": whole_numbers(), "Failure Count": whole_numbers()}
    columns |= {"Requests/s": numbers(), "Min Response Time": _rounded()} | {name: _rounded() for name in values}
    table = read_table(path, columns)
    cells = table.columns
    stats = _Stats(
        list(zip(cells["Type"].tolist(), cells["Name"].tolist(), strict=True)),
        cells["Request Count"],
        cells["Failure Count"],
        cells["Min Response Time"],
        np.stack([cells[name] for name in values], axis=1),
        cells["Requests/s"],
    )
    _check(path, stats)
    return stats, percentiles, table.cut


def _rounded() -> Column:
    """Times in ms as microseconds, `UNMEASURED` where Locust has none and writes N/A."""

    def parse(text: str) -> int:
        time_us = UNMEASURED if text == "N/A" else round(float(text) * 1_000)
        if not UNMEASURED <= time_us <= LONGEST_US or text.startswith("-"):
            raise ValueError
        return time_us

    return by_text(parse, f"a time in ms from 0 to {LONGEST_DAYS} days, or N/A")


def _check(path: Path, stats: _Stats) -> None:
    """Refuse percentiles that are not there, or not ascending; a name without requests has none."""
    has_none, falls = (stats.values_us < 0).any(axis=1), (np.diff(stats.values_us, axis=1) < 0).any(axis=1)
    bad = np.flatnonzero((stats.n > 0) & (has_none | falls))
    if len(bad):
        raise BadRun(f"{path.name}: the percentiles of {stats.names[bad[0]][1]!r} are missing or do not ascend")


def _parted(path: Path, stats: _Stats) -> tuple[_Stats, _Stats]:
    """Part the row of all requests from those of the names that have requests."""
    if AGGREGATED not in stats.names:
        raise BadRun(f"{path.name} has no row of all requests (Aggregated): it was cut off while it was written")
    at = len(stats.names) - 1 - stats.names[::-1].index(AGGREGATED)
    parts = np.flatnonzero((stats.n > 0) & (np.arange(len(stats.n)) != at))
    return stats.where([at]), stats.where(parts.tolist())


def _read_failures(path: Path) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """Read the error texts of each type and name, and how often they occurred."""
    columns = {"Method": texts(), "Name": texts(), "Error": texts(), "Occurrences": whole_numbers()}
    cells = [column.tolist() for column in read_table(path, columns).columns.values()]
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for method, name, error, count in zip(*cells, strict=True):
        found.setdefault((method, name), []).append((error, count))
    return found


def _no_history() -> tuple[Timeline, None]:
    return Timeline(**unknown_columns(0)), None


def _read_history(path: Path) -> tuple[Timeline, int | None]:
    """Read the timeline, and when it starts in microseconds since 1970; None of an empty one."""
    columns = {"Timestamp": moments(), "User Count": whole_numbers(), "Type": texts(), "Name": texts()}
    cells = read_table(path, columns | {"Total Request Count": whole_numbers()}).columns
    is_total = (cells["Type"] == AGGREGATED[0]) & (cells["Name"] == AGGREGATED[1])
    at_us, users, total = (cells[name][is_total] for name in ("Timestamp", "User Count", "Total Request Count"))
    if not len(at_us):
        return _no_history()
    if at_us.max() - at_us[0] > LONGEST_US or at_us.min() < at_us[0]:
        raise BadRun(f"{path.name}: Timestamp goes back, or over more than {LONGEST_DAYS} days")
    seconds, more = SecondCounts(), np.diff(total, prepend=0)
    second = (at_us - at_us[0]) // 1_000_000
    more = np.where(more < 0, total, more)  # the statistics were reset
    seconds.sent.add(second, more)
    seconds.finished.add(second, more)
    seconds.users_of(path.name).keep_highest(second, users)
    return seconds.timeline(), int(at_us[0])


def _samples(
    total: _Stats,
    parts: _Stats,
    percentiles: Sequence[Fraction],
    failures: Mapping[tuple[str, str], list[tuple[str, int]]],
) -> tuple[Samples, FailureCounts, int]:
    """Make the samples, and count the failures, and of how many of these there is no text."""
    counted, names, unknown = FailureCounts(), Names(), 0
    rows: list[tuple[int, int, int]] = []  # name, outcome, count
    for key, n, failed in zip(parts.names, parts.n.tolist(), parts.failed.tolist(), strict=True):
        name, known = names.code(key[1], key[0]), 0
        for error, count in failures.get(key, ()):
            outcome, status = outcome_in_words(error)
            counted.add(outcome, status, "", error, count)
            rows.append((name, CODES[outcome], count))
            known += count
        if failed > known:
            counted.add(Outcome.BAD_ANSWER, None, "", "", failed - known)
            rows.append((name, CODES[Outcome.BAD_ANSWER], failed - known))
            unknown += failed - known
        rows.append((name, CODES[Outcome.OK], max(n - max(failed, known), 0)))
    responses = np.array(rows, np.int64).reshape(-1, 3)
    services = requests_of(parts.n, parts.values_us, parts.lowest_us, total.values_us[0], percentiles)
    samples = _joined(responses[responses[:, 2] > 0], np.stack(services, axis=1), names.as_texts())
    return samples, counted, unknown


def _joined(responses: NDArray[np.int64], services: NDArray[np.int64], names: tuple[str, ...]) -> Samples:
    """Put rows of (name, outcome, count) and of (name, value, count) together, all in the first second."""
    nothing = np.zeros(len(responses) + len(services), np.int64)
    is_service = np.arange(len(nothing)) >= len(responses)
    return Samples(
        nothing,
        np.concatenate([responses[:, 0], services[:, 0]]),
        np.concatenate([responses[:, 1], np.full(len(services), CODES[Outcome.OK])]),
        np.where(is_service, MEASURES.index(SERVICE), MEASURES.index(RESPONSE)),
        np.concatenate([np.full(len(responses), UNMEASURED), services[:, 1]]),
        np.concatenate([responses[:, 2], services[:, 2]]),
        names,
    ).folded()
