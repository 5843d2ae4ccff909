import numpy as np

from analysis.readers.second_counts import PerSecond, SecondCounts


def array(*values):
    return np.array(values, np.int64)


def test_a_figure_grows_with_the_seconds():
    figure = PerSecond()
    figure.add(array(2, 0, 2))
    figure.add(array(4), array(7))
    figure.add(array())

    assert figure.figures.tolist() == [1, 0, 2, 0, 7]


def test_in_flight_is_what_was_sent_and_has_not_come_back():
    seconds = SecondCounts()
    seconds.sent.add(array(0, 0, 1, 3))
    seconds.finished.add(array(1, 3, 3, 4))
    seconds.dropped.add(array(1), array(5))
    timeline = seconds.timeline()

    assert timeline.second.tolist() == [0, 1, 2, 3, 4]
    assert timeline.in_flight.tolist() == [2, 2, 2, 1, 0]
    assert timeline.planned.tolist() == [2, 6, 0, 1, 0]
    assert np.isnan(timeline.cpu_share).all()
    assert np.isnan(timeline.target_per_s).all()


def test_users_of_several_files_add_up_and_stay_until_told_otherwise():
    seconds = SecondCounts()
    seconds.sent.add(array(3))
    seconds.users_of("a").keep_highest(array(0, 0, 2), array(3, 5, 4))
    seconds.users_of("b").keep_highest(array(1), array(10))

    assert seconds.timeline().users.tolist() == [5, 15, 14, 14]


def test_nothing_makes_no_seconds():
    assert SecondCounts().timeline().second.tolist() == []
