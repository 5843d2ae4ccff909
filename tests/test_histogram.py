from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.outcomes import Outcome
from analysis.run_format import MEASURES, RESPONSE, SERVICE
from loadgate.histogram import LONGEST_LIST, OUTCOMES, histogram, merged

NAMES = ["a", "b", "c"]
OK, DROPPED = OUTCOMES.index(Outcome.OK), OUTCOMES.index(Outcome.DROPPED)
LONGEST_US = 2**40 - 1

# A second, a name, an outcome, and a time for each measure or -1.
REQUEST = st.tuples(
    st.integers(0, 10_000_000),
    st.integers(0, len(NAMES) - 1),
    st.integers(0, len(OUTCOMES) - 1),
    st.lists(st.integers(-1, 3) | st.just(LONGEST_US), min_size=len(MEASURES), max_size=len(MEASURES)),
)


def counted(requests):
    second, name, outcome = np.array([request[:3] for request in requests], np.int64).T
    return histogram(second, name, outcome, np.array([request[3] for request in requests], np.int64).T, NAMES)


def written_out(rows):
    """How many requests have each key and time, None where nothing was measured."""
    found = Counter()
    for *key, times_us, count in rows:
        assert len(times_us) <= LONGEST_LIST
        for time_us in times_us or [None]:
            found[*key, time_us] += count
    return found


def one_by_one(requests):
    return Counter(
        (second, NAMES[name], OUTCOMES[outcome].value, measure, None if time_us < 0 else time_us)
        for second, name, outcome, times_us in requests
        for measure, time_us in zip(MEASURES, times_us, strict=True)
        if time_us >= 0 or measure == RESPONSE
    )


@given(st.lists(st.lists(REQUEST, min_size=1, max_size=20), min_size=1, max_size=5))
def test_histograms_added_up_are_the_requests_counted_one_by_one(parts):
    rows = list(merged([counted(part) for part in parts]).rows())

    assert written_out(rows) == one_by_one([request for part in parts for request in part])
    assert len({(*row[:4], row[5], tuple(row[4]) == ()) for row in rows}) == len(rows)


def test_times_that_equally_many_requests_took_share_a_row():
    measures = [[50, 60, 60, 70], [5, 5, 5, 5]] + [[-1] * 4] * (len(MEASURES) - 2)
    zeros = np.zeros(4, np.int64)

    assert list(histogram(zeros, zeros, zeros + OK, np.array(measures), NAMES).rows()) == [
        (0, "a", "ok", RESPONSE, [50, 70], 1),
        (0, "a", "ok", RESPONSE, [60], 2),
        (0, "a", "ok", SERVICE, [5], 4),
    ]


def test_what_was_never_sent_has_no_time():
    zeros = np.zeros(3, np.int64)
    rows = histogram(zeros, zeros, zeros + DROPPED, np.full((len(MEASURES), 3), -1), NAMES).rows()

    assert list(rows) == [(0, "a", "dropped", RESPONSE, [], 3)]


def test_a_long_list_is_cut_into_several():
    zeros, times = np.zeros(2 * LONGEST_LIST + 1, np.int64), np.full((len(MEASURES), 2 * LONGEST_LIST + 1), -1)
    times[MEASURES.index(RESPONSE)] = np.arange(len(zeros))
    rows = list(histogram(zeros, zeros, zeros, times, NAMES).rows())

    assert [len(row[4]) for row in rows] == [LONGEST_LIST, LONGEST_LIST, 1]
    assert [time for row in rows for time in row[4]] == list(range(len(zeros)))
