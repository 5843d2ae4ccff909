import pytest

from analysis.objectives.objective import objective
from loadgate.watch import Watch

TIMEOUT_S = 40.0


def watch_of(*texts):
    return Watch([objective(text) for text in texts], TIMEOUT_S)


def report(second, *latency, waiting=()):
    """What a process sends once *second* is over: rows of (second, name, outcome, measure, times, count)."""
    return {"timeline": [(second,)], "latency": list(latency), "waiting": list(waiting)}


def ok(second, time_us, count=20):
    return (second, "a", "ok", "response", [time_us], count)


def in_flight(second, age_us, count=20):
    return (second, "a", "unfinished", "response", [age_us], count)


def stopped_at(watch, reports):
    """The first second after which an objective is missed."""
    for at, one in enumerate(reports):
        if watch.see("", one) and watch.missed():
            return at
    return None


@pytest.mark.parametrize(("texts", "watches"), [((), False), (("p99<1s",), False), (("p99<1s over 5s stop",), True)])
def test_only_what_may_stop_a_run_is_watched(texts, watches):
    assert bool(watch_of(*texts)) is watches


def test_a_run_is_stopped_once_its_last_seconds_miss_the_objective():
    slow_from_10 = [report(at, ok(at, 100_000 if at < 10 else 900_000)) for at in range(30)]

    assert stopped_at(watch_of("p50<500ms over 6s stop"), slow_from_10) in (13, 14)  # half of the six
    assert stopped_at(watch_of("p50<1s over 6s stop"), slow_from_10) is None


def test_nothing_is_judged_before_there_are_so_many_seconds():
    slow = [report(at, ok(at, 900_000)) for at in range(10)]

    assert stopped_at(watch_of("p50<500ms over 6s stop"), slow) == 5
    assert stopped_at(watch_of("p50<500ms over 30s stop"), slow) is None


def test_a_service_that_hangs_misses_while_it_hangs():
    """It answers nothing from second 10 on: what is in flight grows older."""
    reports = [report(at, ok(at, 20_000)) for at in range(10)]
    for now in range(10, 16):
        waiting = [in_flight(second, int(1e6 * (now + 1 - second) - 5e5)) for second in range(10, now + 1)]
        reports.append(report(now, waiting=waiting))

    assert stopped_at(watch_of("p99<800ms over 5s stop"), reports) == 11
    assert stopped_at(watch_of("p99<60s over 5s stop"), reports) is None


def test_what_is_in_flight_in_each_process_counts_once():
    watch = watch_of("p50<500ms over 2s stop")
    for at in range(4):
        assert watch.see("one", report(at, ok(at, 100_000, 30), waiting=[in_flight(at, 900_000)]))
        assert watch.see("two", report(at, waiting=[in_flight(at, 900_000, 1)]))
    found = watch.missed()

    assert found is None  # 60 of 81: had every report's been added up, it would be 60 of 102


def test_a_share_of_outcomes_may_stop_too():
    refused = [report(at, ok(at, 100_000), (at, "a", "throttled", "response", [500], 20)) for at in range(5)]

    assert stopped_at(watch_of("errors<10% over 3s stop"), refused) == 2


def test_old_seconds_are_forgotten():
    watch = watch_of("p50<500ms over 3s stop")
    for at in range(1000):
        watch.see("", report(at, ok(at, 100_000)))

    assert len(watch._ended) <= 3


def test_what_was_dropped_has_no_time():
    assert stopped_at(watch_of("p50<1s over 1s stop"), [report(0, (0, "a", "dropped", "response", [], 5))]) is None
