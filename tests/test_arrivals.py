import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.arrivals import DISTRIBUTIONS, Arrivals

# Steps of a load: how long, and at which rate.
STEPS = st.lists(
    st.tuples(st.floats(0.0, 20.0), st.one_of(st.just(0.0), st.floats(0.01, 20.0))), min_size=1, max_size=8
)


def run(arrivals, steps):
    """Arrival times as a pacer that is never late takes them, over steps of (seconds, rate)."""
    times, elapsed = [], 0.0
    for seconds, rate in steps:
        arrivals.set_rate(elapsed, rate)
        elapsed += seconds
        while arrivals.due <= elapsed:
            times.append(arrivals.due)
            arrivals.advance()
    return times


def expected_by(time, steps):
    """The integral of the rate, worked out on its own."""
    total, elapsed = 0.0, 0.0
    for seconds, rate in steps:
        total += max(0.0, min(time - elapsed, seconds)) * rate
        elapsed += seconds
    return total


def first_mark(seed):
    """Where the first arrival's mark is: at a rate of 1 from the start, also when it is due."""
    arrivals = Arrivals("constant", seed)
    arrivals.set_rate(0.0, 1.0)
    return arrivals.due


@given(STEPS, st.text(max_size=5))
def test_constant_arrivals_due_by_the_end_are_the_floor_of_the_integral_plus_phase(steps, seed):
    integral, phase = expected_by(math.inf, steps), 1.0 - first_mark(seed)
    count = len(run(Arrivals("constant", seed), steps))

    assert math.floor(integral + phase - 1e-6) <= count <= math.floor(integral + phase + 1e-6)


@given(STEPS, st.text(max_size=5))
def test_one_constant_arrival_is_expected_between_each_two_whatever_the_rate_does(steps, seed):
    marks = [expected_by(time, steps) for time in run(Arrivals("constant", seed), steps)]

    assert np.diff(marks) == pytest.approx(1.0, abs=1e-6)


@given(STEPS, st.text(max_size=5))
def test_constant_arrivals_are_never_closer_than_the_highest_rate_has_them(steps, seed):
    times = run(Arrivals("constant", seed), steps)
    highest = max(rate for _, rate in steps)

    assert all(after - before >= 1.0 / highest - 1e-6 for before, after in pairwise(times))


def test_the_first_constant_arrival_is_at_a_share_of_the_interval_that_differs_by_seed():
    marks = [first_mark(str(seed)) for seed in range(200)]

    assert 0.0 <= min(marks) < 0.05
    assert 0.95 < max(marks) < 1.0


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize(("other", "same"), [("7 0", True), ("7 1", False)])
def test_the_plan_depends_on_the_seed_alone(distribution, other, same):
    steps = [(3.0, 10.0), (2.0, 0.0), (3.0, 25.0)]

    assert (run(Arrivals(distribution, "7 0"), steps) == run(Arrivals(distribution, other), steps)) is same


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(steps=STEPS)
def test_setting_the_same_rate_again_changes_nothing(distribution, steps):
    halves = [(seconds / 2, rate) for seconds, rate in steps for _ in range(2)]
    once, twice = run(Arrivals(distribution, "1"), steps), run(Arrivals(distribution, "1"), halves)

    assert once == pytest.approx(twice[: len(once)], abs=1e-6)
    assert abs(len(once) - len(twice)) <= 1  # one that is due at the end itself, but for rounding


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_nothing_is_due_while_the_rate_is_zero(distribution):
    arrivals = Arrivals(distribution, "1")

    assert arrivals.due == math.inf
    arrivals.set_rate(1.0, 5.0)
    assert 1.0 <= arrivals.due < math.inf
    arrivals.set_rate(1.0, 0.0)
    assert arrivals.due == math.inf


def test_poisson_counts_have_the_integral_as_mean_and_variance():
    """Of 2,000 counts with mean 37.5, the mean is known to 0.14 (one sigma), the variance to 1.2."""
    steps = [(2.0, 10.0), (1.0, 0.0), (0.5, 35.0)]
    counts = [len(run(Arrivals("poisson", f"seed {number}"), steps)) for number in range(2000)]

    assert np.mean(counts) == pytest.approx(expected_by(math.inf, steps), abs=0.7)
    assert np.var(counts) == pytest.approx(expected_by(math.inf, steps), abs=6.0)


def test_poisson_gaps_are_exponential():
    """Kolmogorov and Smirnov: of n gaps, no share is further from 1 - exp(-gap) than 1.95 / sqrt(n) (p = 0.001)."""
    gaps = np.sort(np.diff(run(Arrivals("poisson", "1"), [(1000.0, 20.0)]))) * 20.0
    shares = np.arange(1, len(gaps) + 1) / len(gaps)

    assert np.abs(shares - (1.0 - np.exp(-gaps))).max() < 1.95 / math.sqrt(len(gaps))


def test_poisson_arrivals_of_two_seconds_do_not_tell_of_each_other():
    times = run(Arrivals("poisson", "1"), [(4000.0, 5.0)])
    counts, _ = np.histogram(times, bins=4000, range=(0.0, 4000.0))

    assert abs(np.corrcoef(counts[:-1], counts[1:])[0, 1]) < 0.06
