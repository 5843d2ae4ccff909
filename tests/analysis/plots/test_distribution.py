import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from viewed_by_hand import measured, run_of, view

from analysis.plots.distribution import BINS, bars_of, picture, reading
from analysis.window import Window

COUNTS = st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 5), st.integers(0, 5)), min_size=1)


def bars(value_us, answered, unanswered=None):
    none = np.zeros(len(value_us))
    return bars_of(np.array(value_us), np.array([answered, none if unanswered is None else unanswered], float))


def test_bars_are_numpys_histogram():
    times_us = np.random.default_rng(7).normal(200_000, 20_000, 5_000).astype(int)
    value_us, count = np.unique(times_us, return_counts=True)
    found = bars(value_us, count)

    assert not found.is_wide
    assert found.answered.tolist() == np.histogram(times_us / 1e6, found.edges_s)[0].tolist()
    assert np.ptp(np.diff(found.edges_s)) < 1e-9
    assert len(found.answered) <= BINS


@given(COUNTS)
def test_every_request_is_in_one_bar(counts):
    value_us, answered, unanswered = np.array(sorted({row[0]: row for row in counts}.values())).T
    if not (answered + unanswered).any():
        return
    found = bars(value_us, answered, unanswered)

    assert found.answered.sum() == answered.sum()
    assert found.unanswered.sum() == unanswered.sum()
    assert (np.diff(found.edges_s) > 0).all()
    assert found.edges_s[0] > 0
    assert len(found.answered) <= BINS + 1


def test_times_in_whole_milliseconds_are_not_split_between_them():
    """Bars of 1.6 ms would hold one and two milliseconds in turn."""
    value_us = np.arange(100, 200) * 1000

    assert set(bars(value_us, np.ones(100)).answered) == {2}


def test_constant_times_are_one_bar():
    assert bars([100_000], [500]).answered.tolist() == [500]


def test_wide_times_have_bars_of_equal_width_on_a_logarithmic_axis():
    found = bars([10_001, 80_000, 40_000_000], [1, 98, 0], [0, 0, 1])
    ratio = found.edges_s[1:] / found.edges_s[:-1]

    assert found.is_wide
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
    assert found.unanswered[-1] == 1


def test_percentiles_are_marked_one_above_the_other_and_the_window_is_what_counts():
    run = run_of([*measured(0, "ok", 900_000, 500), *measured(1, "ok", 80_000, 400)])
    (axes,) = picture(view(run, Window(1, 2))).figure.axes

    assert [text.get_text() for text in axes.texts] == ["p99 80 ms", "p90 80 ms", "p50 80 ms"]
    assert len({text.xy[1] for text in axes.texts}) == 3
    assert axes.get_legend().get_texts()[0].get_text() == "ok: 400 (100 %)"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (measured(0, "ok", 80_000, 100), "90 % of the requests took 80 ms or less; all 100 got an answer."),
        (measured(0, "ok", 80_000, 1), "The fastest request took 80 ms."),
        (
            [*measured(0, "ok", 80_000, 98), *measured(0, "gateway_timeout", 40_000_000, 2)],
            "90 % of the requests took 80 ms or less; 2 of 100 (2 %) got no answer and took 40 s or more.",
        ),
        (
            [*measured(0, "ok", 80_000, 50), *measured(0, "unfinished", 3_000_000, 50)],
            "The fastest request took 80 ms; 50 of 100 (50 %) got no answer and took 3 s or more.",
        ),
    ],
)
def test_the_reading_says_what_most_took_and_how_many_got_no_answer(rows, text):
    seen = view(run_of(rows))

    assert reading(seen, seen.times["response"].within(0, 1)) == text
