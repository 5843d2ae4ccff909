import json
from dataclasses import replace
from fractions import Fraction

import pytest
from made_by_hand import failure, summary_of

from analysis.choices import Choices
from analysis.readers.run_directory import read_run
from analysis.run import Source
from analysis.summary import summarize
from analysis.window import window_of

ROWS = [
    (0, "json", "ok", "response", 100_000, 90),
    (0, "json", "ok", "service", 80_000, 90),
    (1, "file", "gateway_timeout", "response", 40_000_000, 10),
    (1, "file", "gateway_timeout", "service", 40_000_000, 10),
    (1, "file", "oversize", "response", 1_000, 5),
    (1, "file", "dropped", "response", "", 15),
]


def estimate(value_s, low_s, high_s, *, censored=False, needs=None, needs_s=None):
    found = {"value_s": value_s, "low_s": low_s, "high_s": high_s, "censored": censored}
    return found | {"widened": None, "needs": needs, "needs_s": needs_s}


@pytest.fixture
def summary(make_run):
    return lambda rows=ROWS, **run: summary_of(make_run(rows, **run))


def test_a_run_is_reduced_to_its_numbers(summary):
    found = summary(load={"duration_s": 10.0})

    assert found["outcomes"] == {"ok": 90, "gateway_timeout": 10, "oversize": 5, "dropped": 15}
    assert found["rate"] == {"planned_per_s": 12.0, "sent_per_s": 10.5, "ok_per_s": 9.0}
    assert found["run"]["duration_s"] == 10.0
    assert found["latency"]["response"]["n"] == 100
    assert found["latency"]["service"]["p50"] == estimate(0.08, 0.08, 0.08)
    assert found["latency"]["response"]["p95"] == estimate(40.0, 0.1, None, censored=True)
    assert found["latency"]["response"]["p99"] == estimate(None, None, None, needs=368, needs_s=pytest.approx(36.8))
    assert found["latency"]["response"]["max"] == estimate(40.0, None, None, censored=True)


def test_failures_are_joined_over_seconds_and_names_the_most_frequent_first(summary):
    late = {"by": "gateway", "reason": "backend timeout", "status": 504, "code": "ModelArts.4503", "message": "late"}
    found = summary(
        gateway={"name": "modelarts", "advice": {"backend timeout": "Ask the model's owner.", "other": "No."}},
        failures=[
            failure("oversize", 5, "gateway", "", 413, "", "too large"),
            failure("gateway_timeout", 4, **late),
            failure("gateway_timeout", 3, **late, second=7),
            failure("gateway_timeout", 2, **late, second=7, name="file"),
            failure("gateway_timeout", 1, **late | {"by": "model"}),
            failure("dropped", 15),
        ],
    )

    assert [(f["count"], f["outcome"], f["answered_by"]) for f in found["failures"]] == [
        (15, "dropped", ""), (9, "gateway_timeout", "gateway"), (5, "oversize", "gateway"),
        (1, "gateway_timeout", "model"),
    ]  # fmt: skip
    assert found["failures"][1] == {
        "outcome": "gateway_timeout",
        "answered_by": "gateway",
        "reason": "backend timeout",
        "status": 504,
        "error_code": "ModelArts.4503",
        "message": "late",
        "count": 9,
        "advice": "Ask the model's owner.",
    }
    assert found["failures"][0]["status"] is None
    assert found["failures"][2]["advice"].startswith("Send a smaller body.")
    assert found["failures_more"] == 0
    assert found["cautions"][0]["name"] != "counts_differ"


def test_a_rare_outcome_is_not_lost_among_many_failures_of_another(summary):
    """60 ways to be throttled, and one of each of two others: 48 of the 60 are shown."""
    many = [failure("throttled", 10, message=f"no {number}") for number in range(60)]
    found = summary(failures=[*many, failure("dropped", 1), failure("oversize", 1)])

    assert [f["outcome"] for f in found["failures"]] == ["throttled"] * 48 + ["oversize", "dropped"]
    assert found["failures_more"] == 120


def test_a_run_that_does_not_say_how_requests_failed_has_null(make_run):
    run = make_run(ROWS)
    (run / "failures.csv").unlink()
    found = summary_of(run)

    assert (found["failures"], found["failures_more"]) == (None, None)


def test_what_the_gateway_says_of_the_time_is_a_measure(summary):
    found = summary([*ROWS, (0, "json", "ok", "backend", 0, 90)])["latency"]

    assert found["backend"]["max"]["value_s"] == 0.0
    assert "gateway" not in found


