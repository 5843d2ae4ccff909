import pytest
from viewed_by_hand import run_of, view

from analysis.plots.outcomes_by_time import counts_of, picture
from analysis.plots.steps import steps_of
from analysis.run import Source


def rows_of(*counts):
    return [(second, "json", outcome, "response", 100, count) for second, outcome, count in counts]


MIXED = rows_of((0, "ok", 5), (0, "throttled", 1), (1, "ok", 7), (3, "dropped", 2), (3, "throttled", 4))


def test_outcomes_are_counted_by_the_second_of_their_requests():
    assert {str(name): count.tolist() for name, count in counts_of(run_of(MIXED).samples, steps_of(4)).items()} == {
        "ok": [5, 7, 0, 0],
        "throttled": [1, 0, 0, 4],
        "dropped": [0, 0, 0, 2],
    }
    assert counts_of(run_of(MIXED).samples, steps_of(4, 2))["throttled"].tolist() == [1, 4]


def test_each_failure_has_a_strip_with_its_name_the_most_frequent_on_top():
    _, strips = picture(view(run_of(MIXED))).figure.axes

    assert [text.get_text() for text in strips.texts] == [
        "dropped: 2, at most 2 in a second",
        "throttled: 5, at most 4 in a second",
    ]


def test_without_failures_there_are_no_strips():
    found = picture(view(run_of(rows_of((0, "ok", 5)))))

    assert len(found.figure.axes) == 1


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([(0, "ok", 4_400)], "All 4,400 requests were ok."),
        ([(0, "ok", 1)], "The one request was ok."),
        (
            [(0, "ok", 97), (0, "throttled", 1), (5, "throttled", 2)],
            "97 of 100 requests (97 %) were ok; the most frequent failure is throttled, 3, the most, 2, in second 5.",
        ),
        (
            [(0, "unauthorized", 9)],
            "0 of 9 requests (0 %) were ok; the most frequent failure is unauthorized, 9, all in second 0.",
        ),
    ],
)
def test_the_reading_says_how_many_were_ok_and_the_most_frequent_failure(counts, text):
    assert picture(view(run_of(rows_of(*counts)))).reading == text


@pytest.mark.parametrize(("seconds", "drawn"), [((0,), False), ((0, 1), True)])
def test_an_aggregate_is_drawn_only_if_it_has_a_time(seconds, drawn):
    run = run_of(rows_of(*((second, "ok", 5) for second in seconds)), source=Source("Locust stats", (), known=()))

    assert (picture(view(run)) is not None) is drawn
