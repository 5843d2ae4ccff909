import pytest

from loadgate.live_samples import LiveSamples


def report(second, latency=(), waiting=()):
    return {"timeline": [(second,)], "latency": list(latency), "waiting": [list(waiting)]}


def row(second, count=1, outcome="ok"):
    return (second, "a", outcome, "response", [1000], count)


def test_requests_are_found_by_when_they_were_planned_and_by_when_they_ended():
    live = LiveSamples(1)
    live.see("", report(0, [row(0, 5)], [row(0, 2, "unfinished")]))
    seen = live.see("", report(1, [row(0, 2, "throttled"), row(1, 7)]))

    assert seen.planned(0, 1).outcome_counts() == {"ok": 5, "throttled": 2}
    assert seen.ended_in(1, 2).outcome_counts() == {"ok": 7, "throttled": 2}


def test_what_is_in_flight_counts_once_and_only_as_long_as_it_is():
    live = LiveSamples(1)
    first = live.see("", report(0, [], [row(0, 2, "unfinished")]))
    second = live.see("", report(1, [], [row(0, 2, "unfinished")]))
    third = live.see("", report(2, [row(0, 2)]))

    assert [each.planned(0, 3).outcome_counts() for each in (first, second, third)] == [
        {"unfinished": 2},
        {"unfinished": 2},
        {"ok": 2},
    ]


def test_nothing_is_seen_before_every_process_has_told():
    live = LiveSamples(2)

    assert live.see("one", report(0, [row(0)])) is None
    assert live.see("two", report(0, [row(0)])).planned(0, 1).outcome_counts() == {"ok": 2}


def test_a_process_that_never_tells_is_not_waited_for_without_end():
    live = LiveSamples(2)

    assert live.see("one", report(9, [row(9)])) is None
    assert live.see("one", report(10, [row(10)])).over_s == 11


def test_what_a_process_tells_ahead_of_the_others_has_not_ended_yet():
    live = LiveSamples(2)
    live.see("one", report(0, [row(0, 2)]))
    live.see("two", report(0, [row(0, 3)]))
    seen = live.see("one", report(1, [row(1, 50)]))

    assert seen.over_s == 1
    assert seen.ended_in(0, 1).outcome_counts() == {"ok": 5}


def test_a_moment_is_as_late_as_the_slowest_process_but_not_as_a_lost_one():
    live = LiveSamples(2)
    live.see("one", report(0))
    assert live.see("two", report(4)).over_s == 1
    assert live.see("two", report(20)).over_s == 21


@pytest.mark.parametrize(("forgets", "count"), [(False, 3), (True, 1)])
def test_what_has_ended_can_be_let_go_of(forgets, count):
    live = LiveSamples(1)
    live.see("", report(0, [row(0, 2)]))
    if forgets:
        live.forget()

    assert live.see("", report(1, [row(1)])).planned(0, 9).outcome_counts() == {"ok": count}


def test_nothing_at_all_is_an_empty_sample():
    seen = LiveSamples(1).see("", report(0))

    assert (seen.planned(0, 9).outcome_counts(), seen.ended_in(0, 9).outcome_counts()) == ({}, {})
