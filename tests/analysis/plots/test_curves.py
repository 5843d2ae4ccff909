from fractions import Fraction

import numpy as np
import pytest

from analysis.percentiles import estimates
from analysis.plots.axes import nines_of
from analysis.plots.curves import curve_of, curve_shares
from analysis.population import population

TIMES_US = np.random.default_rng(7).lognormal(np.log(80_000), 0.5, 1_000).astype(int)


def independent(times_us, timeouts=0):
    times_us = np.append(times_us, np.full(timeouts, 40_000_000)).astype(int)
    return population(times_us, np.ones_like(times_us), np.arange(len(times_us)) >= len(times_us) - timeouts)


def test_a_curve_goes_through_numpys_percentiles():
    curve = curve_of(independent(TIMES_US), 0.95, None)
    shares = 1 - 10**-curve.nines

    np.testing.assert_allclose(
        curve.value_s, np.quantile(TIMES_US, shares - 1e-9, method="inverted_cdf") / 1e6, rtol=1e-9
    )


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_a_curve_has_the_intervals_of_the_report_at_the_confidence_chosen(confidence):
    curve = curve_of(independent(TIMES_US), confidence, None)
    (p90,) = estimates(independent(TIMES_US), [Fraction(9, 10)], confidence)
    at = np.flatnonzero(curve.nines == nines_of(Fraction(9, 10)))

    assert curve.value_s[at] == p90.value_s
    assert curve.low_s[at] == p90.low_s
    assert curve.high_s[at] == p90.high_s


def test_a_curve_ends_where_the_requests_support_no_more():
    """1,000 requests support p99 (368 are needed), and not p99.9 (3,688)."""
    assert 2 < curve_of(independent(TIMES_US), 0.95, None).nines[-1] < 3
    assert curve_of(independent(TIMES_US[:3]), 0.95, None) is None
    assert curve_of(independent([]), 0.95, None) is None


@pytest.mark.parametrize("n", [1, 10, 368, 10_000_000])
def test_percentiles_are_spread_up_to_the_highest_that_n_can_support(n):
    shares = curve_shares(n, 0.95)

    assert shares == sorted(shares)
    assert all(0 < share < 1 for share in shares)
    assert (Fraction(99, 100) in shares) is (n >= 368)


def test_a_percentile_that_is_not_supported_is_a_gap_in_the_curve():
    """Of 20 requests, chances are above 2.5 % that none is below a percentile under p16.9: 0.831^20 = 0.025."""
    curve = curve_of(independent(TIMES_US[:20]), 0.95, None)

    assert (np.isnan(curve.value_s) == (curve.nines < nines_of(Fraction(168, 1000)))).all()


def test_bounds_have_no_upper_limit_and_are_marked():
    curve = curve_of(independent(TIMES_US, timeouts=200), 0.95, None)

    assert curve.value_s[curve.censored].tolist() == [40.0] * curve.censored.sum()
    assert np.isinf(curve.high_s[curve.censored]).all()
    assert not curve.censored[curve.nines <= nines_of(Fraction(8, 10))].any()


def test_of_an_aggregate_a_curve_has_the_percentiles_that_are_known():
    """The largest, p100, has no place on the axis."""
    times_us = np.repeat([50_000, 90_000, 700_000], [500, 490, 10])
    curve = curve_of(independent(times_us), 0.95, (Fraction(1, 2), Fraction(1), Fraction(99, 100)))

    assert curve.value_s.tolist() == [0.05, 0.09]
    assert curve.nines == pytest.approx([0.30103, 2])
    assert np.isnan(curve.low_s).all()
