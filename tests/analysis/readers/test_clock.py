import numpy as np

from analysis.readers.clock import Clock

SECOND = 1_000_000


def clock_of(*blocks):
    clock = Clock()
    for block in blocks:
        clock.watch((np.array(block) * SECOND).astype(np.int64))
    return clock.note("a.jtl")


def test_rows_of_concurrent_requests_may_change_places():
    assert clock_of([10, 11, 9, 12], [11, 13]) is None
    assert clock_of([]) is None


def test_a_clock_that_went_back_is_noted_with_file_and_by_how_much():
    note = clock_of([10, 20, 30], [], [26.5, 27])

    assert note.startswith("a.jtl: the time goes back by 3.5 s between its rows.")


def test_the_largest_step_is_told():
    assert "by 20.0 s" in clock_of([30, 10, 29, 40, 37])
