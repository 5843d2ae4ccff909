import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from viewed_by_hand import measured, run_of, view

from analysis.plots.heatmap import MOST_SHADES, heat_of, levels_of, picture, reading, rectangles, strengths
from analysis.plots.steps import steps_of
from analysis.run import Source
from analysis.window import Window

RNG = np.random.default_rng(7)
TIMES_US = RNG.lognormal(np.log(80_000), 0.5, 2_000).astype(int)
SECONDS = RNG.integers(0, 300, 2_000)
SCATTERED = run_of([row for s, us in zip(SECONDS, TIMES_US, strict=True) for row in measured(int(s), "ok", int(us), 2)])


def test_cells_hold_what_numpy_counts():
    times = view(SCATTERED).times["response"]
    heat = heat_of(times, steps_of(300))
    drawn_us = times.value_us[times.at]
    expected, _, _ = np.histogram2d(
        drawn_us / 1e6, SECONDS, [heat.edges_s, heat.steps.edges_s], weights=np.full(2_000, 2)
    )

    assert heat.count.sum() == 4_000
    assert heat.count.tolist() == expected.tolist()


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_rectangles_cover_each_cell_once_and_nothing_else(cells):
    covered = np.zeros(cells.shape, int)
    for from_step, from_row, to_step, to_row in rectangles(cells):
        covered[from_row:to_row, from_step:to_step] += 1

    assert covered.tolist() == cells.astype(int).tolist()


def test_a_block_of_cells_is_one_rectangle():
    cells = np.zeros((9, 9), np.bool_)
    cells[2:5, 3:8] = True

    assert rectangles(cells) == [(3, 2, 8, 5)]


@pytest.mark.parametrize(
    ("highest", "levels"),
    [(1, [1]), (2, [1]), (10, [1, 2, 3, 5]), (1_000, [1, 3, 10, 30, 100, 300]), (50_000, [1, 5, 30, 200, 1000, 5000])],
)
def test_shades_change_at_round_counts(highest, levels):
    assert levels_of(highest) == levels


@given(st.integers(1, 10**9))
def test_shades_begin_with_one_request_and_are_few(highest):
    levels = levels_of(highest)

    assert levels[0] == 1
    assert levels[-1] <= highest
    assert len(levels) <= MOST_SHADES
    assert levels == sorted(set(levels))


@pytest.mark.parametrize("shades", range(1, MOST_SHADES + 1))
def test_shades_painted_over_each_other_grow_evenly(shades):
    """What shines through n layers is the product of what each lets through."""
    seen = 1 - np.cumprod([1 - strength for strength in strengths(shades)])

    assert (np.diff(seen) > 0.1).all()
    np.testing.assert_allclose(np.diff(seen, 2), 0, atol=1e-9)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            measured(0, "ok", 80_000, 10),
            "Eight of ten requests took 80 ms; none took 5 times the median of 80 ms or longer.",
        ),
        (
            [*measured(0, "ok", 80_000, 50), *measured(3, "ok", 90_000, 50), *measured(3, "ok", 450_000, 4)],
            "Eight of ten requests took 80 to 90 ms; 4 took 5 times the median of 90 ms or longer, all in second 3.",
        ),
        (
            [*measured(0, "ok", 80_000, 80), *measured(1, "gateway_timeout", 40_000_000, 20)],
            "Eight of ten requests took 80 ms to 40 s or more; 20 took 5 times the median of 80 ms or longer,"
            " all in second 1.",
        ),
    ],
)
def test_the_reading_says_where_most_lie_and_when_the_slow_ones_were(rows, text):
    assert reading(view(run_of(rows))) == text


def test_what_is_left_out_is_drawn_but_not_read():
    run = run_of([*measured(0, "ok", 1_000_000, 50), *measured(1, "ok", 80_000, 50)])
    seen = view(run, Window(1, 2))

    assert reading(seen).startswith("Eight of ten requests took 80 ms;")
    assert heat_of(seen.times["response"], seen.steps).count.sum() == 100


def test_there_is_no_heatmap_without_times_or_of_an_aggregate():
    assert picture(view(run_of([(0, "json", "throttled", "response", 100, 1)]))) is None
    assert picture(view(run_of(measured(0, "ok", 100, 1), source=Source("Locust stats", (), known=())))) is None


def test_none_is_slow_only_as_far_as_is_known():
    rows = [*measured(0, "ok", 80_000, 10), *measured(0, "unfinished", 80_000, 2)]

    assert reading(view(run_of(rows))) == (
        "Eight of ten requests took 80 ms or more; none took 5 times the median of 80 ms or longer, as far as is known:"
        " 2 got no answer."
    )
