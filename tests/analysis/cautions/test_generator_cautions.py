from dataclasses import replace

import pytest

from analysis.choices import Choices
from analysis.readers.run_directory import read_run
from analysis.run import LOADGATE, Source
from analysis.summary import summarize
from analysis.window import window_of

OK = (0, "json", "ok", "response", 100_000, 1000)
SERVICE = (0, "json", "ok", "service", 90_000, 1000)


def second(n, planned=0, *, resent=0, cpu=0.1):
    return (n, 1, 1, planned, planned, planned, 0, resent, 1, cpu, 0.2, 0.3, 0.0)


@pytest.mark.parametrize(
    ("late_us", "service_us", "is_late"),
    [
        (10_000, 20_000, False),  # 10 ms is allowed
        (10_001, 20_000, True),
        (10_001, 200_000, False),  # 5 % of the service time
        (20_001, 200_000, True),  # just over 10 % of it
    ],
)
def test_a_generator_is_late_by_its_own_measure_and_by_the_service_time(cautions, late_us, service_us, is_late):
    """Lateness p99 is the 990th of 1,000."""
    found = cautions(
        OK,
        (0, "json", "ok", "service", service_us, 1000),
        (0, "json", "ok", "lateness", 50, 989),
        (0, "json", "ok", "lateness", late_us, 11),
    )

    assert ("generator_late" in found) is is_late


def test_one_percent_of_late_requests_is_not_a_late_generator(cautions):
    found = cautions(OK, SERVICE, (0, "json", "ok", "lateness", 50, 990), (0, "json", "ok", "lateness", 900_000, 10))

    assert found == {}


def test_one_dropped_arrival_makes_the_run_invalid(cautions):
    caution = cautions(OK, SERVICE, (0, "json", "dropped", "response", "", 1))["arrivals_dropped"]

    assert caution["serious"]
    assert caution["text"].startswith("1 of 1,001 planned requests (0.1 %) were not sent, because the limit of 10,000")


@pytest.mark.parametrize(
    ("load", "is_below"),
    [
        ({"rate_per_s": 101.0}, False),  # 1,000 of 1,010: 1 % less
        ({"rate_per_s": 101.2}, True),
        ({"rate_per_s": 109.0, "arrivals": "poisson"}, False),  # 1,090 - 3 sqrt(1,090) = 991
        ({"rate_per_s": 111.0, "arrivals": "poisson"}, True),  # 1,110 - 3 sqrt(1,110) = 1,010
        ({"rate_per_s": 200.0, "ramp_s": 10.0}, False),  # a ramp all along: half
        ({"rate_per_s": 200.0, "ramp_s": 4.0}, True),
        ({"rate_per_s": 200.0, "model": "closed"}, False),
        ({"rate_per_s": 200.0, "duration_s": None}, False),
        ({"rate_per_s": 200.0, "shape": "Ramp"}, False),  # its rate is that of its peak
    ],
)
def test_an_open_load_that_was_not_planned_in_full_makes_the_run_invalid(cautions, load, is_below):
    found = cautions(OK, SERVICE, load={"duration_s": 10.0} | load)

    assert ("below_rate" in found) is is_below


def test_of_generators_side_by_side_it_is_not_known_how_much_they_were_to_plan(make_run):
    """They need not have started together."""
    alone = read_run(make_run([OK, SERVICE], load={"rate_per_s": 200.0, "duration_s": 10.0}))
    beside = replace(alone, source=Source(LOADGATE, ("a", "b")))

    found = [summarize(run, Choices(), window_of(run, Choices()))["verdict"] for run in (alone, beside)]
    assert found == ["invalid", "none"]


@pytest.mark.parametrize(("busy", "told"), [(1, False), (2, True)])
def test_a_busy_generator_is_told_from_a_tenth_of_the_seconds_on(cautions, busy, told):
    timeline = [second(n, 100, cpu=0.9 if n < busy else 0.89) for n in range(10)]
    found = cautions((9, *OK[1:]), (9, *SERVICE[1:]), timeline=timeline)

    assert {name: caution["serious"] for name, caution in found.items()} == ({"generator_busy": False} if told else {})


def test_resent_requests_are_told(cautions):
    counts = {"planned": 1000, "sent": 1000, "finished": 1000, "dropped": 0, "unfinished": 0, "resent": 2}
    found = cautions(OK, SERVICE, timeline=[second(0, 1000, resent=2)], counts=counts)

    assert found["requests_resent"]["text"].startswith("2 requests were sent a second time")
    assert list(found) == ["requests_resent"]


def test_lateness_in_the_ramp_is_not_that_of_the_window(cautions):
    late, prompt = ((n, "json", "ok", "lateness", us, 500) for n, us in ((4, 90_000), (9, 50)))
    rows = [(9, "json", "ok", "response", 100_000, 500), (9, "json", "ok", "service", 90_000, 500), late, prompt]

    assert "generator_late" in cautions(*rows)
    assert "generator_late" not in cautions(*rows, load={"ramp_s": 5.0})


def test_a_generator_that_waits_for_the_last_answers_is_not_counted_as_idle(cautions):
    """Two busy seconds of ten, then twenty in which nothing is planned."""
    timeline = [second(n, 100, cpu=0.9 if n < 2 else 0.1) for n in range(10)]
    timeline += [second(n, 0, cpu=0.0) for n in range(10, 30)]
    rows = [(9, *OK[1:]), (9, *SERVICE[1:])]

    assert "generator_busy" in cautions(*rows, timeline=timeline)


def test_a_window_does_not_change_what_was_planned(cautions):
    found = cautions(OK, SERVICE, load={"rate_per_s": 100.0, "duration_s": 10.0}, choices={"window": (0.0, 5.0)})

    assert "below_rate" not in found


def test_what_another_tool_did_not_send_is_told_in_its_own_terms(make_run):
    run = read_run(make_run([OK, SERVICE, (0, "json", "dropped", "response", "", 3)]))
    run = replace(run, source=Source("k6 CSV", ("a.csv",)))
    (found,) = [c for c in summarize(run, Choices(), window_of(run, Choices()))["cautions"] if c["serious"]]

    assert found["text"].startswith("3 of 1,003 planned requests (0.3 %) were not sent by k6,")
    assert "--max-in-flight" not in found["advice"]
