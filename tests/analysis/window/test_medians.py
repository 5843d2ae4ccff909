import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_by_hand import samples_of

from analysis.population import population_of
from analysis.samples import Samples
from analysis.window.medians import medians, per_second

ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**40), st.integers(1, 4)), max_size=60)


def lower_median(values):
    return sorted(values)[(len(values) - 1) // 2]


@given(rows=ROWS, scale=st.sampled_from([1, 2**21]))
def test_medians_are_those_of_each_request_written_out(rows, scale):
    """With a scale of 2^21 a group and a value no longer fit into one number."""
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    group, median = medians(columns[0] * scale, columns[1] * scale, columns[2])
    each = {}
    for at, value, count in rows:
        each.setdefault(at * scale, []).extend([value * scale] * count)

    assert dict(zip(group.tolist(), median.tolist(), strict=True)) == {k: lower_median(v) for k, v in each.items()}
    assert group.tolist() == sorted(each)


def test_medians_may_be_of_fractions():
    group, median = medians(np.array([1, 1, 1, 0]), np.array([0.5, 0.25, 2.5, 7.5]), np.ones(4, np.int64))

    assert (group.tolist(), median.tolist()) == ([0, 1], [7.5, 0.5])


def test_the_median_of_a_second_is_of_what_a_percentile_is_of():
    """Timeouts at their bound, no refusals, nothing that was not measured, no other measure, no other second."""
    samples = samples_of(
        (3, "a", "ok", "response", 100, 2),
        (3, "b", "gateway_timeout", "response", 900, 3),
        (3, "a", "throttled", "response", 1, 50),
        (3, "a", "dropped", "response", -1, 50),
        (3, "a", "ok", "service", 5, 50),
        (7, "a", "ok", "response", 300, 1),
        (2, "a", "ok", "response", 1, 1),
        (8, "a", "ok", "response", 1, 1),
    )
    second, median = per_second(population_of(samples.within(3, 8), "response"))

    assert (second.tolist(), median.tolist()) == ([3, 7], [900, 300])


@pytest.mark.parametrize(("times", "dtype"), [(2_000, np.int32), (40_000_000, np.int64)])
def test_few_times_are_counted_and_many_sorted_with_the_same_result(times, dtype):
    rng = np.random.default_rng(1)
    n = 20_000
    second = rng.integers(0, 600, n).astype(dtype)
    zeros = np.zeros(n, np.int8)
    value = rng.integers(0, times, n).astype(dtype)
    samples = Samples(second, zeros, zeros, zeros, value, np.ones(n, np.int32), ("a",))
    found, median = per_second(population_of(samples, "response"))

    assert found.tolist() == list(range(600))
    assert median.tolist() == [np.percentile(value[second == each], 50, method="inverted_cdf") for each in range(600)]
