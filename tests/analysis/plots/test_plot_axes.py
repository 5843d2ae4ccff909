import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.plots.axes import FEWEST_TICKS, MOST_TICKS, figure_of, is_wide, log_ticks, nines_axis, run_axis
from analysis.wording import time_text


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.5e-6, 50, [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10]),
        (0.02, 0.9, [0.03, 0.1, 0.3]),
        (0.09, 0.31, [0.1, 0.15, 0.2, 0.3]),
        (0.0995, 0.1005, [0.0996, 0.0998, 0.1, 0.1002, 0.1004]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_round(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


@given(st.floats(1e-7, 1e3), st.floats(1.3, 1e9))
def test_every_logarithmic_axis_has_some_ticks_each_with_a_name_of_its_own(low, ratio):
    ticks = log_ticks(low, low * ratio)

    assert FEWEST_TICKS - 1 <= len(ticks) <= MOST_TICKS
    assert all(low <= tick <= low * ratio for tick in ticks)
    assert len({time_text(tick) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("seconds", "label", "ticks"),
    [
        (1, "seconds", ["0", "1"]),
        (60, "seconds", ["0", "10", "20", "30", "40", "50", "60"]),
        (600, "minutes", ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
        (7_200, "minutes", ["0", "20", "40", "60", "80", "100", "120"]),
        (86_400, "hours", ["0", "4", "8", "12", "16", "20", "24"]),
        (864_000, "hours", ["0", "24", "48", "72", "96", "120", "144", "168", "192", "216", "240"]),
    ],
)
def test_a_run_is_measured_in_the_unit_that_suits_its_length(seconds, label, ticks):
    _, (axes,) = figure_of(2)
    run_axis(axes, seconds)

    assert axes.get_xlabel() == f"{label} since the start"
    assert [text.get_text() for text in axes.get_xticklabels()] == ticks


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0.4, "p0 p50 p75"),
        (1.2, "p0 p50 p75 p90"),
        (3.5, "p0 p50 p90 p99 p99.9"),
        (6.1, "p0 p50 p90 p99 p99.9 p99.99 p99.999 p99.9999"),
    ],
)
def test_percentiles_are_named_up_to_the_last_whole_nine(most, ticks):
    _, (axes,) = figure_of(2)
    nines_axis(axes, most)

    assert " ".join(text.get_text() for text in axes.get_xticklabels()) == ticks


@pytest.mark.parametrize(
    ("low_s", "high_s", "wide"), [(0.05, 0.3, False), (0.05, 40, True), (0, 0, False), (0, 1, True)]
)
def test_an_axis_is_logarithmic_where_it_would_else_hide_most(low_s, high_s, wide):
    assert is_wide(low_s, high_s) is wide
