"""Adding up rows loses no request, and makes no more rows than one process would write."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loadgate.histogram import LONGEST_LIST
from loadgate.merging import Merging

ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from("ab"),
        st.sampled_from(["ok", "throttled"]),
        st.sampled_from(["response", "service"]),
        st.lists(st.integers(0, 9), unique=True, max_size=6),
        st.integers(1, 3),
    ),
    max_size=30,
)


def counted(rows):
    counts = Counter()
    for *key, times_us, count in rows:
        for time_us in times_us or [None]:
            counts[(*key, time_us)] += count
    return counts


@given(parts=st.lists(ROWS, max_size=5))
def test_every_request_is_counted_once(parts):
    merging = Merging()
    for rows in parts:
        merging.add(rows)
    merged = merging.take()
    assert counted(merged) == sum(map(counted, parts), Counter())
    assert merging.take() == []


@given(rows=ROWS)
def test_what_is_merged_again_stays_as_it_is(rows):
    once, twice = Merging(), Merging()
    once.add(rows)
    merged = once.take()
    twice.add(merged)
    assert twice.take() == merged
    assert [row[:4] for row in merged] == sorted(row[:4] for row in merged)


def test_rows_of_many_workers_are_as_few_as_of_one():
    row = (0, "a", "ok", "response", list(range(100, 900)), 1)
    merging = Merging()
    for _ in range(200):
        merging.add([row])
    assert merging.take() == [(*row[:5], 200)]


def test_a_row_is_no_longer_than_a_reader_takes():
    merging = Merging()
    merging.add([(0, "a", "ok", "response", list(range(LONGEST_LIST)), 1)])
    merging.add([(0, "a", "ok", "response", list(range(LONGEST_LIST, 2 * LONGEST_LIST + 1)), 1)])
    assert [len(row[4]) for row in merging.take()] == [LONGEST_LIST, LONGEST_LIST, 1]
