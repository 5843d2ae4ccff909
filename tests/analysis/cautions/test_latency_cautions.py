from dataclasses import replace
from fractions import Fraction

import pytest
from made_by_hand import failure, summary_of

from analysis.cautions.caution import Evidence
from analysis.cautions.latencies import correlated
from analysis.choices import Choices
from analysis.objectives.objective import objective
from analysis.readers.run_directory import read_run
from analysis.run import Source
from analysis.summary import summarize
from analysis.window import Drift, Window, window_of

OK = (0, "json", "ok", "response", 100_000, 1000)
SERVICE = (0, "json", "ok", "service", 90_000, 1000)


def test_a_run_without_requests_is_invalid(cautions):
    caution = cautions()["nothing_measured"]

    assert caution["serious"]
    assert caution["text"] == "No request was planned."


def test_a_run_whose_every_request_was_refused_is_invalid(cautions):
    caution = cautions((0, "json", "unauthorized", "response", 3_000, 7))["nothing_measured"]

    assert caution["text"] == "No request was answered well: 7 unauthorized."


def test_too_few_requests_say_how_long_a_run_it_takes(cautions):
    """100 requests in 10 s; a p99 takes 368."""
    rows = [(9, "json", "ok", "response", 100_000, 100)]
    caution = cautions(*rows)["few_requests"]

    assert not caution["serious"]
    assert caution["text"] == "100 latencies are too few for a p99, which takes 368."
    assert caution["advice"] == "Run longer: about 37 s at this rate."


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


PERCENTILES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p99": Fraction(99, 100), "p99.9": Fraction(999, 1000)}


@pytest.mark.parametrize(
    ("chosen", "n", "told"),
    [
        (["p50", "p99", "p99.9"], 367, "p99, which takes 368"),  # the highest up to p99
        (["p50", "p99", "p99.9"], 368, None),
        (["p50", "p90"], 35, "p90, which takes 36"),
        (["p50", "p90"], 36, None),
        (["p99.9"], 3687, "p99.9, which takes 3,688"),  # nothing else was asked for
        (["p99.9"], 3688, None),
    ],
)
def test_too_few_requests_are_those_for_the_highest_percentile_that_was_asked_for(cautions, chosen, n, told):
    choices = {"percentiles": {name: PERCENTILES[name] for name in chosen}}
    found = cautions((0, "json", "ok", "response", 100_000, n), choices=choices)

    assert ("few_requests" in found) is (told is not None)
    if told:
        assert found["few_requests"]["text"] == f"{n:,} latencies are too few for a {told}."


def test_what_was_cut_is_added_to_the_length_of_a_longer_run(cautions):
    """100 requests in the 10 s that stay, 10 s cut: 36.8 s and those 10."""
    rows = [(0, "json", "ok", "response", 100_000, 500), (19, "json", "ok", "response", 100_000, 100)]
    found = cautions(*rows, load={"duration_s": 20.0}, choices={"warmup_s": 10.0})

    assert found["few_requests"]["text"].startswith("100 latencies")
    assert found["few_requests"]["advice"] == "Run longer: about 47 s at this rate."


def test_a_window_without_an_answer_is_not_a_run_without_one(cautions):
    found = cautions(OK, SERVICE, load={"duration_s": 20.0}, choices={"window": (5.0, 10.0)})

    assert found["nothing_measured"]["serious"]
    assert found["nothing_measured"]["text"] == "No request planned from 5 to 10 s was answered well."


class OfAThousand:
    n = 1000


@pytest.fixture
def evidence(make_run):
    """Evidence of a window of 1,000 requests whose p50 is this much wider."""

    def made(widened, value_s=0.1):
        run = read_run(make_run([OK, SERVICE]))
        estimate = {"value_s": value_s, "widened": widened}
        populations = {"response": OfAThousand, "service": OfAThousand}
        choices, latency = Choices({"p50": Fraction(1, 2)}), {"response": {"p50": estimate}}
        return Evidence(run, {"ok": 1000}, populations, Window(0, 1), choices, latency)

    return made


@pytest.mark.parametrize(("widened", "value_s"), [(3.0, 0.1), (None, 0.1), (5.0, None)])
def test_an_interval_up_to_three_times_as_wide_or_unknown_is_not_told(evidence, widened, value_s):
    assert correlated(evidence(widened, value_s)) is None


def test_requests_that_resemble_their_neighbours_are_worth_fewer(evidence):
    """4 times as wide is what a 16th of the requests gives."""
    caution = correlated(evidence(4.0))

    assert not caution.serious
    assert caution.text.startswith("The interval of p50 is 4.0 times as wide as for independent requests:")
    assert "that 1,000 support it like 62 independent ones" in caution.text
    assert correlated(evidence(3.01)) is not None


STEADY = [(n, "json", "ok", "response", 100_000 + n % 7, 10) for n in range(60)]


