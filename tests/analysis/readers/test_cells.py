import numpy as np
import pytest

from analysis.errors import BadRun
from analysis.readers.cells import (
    codes_in,
    epoch_milliseconds,
    flags,
    moments,
    seconds,
    small_numbers,
    statuses,
    times,
    whole_milliseconds,
)
from analysis.readers.tables import read_table
from analysis.samples import UNMEASURED

AT_US = 1_795_630_780_434_315  # 2026-11-25T18:19:40.434315Z


@pytest.fixture
def column(tmp_path):
    def read(kind, *cells):
        path = tmp_path / "t.csv"
        path.write_text("x,y\n" + "".join(f"{cell},\n" for cell in cells))
        return read_table(path, {"x": kind}).columns["x"].tolist()

    return read


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (times("ms"), "28.62", 28_620),
        (times("s"), "0.0000016", 2),
        (times("us"), "7", 7),
        (times("ms"), "", UNMEASURED),
        (times("ms"), "0", 0),
        (whole_milliseconds(), "40000", 40_000_000),
        (epoch_milliseconds(), "1795630780434", AT_US // 1000 * 1000),
        (epoch_milliseconds(), "2026/11/25 18:19:40.434", AT_US // 1000 * 1000),
        (epoch_milliseconds(), "2026-11-25 18:19:40", AT_US // 1_000_000 * 1_000_000),
        (moments(), "1795630780.434315", AT_US),
        (moments(), "1795630780", AT_US // 1_000_000 * 1_000_000),
        (moments(), "1795630780434", AT_US // 1000 * 1000),
        (moments(), "1795630780434315", AT_US),
        (moments(), "2026-11-25T18:19:40.434315Z", AT_US),
        (moments(), "2026-11-25T20:19:40.434315+02:00", AT_US),
        (seconds(), "12.5", 12_500_000),
        (statuses(), "504", 504),
        (statuses(), "0", 0),
        (statuses(), "", 0),
        (flags(), "True", 1),
        (flags(), "0", 0),
        (flags(), "", -1),
        (small_numbers(), "", 0),
        (small_numbers(), "300", 300),
        (codes_in({"a": 3}, -1), "a", 3),
        (codes_in({"a": 3}, -1), "b", -1),
    ],
)
def test_a_cell_is_read_in_its_unit(column, kind, cell, value):
    assert column(kind, cell, cell) == [value, value]


def test_nanoseconds_are_told_by_their_size(column):
    [value] = column(moments(), "1795630780434315000")

    assert abs(value - AT_US) <= 1  # a float64 holds them to a quarter of a microsecond


def test_notations_may_change_within_a_column(column):
    assert column(moments(), "1795630780.434315", "2026-11-25T18:19:40.434315Z") == [AT_US, AT_US]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (times("ms"), "-1"),
        (times("ms"), "1e300"),
        (times("ms"), "nan"),
        (times("s"), "2678401"),
        (whole_milliseconds(), "-1"),
        (whole_milliseconds(), ""),
        (whole_milliseconds(), "1.5"),
        (whole_milliseconds(), "9" * 17),
        (whole_milliseconds(), "9" * 30),
        (epoch_milliseconds(), "-5"),
        (epoch_milliseconds(), "9" * 18),
        (epoch_milliseconds(), "11/25/26 18:19:40"),
        (epoch_milliseconds(), ""),
        (moments(), ""),
        (moments(), "yesterday"),
        (moments(), "-1"),
        (moments(), "9" * 25),
        (seconds(), ""),
        (seconds(), "-0.1"),
        (seconds(), "1e30"),
        (statuses(), "99"),
        (statuses(), "OK"),
        (flags(), "maybe"),
        (small_numbers(), "-1"),
        (small_numbers(), "9999999999"),
    ],
)
def test_a_bad_cell_is_named_by_line_column_and_value(column, kind, cell):
    good = {"a number of seconds of 0 or more": "1"}.get(kind.expected, "200")
    good = {"true or false": "1"}.get(kind.expected, good)
    with pytest.raises(BadRun) as error:
        column(kind, good, cell)

    assert str(error.value) == f"t.csv, line 3: x {cell!r} is not {kind.expected}"


def test_times_are_rounded_to_whole_microseconds(column):
    values = np.random.default_rng(1).uniform(0, 1e5, 1_000)

    assert column(times("ms"), *values) == np.rint(values * 1000).astype(int).tolist()
