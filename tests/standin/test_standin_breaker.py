from loadgate.standin.breaker import Breaker


def test_it_opens_after_so_many_in_a_row_and_closes_by_itself():
    breaker = Breaker(2, 10.0)
    breaker.note(500, 0.0)
    assert not breaker.is_open(0.0)
    breaker.note(503, 1.0)
    assert breaker.is_open(1.0)
    assert breaker.is_open(10.9)
    assert not breaker.is_open(11.0)


def test_a_good_answer_in_between_starts_the_count_again():
    breaker = Breaker(2, 10.0)
    for status in (500, 200, 500, 400, 500):
        breaker.note(status, 0.0)
    assert not breaker.is_open(0.0)


def test_after_it_has_closed_it_counts_from_nothing():
    breaker = Breaker(2, 10.0)
    for now_s in (0.0, 0.0, 5.0, 11.0):
        breaker.note(500, now_s)
    assert not breaker.is_open(11.0)
    breaker.note(500, 12.0)
    assert breaker.is_open(12.0)
