import pytest

from loadgate.standin.throttle import Throttle, time_words


def test_each_period_has_its_own_allowance():
    throttle = Throttle(2, 1.0)
    assert [throttle.exceeded(now_s) for now_s in (0.0, 0.1, 0.9, 1.0, 1.5, 1.9)] == [False, False, True] * 2


def test_a_period_begins_with_its_first_request():
    throttle = Throttle(1, 60.0)
    assert [throttle.exceeded(now_s) for now_s in (50.0, 100.0, 110.0)] == [False, True, False]


def test_it_tells_what_remains():
    throttle = Throttle(2, 10.0)
    told = []
    for now_s in range(3):
        throttle.exceeded(now_s)
        told.append(throttle.words())
    assert told == [f"remain:{left},limit:2,time:10 second" for left in (1, 0, 0)]


@pytest.mark.parametrize(
    ("period_s", "words"),
    [(1, "1 second"), (10, "10 second"), (60, "1 minute"), (90, "90 second"), (7200, "2 hour"), (86400, "1 day")],
)
def test_a_period_is_in_the_gateways_words(period_s, words):
    assert time_words(period_s) == words
