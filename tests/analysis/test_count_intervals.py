import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.count_intervals import poisson, wilson


@pytest.mark.parametrize(
    ("count", "total", "ends"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_a_share_has_wilsons_interval(count, total, ends):
    """Table I of Newcombe, Statistics in Medicine 17, 1998 (pages 857 to 872): method 3."""
    assert wilson(count, total, 0.95) == pytest.approx(ends, abs=1e-4)


@given(st.integers(1, 10**7).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_a_share_is_in_its_interval_and_that_in_0_to_1(sample):
    count, total = sample
    low, high = wilson(count, total, 0.95)

    assert 0 <= low <= count / total + 1e-12
    assert count / total - 1e-12 <= high <= 1
    assert wilson(total - count, total, 0.95) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(st.integers(0, 10**9), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_a_number_has_the_interval_of_a_very_small_share(count, confidence):
    low, high = poisson(count, confidence)
    total = 10**18

    assert 0 <= low <= count < high
    assert [end * total for end in wilson(count, total, confidence)] == pytest.approx([low, high], rel=1e-6, abs=1e-6)


def test_none_is_no_proof_that_there_is_none():
    assert poisson(0, 0.95) == (0, pytest.approx(3.8415, abs=1e-4))  # the 95 % quantile of chi-square, 1 degree
