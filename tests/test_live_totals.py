import numpy as np

from analysis.population import population_of
from analysis.run_format import RESPONSE, TIMELINE_COLUMNS
from loadgate import live_totals
from loadgate.live_totals import LiveTotals


def report(latency=(), waiting=None, second=0):
    timeline = tuple(second if name == "second" else 1 for name in TIMELINE_COLUMNS)
    return {"latency": list(latency), "waiting": [] if waiting is None else [list(waiting)], "timeline": [timeline]}


def row(second, us, count=1, outcome="ok", name="a"):
    return (second, name, outcome, "response", us, count)


def test_all_that_ended_is_counted_whenever_it_was_planned(monkeypatch):
    monkeypatch.setattr(live_totals, "ENOUGH", 3)  # rows, so that it is folded now and then
    totals, times = LiveTotals(40.0), np.random.default_rng(1).integers(1_000, 1_010, 500)
    for second, us in enumerate(times.tolist()):
        totals.see("one" if second % 2 else "two", report([row(second, [us])], second=second))

    population = population_of(totals.now().ended, RESPONSE)
    assert population.n == 500
    assert population.at_least_s(250) == np.sort(times)[249] / 1e6
    assert len(totals.now().ended.second) == 10  # as many as there are times


def test_a_timeout_is_at_least_the_limit():
    totals = LiveTotals(40.0)
    totals.see("", report([row(0, [5_000_000], outcome="gateway_timeout")]))

    assert totals.now().ended.value_us.tolist() == [40_000_000]


def test_what_waits_is_what_every_process_said_last():
    totals = LiveTotals(40.0)
    totals.see("one", report(waiting=[row(0, [9], 3, "unfinished")]))
    totals.see("two", report(waiting=[row(0, [7], 1, "unfinished")]))
    totals.see("one", report(waiting=[row(0, [11], 2, "unfinished")]))
    totals.see("one", report())  # between two whole seconds nothing is said of it

    assert totals.now().waiting.outcome_counts() == {"unfinished": 3}
    assert totals.now().waiting.value_us.max() == 11
    assert len(totals.now().latest) == 2


def test_nothing_is_an_empty_sample():
    totals = LiveTotals(None)

    assert totals.now().ended.outcome_counts() == totals.now().waiting.outcome_counts() == {}
