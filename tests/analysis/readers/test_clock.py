import numpy as np
import pytest

from analysis.readers.clock import Clock

SECOND = 1_000_000


def clock_of(*blocks):
    clock = Clock()
    for block in blocks:
        clock.watch((np.array(block) * SECOND).astype(np.int64))
    return clock


def test_rows_of_concurrent_requests_may_change_places():
    for clock in (clock_of([10, 11, 9, 12], [11, 13]), clock_of([])):
        assert clock.note("a.jtl") is None
        assert clock.step_s == 0.0


def test_a_clock_that_went_back_is_noted_with_file_and_by_how_much():
    clock = clock_of([10, 20, 30], [], [26.5, 27])

    assert clock.step_s == pytest.approx(3.5)
    assert clock.note("a.jtl").startswith("a.jtl: the time goes back by 3.5 s between its rows.")


def test_the_largest_step_is_told():
    assert clock_of([30, 10, 29, 40, 37]).step_s == 20.0
