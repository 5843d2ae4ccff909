from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_by_hand import samples_of

from analysis.outcomes import Outcome
from analysis.samples import Samples, joined

SAMPLES = samples_of(
    (0, "a", "ok", "response", 10, 3),
    (0, "a", "ok", "service", 9, 3),
    (1, "b", "ok", "response", 20, 2),
    (1, "b", "throttled", "response", 1, 4),
)


def test_outcomes_are_counted_by_response_alone():
    assert SAMPLES.outcome_counts() == {"ok": 5, "throttled": 4}


def test_a_measure_holds_its_own_rows():
    assert SAMPLES.of_measure("service").value_us.tolist() == [9]


def test_rows_are_marked_by_how_their_requests_ended():
    assert SAMPLES.ended_as([Outcome.THROTTLED]).tolist() == [False, False, False, True]
    assert SAMPLES.ended_as({Outcome.THROTTLED, Outcome.OK}).all()


@pytest.mark.parametrize(("from_s", "to_s", "expected"), [(0, 2, 4), (0, 1, 2), (1, 9, 2), (2, 9, 0), (1, 1, 0)])
def test_seconds_are_kept_from_the_first_on_and_before_the_last(from_s, to_s, expected):
    kept = SAMPLES.within(from_s, to_s)

    assert len(kept.count) == expected
    assert (kept.second >= from_s).all()
    assert (kept.second < to_s).all()


def test_a_selection_keeps_its_columns_together():
    late = SAMPLES.where(SAMPLES.second == 1)

    assert (late.value_us.tolist(), late.count.tolist(), late.names) == ([20, 1], [2, 4], ("a", "b"))


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Samples(*[np.zeros(2, np.int64)] * 5, np.zeros(3, np.int64), names=())


ROWS = st.tuples(
    st.integers(0, 3), st.integers(0, 1), st.integers(0, 12), st.integers(0, 7), st.integers(-1, 3), st.integers(0, 9)
)


@given(st.lists(ROWS, max_size=60), st.sampled_from([1, 2**20, 2**55]))
def test_folding_adds_up_the_counts_of_equal_rows(rows, factor):
    """With values spread over 2^57 the rows cannot be packed into one number, and are sorted column by column."""
    expected = Counter()
    for *key, value, count in rows:
        expected[*key, value * factor] += count
    columns = np.array([(*key, value * factor, count) for *key, value, count in rows], np.int64).reshape(-1, 6).T
    folded = Samples(*columns, names=("a", "b")).folded()

    names = ("second", "name", "outcome", "measure", "value_us")
    keys = list(zip(*(getattr(folded, name).tolist() for name in names), strict=True))
    assert keys == sorted(expected)
    assert folded.count.tolist() == [expected[key] for key in keys]


def test_folding_uses_small_integers_where_they_do():
    small, large = samples_of((1, "a", "ok", "response", 9, 1)), samples_of((1, "a", "ok", "response", 2**40, 2**40))

    assert (small.folded().value_us.dtype, small.folded().count.dtype) == (np.int32, np.int32)
    assert (large.folded().value_us.tolist(), large.folded().count.tolist()) == ([2**40], [2**40])
    assert (small.folded().outcome.dtype, small.folded().names) == (np.int8, ("a", "b"))


def test_parts_are_put_behind_each_other():
    both = joined([SAMPLES, SAMPLES])

    assert both.count.tolist() == SAMPLES.count.tolist() * 2
    assert both.outcome_counts() == {"ok": 10, "throttled": 8}
