"""Workers that were away: since when, and how many requests of theirs are at most not known of."""

import math

import pytest

from loadgate.absences import SIGMAS, Absence, Absences

HEARTBEAT_S = 1.0


def told(second, *, target=None, sent=0, in_flight=0):
    """A report that ends with this row of the timeline."""
    return {"timeline": [(second, 1, target, sent, sent, sent, 0, 0, in_flight, 0.1, 0.2, 0.3, 0.0)]}


@pytest.fixture
def absences():
    found = Absences(HEARTBEAT_S)
    for worker in ("one", "other"):
        found.expect(worker, 0.0)
    return found


def test_what_was_sent_since_the_last_report_and_what_was_in_flight_may_be_missing(absences):
    absences.hear("one", told(2, target=20.0, sent=20, in_flight=7))
    absences.begin("one", 1, "worker 1", 4.26, 20.0)

    # Of the seconds from 3 on until a heartbeat after the last: 3, 4 and what is left of 5.
    assert absences.all == [Absence("worker 1", 1, 4.3, 3, 7 + math.ceil(20 * 2.26))]
    assert absences.away == {"one"}


def test_a_worker_that_had_told_nothing_had_its_share(absences):
    absences.begin("one", 1, "worker 1", 2.0, 20.0)

    assert absences.all[0].unreported == 60


@pytest.mark.parametrize(("was", "may_be"), [(20.0, 50.0), (50.0, 20.0)])
def test_a_rate_that_rises_or_falls_may_be_the_higher_one_all_the_time(absences, was, may_be):
    absences.hear("one", told(0, target=was, sent=int(was)))
    absences.begin("one", 1, "worker 1", 2.0, may_be)

    assert absences.all[0].unreported == 100


def test_one_whose_share_is_not_known_sent_no_more_than_the_fastest(absences):
    absences.hear("other", told(0, sent=35))
    absences.begin("one", 1, "worker 1", 1.0, 0.0)

    assert absences.all[0].unreported == 70


def test_a_load_that_is_not_steady_may_have_been_more():
    absences = Absences(HEARTBEAT_S, is_steady=False)
    absences.expect("one", 0.0)
    absences.begin("one", 1, "worker 1", 0.0, 100.0)

    assert absences.all[0].unreported == 100 + SIGMAS * 10


def test_one_that_comes_late_owes_nothing_of_what_was_before(absences):
    absences.expect("late", 60.0)
    absences.begin("late", 3, "worker 3", 61.0, 20.0)

    assert absences.all == [Absence("worker 3", 3, 61.0, 60, 40)]


def test_one_that_is_back_tells_of_everything(absences):
    absences.begin("one", 1, "worker 1", 4.0, 20.0)
    absences.end("one", 9.96)
    absences.begin("one", 1, "worker 1", 20.0, 20.0)

    first, second = absences.all
    assert (first.back_s, first.unreported) == (10.0, 0)
    assert (second.back_s, absences.away) == (None, {"one"})
    assert absences.workers == {"one", "other"}
