import numpy as np
import pytest

from analysis.failures import ANSWERERS, FAILED, Failure, failures_of, most_frequent, what_to_do
from analysis.outcomes import ADVICE, AnsweredBy, Outcome


def failed(outcome, count, message="", reason="", status=None):
    return Failure(Outcome(outcome), AnsweredBy.GATEWAY, reason, status, "", message, count)


def columns_of(*failures):
    return {
        "outcome": np.array([FAILED.index(one.outcome) for one in failures]),
        "answered_by": np.array([ANSWERERS.index(one.answered_by) for one in failures]),
        "status": np.array([-1 if one.status is None else one.status for one in failures]),
        **{name: np.array([getattr(one, name) for one in failures], object) for name in ("reason", "error_code")},
        "message": np.array([one.message for one in failures], object),
        "count": np.array([one.count for one in failures]),
    }


def test_rows_alike_are_one_failure_and_any_difference_makes_two():
    rows = [failed("throttled", 2), failed("throttled", 3, "slow down"), failed("throttled", 4, status=429)]

    assert failures_of(columns_of(*rows, *rows)) == [
        failed("throttled", 8, status=429), failed("throttled", 6, "slow down"), failed("throttled", 4)
    ]  # fmt: skip


def test_the_order_of_the_rows_has_no_say():
    rows = [failed("throttled", 2, "b"), failed("oversize", 2), failed("throttled", 2, "a")]

    assert failures_of(columns_of(*rows)) == failures_of(columns_of(*reversed(rows)))


def test_a_row_that_counts_nothing_is_no_failure():
    assert failures_of(columns_of(failed("throttled", 0))) == []


def test_the_most_frequent_are_chosen_in_their_order_and_every_outcome_keeps_its_first():
    failures = [failed("throttled", 9 - n, f"no {n}") for n in range(4)] + [
        failed("oversize", 2),
        failed("oversize", 1, "x"),
    ]

    assert most_frequent(failures, 3) == [failures[0], failures[1], failures[4]]
    assert most_frequent(failures, 6) == failures
    assert most_frequent(failures, 2) == [failures[0], failures[4]]


@pytest.mark.parametrize(
    ("reason", "gateway", "advice"),
    [
        ("token expired", {"advice": {"token expired": "Get a new one."}}, "Get a new one."),
        ("token missing", {"advice": {"token expired": "Get a new one."}}, ADVICE["unauthorized"]),
        ("token expired", {"advice": None}, ADVICE["unauthorized"]),
        ("", {}, ADVICE["unauthorized"]),
    ],
)
def test_what_to_do_is_said_by_the_gateways_profile_or_else_by_the_outcome(reason, gateway, advice):
    assert what_to_do(failed("unauthorized", 1, reason=reason), gateway) == advice
