import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.run_format import bucketed

times_us = st.lists(st.integers(0, 10**11), min_size=1).map(lambda values: np.array(values, np.int64))


def test_short_times_keep_their_microsecond():
    exact = np.arange(2048)

    assert bucketed(exact).tolist() == exact.tolist()


@given(times_us)
def test_a_bucket_is_within_half_a_thousandth(times):
    assert (np.abs(bucketed(times) - times) <= times * 0.0005).all()


@given(times_us)
def test_bucketing_twice_changes_nothing(times):
    assert bucketed(bucketed(times)).tolist() == bucketed(times).tolist()


def test_a_time_just_under_and_over_the_limit_stay_apart():
    below, above = bucketed(np.array([39_960_000, 40_040_000]))

    assert below < 40_000_000 < above


def test_a_negative_time_counts_as_none():
    assert bucketed(np.array([-5])).tolist() == [0]
