from fractions import Fraction

import numpy as np
import pytest
from viewed_by_hand import measured, run_of, view

from analysis.percentiles import estimates
from analysis.plots.axes import nines_of
from analysis.plots.percentile_curves import curve_of, picture, reading, spread
from analysis.run import Source

RNG = np.random.default_rng(7)
TIMES_US = RNG.lognormal(np.log(80_000), 0.5, 1_000).astype(int).tolist()


def independent(times_us, *more):
    return run_of([row for n, us in enumerate(times_us) for row in measured(n % 5, "ok", us, 1)] + list(more))


def test_a_curve_goes_through_numpys_percentiles():
    curve = curve_of(view(independent(TIMES_US)), "response")
    shares = 1 - 10**-curve.nines

    np.testing.assert_allclose(
        curve.value_s, np.quantile(TIMES_US, shares - 1e-9, method="inverted_cdf") / 1e6, rtol=1e-9
    )


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_a_curve_has_the_intervals_of_the_report_at_the_confidence_chosen(confidence):
    seen = view(independent(TIMES_US), confidence=confidence)
    curve = curve_of(seen, "response")
    (p90,) = estimates(seen.populations["response"], [Fraction(9, 10)], confidence)
    at = np.flatnonzero(curve.nines == nines_of(Fraction(9, 10)))

    assert curve.value_s[at] == p90.value_s
    assert curve.low_s[at] == p90.low_s
    assert curve.high_s[at] == p90.high_s


def test_a_curve_ends_where_the_requests_support_no_more():
    """1,000 requests support p99 (368 are needed), and not p99.9 (3,688)."""
    assert 2 < curve_of(view(independent(TIMES_US)), "response").nines[-1] < 3
    assert curve_of(view(independent(TIMES_US[:3])), "response") is None
    assert curve_of(view(independent([])), "response") is None


@pytest.mark.parametrize("n", [1, 10, 368, 10_000_000])
def test_percentiles_are_spread_up_to_the_highest_that_n_can_support(n):
    shares = spread(n, 0.95)

    assert shares == sorted(shares)
    assert all(0 < share < 1 for share in shares)
    assert (Fraction(99, 100) in shares) is (n >= 368)


def test_a_percentile_that_is_not_supported_is_a_gap_in_the_curve():
    """Of 20 requests, chances are above 2.5 % that none is below a percentile under p16.9: 0.831^20 = 0.025."""
    curve = curve_of(view(independent(TIMES_US[:20])), "response")

    assert (np.isnan(curve.value_s) == (curve.nines < nines_of(Fraction(168, 1000)))).all()


def test_bounds_have_no_upper_limit_and_are_marked():
    timeouts = [row for second in range(5) for row in measured(second, "gateway_timeout", 40_000_000, 40)]
    curve = curve_of(view(independent(TIMES_US, *timeouts)), "response")

    assert curve.value_s[curve.censored].tolist() == [40.0] * curve.censored.sum()
    assert np.isinf(curve.high_s[curve.censored]).all()
    assert not curve.censored[curve.nines <= nines_of(Fraction(8, 10))].any()


def test_of_an_aggregate_only_its_own_percentiles_are_drawn():
    """The largest, p100, has no place on the axis."""
    rows = [(0, "json", "ok", "service", us, n) for us, n in ((50_000, 500), (90_000, 490), (700_000, 10))]
    run = run_of(rows, source=Source("Locust stats", (), known=(Fraction(1, 2), Fraction(1), Fraction(99, 100))))
    curve = curve_of(view(run), "service")

    assert curve.value_s.tolist() == [0.05, 0.09]
    assert curve.nines == pytest.approx([0.30103, 2])
    assert np.isnan(curve.low_s).all()
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
