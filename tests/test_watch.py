import numpy as np
import pytest

from analysis.objectives.objective import objective
from loadgate.live_samples import SILENT_S
from loadgate.watch import Watch

TIMEOUT_S = 40.0


def watch_of(*texts, senders=1, ramp_s=0.0):
    return Watch([objective(text) for text in texts], TIMEOUT_S, senders, ramp_s)


def report(second, *latency, waiting=()):
    """What a process sends once *second* is over: rows of (second, name, outcome, measure, times, count)."""
    return {"timeline": [(second,)], "latency": list(latency), "waiting": [list(waiting)]}


def ok(second, time_us, count=20):
    return (second, "a", "ok", "response", [time_us], count)


def in_flight(second, age_us, count=20):
    return (second, "a", "unfinished", "response", [age_us], count)


def stopped_at(watch, reports):
    """The first second after which an objective is missed."""
    for at, one in enumerate(reports):
        seen = watch.see("", one)
        if seen and watch.missed(seen):
            return at
    return None


@pytest.mark.parametrize(("texts", "watches"), [((), False), (("p99<1s",), False), (("p99<1s over 5s stop",), True)])
def test_only_what_may_stop_a_run_is_watched(texts, watches):
    assert (watch_of(*texts).see("", report(0, ok(0, 100))) is not None) is watches


def test_a_run_is_stopped_once_its_last_seconds_miss_the_objective():
    slow_from_10 = [report(at, ok(at, 100_000 if at < 10 else 900_000)) for at in range(30)]

    assert stopped_at(watch_of("p50<500ms over 6s stop"), slow_from_10) in (13, 14)  # half of the six
    assert stopped_at(watch_of("p50<1s over 6s stop"), slow_from_10) is None


def test_nothing_is_judged_before_there_are_so_many_seconds():
    slow = [report(at, ok(at, 900_000)) for at in range(10)]

    assert stopped_at(watch_of("p50<500ms over 6s stop"), slow) == 5
    assert stopped_at(watch_of("p50<500ms over 30s stop"), slow) is None


def test_the_ramp_is_not_judged_because_it_is_our_own():
    growing = [report(at, ok(at, 20_000, count=min(at + 1, 10))) for at in range(20)]

    assert stopped_at(watch_of("rate>=9/s over 2s stop"), growing) == 1
    assert stopped_at(watch_of("rate>=9/s over 2s stop", ramp_s=9.0), growing) is None


def test_a_service_that_hangs_misses_while_it_hangs():
    """It answers nothing from second 10 on: what is in flight grows older."""
    reports = [report(at, ok(at, 20_000)) for at in range(10)]
    for now in range(10, 16):
        waiting = [in_flight(second, int(1e6 * (now + 1 - second) - 5e5)) for second in range(10, now + 1)]
        reports.append(report(now, waiting=waiting))

    assert stopped_at(watch_of("p99<800ms over 5s stop"), reports) == 11
    assert stopped_at(watch_of("p99<60s over 5s stop"), reports) is None


def test_what_is_in_flight_in_each_process_counts_once():
    """The latest word of each: 60 of 81 are fast; had every word been added up, 60 of 123 were."""
    watch = watch_of("p50<500ms over 2s stop", senders=2)
    for at in range(4):
        watch.see("one", report(at, ok(at, 100_000, 30), waiting=[in_flight(at, 900_000)]))
        seen = watch.see("two", report(at, waiting=[in_flight(at, 900_000, 1)]))

    assert sum(int(each.count.sum()) for each in seen.waiting) == 21
    assert watch.missed(seen) is None


def test_rows_that_come_apart_are_all_counted():
    """A process tells of a second, of its requests and of what is in flight whenever it has them."""
    watch, nothing = watch_of("p50<500ms over 1s stop"), {"timeline": [], "latency": [], "waiting": []}

    assert watch.see("", nothing | {"timeline": [(0,)]}) is None
    assert watch.see("", nothing | {"latency": [ok(0, 900_000)]}) is None
    seen = watch.see("", nothing | {"waiting": [[]]})
    assert watch.missed(seen).n == 20


