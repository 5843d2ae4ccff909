"""Requests that another tool recorded one by one, folded while they are read.

Each request has one `response` row that carries its outcome. None of these tools records when a request was
planned, so that row has no time, unless the file says one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadRun
from analysis.outcomes import Outcome
from analysis.readers.cells import LONGEST_DAYS, LONGEST_US
from analysis.readers.clock import Clock
from analysis.readers.columns import Column
from analysis.readers.failure_counts import FailureCounts, Vocabulary, Way
from analysis.readers.names import Names
from analysis.readers.second_counts import SecondCounts
from analysis.readers.tables import Blocks
from analysis.run_format import MEASURES, RESPONSE, SERVICE
from analysis.samples import IN_POPULATION, IS_CENSORED, OUTCOMES, UNMEASURED, Samples, joined

HELD_ROWS = 2_000_000  # folded at once
FOLDED_ROWS = 8_000_000  # put together before they are folded again

CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Some requests of one file. Moments are microseconds of the recording's clock, times microseconds."""

    file: str
    start_us: Whole  # says which second they belong to
    name: NDArray[Any]  # codes
    outcome: NDArray[Any]  # codes
    times_us: Mapping[str, Whole]  # by measure; `response` only if the file says it
    end_us: Whole | None = None  # None: more measures of requests that other rows count
    users: Whole | None = None  # at `end_us`
    count: Whole | None = None  # how many requests a row is, 0 for one that tells of `users` alone; None: one

    def __len__(self) -> int:
        return len(self.start_us)

    def where(self, chosen: NDArray[np.bool_]) -> "Rows":
        arrays = ((name, value) for name, value in vars(self).items() if isinstance(value, np.ndarray))
        kept: dict[str, Any] = {name: array[chosen] for name, array in arrays}
        return replace(self, times_us={name: times[chosen] for name, times in self.times_us.items()}, **kept)


