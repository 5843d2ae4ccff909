import pytest
from made_by_hand import failure, summary_of

OK = (0, "json", "ok", "response", 100_000, 1000)
SERVICE = (0, "json", "ok", "service", 90_000, 1000)


@pytest.fixture
def cautions(make_run):
    """Names of the cautions of a run, with whether each is serious."""
    return lambda *rows, **run: {c["name"]: c for c in summary_of(make_run(rows, **run))["cautions"]}


def second(n, planned=0, *, resent=0, cpu=0.1):
    return (n, 1, 1, planned, planned, planned, 0, resent, 1, cpu, 0.2, 0.3, 0.0)


def test_a_sound_run_has_no_cautions(cautions):
    assert cautions(OK, SERVICE) == {}


def test_what_was_dropped_or_unfinished_is_no_difference_of_counts(cautions):
    found = cautions(
        OK, SERVICE, (0, "json", "unfinished", "response", 9, 2), (0, "json", "dropped", "response", "", 3)
    )

    assert list(found) == ["arrivals_dropped"]


def test_a_run_without_requests_is_invalid(cautions):
    caution = cautions()["nothing_measured"]

    assert caution["serious"]
    assert caution["text"] == "No request was planned."


def test_a_run_whose_every_request_was_refused_is_invalid(cautions):
    caution = cautions((0, "json", "unauthorized", "response", 3_000, 7))["nothing_measured"]

    assert caution["text"] == "No request was answered well: 7 unauthorized."


@pytest.mark.parametrize(
    ("counted", "part"),
    [
        ({"planned": 1001}, "1,001 planned by the generator's counters but 1,000 in latency.csv; 1,001 planned"),
        ({"finished": 999, "unfinished": 1}, "1 unfinished by the generator's counters but 0 in latency.csv"),
        ({"sent": 998}, "998 sent by the generator's counters but 1,000 in timeline.csv"),
        ({"dropped": 1}, "1 dropped by the generator's counters but 0 in latency.csv"),
        ({"resent": 3}, "3 resent by the generator's counters but 0 in timeline.csv"),
    ],
)
def test_a_count_that_differs_by_one_makes_the_run_invalid(cautions, counted, part):
    counts = {"planned": 1000, "sent": 1000, "finished": 1000, "dropped": 0, "unfinished": 0, "resent": 0}
    caution = cautions(OK, SERVICE, counts=counts | counted)["counts_differ"]

    assert caution["serious"]
    assert part in caution["text"]


@pytest.mark.parametrize(
    ("failures", "part"),
    [
        ([failure("throttled", 2)], "3 throttled in latency.csv but 2 in failures.csv."),
        ([failure("throttled", 3), failure("throttled", 1, second=4)], "3 throttled in latency.csv but 4 in failures."),
        ([failure("throttled", 3), failure("oversize", 1)], "0 oversize in latency.csv but 1 in failures.csv."),
        ([], "3 throttled in latency.csv but 0 in failures.csv."),
    ],
)
def test_failures_that_differ_by_one_make_the_run_invalid(cautions, failures, part):
    caution = cautions(OK, SERVICE, (0, "json", "throttled", "response", 9, 3), failures=failures)["counts_differ"]

    assert caution["serious"]
    assert part in caution["text"]


def test_failures_in_several_rows_are_added_before_they_are_compared(cautions):
    failures = [failure("throttled", 1), failure("throttled", 1), failure("throttled", 1, message="x", name="b")]

    assert cautions(OK, SERVICE, (0, "json", "throttled", "response", 9, 3), failures=failures) == {}


def test_a_run_without_failures_file_has_none_to_differ(make_run):
    run = make_run([OK, SERVICE, (0, "json", "throttled", "response", 9, 3)])
    (run / "failures.csv").unlink()

    assert summary_of(run)["cautions"] == []


def test_a_complete_run_without_counters_is_invalid(cautions):
    assert cautions(OK, counts=None)["counts_differ"]["serious"]


@pytest.mark.parametrize("state", ["running", "interrupted"])
def test_a_run_that_was_killed_has_no_counters_to_differ(cautions, state):
    found = cautions(OK, SERVICE, counts=None, state=state)

    assert {name: caution["serious"] for name, caution in found.items()} == {"incomplete": False}


