import pytest
from made_by_hand import summary_of

from analysis.objectives.objective import objective
from analysis.report.slo import line_text, reason_text, rows

ROWS = [(0, "json", "ok", "response", 102_400, 400), (0, "json", "ok", "service", 100_000, 400)]
TIMEOUTS = [(0, "json", "gateway_timeout", "response", 40_000_000, 60)]


def judged_of(**changes):
    return {
        "text": "p99<800ms", "unit": "s", "every_s": None, "value": 0.5, "low": 0.4, "high": 0.6, "censored": False,
        "n": 1000, "result": "met", "needs_s": None,
    } | changes  # fmt: skip


def summary_with(judged, verdict="pass", state="complete"):
    run = {"state": state, "stopped_by": None}
    return {"verdict": verdict, "confidence": 0.95, "slo": [judged], "baseline": None, "capacity": None, "run": run}


LONG = {"every_s": 10.0}
MISSED = {"result": "missed"}
OPEN = {"result": "undecided", "low": 0.7, "high": 0.9, "value": 0.75}
NOTHING = {"n": 0, "value": None, "low": None, "high": None, "result": "undecided"}
BOUND = {"censored": True, "value": 40.0, "low": 40.0, "high": None}


@pytest.mark.parametrize(
    ("changes", "measured", "interval"),
    [
        ({}, "500 ms", "400 ms to 600 ms"),
        (BOUND, ">= 40 s", "40 s or more"),
        (BOUND | {"low": 0.7}, ">= 40 s", "700 ms or more"),
        ({"unit": "1/s", "value": 37.1, "low": 37.1, "high": 37.1}, "37.1/s", ""),
        ({"unit": "share", "value": 0.012, "low": 0.01, "high": 0.02}, "1.2 %", "1 % to 2 %"),
        ({"value": None, "low": None, "high": None}, "-", ""),
    ],
)
def test_a_figure_has_its_unit_and_its_interval(changes, measured, interval):
    [row] = rows(summary_with(judged_of(**changes)))

    assert (row.objective, row.measured, row.interval) == ("p99<800ms", measured, interval)


@pytest.mark.parametrize(
    ("changes", "result", "tone", "meaning"),
    [
        ({}, "met", "good", "The whole interval is within the limit."),
        ({"low": 0.5, "high": 0.5}, "met", "good", "It is within the limit."),
        ({"every_s": 10.0}, "met", "good", "The whole interval is within the limit, also in the worst part."),
        (MISSED, "MISSED", "bad", "The whole interval is beyond the limit."),
        (MISSED | {"every_s": 10.0}, "MISSED", "bad", "The whole interval is beyond the limit in the worst part."),
        (OPEN, "not decided", "warn", "Too close to the limit for a longer run to decide."),
        (OPEN | {"needs_s": 130.0}, "not decided", "warn", "A run of about 3 min would decide."),
        (OPEN | BOUND, "not decided", "warn", "Requests that were cut off leave open how high it is."),
        (OPEN | LONG, "not decided", "warn", "In the worst part, 10 s are too short to decide at this rate."),
        (OPEN | {"n": 0, "value": None}, "not decided", "warn", "Nothing of it was measured."),
    ],
)
def test_a_result_is_a_word_and_a_sentence(changes, result, tone, meaning):
    [row] = rows(summary_with(judged_of(**changes)))

    assert (row.result, row.tone, row.meaning) == (result, tone, meaning)


@pytest.mark.parametrize("state", ["interrupted", "running"])
def test_what_a_run_met_before_its_end_is_not_met_by_it(state):
    [met], [missed] = (rows(summary_with(judged_of(**changes), "undecided", state)) for changes in ({}, MISSED))

    assert (met.result, met.tone) == ("not decided", "warn")
    assert met.meaning == "It was met until then, but the run did not get to its end."
    assert met.reason.startswith("500 ms of 1,000 requests")
    assert missed.result == "MISSED"


@pytest.mark.parametrize("result", ["met", "missed", "undecided"])
def test_an_invalid_run_judges_nothing(result):
    [row] = rows(summary_with(judged_of(result=result), "invalid"))

    assert (row.measured, row.result, row.tone) == ("500 ms", "not judged", "plain")
    assert row.meaning == "The run is invalid, so this figure does not describe the service."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "500 ms of 1,000 requests, 95 % interval 400 ms to 600 ms."),
        ({"every_s": 10.0}, "500 ms of 1,000 requests, interval 400 ms to 600 ms."),
        ({"low": 0.5, "high": 0.5}, "500 ms of 1,000 requests."),
        (NOTHING, "Nothing of it was measured."),
        (NOTHING | {"every_s": 31.0}, "Nothing of it was measured in a whole part of 31 s."),
        # A part without a request has a rate.
        ({"n": 0, "unit": "1/s", "value": 0.0, "low": 0.0, "high": 0.0, "result": "missed"}, "0/s of 0 requests."),
        (NOTHING | {"n": 90}, "90 requests do not tell it. Nor would those of a run of a day."),
        (
            {"low": None, "high": None, "result": "undecided"},
            "500 ms of 1,000 requests. It has no interval, so that nobody knows what is chance in it.",
        ),
        (
            BOUND | {"low": 0.7, "result": "undecided", "needs_s": 600.0},
            ">= 40 s of 1,000 requests, 95 % interval 700 ms or more. A run of about 10 min would decide.",
        ),
        (
            {"value": None, "low": None, "high": None, "result": "undecided", "needs_s": 1000.0},
            "1,000 requests are too few for a figure. A run of about 17 min would decide.",
        ),
    ],
)
def test_a_reason_has_the_figures(changes, reason):
    assert reason_text(judged_of(**changes), 0.95) == reason


@pytest.mark.parametrize(
    ("verdict", "result", "word"),
    [
        ("pass", "met", "met"),
        ("fail", "missed", "MISSED"),
        ("undecided", "undecided", "not decided"),
        ("invalid", "missed", "not judged"),
    ],
)
def test_the_terminal_has_an_objective_on_a_line(verdict, result, word):
    judged = judged_of(text='p99<800ms of "a\x1b[2J\nb"', result=result, low=0.5, high=0.5, every_s=10.0)
    [row] = rows(summary_with(judged, verdict))
    line = line_text(row)

    assert line.startswith(f'{word}: p99<800ms of "a [2J b": 500 ms of 1,000 requests.')


def test_the_rows_are_of_what_a_run_was_judged_by(make_run):
    """400 answers took 102 ms; 60 of 460 requests waited in vain, so p99 is one of those."""
    asked = tuple(map(objective, ("p50<103ms", "p99<1s", "timeouts<2%", "ok_rate>=1/s")))
    found = rows(summary_of(make_run(ROWS + TIMEOUTS), slo=asked))

    assert [(row.measured, row.result) for row in found] == [
        ("102 ms", "met"), (">= 40 s", "MISSED"), ("13.04 %", "MISSED"), ("400/s", "met"),
    ]  # fmt: skip
