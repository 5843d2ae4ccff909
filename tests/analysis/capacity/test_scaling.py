import math

import pytest
from levels_by_hand import level

from analysis.capacity.scaling import concurrency, is_steady, knee, scalability, servers


def by_law(lambda_per_s, sigma, kappa, concurrencies):
    """Levels of a service that obeys the law."""
    for n in concurrencies:
        mean_s = (1 + sigma * (n - 1) + kappa * n * (n - 1)) / lambda_per_s
        rate_per_s = n / mean_s
        yield level(rate_per_s, n=round(40 * rate_per_s), mean_s=mean_s)


@pytest.mark.parametrize(("sigma", "kappa"), [(0.05, 0.001), (0.0, 0.0), (0.1, 0.0), (0.0, 0.002)])
def test_the_law_is_found_again(sigma, kappa):
    found = scalability(list(by_law(100.0, sigma, kappa, (1, 2, 4, 8, 16))))

    assert found.lambda_per_s == pytest.approx(100.0, rel=0.01)
    assert (found.sigma, found.kappa) == (pytest.approx(sigma, abs=0.005), pytest.approx(kappa, abs=2e-4))
    assert found.measured_to == pytest.approx(16, rel=0.01)


def test_the_peak_is_where_the_law_has_it():
    found = scalability(list(by_law(100.0, 0.05, 0.001, (1, 2, 4, 8, 16))))

    assert found.peak_concurrency == pytest.approx(math.sqrt(0.95 / 0.001), rel=0.02)
    assert found.peak_per_s == pytest.approx(max(found.per_s(n) for n in range(1, 100)), rel=0.001)


def test_a_level_of_few_requests_hardly_counts():
    levels = list(by_law(100.0, 0.05, 0.001, (1, 2, 4, 8, 16)))
    odd = level(30.0, n=10, mean_s=0.05, in_flight=0.0, finished_per_s=30.0)

    assert scalability([*levels, odd]).lambda_per_s == pytest.approx(100.0, rel=0.02)


def test_a_time_that_does_not_grow_has_no_peak():
    levels = [level(rate, n=round(40 * rate), mean_s=0.01) for rate in (100.0, 200.0, 400.0, 800.0)]

    assert scalability(levels).peak_concurrency is None


def test_too_few_rates_have_no_law():
    assert scalability(list(by_law(100.0, 0.1, 0.0, (1, 2, 4)))) is None


@pytest.mark.parametrize(
    ("changes", "steady"),
    [
        ({}, True),
        ({"in_flight": 3.0}, False),  # twice of what Little's law says, and more
        ({"finished_per_s": 90.0}, False),  # a queue that grows
        ({"spoiled": "late"}, False),
        ({"in_flight": None}, False),
    ],
)
def test_a_level_is_steady_if_it_keeps_up_and_littles_law_agrees(changes, steady):
    assert is_steady(level(100.0, n=4000, mean_s=0.01, **changes)) is steady


def test_only_what_reached_the_model_is_in_the_service_and_only_what_ended_was_answered():
    outcomes = {"ok": 400, "throttled": 3600}
    assert concurrency(level(100.0, n=4000, mean_s=1.0, outcomes=outcomes)) == pytest.approx(10.0)
    dropped = {"ok": 2000, "dropped": 2000}
    assert level(100.0, n=4000, outcomes=dropped, finished_per_s=50.0).ok_per_s == 50.0


def test_concurrency_is_the_rate_times_the_time():
    assert concurrency(level(100.0, n=4000, mean_s=0.05)) == pytest.approx(5.0)
    assert concurrency(level(100.0, mean_s=0.01, n=0)) == 0.0


def full(capacity_per_s=400.0, idle_s=0.01):
    """Levels up to twice of what the service can finish."""
    rates = (50.0, 100.0, 200.0, 400.0, 800.0)
    times = (1.0, 1.1, 1.4, 3.0, 300.0)
    return [
        level(rate, n=round(40 * rate), mean_s=idle_s * factor, finished_per_s=min(rate, capacity_per_s))
        for rate, factor in zip(rates, times, strict=True)
    ]


def test_the_knee_is_where_throughput_by_time_is_highest():
    assert knee(full()).rate_per_s == 200.0  # 14,286 beside 13,333 at 400/s and 9,091 at 100/s


def test_a_service_that_was_never_full_has_no_knee_and_no_number_of_servers():
    levels = [level(rate, n=round(40 * rate), mean_s=0.01) for rate in (50.0, 100.0, 200.0, 400.0)]

    assert knee(levels) is None
    assert servers(levels) is None


def test_the_servers_are_the_highest_throughput_times_the_time_when_idle():
    """When idle is at up to 30 % of it: a mean of more requests than the lowest rate had."""
    idle_s = (50 * 0.01 + 100 * 0.011) / 150

    assert servers(full(capacity_per_s=400.0, idle_s=0.01)) == pytest.approx(400.0 * idle_s)