@pytest.mark.parametrize("file", ["latency.csv", "timeline.csv", "failures.csv"])
def test_a_cut_line_is_told_and_its_file_named(make_run, file):
    run = make_run([OK, SERVICE], state="running", counts=None)
    with (run / file).open("a") as lines:
        lines.write("1,js")
    found = {caution["name"]: caution for caution in summary_of(run)["cautions"]}

    assert found["line_cut"]["text"] == f"The last line of {file} was cut off and left out."


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
    ],
)
def test_an_open_load_that_was_not_planned_in_full_makes_the_run_invalid(cautions, load, is_below):
    found = cautions(OK, SERVICE, load={"duration_s": 10.0} | load)

    assert ("below_rate" in found) is is_below


@pytest.mark.parametrize(("busy", "told"), [(1, False), (2, True)])
def test_a_busy_generator_is_told_from_a_tenth_of_the_seconds_on(cautions, busy, told):
    timeline = [second(n, 100, cpu=0.9 if n < busy else 0.89) for n in range(10)]
    found = cautions(OK, SERVICE, timeline=timeline)

    assert {name: caution["serious"] for name, caution in found.items()} == ({"generator_busy": False} if told else {})


def test_too_few_requests_say_how_long_a_run_it_takes(cautions):
    """100 requests in 10 s; a p99 takes 368."""
    rows = [(9, "json", "ok", "response", 100_000, 100)]
    caution = cautions(*rows)["few_requests"]

    assert not caution["serious"]
    assert caution["text"] == "100 latencies are too few for a p99, which takes 368."
    assert caution["advice"] == "Run longer: about 37 s at this rate."


def test_resent_requests_are_told(cautions):
    counts = {"planned": 1000, "sent": 1000, "finished": 1000, "dropped": 0, "unfinished": 0, "resent": 2}
    found = cautions(OK, SERVICE, timeline=[second(0, 1000, resent=2)], counts=counts)

    assert found["requests_resent"]["text"].startswith("2 requests were sent a second time")
    assert list(found) == ["requests_resent"]


def test_the_serious_come_first(cautions):
    found = cautions((0, "json", "dropped", "response", "", 1), SERVICE, OK, state="interrupted")

    assert list(found) == ["arrivals_dropped", "incomplete"]


def test_a_run_that_mostly_failed_is_not_taken_for_a_good_one(cautions):
    half = cautions((0, "json", "ok", "response", 100_000, 10), (0, "json", "server_error", "response", 100, 10))
    less = cautions((0, "json", "ok", "response", 100_000, 10), (0, "json", "server_error", "response", 100, 11))

    assert "mostly_failed" not in half
    assert not less["mostly_failed"]["serious"]
    assert less["mostly_failed"]["text"].startswith("10 of 21 requests (47.62 %) were ok.")


REFUSED = [
    failure("server_error", 4, "model", "", 500, "", "boom"),
    failure("unauthorized", 7, "gateway", "token expired", 401, "APIG.0301", "Incorrect app authentication."),
]


@pytest.mark.parametrize(("name", "ok"), [("mostly_failed", 10), ("nothing_measured", 0)])
def test_a_run_that_mostly_failed_says_why_and_what_to_do(cautions, name, ok):
    found = cautions(
        (0, "json", "ok", "response", 100_000, ok),
        (0, "json", "server_error", "response", 100, 4),
        (0, "json", "unauthorized", "response", 100, 7),
        failures=REFUSED,
        gateway={"name": "modelarts", "advice": {"token expired": "Get a new token."}},
    )

    assert found[name]["advice"].startswith(
        "Most frequent: 7 unauthorized by the gateway: token expired (401 APIG.0301). Get a new token. "
    )


def test_a_run_that_mostly_failed_and_does_not_say_why_refers_to_its_outcomes(make_run):
    run = make_run([(0, "json", "ok", "response", 9, 1), (0, "json", "throttled", "response", 9, 9)])
    (run / "failures.csv").unlink()
    found = {caution["name"]: caution for caution in summary_of(run)["cautions"]}

    assert found["mostly_failed"]["advice"].startswith("The outcomes say why. ")
