import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.student import as_normal, normal_score, student_score


@pytest.mark.parametrize(
    ("confidence", "degrees", "quantile"),
    [
        (0.95, 3, 3.182),
        (0.95, 5, 2.571),
        (0.95, 10, 2.228),
        (0.95, 30, 2.042),
        (0.99, 3, 5.841),
        (0.99, 5, 4.032),
        (0.99, 10, 3.169),
        (0.90, 3, 2.353),
        (0.999, 10, 4.587),
    ],
)
def test_quantiles_are_those_of_the_printed_table_or_a_little_more(confidence, degrees, quantile):
    found = student_score(normal_score(confidence), degrees)

    assert quantile * 0.999 <= found <= quantile * (1.012 if confidence <= 0.95 else 1.036)


def test_with_infinite_degrees_it_is_the_normal_distribution():
    assert normal_score(0.95) == pytest.approx(1.959964)
    assert student_score(1.96, math.inf) == as_normal(1.96, math.inf) == 1.96


@given(st.floats(0, 8), st.floats(3, 1000))
def test_there_and_back_is_the_same(score, degrees):
    assert as_normal(student_score(score, degrees), degrees) == pytest.approx(score, abs=1e-9)
