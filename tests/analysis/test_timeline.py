import numpy as np

from analysis.run_format import TIMELINE_COLUMNS
from analysis.timeline import merged


def rows(*rows):
    return dict(zip(TIMELINE_COLUMNS, map(np.array, zip(*rows, strict=True)), strict=True))


def test_rows_of_one_second_add_up_and_keep_the_worst():
    timeline = merged(
        rows(
            # second, users, target, planned, sent, finished, dropped, resent, in flight, cpu, lateness, lag, gc
            (1, 5, 2.5, 10, 9, 8, 1, 0, 3, 0.9, 0.2, 1.0, 0.0),
            (0, 5, 2.5, 20, 20, 20, 0, 0, 1, 0.1, 0.3, 0.1, 2.0),
            (1, 6, 2.5, 30, 30, 29, 0, 2, 4, 0.2, 0.1, 7.0, 0.5),
        )
    )

    assert timeline.second.tolist() == [0, 1]
    assert timeline.users.tolist() == [5, 11]
    assert timeline.target_per_s.tolist() == [2.5, 5.0]
    assert timeline.planned.tolist() == [20, 40]
    assert timeline.dropped.tolist() == [0, 1]
    assert timeline.resent.tolist() == [0, 2]
    assert timeline.in_flight.tolist() == [1, 7]
    assert timeline.cpu_share.tolist() == [0.1, 0.9]
    assert timeline.lateness_ms.tolist() == [0.3, 0.2]
    assert timeline.loop_lag_ms.tolist() == [0.1, 7.0]
    assert timeline.gc_pause_ms.tolist() == [2.0, 0.5]


def test_what_was_not_measured_stays_unknown():
    nan = np.nan
    timeline = merged(
        rows((0, 1, nan, 1, 1, 1, 0, 0, 0, nan, nan, nan, nan), (0, 1, 2.0, 1, 1, 1, 0, 0, 0, nan, nan, 3.0, 0.0)),
    )

    assert timeline.target_per_s.tolist() == [2.0]
    assert np.isnan(timeline.cpu_share).all()
    assert timeline.loop_lag_ms.tolist() == [3.0]
