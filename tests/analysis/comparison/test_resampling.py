from fractions import Fraction

import numpy as np
import pytest

from analysis.comparison.resampling import MOST_STEPS, RESAMPLES, block_length, percentiles_s, resamples
from analysis.population import population

SHARES = [Fraction(1, 2), Fraction(95, 100), Fraction(99, 100)]


def random_rows(seconds=40, rows=600):
    chance = np.random.default_rng(3)
    second, value_us = chance.integers(0, seconds, rows), chance.integers(1, 2_000, rows)  # exact in their buckets
    return second, value_us, chance.integers(1, 9, rows)


def written_out(drawn, second, value_us, count):
    """All times of a resample, each as often as it is held: the truth for a sum of histograms."""
    return np.sort(np.repeat(value_us, count * drawn.astype(int)[second]))


@pytest.mark.parametrize(("steps", "length"), [(10, 2), (20, 5), (60, 10), (300, 17), (3_600, 39)])
def test_blocks_grow_with_the_cube_root_of_the_length(steps, length):
    assert block_length(steps) == length


def test_every_resample_is_as_long_as_the_window_and_made_of_blocks():
    drawn = resamples(100, 160, (0,)).drawn
    edges = np.abs(np.diff(drawn[1:], axis=1, append=drawn[1:, :1])).sum(axis=1)

    assert drawn.shape == (1 + RESAMPLES, 60)
    assert (drawn[0] == 1).all()
    assert (drawn.sum(axis=1) == 60).all()
    assert edges.max() <= 12  # 6 blocks have 12 ends
    assert np.allclose(drawn[1:].mean(axis=0), 1, atol=0.15)  # no second is drawn less often than the others


def test_the_same_seed_draws_the_same():
    one, two, other = (resamples(0, 60, seed).drawn for seed in ((1, 2), (1, 2), (2, 2)))

    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_long_window_is_drawn_in_steps_of_several_seconds():
    found = resamples(0, 3 * MOST_STEPS - 1, (0,))

    assert found.step_s == 3
    assert found.drawn.shape[1] == MOST_STEPS
    assert found.step(np.array([0, 2, 3, 3 * MOST_STEPS - 2])).tolist() == [0, 0, 1, MOST_STEPS - 1]


def test_percentiles_are_those_of_the_requests_written_out():
    second, value_us, count = random_rows()
    found = resamples(0, 40, (0,))
    percentiles, exact = percentiles_s(found, population(value_us, count, np.zeros(600, bool), second), SHARES)

    assert exact is percentiles
    for drawn, each in zip(found.drawn[:50], percentiles, strict=False):
        times = written_out(drawn, second, value_us, count)
        ranks = [-(-share.numerator * len(times) // share.denominator) for share in SHARES]
        assert each.tolist() == [times[rank - 1] / 1e6 for rank in ranks]


def test_a_percentile_among_requests_that_never_ended_is_infinite_or_at_their_bounds():
    second, value_us, count = random_rows()
    censored, found = value_us >= np.sort(value_us)[570], resamples(0, 40, (0,))
    bounds, exact = percentiles_s(found, population(value_us, count, censored, second), SHARES)
    all_ended, _ = percentiles_s(found, population(value_us, count, np.zeros(600, bool), second), SHARES)

    assert np.array_equal(bounds, all_ended)
    assert np.array_equal(exact[:, 0], bounds[:, 0])
    assert np.isinf(exact[:, 2]).all()


def test_counts_are_added_up_by_step_and_resample():
    found = resamples(5, 25, (0,))
    per_step = found.per_step(np.array([5, 5, 24]), np.array([2, 3, 7]))

    assert per_step[[0, 19]].tolist() == [5, 7]
    assert found.totals(per_step)[0] == 12
