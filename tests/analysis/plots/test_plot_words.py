import numpy as np
import pytest

from analysis.percentiles import Estimate
from analysis.plots.steps import Steps
from analysis.plots.words import bound_text, most_text, range_text, sentence, when_text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([0, 1, 0], "in second 1"),
        ([0, 3, 0], "all in second 1"),
        ([1, 0, 3], "the most, 3, in second 2"),
        ([2, 0, 2], "at most 2 in a second"),
    ],
)
def test_it_is_said_when_most_of_them_were(counts, text):
    assert most_text(np.array(counts, float), Steps(1, 3)) == text


@pytest.mark.parametrize(
    ("steps", "number", "text"),
    [
        (Steps(1, 60), 37, "in second 37"),
        (Steps(30, 3_600), 93, "in seconds 2,790 to 2,819"),
        (Steps(30, 61), 2, "in second 60"),
    ],
)
def test_a_step_is_named_by_its_seconds(steps, number, text):
    assert when_text(steps, number) == text


def test_a_range_is_one_time_where_both_ends_read_the_same():
    assert range_text(0.0981, 0.106) == "98.1 to 106 ms"
    assert range_text(0.00009, 4.2) == "0.09 ms to 4.2 s"
    assert range_text(0.1, 0.10001) == "100 ms"


@pytest.mark.parametrize(
    ("limit_s", "text"), [(40.0, "40 s or more, the gateway's limit"), (60, "40 s or more"), (None, "40 s or more")]
)
def test_a_bound_at_the_gateways_limit_says_so(limit_s, text):
    assert bound_text(Estimate(40.002, 40.0, None, censored=True), limit_s) == text


def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop():
    assert sentence("half of the requests took 2 ms or less") == "Half of the requests took 2 ms or less."