@dataclass
class Recording:
    """What has been read so far, of all files.

    Seconds count from `origin_us`. Unless it is given it becomes the earliest start of the rows folded first; whether
    an earlier one came later, `came_earlier` says.
    """

    origin_us: int | None = None
    earliest_us: int | None = None
    latest_us: int = 0
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    failures: FailureCounts = field(default_factory=FailureCounts)
    seconds: SecondCounts = field(default_factory=SecondCounts)
    untimed: int = 0  # requests that should have a time, and have none
    unbounded: int = 0  # those that waited in vain, and were given a time of at least nothing
    clock_step_s: float = 0.0  # the largest of all files
    notes: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    _held: list[Rows] = field(default_factory=list)
    _held_rows: int = 0
    _parts: list[Samples] = field(default_factory=list)
    _joined_rows: int = 0

    def watch(self, clock: Clock, file: str) -> None:
        """Note what *clock* saw in *file*."""
        self.clock_step_s = max(self.clock_step_s, clock.step_s)
        note = clock.note(file)
        if note:
            self.notes.append(note)

    def blocks(self, path: Path, columns: Mapping[str, Column]) -> Iterator[Mapping[str, NDArray[Any]]]:
        """Read *columns* of *path*, some rows at a time."""
        table = Blocks(path, columns)
        yield from table
        if table.cut:
            self.cut.append(path.name)

    def outcomes(
        self, columns: Sequence[Whole], judge: Callable[..., Way], counted: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int8]:
        """Name the outcome of each row, as *judge* does from its cells in *columns*, and count the failures among the
        rows *counted*; None: all.
        """
        kinds, kind = distinct(columns)
        counts = np.bincount(kind if counted is None else kind[counted], minlength=len(kinds))
        ways = [judge(*cells) for cells in kinds]
        for way, count in zip(ways, counts.tolist(), strict=True):
            if count and way[0] is not Outcome.OK:
                self.failures.add(*way, count)
        return np.array([CODES[outcome] for outcome, *_ in ways], np.int8)[kind]

    def add(self, rows: Rows) -> None:
        if not len(rows):
            return
        rows = self._bounded(rows)
        earliest_us = int(rows.start_us.min())
        self.earliest_us = earliest_us if self.earliest_us is None else min(earliest_us, self.earliest_us)
        self.latest_us = max(self.latest_us, int((rows.start_us if rows.end_us is None else rows.end_us).max()))
        self._held.append(rows)
        self._held_rows += len(rows)
        if self._held_rows >= HELD_ROWS:
            self._fold()

    @property
    def came_earlier(self) -> bool:
        """Whether a request began before the seconds did: the files must be read again, from its start."""
        return self.origin_us is not None and self.earliest_us is not None and self.earliest_us < self.origin_us

    def samples(self) -> Samples:
        """Fold what is held, and give all that was added. They are moved: this is the end."""
        self._fold()
        parts = self._parts or [_samples(RESPONSE, *np.zeros((5, 0), np.int64))]
        self._parts = []
        samples = joined(parts).folded()
        used, texts = np.flatnonzero(np.bincount(samples.name)), self.names.as_texts()
        codes = np.zeros(len(texts) + 1, np.int32)
        codes[used] = np.arange(len(used))
        return replace(samples, name=codes[samples.name], names=tuple(texts[code] for code in used.tolist()))

    def _bounded(self, rows: Rows) -> Rows:
        """Give those that waited in vain a time of at least nothing where they have none: a percentile without them
        would be too fast.
        """
        lacking = {
            measure: (rows.times_us[measure] == UNMEASURED) & IS_CENSORED[rows.outcome]
            for measure in (RESPONSE, SERVICE)
            if rows.end_us is not None and measure in rows.times_us
        }
        if not any(lacks.any() for lacks in lacking.values()):
            return rows
        self.unbounded += int(np.count_nonzero(np.logical_or.reduce(list(lacking.values()))))
        bounded = {measure: np.where(lacks, 0, rows.times_us[measure]) for measure, lacks in lacking.items()}
        return replace(rows, times_us={**rows.times_us, **bounded})

    def _fold(self) -> None:
        if self.origin_us is None:
            self.origin_us = self.earliest_us
        held, self._held, self._held_rows = self._held, [], 0
        if self.origin_us is None or self.came_earlier:
            return
        if self.latest_us - self.origin_us > LONGEST_US:
            days = (self.latest_us - self.origin_us) / 86_400e6
            raise BadRun(
                f"{held[-1].file}: the run would be {days:,.0f} days long, and {LONGEST_DAYS} at most are read as one:"
                " its times are in another unit, or files of several runs were joined"
            )
        self._parts += [part.folded() for part in self._parts_of(held, self.origin_us)]
        if sum(len(part.count) for part in self._parts) > max(2 * self._joined_rows, FOLDED_ROWS):
            self._parts = [joined(self._parts).folded()]
            self._joined_rows = len(self._parts[0].count)

    def _parts_of(self, held: Sequence[Rows], origin_us: int) -> Iterator[Samples]:
        seconds = [(rows.start_us - origin_us) // 1_000_000 for rows in held]
        for rows, second in zip(held, seconds, strict=True):
            if rows.end_us is not None:
                self._count(rows, second, (rows.end_us - origin_us) // 1_000_000)
        for measure in MEASURES:
            columns = [_of_measure(rows, second, measure) for rows, second in zip(held, seconds, strict=True)]
            parts = [np.concatenate(parts) for parts in zip(*filter(None, columns), strict=True)]
            if parts:
                yield _samples(measure, *parts)

    def _count(self, rows: Rows, second: Whole, end: Whole) -> None:
        is_dropped, is_unfinished = (rows.outcome == CODES[name] for name in (Outcome.DROPPED, Outcome.UNFINISHED))
        for per_second, moments, chosen in (
            (self.seconds.dropped, second, is_dropped),
            (self.seconds.sent, second, ~is_dropped),
            (self.seconds.finished, end, ~(is_dropped | is_unfinished)),
        ):
            per_second.add(moments[chosen], None if rows.count is None else rows.count[chosen])
        if rows.users is not None:
            self.seconds.users_of(rows.file).keep_highest(end, rows.users)
        if rows.times_us:
            timed = np.logical_or.reduce([times != UNMEASURED for times in rows.times_us.values()])
            self.untimed += int(np.count_nonzero(~timed & IN_POPULATION[rows.outcome]))


def _of_measure(rows: Rows, second: Whole, measure: str) -> tuple[NDArray[Any], ...] | None:
    """Give second, name, outcome, value and count of *rows*; every counted request has a response, timed or not."""
    if measure == RESPONSE and rows.end_us is not None:
        value_us = rows.times_us.get(RESPONSE, np.broadcast_to(np.int64(UNMEASURED), len(rows)))
        chosen = None if rows.count is None else rows.count > 0
    elif measure in rows.times_us:
        value_us = rows.times_us[measure]
        chosen = value_us != UNMEASURED
    else:
        return None
    count = np.broadcast_to(np.int32(1), len(rows)) if rows.count is None else rows.count
    columns = (second, rows.name, rows.outcome, value_us, count)
    return columns if chosen is None or chosen.all() else tuple(column[chosen] for column in columns)


def _samples(measure: str, second: Whole, name: Whole, outcome: Whole, value_us: Whole, count: Whole) -> Samples:
    codes = np.full(len(second), MEASURES.index(measure), np.int8)
    return Samples(second, name, outcome, codes, value_us, count, names=())


def distinct(columns: Sequence[Whole]) -> tuple[list[tuple[int, ...]], Whole]:
    """Find the rows of *columns* that differ, and which of them each row is.

    Most requests are alike: the first few kinds are found at once, and only what is left is looked at row by row.
    """
    found: dict[tuple[int, ...], int] = {}
    places = np.zeros(len(columns[0]), np.int64)
    rest = np.arange(len(places))
    while len(rest) and len(found) < 8:
        left = [column[rest] for column in columns]
        same = np.logical_and.reduce([column == column[0] for column in left])
        places[rest[same]] = found.setdefault(tuple(int(column[0]) for column in left), len(found))
        rest = rest[~same]
    rows = zip(*(column[rest].tolist() for column in columns), strict=True)
    places[rest] = [found.setdefault(row, len(found)) for row in rows]
    return list(found), places
