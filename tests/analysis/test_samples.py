import numpy as np
import pytest
from made_by_hand import samples_of

from analysis.samples import Samples

SAMPLES = samples_of(
    (0, "a", "ok", "response", 10, 3),
    (0, "a", "ok", "service", 9, 3),
    (1, "b", "ok", "response", 20, 2),
    (1, "b", "throttled", "response", 1, 4),
)


def test_outcomes_are_counted_by_response_alone():
    assert SAMPLES.outcome_counts() == {"ok": 5, "throttled": 4}


def test_a_name_holds_its_own_rows():
    assert SAMPLES.of_name("b").outcome_counts() == {"ok": 2, "throttled": 4}


def test_a_measure_holds_its_own_rows():
    assert SAMPLES.of_measure("service").value_us.tolist() == [9]


def test_a_selection_keeps_its_columns_together():
    late = SAMPLES.where(SAMPLES.second == 1)

    assert (late.value_us.tolist(), late.count.tolist(), late.names) == ([20, 1], [2, 4], ("a", "b"))


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Samples(*[np.zeros(2, np.int64)] * 5, np.zeros(3, np.int64), names=())
