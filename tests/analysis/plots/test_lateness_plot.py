import numpy as np
import pytest
from viewed_by_hand import run_of, timeline_of, view

from analysis.plots.lateness import curve_of, picture, worst_by_step
from analysis.run_format import LATENESS

LATE_US = np.random.default_rng(7).lognormal(np.log(150), 1, 500).astype(int).tolist()


def late(times_us):
    return [(0, "json", "ok", "lateness", us, 1) for us in times_us]


def test_the_curve_goes_through_numpys_percentiles():
    nines, lateness_s = curve_of(view(run_of(late(LATE_US))).populations[LATENESS], 0.95)
    expected_us = np.quantile(LATE_US, 1 - 10**-nines - 1e-9, method="inverted_cdf")

    np.testing.assert_allclose(lateness_s, expected_us / 1e6, rtol=1e-9)


def test_the_worst_of_each_step_is_the_timelines():
    seen = view(run_of([], timeline_of(3, lateness_ms=np.array([0.2, np.nan, 15.0]))))

    assert worst_by_step(seen).tolist() == pytest.approx([0.0002, np.nan, 0.015], nan_ok=True)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            late([200] * 990 + [3_000] * 10),
            "99 % of the requests left within 0.2 ms of their planned time, where 10 ms is allowed; the latest left"
            " 3 ms after it.",
        ),
        (
            late([200]),
            "Half of the requests left within 0.2 ms of their planned time, where 10 ms is allowed; the latest left"
            " 0.2 ms after it.",
        ),
        ([], "The latest request left 7 ms after its planned time."),
    ],
)
def test_the_reading_says_how_late_most_and_the_latest_left(rows, text):
    assert picture(view(run_of(rows, timeline_of(3, lateness_ms=np.array([0.2, 7, 0.2]))))).reading == text


def test_without_a_plan_there_is_no_lateness():
    assert picture(view(run_of([(0, "json", "ok", "service", 80_000, 9)]))) is None
