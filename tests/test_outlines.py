"""How many users a load shape has at each moment. The shapes themselves: `end_to_end/test_shapes.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.outlines import ramp, soak, soak_ramp_s, spike, steps

peaks = st.integers(1, 100_000)
lengths_s = st.floats(1.0, 10 * 86_400.0)
shares = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20).map(sorted)
EVERY = pytest.mark.parametrize("outline", [ramp, steps, spike, soak])
RISING = pytest.mark.parametrize("outline", [ramp, steps, soak])


@EVERY
@given(peaks, lengths_s, shares)
def test_there_is_always_somebody_and_never_more_than_the_peak(outline, users, duration_s, shares):
    found = [outline(share * duration_s, users, duration_s) for share in shares]

    assert all(type(number) is int for number in found)
    assert 1 <= min(found) <= max(found) <= users


@RISING
@given(peaks, lengths_s, shares)
def test_what_rises_never_falls_and_ends_at_the_peak(outline, users, duration_s, shares):
    found = [outline(share * duration_s, users, duration_s) for share in shares]

    assert found == sorted(found)
    assert outline(duration_s, users, duration_s) == users


@given(peaks, lengths_s, st.floats(0.0, 1.0))
def test_a_ramp_is_even(users, duration_s, share):
    assert ramp(share * duration_s, users, duration_s) == pytest.approx(max(share * users, 1), abs=0.500001)


def test_steps_are_five_of_one_length_and_height():
    assert [steps(at_s, 50, 10.0) for at_s in range(10)] == [10, 10, 20, 20, 30, 30, 40, 40, 50, 50]
    assert [steps(at_s, 3, 5.0) for at_s in range(5)] == [1, 1, 2, 2, 3]


def test_a_spike_is_a_fifth_of_the_time_in_the_middle():
    assert [spike(at_s, 50, 10.0) for at_s in range(10)] == [5, 5, 5, 5, 50, 50, 5, 5, 5, 5]
    assert [spike(at_s, 4, 10.0) for at_s in (0, 3.99, 4, 5.99, 6)] == [1, 1, 4, 4, 1]


@pytest.mark.parametrize(("duration_s", "ramp_s"), [(100.0, 5.0), (1200.0, 60.0), (86_400.0, 60.0)])
def test_a_soak_has_its_peak_after_a_ramp_of_a_minute_at_most(duration_s, ramp_s):
    assert soak_ramp_s(duration_s) == pytest.approx(ramp_s)
    assert soak(ramp_s / 2, 100, duration_s) == 50
    assert [soak(at_s, 100, duration_s) for at_s in (ramp_s, ramp_s + 1, duration_s)] == [100] * 3
