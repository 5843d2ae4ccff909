import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.percentiles import nearest_rank
from analysis.readers.brackets import ranks, requests_of

PERCENTILES = [
    Fraction(p) for p in ("0.5", "0.66", "0.75", "0.8", "0.9", "0.95", "0.98", "0.99", "0.999", "0.9999", "1")
]


def at_rank(values, counts, rank):
    order = np.argsort(values)
    return values[order][np.searchsorted(np.cumsum(counts[order]), rank)]


def values_at(times, percentiles=PERCENTILES):
    return [sorted(times)[nearest_rank(len(times), p) - 1] for p in percentiles]


def requests_with(*times_of_names):
    return requests_of(
        np.array([len(times) for times in times_of_names]),
        np.array([values_at(times) for times in times_of_names]),
        np.array([min(times) for times in times_of_names]),
        np.array(values_at([time for times in times_of_names for time in times])),
        PERCENTILES,
    )


@given(st.integers(1, 10**12), st.fractions(Fraction(1, 1000), 1, max_denominator=10_000))
def test_ranks_are_the_nearest(n, p):
    assert ranks(np.array([n]), [p])[0, 0] == max(1, math.ceil(p * n))


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=60), min_size=1, max_size=4))
def test_every_percentile_comes_back_of_each_name_and_of_all(times_of_names):
    name, values, counts = requests_with(*times_of_names)

    for number, times in enumerate(times_of_names):
        mine = name == number
        assert counts[mine].sum() == len(times)
        for p, value in zip(PERCENTILES, values_at(times), strict=True):
            assert at_rank(values[mine], counts[mine], nearest_rank(len(times), p)) == value
    together = [time for times in times_of_names for time in times]
    for p, value in zip(PERCENTILES, values_at(together), strict=True):
        assert at_rank(values, counts, nearest_rank(len(together), p)) == value


def test_no_names_make_no_rows():
    none = np.zeros(0, np.int64)
    rows = requests_of(none, np.zeros((0, 11), np.int64), none, np.full(11, -1), PERCENTILES)

    assert [len(column) for column in rows] == [0, 0, 0]
