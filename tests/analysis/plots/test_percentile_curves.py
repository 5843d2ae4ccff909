from fractions import Fraction

import numpy as np
import pytest
from viewed_by_hand import measured, run_of, view

from analysis.plots.percentile_curves import picture, reading
from analysis.run import Source

RNG = np.random.default_rng(7)
TIMES_US = RNG.lognormal(np.log(80_000), 0.5, 1_000).astype(int).tolist()


def independent(times_us, *more):
    return run_of([row for n, us in enumerate(times_us) for row in measured(n % 5, "ok", us, 1)] + list(more))


def test_of_an_aggregate_only_its_own_percentiles_are_drawn():
    """The largest, p100, has no place on the axis."""
    rows = [(0, "json", "ok", "service", us, n) for us, n in ((50_000, 500), (90_000, 490), (700_000, 10))]
    run = run_of(rows, source=Source("Locust stats", (), known=(Fraction(1, 2), Fraction(1), Fraction(99, 100))))
    (line,) = picture(view(run)).figure.axes[0].get_lines()

    assert line.get_xdata() == pytest.approx([0.30103, 2])
    assert line.get_ydata().tolist() == [0.05, 0.09]
    assert reading(view(run)) == "Half of the requests took 50 ms or less; the slowest 1 % took 90 ms or more."


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (
            independent([75_000] * 990 + [2_000_000] * 10),
            "Half of the requests took 75 ms or less; the slowest 1 % took 75 ms or more.",
        ),
        (independent([75_000] * 50), "Half of the requests took 75 ms or less; the slowest 10 % took 75 ms or more."),
        (independent([75_000] * 9), "Half of the requests took 75 ms or less."),
        (
            independent([75_000] * 950, *measured(0, "gateway_timeout", 40_000_000, 50)),
            "Half of the requests took 75 ms or less; the slowest 1 % took 40 s or more, the gateway's limit.",
        ),
        (
            independent([75_000] * 100, *measured(0, "client_timeout", 45_000_000, 900)),
            "Half of the requests took 45 s or more.",
        ),
    ],
)
def test_the_reading_says_what_half_and_the_slowest_took(run, text):
    assert reading(view(run)) == text


def test_response_and_service_are_drawn_with_the_limit():
    axes = picture(view(independent(TIMES_US))).figure.axes[0]

    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["95 % confidence", "response", "service"]
    assert any(text.get_text() == "gateway limit 40 s: above this picture" for text in axes.texts)