def drifting(share):
    return [(n, "json", "ok", "response", round(100_000 * (1 + share * (n - 30) / 60)), 10) for n in range(60)]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (STEADY, None),
        (drifting(0.09), None),
        (drifting(0.11), "The median response changed by +11 % from the beginning of the window to its end."),
        (drifting(-0.11), "The median response changed by -11 % from the beginning of the window to its end."),
    ],
)
def test_a_drift_is_told_with_its_size(cautions, rows, text):
    found = cautions(*rows, load={"duration_s": 60.0}, choices={"warmup_s": 0.0})

    assert ("no_steady_state" in found) is (text is not None)
    if text:
        assert not found["no_steady_state"]["serious"]
        assert found["no_steady_state"]["text"].startswith(f"{text} Allowed is 10 %")
        assert found["no_steady_state"]["text"].endswith("in 1 % of steady runs (p < 0.0001).")


def test_only_an_open_load_can_be_too_high(cautions):
    rising, falling = drifting(0.5), drifting(-0.5)
    options = {"load": {"duration_s": 60.0}, "choices": {"warmup_s": 0.0}}
    closed = {"load": {"duration_s": 60.0, "model": "closed"}, "choices": {"warmup_s": 0.0}}

    assert cautions(*rising, **options)["no_steady_state"]["advice"].endswith("means that the rate is too high.")
    assert cautions(*falling, **options)["no_steady_state"]["advice"].endswith("a steady part (--window).")
    assert cautions(*rising, **closed)["no_steady_state"]["advice"].endswith("a steady part (--window).")


def test_a_run_that_ended_in_its_ramp_is_not_steady(cautions):
    found = cautions(*STEADY, load={"duration_s": 60.0, "ramp_s": 60.0})

    assert found["no_steady_state"]["text"] == (
        "The run ended after 60 s, in its ramp of 60 s: it never had its full load."
    )


def test_a_run_that_changes_late_is_not_steady(make_run):
    run = read_run(make_run(STEADY))
    late = Window(0, 60, steady=False, drift=Drift(0.09, 0.2), unsteady="warm-up", change=0.5)
    found = {caution["name"]: caution for caution in summarize(run, Choices(), late)["cautions"]}

    assert found["no_steady_state"]["text"].startswith(
        "The median response changed by +50 % after more than half of the run."
    )


@pytest.mark.parametrize(("notes", "advised"), [((), False), (("k6 rounds.",), True)])
def test_what_another_tool_recorded_had_no_plan(make_run, notes, advised):
    run = replace(read_run(make_run([OK, SERVICE])), source=Source("k6 CSV", ("a.csv",), notes))
    found = {c["name"]: c for c in summarize(run, Choices(), window_of(run, Choices()))["cautions"]}

    assert not found["other_tool"]["serious"]
    assert found["other_tool"]["text"].startswith("Recorded by another tool (k6 CSV), without a plan:")
    assert ("notes on the source" in found["other_tool"]["advice"]) is advised


def test_what_another_tool_recorded_with_its_plan_is_not_blamed(make_run):
    rows = [OK, SERVICE, (0, "json", "ok", "lateness", 100, 1000)]
    run = replace(read_run(make_run(rows)), source=Source("CSV", ("a.csv",)))

    assert summarize(run, Choices(), window_of(run, Choices()))["cautions"] == []


@pytest.mark.parametrize(
    ("timeout_us", "limit_s", "text"),
    [
        (36_000_000, 40.0, None),  # 90 % of the limit
        (35_999_999, 40.0, "7 of 7 gateway timeouts came within 36 s, long before the 40 s"),
        (2_000, None, "7 of 7 gateway timeouts came within 2 ms, long before the 90 ms"),
        (81_000, None, None),  # 90 % of the slowest answer
    ],
)
def test_a_timeout_long_before_what_it_counts_as_is_told(cautions, timeout_us, limit_s, text):
    timeouts = [(0, "json", "gateway_timeout", measure, timeout_us, 7) for measure in ("response", "service")]
    found = cautions(OK, SERVICE, *timeouts, gateway={"name": "modelarts", "timeout_s": limit_s})

    assert ("timeouts_early" in found) is (text is not None)
    if text:
        assert found["timeouts_early"]["text"].startswith(text)
        assert not found["timeouts_early"]["serious"]


def test_a_client_that_gave_up_early_is_no_early_timeout(cautions):
    timeouts = [(0, "json", "client_timeout", measure, 2_000, 7) for measure in ("response", "service")]

    assert "timeouts_early" not in cautions(OK, SERVICE, *timeouts)


def test_a_run_to_be_longer_has_its_cut_part_besides(cautions):
    """100 requests in the last 10 of 30 s, of which 20 are ramp: 368 take 36.8 s, and the ramp 20."""
    rows = [(29, "json", "ok", "response", 100_000, 100)]
    found = cautions(*rows, load={"ramp_s": 20.0, "duration_s": 30.0}, state="complete")

    assert found["few_requests"]["advice"] == "Run longer: about 57 s at this rate."


def test_a_service_that_is_down_misses_its_objectives_and_is_no_invalid_run(make_run):
    rows = [(0, "json", "unavailable", "response", 3_000, 700)]
    found = summary_of(make_run(rows), slo=(objective("errors<1%"), objective("p99<1s")))

    assert found["verdict"] == "fail"
    assert [each["result"] for each in found["slo"]] == ["missed", "undecided"]
