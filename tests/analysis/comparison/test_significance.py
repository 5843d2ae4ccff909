import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.comparison.significance import Interval, Spread, holm, interval, p_value


@given(st.floats(-50, 50), st.floats(0.1, 20), st.floats(0.1, 20), st.floats(3, 100), st.floats(0.5, 0.999))
def test_an_interval_excludes_0_exactly_when_its_p_value_says_so(value, down, up, degrees, confidence):
    spread = Spread(down, up, degrees)
    found, p = interval(value, value, spread, confidence), p_value(value, value, spread)

    if abs(p - (1 - confidence)) > 1e-9:
        assert (found.low > 0 or found.high < 0) == (p < 1 - confidence)


@pytest.mark.parametrize(
    ("low", "high", "spread", "expected", "p"),
    [
        (1.0, 1.0, Spread(0, 0), Interval(1.0, 1.0, 1.0), 0.0),
        (0.0, 0.0, Spread(0, 0), Interval(0.0, 0.0, 0.0), 1.0),
        (
            3.0,
            math.inf,
            Spread(1, math.inf),
            Interval(3.0, pytest.approx(1.04, abs=1e-3), None),
            pytest.approx(0.0027, abs=1e-4),
        ),
        (
            -math.inf,
            -3.0,
            Spread(math.inf, 1),
            Interval(-3.0, None, pytest.approx(-1.04, abs=1e-3)),
            pytest.approx(0.0027, abs=1e-4),
        ),
        (-math.inf, 3.0, Spread(math.inf, 1), Interval(3.0, None, pytest.approx(4.96, abs=1e-3)), 1.0),
    ],
)
def test_a_bound_leaves_one_end_open(low, high, spread, expected, p):
    assert interval(low, high, spread, 0.95) == expected
    assert p_value(low, high, spread) == p


@pytest.mark.parametrize(
    ("p_values", "significant"),
    [
        ([], []),
        ([0.04], [True]),
        ([0.04, 0.04], [False, False]),
        ([0.03, 0.01], [True, True]),
        # the first of four has to be below 0.0125, the second below 0.0167, the third below 0.025: 0.03 is not
        ([0.01, 0.04, 0.03, 0.005], [True, False, False, True]),
        ([0.06, 0.001, 0.02, 0.016], [False, True, True, True]),
    ],
)
def test_differences_stand_by_holms_steps(p_values, significant):
    assert holm(p_values, 0.05) == significant