def test_no_second_is_judged_before_every_process_has_told_of_it():
    """One half of the load is 50/s, and the other lags behind by three seconds."""
    watch, found = watch_of("ok_rate>=90/s over 2s stop", senders=2), []
    for at in range(12):
        found.append(watch.see("one", report(at, ok(at, 1000, 50))))
        if at >= 3:
            found.append(watch.see("two", report(at - 3, ok(at - 3, 1000, 50))))

    assert found[:3] == [None, None, None]
    assert [watch.missed(seen) for seen in found if seen] == [None] * 17


def test_a_process_that_fell_silent_is_waited_for_no_longer():
    watch = watch_of("p50<500ms over 2s stop", senders=2)
    watch.see("lost", report(0, ok(0, 1000), waiting=[in_flight(0, 1000)]))
    seen = [watch.see("one", report(at, ok(at, 900_000))) for at in range(15)]

    assert [each.over_s for each in seen] == [1] * 11 + [12, 13, 14, 15]
    assert watch.missed(seen[-1]) is not None
    assert len(seen[-1].waiting) == 1


def test_what_is_in_flight_is_no_error_and_no_missing_answer():
    """A healthy service of two seconds' service time: 40 % of the last five seconds are in flight."""
    for text in ("errors<1% over 5s stop", "ok_rate>=19/s over 5s stop", "rate>=20/s over 5s stop"):
        watch = watch_of(text)
        reports = []
        for now in range(20):
            waiting = [in_flight(second, 1000) for second in (now - 1, now) if second >= 0]
            reports.append(report(now, *([ok(now - 2, 2_000_000)] if now >= 2 else []), waiting=waiting))

        assert stopped_at(watch, reports) is None, text


@pytest.mark.parametrize("seed", range(5))
def test_a_service_at_its_limit_is_seldom_stopped_by_chance(seed):
    """Half of its requests are beyond the limit, judged 1,000 times."""
    chance, watch = np.random.default_rng(seed), watch_of("p50<=100ms over 30s stop")
    slow = chance.binomial(20, 0.5, 1000).tolist()
    reports = [report(at, ok(at, 50_000, 20 - many), ok(at, 150_000, many)) for at, many in enumerate(slow)]

    assert stopped_at(watch, reports) is None


def test_a_share_of_outcomes_may_stop_too():
    refused = [report(at, ok(at, 100_000), (at, "a", "throttled", "response", [500], 20)) for at in range(5)]

    assert stopped_at(watch_of("errors<10% over 3s stop"), refused) == 3  # from the first second on that all have ended


@pytest.mark.parametrize(
    "text", ["errors<1% over 10s stop", "timeouts<1% over 10s stop", "ok_rate>=19/s over 10s stop"]
)
def test_a_service_that_hangs_for_good_misses_shares_though_its_requests_end_later(text):
    """It answers nothing from second 20 on, and its time limit is longer than what is looked at."""
    reports = []
    for now in range(100):
        ended = [ok(now, 20_000)] if now < 20 else []
        if now - TIMEOUT_S >= 20:
            planned = int(now - TIMEOUT_S)
            ended = [(planned, "a", "gateway_timeout", "response", [40_000_000], 20)]
        hung = range(max(20, int(now - TIMEOUT_S) + 1), now + 1)
        reports.append(report(now, *ended, waiting=[in_flight(second, 1000) for second in hung]))

    expected = 21 if text.startswith("ok_rate") else 60
    assert stopped_at(watch_of(text), reports) == pytest.approx(expected, abs=2)


def test_failures_that_come_at_once_are_not_counted_more_often_than_slow_answers():
    """5 % are refused at once, the others answered after 3 s."""
    reports = []
    for now in range(60):
        ended = [(now, "a", "throttled", "response", [500], 50)]
        ended += [ok(now - 3, 3_000_000, 950)] if now >= 3 else []
        waiting = [in_flight(second, 1000, 950) for second in range(max(0, now - 2), now + 1)]
        reports.append(report(now, *ended, waiting=waiting))

    assert stopped_at(watch_of("errors<8% over 5s stop"), reports) is None
    assert stopped_at(watch_of("errors<2% over 5s stop"), reports) is not None


def test_old_seconds_are_forgotten():
    watch = watch_of("p50<500ms over 3s stop")
    for at in range(1000):
        seen = watch.see("", report(at, ok(at, 100_000)))

    assert 3 <= len(seen.ended) <= 4 + SILENT_S


def test_what_was_dropped_has_no_time():
    assert stopped_at(watch_of("p50<1s over 1s stop"), [report(0, (0, "a", "dropped", "response", [], 5))]) is None
