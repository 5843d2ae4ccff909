from types import SimpleNamespace

import pytest

from analysis.run_format import TIMELINE_COLUMNS
from loadgate.live_totals import LiveTotals
from loadgate.web.inference_tab import rows

GATEWAY = SimpleNamespace(timeout_s=40.0)
SECOND = dict.fromkeys(TIMELINE_COLUMNS, 0) | {"planned": 20, "cpu_share": 0.25, "lateness_ms": 1.5}


def shown(latency=(), waiting=(), seconds=({},), gateway=GATEWAY):
    """What the tab says, by part and what."""
    totals = LiveTotals(gateway.timeout_s)
    for sender, changes in enumerate(seconds):
        row = tuple((SECOND | changes)[name] for name in TIMELINE_COLUMNS)
        report = {"latency": latency if not sender else [], "waiting": [waiting], "timeline": [row]}
        totals.see(str(sender), report)
    return {(row.part, row.what): (row.value, row.note) for row in rows(totals.now(), gateway)}


def measured(outcome, us, count, late_us=200):
    times = {"response": us, "service": us, "lateness": late_us}
    return [(0, "a", outcome, measure, [time_us], count) for measure, time_us in times.items()]


def test_outcomes_have_their_share_and_meaning():
    found = shown(measured("ok", 80_000, 97) + measured("throttled", 900, 3))

    assert found["Outcomes", "ok"][0] == "97"
    assert found["Outcomes", "throttled"][1].startswith("3 %: ")


def test_percentiles_have_three_digits_and_timeouts_stay_in():
    found = shown(measured("ok", 81_234, 990) + measured("gateway_timeout", 40_000_000, 20))

    assert found["Response", "p50"][0] == "81.2 ms"
    assert found["Response", "p99"][0] == ">= 40 s"
    assert found["Service", "max"] == (">= 40 s", "the gateway's limit is 40 s")


def test_a_percentile_of_too_few_is_none_and_says_how_many_it_takes():
    assert shown(measured("ok", 81_234, 100))["Response", "p99"] == ("-", "takes 368 requests")


@pytest.mark.parametrize(
    ("late_us", "value", "note"),
    [(200, "so far", "allowed at p99 is 10 ms"), (50_000, "no", "left 50 ms or more after their planned time")],
)
def test_a_late_generator_is_said_while_it_is_late(late_us, value, note):
    found = shown(measured("ok", 80_000, 1000, late_us))["Generator", "valid"]

    assert found[0] == value
    assert note in found[1]


def test_the_last_second_is_that_of_all_processes():
    found = shown(seconds=({}, {"cpu_share": 0.95, "lateness_ms": None}, {"planned": 7}))

    assert found["Generator", "CPU"][0] == "95 %"
    assert found["Generator", "lateness"][0] == "1.5 ms"
    assert found["Generator", "planned"][0] == "47/s"


def test_what_is_in_flight_is_counted_with_the_age_of_the_oldest():
    waiting = [(0, "a", "unfinished", measure, [1_000, 2_500_000], 2) for measure in ("response", "service")]
    found = shown(waiting=waiting)

    assert (found["In flight", "requests"][0], found["In flight", "oldest"][0]) == ("4", "2.5 s")


def test_before_anything_was_measured_there_is_no_figure():
    found = shown(seconds=(), gateway=SimpleNamespace(timeout_s=None))

    assert {value for value, _ in found.values()} == {"-", "0", "0/s"}
