from fractions import Fraction

import numpy as np
import pytest

from analysis.lateness import LATE_S, allowed_s, judged_at
from analysis.population import population


def times_of(*times_us):
    return population(np.array(times_us, int), np.ones(len(times_us), int), np.zeros(len(times_us), bool))


@pytest.mark.parametrize(
    ("service", "expected_s"),
    [(None, LATE_S), (times_of(), LATE_S), (times_of(80_000), LATE_S), (times_of(1, 2_000_000, 9_000_000), 0.2)],
)
def test_allowed_is_a_tenth_of_the_median_service_time_or_what_a_person_would_not_call_late(service, expected_s):
    assert allowed_s(service) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("n", "confidence", "percent"),
    [(0, 0.95, 50), (35, 0.95, 50), (36, 0.95, 90), (72, 0.95, 95), (367, 0.95, 95), (368, 0.95, 99), (368, 0.99, 95)],
)
def test_lateness_is_judged_at_the_highest_percentile_that_the_requests_support_up_to_p99(n, confidence, percent):
    """0.9^36, 0.95^72 and 0.99^368 are at most 2.5 %."""
    assert judged_at(n, confidence) == Fraction(percent, 100)