def test_each_name_has_its_own_numbers(summary):
    found = summary()["by_name"]

    assert list(found) == ["json", "file"]
    assert found["json"]["outcomes"] == {"ok": 90}
    assert found["json"]["latency"]["response"]["p90"]["value_s"] == 0.1
    assert found["file"]["latency"]["response"]["p50"]["censored"]


def test_nothing_measured_is_null(summary):
    found = summary([])

    assert found["rate"] == {"planned_per_s": None, "sent_per_s": None, "ok_per_s": None}
    assert found["latency"]["response"]["max"]["value_s"] is None
    assert "lateness" not in found["latency"]


def test_a_summary_is_strict_json(summary):
    for rows in (ROWS, []):
        assert json.loads(json.dumps(summary(rows), allow_nan=False)) == summary(rows)


def test_a_refusal_never_changes_a_percentile(summary):
    refused = [(0, "json", "throttled", measure, 1_000, 900) for measure in ("response", "service", "first_byte")]

    assert summary([*ROWS, *refused])["latency"] == summary()["latency"]


def test_the_verdict_is_invalid_only_for_a_serious_caution(summary):
    sound = [row for row in ROWS if row[2] != "dropped"]

    assert summary(sound)["verdict"] == "none"
    assert summary(sound, state="interrupted")["verdict"] == "none"
    assert summary(ROWS)["verdict"] == "invalid"


def test_the_percentiles_and_the_confidence_are_those_chosen(make_run):
    rows = [(0, "json", "ok", "response", value, 1) for value in range(1, 1001)]
    found = summary_of(make_run(rows), percentiles={"p75": Fraction(3, 4)}, confidence=0.5)

    assert (found["percentiles"], found["confidence"]) == ({"p75": 0.75}, 0.5)
    assert found["latency"]["response"]["p75"]["value_s"] == pytest.approx(750e-6)
    assert 1 < 1e6 * (found["latency"]["response"]["p75"]["high_s"] - found["latency"]["response"]["p75"]["low_s"]) < 22
    assert set(found["latency"]["response"]) == {"n", "p75", "max"}


def test_the_busiest_names_are_listed_and_the_others_counted(make_run):
    rows = [(0, f"n{number:03}", "ok", "response", 1000, 1 + (number == 70)) for number in range(80)]
    found = summary_of(make_run(rows))

    assert list(found["by_name"])[:3] == ["n070", "n000", "n001"]
    assert (len(found["by_name"]), found["names_more"]) == (50, 30)


def test_each_outcome_has_its_own_times_also_a_rejection(summary):
    found = summary()["by_outcome"]

    assert found["ok"]["response"]["n"] == 90
    assert found["oversize"]["response"]["p50"]["value_s"] is None, "five are too few"
    assert found["oversize"]["response"]["max"]["value_s"] == 0.001
    assert found["gateway_timeout"]["response"]["max"] == estimate(40.0, None, None, censored=True)
    assert found["dropped"]["response"]["n"] == 0


def test_an_aggregate_gives_its_own_percentiles_and_no_intervals(make_run):
    rows = [(0, "json", "ok", "response", value, 100) for value in (1000, 2000)]
    run, choices = read_run(make_run(rows)), Choices()
    run = replace(run, source=Source("Locust", (), known=(Fraction(1, 2),)))
    found = summarize(run, choices, window_of(run, choices))["latency"]["response"]

    assert found["p50"] == estimate(0.001, None, None)
    assert found["p90"] == estimate(None, None, None)


def test_timeouts_that_come_at_once_make_no_percentile_better(make_run):
    """600 answers of 50 ms, 610 timeouts after 1 ms: half of the requests took the limit of 40 s or more."""
    rows = [
        (second, "json", outcome, measure, value_us, count)
        for second in range(60)
        for outcome, value_us, count in (("ok", 50_000, 10), ("gateway_timeout", 1_000, 10 + (second % 6 == 0)))
        for measure in ("response", "service")
    ]
    found = summary_of(make_run(rows))

    for measures in (found["latency"], found["by_name"]["json"]["latency"]):
        assert [measures["response"]["p50"][key] for key in ("value_s", "censored")] == [40.0, True]
    assert found["by_outcome"]["gateway_timeout"]["response"]["p50"]["value_s"] == 0.001, "as it was recorded"
