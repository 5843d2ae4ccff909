import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.capacity.instances import Carried, over_limit, plan, timed_out
from analysis.count_intervals import wilson

GATEWAY = {"gateway": {"timeout_s": 40.0}}


@pytest.mark.parametrize(
    ("low_per_s", "instances", "headroom", "rate_per_s", "needed"),
    [
        (100.0, 1, 0.0, 100.0, 1),
        (100.0, 1, 0.0, 100.1, 2),
        (100.0, 1, 0.2, 100.0, 2),
        (100.0, 2, 0.2, 100.0, 3),  # 40/s each
        (100.0, 1, 0.2, 0.5, 1),
        (333.0, 1, 0.2, 1000.0, 4),
        (0.1 + 0.2, 3, 0.0, 0.3, 3),  # no instance more for the last bit of a number
    ],
)
def test_so_many_instances_are_needed(low_per_s, instances, headroom, rate_per_s, needed):
    assert Carried(low_per_s, instances, headroom).needed(rate_per_s) == needed


@given(st.floats(0.1, 1e5), st.integers(1, 100), st.floats(0, 0.95), st.floats(0.1, 1e6))
def test_what_is_needed_carries_the_rate_and_one_less_does_not(low_per_s, instances, headroom, rate_per_s):
    carried = Carried(low_per_s, instances, headroom)
    needed = carried.needed(rate_per_s)

    assert needed * carried.each_per_s >= rate_per_s * (1 - 1e-6)
    assert needed == 1 or (needed - 1) * carried.each_per_s < rate_per_s * (1 + 1e-6)


def test_a_plan_is_for_several_rates_and_back():
    found = plan(Carried(100.0, 2, 0.2), 300.0, GATEWAY)

    assert found["each_per_s"] == pytest.approx(40.0)
    assert found["target"] == {"rate_per_s": 300.0, "instances": 8}
    assert {"rate_per_s": 600.0, "instances": 15, "all_hanging": 24_000.0} in found["for_rates"]
    assert {"instances": 8, "rate_per_s": pytest.approx(320.0)} in found["for_instances"]


def test_without_a_target_the_rates_are_those_around_what_was_found():
    found = plan(Carried(100.0, 1, 0.0), None, {"gateway": {"timeout_s": None}})

    assert found["target"] is None
    assert found["for_rates"][1] == {"rate_per_s": 100.0, "instances": 1, "all_hanging": None}


@pytest.mark.parametrize(
    ("payloads", "share"),
    [
        ([{"count": 8, "skipped": 0, "over_limit": 2}], 0.25),
        ([{"count": 6, "skipped": 2, "over_limit": 2}], 0.25),  # those left out are of the mix that is coming
        ([{"count": 3, "skipped": 0, "over_limit": 3}, {"count": 1, "skipped": 0, "over_limit": 0}], 0.75),
        ([{"count": 3, "over_limit": None}], None),
        ([], None),
    ],
)
def test_the_share_of_bodies_over_the_limit(payloads, share):
    assert over_limit(payloads) == share


def test_what_the_time_limit_cut_has_an_interval():
    found = timed_out({"ok": 990, "gateway_timeout": 6, "client_timeout": 4, "unfinished": 50})

    assert found == {"share": 0.01, "low": wilson(10, 1000, 0.95)[0], "high": wilson(10, 1000, 0.95)[1], "n": 1000}
    assert timed_out({}) is None
