"""Columns of other tools' files: times in any unit, moments in any notation, statuses, texts with few values."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.readers.columns import Column, numbered, numbers, texts, whole_numbers
from analysis.readers.statuses import status_of
from analysis.samples import UNMEASURED

LONGEST_DAYS = 31  # of a time or a run: what is longer is in another unit, or not of one run
LONGEST_US = LONGEST_DAYS * 86_400 * 1_000_000
UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000}
LATEST_MS = 253_402_300_799_999  # the end of the year 9999

Whole = NDArray[np.int64]


def times(unit: str) -> Column:
    """Times of 0 or more, as whole microseconds; `UNMEASURED` where the cell is empty."""

    def parse(cells: Any) -> Whole:
        values = numbers().parse(cells) * UNITS_US[unit]
        if (values < 0).any() or (values > LONGEST_US).any():
            raise ValueError
        return np.where(np.isnan(values), UNMEASURED, np.rint(values)).astype(np.int64)

    return Column(parse, f"a time in {unit} from 0 to {LONGEST_DAYS} days, or empty")


def whole_milliseconds() -> Column:
    """Whole milliseconds, as microseconds."""
    milliseconds = whole_numbers(LONGEST_US // 1_000)

    def parse(cells: Any) -> Whole:
        found: Whole = milliseconds.parse(cells).astype(np.int64, copy=False) * 1_000
        return found

    return Column(parse, f"a whole number of milliseconds from 0 to {LONGEST_DAYS} days")


def epoch_milliseconds() -> Column:
    """Moments as microseconds since 1970: whole milliseconds, or a date and time of no said zone."""
    milliseconds = whole_numbers(LATEST_MS)

    def parse(cells: Any) -> Whole:
        try:
            found: Whole = milliseconds.parse(cells).astype(np.int64, copy=False) * 1_000
        except ValueError:
            found = np.array([_of_date(text) for text in texts().parse(cells)], np.int64)
        return found

    return Column(parse, "milliseconds since 1970, or a time as 2026/11/24 22:10:00.123")


def moments() -> Column:
    """Moments as microseconds since 1970: seconds, ms, us or ns, told apart by their size, or ISO 8601."""

    def parse(cells: Any) -> Whole:
        try:
            values = numbers().parse(cells)
        except ValueError:
            return np.array([_of_text(text) for text in texts().parse(cells)], np.int64)
        return _of_epoch(values)

    return Column(parse, "a moment: a number since 1970 in s, ms, us or ns, or a time as 2026-11-24T22:10:00.123Z")


def seconds() -> Column:
    """Moments of any clock in seconds, as microseconds."""

    def parse(cells: Any) -> Whole:
        values: NDArray[np.float64] = numbers().parse(cells)
        if not (values >= 0).all() or (values > LATEST_MS / 1_000).any():
            raise ValueError
        return np.rint(values * 1e6).astype(np.int64)

    return Column(parse, "a number of seconds of 0 or more")


def statuses() -> Column:
    """HTTP statuses, 0 where there was no answer."""

    def status(text: str) -> int:
        text = text.removesuffix(".0")  # pandas makes it a number with a fraction where a cell is empty
        found = status_of(text)
        if found is None and text not in ("", "0"):
            raise ValueError
        return found or 0

    return by_text(status, "an HTTP status from 100 to 599, or 0 or empty where there was no answer")


def flags() -> Column:
    """1 for true, 0 for false, -1 where the cell is empty."""
    known = {"true": 1, "1": 1, "false": 0, "0": 0, "": -1}
    return by_text(lambda text: known[text.strip().lower()], "true or false")


def codes_in(known: Mapping[str, int], other: int) -> Column:
    """What *known* has for a text, and *other* for all else."""
    return by_text(lambda text: known.get(text, other), "a text")


def small_numbers() -> Column:
    """Whole numbers, 0 where the cell is empty."""
    return by_text(lambda text: _in_range(int(text or 0)), "a whole number of 0 or more, or empty")


def by_text(convert: Callable[[str], int], expected: str) -> Column:
    """Convert a column that repeats few texts: each text of a block is looked at once."""

    def parse(cells: Any) -> Whole:
        column, codes = numbered()
        places = column.parse(cells)
        converted: Whole = np.array([convert(text) for text in codes], np.int64)[places]
        return converted

    return Column(parse, expected, repeats=True)


def _in_range(number: int) -> int:
    if not 0 <= number < 2**31:
        raise ValueError
    return number


def _of_epoch(values: NDArray[np.float64]) -> Whole:
    if not (values >= 0).all() or (values > LATEST_MS * 1e6).any():
        raise ValueError
    units_us = np.select([values < 1e11, values < 1e14, values < 1e17], [1e6, 1e3, 1.0], 1e-3)
    moments_us: Whole = np.rint(values * units_us).astype(np.int64)
    return moments_us


def _of_text(text: str) -> int:
    try:
        return int(_of_epoch(np.array([float(text)]))[0])
    except ValueError:
        return _of_moment(datetime.fromisoformat(text))


def _of_date(text: str) -> int:
    """Read `2026/11/24 22:10:00.123`, as JMeter writes it when told to write dates."""
    return _of_moment(datetime.fromisoformat(text.replace("/", "-")))


def _of_moment(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6)
