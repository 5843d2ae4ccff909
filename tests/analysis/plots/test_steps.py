import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.plots.steps import MOST_STEPS, steps_of


@pytest.mark.parametrize(
    ("seconds", "at_least_s", "width_s", "steps"),
    [
        (1, 1, 1, 1),
        (150, 1, 1, 150),
        (151, 1, 2, 76),
        (3_600, 1, 30, 120),
        (86_400, 1, 600, 144),
        (60, 3.2, 5, 12),
        (0, 1, 1, 1),
        (150 * 86_400, 1, 86_400, 150),
        (151 * 86_400, 1, 172_800, 76),
    ],
)
def test_a_run_is_cut_into_steps_of_a_width_that_people_count_in(seconds, at_least_s, width_s, steps):
    found = steps_of(seconds, at_least_s)

    assert (found.width_s, len(found)) == (width_s, steps)


@given(st.integers(1, 10**8), st.floats(1, 10**4))
def test_steps_are_few_and_cover_the_run_without_gap_or_overlap(seconds, at_least_s):
    steps = steps_of(seconds, at_least_s)

    assert 1 <= len(steps) <= MOST_STEPS
    assert steps.width_s >= at_least_s
    assert steps.edges_s[0] == 0
    assert steps.edges_s[-1] == seconds
    assert steps.lengths_s.sum() == seconds
    assert steps.of(np.array([0, seconds - 1])).tolist() == [0, len(steps) - 1]


def test_the_last_step_is_as_long_as_what_is_left():
    steps = steps_of(301)

    assert steps.width_s == 5
    assert steps.lengths_s[-1] == 1
    assert steps.middles_s[-1] == 300.5
