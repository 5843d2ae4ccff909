from fractions import Fraction

import pytest
from made_by_hand import summary_of

from analysis.objectives.objective import objective
from analysis.report.verdict import Figure, figures, headline

OK = [(0, "json", "ok", "response", 102_400, 400), (0, "json", "ok", "service", 100_000, 400)]
TIMEOUTS = [(0, "json", "gateway_timeout", "response", 40_000_000, 60)]
REFUSED = [(0, "json", "throttled", "response", 1_000, 500)]
LOAD = {"rate_per_s": 400.0, "duration_s": 1.0}


def of_tool(summary):
    """*summary* as that of another tool, which records no plan."""
    latency = summary["latency"] | {"response": summary["latency"]["service"] | {"n": 0}}
    return summary | {
        "source": {"kind": "k6 CSV", "files": ["a.csv"], "notes": []},
        "latency": latency,
        "main": "service",
    }


@pytest.mark.parametrize(
    ("rows", "changes", "word", "tone", "words"),
    [
        (OK, {}, "Valid", "good", "No objective was set"),
        (OK, {"counts": None}, "Invalid", "bad", "do not describe the service"),
        (OK, {"counts": None, "state": "running"}, "Partial", "warn", "The run has not ended"),
        (OK, {"counts": None, "state": "interrupted"}, "Partial", "warn", "The run was interrupted"),
        (OK + REFUSED, {}, "Mostly failed", "bad", "of the few that did not fail"),
        ([], {}, "Invalid", "bad", "do not describe the service"),
    ],
)
def test_a_run_is_worth_a_word_and_a_sentence(make_run, rows, changes, word, tone, words):
    found = headline(summary_of(make_run(rows, **changes)))

    assert (found.word, found.tone) == (word, tone)
    assert words in found.sentence


@pytest.mark.parametrize(
    ("texts", "changes", "word", "tone", "words"),
    [
        (["p50<1s"], {}, "Pass", "good", "The objective was met."),
        (["p50<1s", "errors<1%"], {}, "Pass", "good", "All 2 objectives were met."),
        (["p50<1s", "p50<9ms", "p99.99<1s"], {}, "Fail", "bad", "Missed: 1 of 3 objectives. Not decided: 1."),
        (["p50<9ms", "p50<1s"], {}, "Fail", "bad", "Missed: 1 of 2 objectives."),
        (["p50<9ms"], {}, "Fail", "bad", "The objective was missed."),
        (["p99.99<1s"], {}, "Not decided", "warn", "This run cannot tell whether the objective was met."),
        (["p99.99<1s", "p50<1s"], {}, "Not decided", "warn", "of 1 of 2 objectives whether it was met."),
        (["p50<9ms"], {"counts": None}, "Invalid", "bad", "So no objective passed or failed."),
        (["p50<1s"], {"counts": None, "state": "interrupted"}, "Partial", "warn", "The run was interrupted"),
        (["p50<9ms"], {"counts": None, "state": "interrupted"}, "Fail", "bad", "The objective was missed."),
        (
            ["p50<1s over 1s stop"],
            {"counts": None, "state": "interrupted", "stopped_by": "p50<1s over 1s stop"},
            "Fail",
            "bad",
            "The objective was missed. The run was ended early by it.",
        ),
    ],
)
def test_objectives_decide_the_word(make_run, texts, changes, word, tone, words):
    found = headline(summary_of(make_run(OK, **changes), slo=tuple(map(objective, texts))))

    assert (found.word, found.tone) == (word, tone)
    assert words in found.sentence


def test_what_another_tool_recorded_is_not_called_valid(make_run):
    found = headline(of_tool(summary_of(make_run(OK))))

    assert (found.word, found.tone) == ("Recorded", "plain")
    assert "another tool (k6 CSV)" in found.sentence


def test_five_figures_are_read_first(make_run):
    """400 ok and 60 timeouts of 460: the median is one of the 400, the p99 one of the timeouts."""
    found = figures(summary_of(make_run(OK + TIMEOUTS, load=LOAD | {"rate_per_s": 460.0})))

    assert found == [
        Figure("rate", "400 ok/s", "of 460/s planned"),
        Figure("p50 response", "102 ms", "102 to 102 ms (95 %)"),
        Figure("p99 response", ">= 40 s", "40 s or more (95 %)"),
        Figure("failures", "60", "13.04 % of 460 requests"),
        Figure("timeouts", "60", "limit 40 s"),
    ]


def test_nothing_measured_is_no_figure(make_run):
    found = figures(summary_of(make_run([], timeline=[], gateway={"name": "none"})))

    assert [figure.value for figure in found] == ["-", "-", "-", "-", "-"]
    assert [figure.beneath for figure in found[1:]] == [
        "not measured", "not measured", "0 % of 0 requests", "limit not known"
    ]  # fmt: skip


def test_a_figure_that_the_requests_do_not_support_says_what_it_takes(make_run):
    """50 requests in 1 s: a p99 takes 368, so 7.4 s."""
    found = figures(summary_of(make_run([(0, "json", "ok", "response", 9, 50)], load=LOAD | {"rate_per_s": 50.0})))

    assert (found[2].value, found[2].beneath) == ("-", "takes a run of 8 s")


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        (("p50", "p90", "p99", "p99.9"), ["p50 response", "p99 response"]),
        (("p10", "p90"), ["p10 response", "p90 response"]),
        (("p95",), ["p95 response"]),
    ],
)
def test_a_typical_and_a_slow_percentile_are_chosen_from_those_asked_for(make_run, asked, labels):
    percentiles = {name: Fraction(name[1:]) / 100 for name in asked}
    found = figures(summary_of(make_run(OK), percentiles=percentiles))

    assert [figure.label for figure in found[1:-2]] == labels


def test_another_tool_has_a_rate_sent_and_a_service_time(make_run):
    found = figures(of_tool(summary_of(make_run(OK, load=LOAD))))

    assert (found[0].value, found[0].beneath) == ("400 ok/s", "of 400/s sent")
    assert (found[1].label, found[1].value) == ("p50 service", "100 ms")


def test_an_aggregate_has_a_value_without_an_interval(make_run):
    summary = summary_of(make_run(OK))
    summary["latency"]["response"]["p50"] |= {"low_s": None, "high_s": None}

    assert figures(summary)[1] == Figure("p50 response", "102 ms", "interval not known")
