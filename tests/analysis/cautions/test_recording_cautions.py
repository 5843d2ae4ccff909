from dataclasses import replace

import pytest
from made_by_hand import failure, summary_of

from analysis.choices import Choices
from analysis.readers.run_directory import read_run
from analysis.run import Source
from analysis.summary import summarize
from analysis.window import window_of

OK = (0, "json", "ok", "response", 100_000, 1000)
SERVICE = (0, "json", "ok", "service", 90_000, 1000)


def test_what_was_dropped_or_unfinished_is_no_difference_of_counts(cautions):
    found = cautions(
        OK, SERVICE, (0, "json", "unfinished", "response", 9, 2), (0, "json", "dropped", "response", "", 3)
    )

    assert list(found) == ["arrivals_dropped"]


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


def test_another_tools_record_has_nothing_to_be_compared_with(make_run):
    run = read_run(make_run([OK, SERVICE], counts=None))
    recorded = replace(
        run, manifest=run.manifest | {"load": {"model": "recorded"}}, source=Source("k6 CSV", ("a.csv",))
    )
    found = summarize(recorded, Choices(), window_of(recorded, Choices()))["cautions"]

    assert [caution["name"] for caution in found] == ["other_tool"]


@pytest.mark.parametrize(("step_s", "text"), [(0.0, None), (2.5, "goes back by 2.5 s"), (3600.0, "back by 3,600.0 s")])
def test_a_clock_that_went_back_in_another_tools_record_is_told(make_run, step_s, text):
    run = read_run(make_run([OK, SERVICE], counts=None))
    source = Source("JMeter JTL", ("a.jtl",), clock_step_s=step_s)
    recorded = replace(run, manifest=run.manifest | {"load": {"model": "recorded"}}, source=source)
    found = {
        caution["name"]: caution
        for caution in summarize(recorded, Choices(), window_of(recorded, Choices()))["cautions"]
    }

    assert ("clock_step" in found) is (text is not None)
    if text:
        assert text in found["clock_step"]["text"]
        assert found["clock_step"]["text"].endswith("Allowed is 2 s.")
        assert not found["clock_step"]["serious"]


def rows_of(in_flight, *, planned=10, lag_ms=0.0):
    """Rows of the timeline, the last with nothing planned; *in_flight* is as counted at the end of each second."""
    last = len(in_flight) - 1
    return [
        (n, 1, 1, sent := planned * (n < last), sent, planned * (n > 0), 0, 0, number, 0.1, 0.2, lag_ms, 0.0)
        for n, number in enumerate(in_flight)
    ]


# Ten seconds of 10 requests a second, and one for the last answers: 100 requests in 11 s. In flight by their times are
# 100 x service time / 11 s. Allowed is a difference of 10 requests, those of each of the 11 seconds.
@pytest.mark.parametrize(
    ("in_flight", "service_us", "differs"),
    [
        ([10] * 10 + [0], 1_000_000, False),  # 100 / 11 = 9.1 by both
        ([10] * 10 + [0], 2_099_000, False),  # 209.9 / 11, more by not quite 110 / 11
        ([10] * 10 + [0], 2_101_000, True),
        ([40] * 10 + [0], 2_901_000, False),  # 400 / 11 counted, and 290.1 / 11 by the times
        ([40] * 10 + [0], 2_899_000, True),
        ([0] * 11, 100_000, False),  # counted just after the answers
    ],
)
def test_requests_in_flight_and_times_must_agree_to_the_requests_of_a_second(cautions, in_flight, service_us, differs):
    rows = [(9, "json", "ok", "response", service_us, 100), (9, "json", "ok", "service", service_us, 100)]
    found = cautions(*rows, timeline=rows_of(in_flight))

    assert ("in_flight_differs" in found) is differs
    assert not found.get("in_flight_differs", {"serious": False})["serious"]


def test_a_difference_in_flight_gives_its_figures(cautions):
    rows = [(9, "json", "ok", "response", 100_000, 100), (9, "json", "ok", "service", 100_000, 100)]
    found = cautions(*rows, timeline=rows_of([22] * 10 + [0]))

    assert found["in_flight_differs"]["text"].startswith(
        "20.0 requests were in flight on average by timeline.csv, but 0.9 by the times in latency.csv"
    )
    assert "Allowed is a difference of 10.0," in found["in_flight_differs"]["text"]


@pytest.mark.parametrize(
    "changes",
    [
        {"timeline": rows_of([40] * 10 + [1])},  # not written to its end
        {"timeline": rows_of([40] * 10 + [0], lag_ms=1000.0)},  # not counted each second
        {"timeline": rows_of([40] * 10 + [0])[::2]},
        {"timeline": rows_of([40] * 10 + [0]), "workers_lost": 1},
        {"timeline": rows_of([40] * 10 + [0]), "state": "interrupted", "counts": None},
    ],
)
def test_requests_in_flight_are_compared_only_where_they_can_be(cautions, changes):
    rows = [(9, "json", "ok", "response", 100_000, 100), (9, "json", "ok", "service", 100_000, 100)]

    assert "in_flight_differs" not in cautions(*rows, **changes)


def test_requests_of_every_outcome_are_in_flight(cautions):
    """100 that took 3 s and were refused: 300 s in 11 s, as counted."""
    rows = [(9, "json", "server_error", measure, 3_000_000, 100) for measure in ("response", "service")]
    found = cautions(*rows, (9, "json", "dropped", "response", "", 1), timeline=rows_of([30] * 10 + [0]))

    assert "in_flight_differs" not in found


@pytest.mark.parametrize(
    ("ended_at", "way"),
    [
        ("2026-11-24T22:10:16.123Z", None),  # 16 s, and 11 of the run's own: 5 more are allowed
        ("2026-11-24T22:10:16.124Z", "forward"),
        ("2026-11-24T22:10:06.123+00:00", None),
        ("2026-11-24T22:10:06.122+00:00", "back"),
        ("2026-11-24T21:10:11.123Z", "back"),
        (None, None),
        ("2026-11-24T22:10:11", None),  # in which zone?
        ("<script>", None),
    ],
)
def test_a_clock_that_was_set_during_the_run_is_told(cautions, ended_at, way):
    found = cautions(OK, SERVICE, timeline=rows_of([1] * 10 + [0], planned=100), ended_at=ended_at)

    assert ("clock_step" in found) is (way is not None)
    if way:
        assert not found["clock_step"]["serious"]
        assert f"by its own clock 11 s: the time was set {way} " in found["clock_step"]["text"]


def test_of_a_long_run_the_clock_may_differ_by_one_in_a_hundred(cautions):
    """1,001 s: 10.01 s are allowed; the run began at 22:10:00.123."""
    timeline = rows_of([1] * 1000 + [0], planned=1)
    allowed = cautions(OK, SERVICE, timeline=timeline, ended_at="2026-11-24T22:26:51.133Z")
    found = cautions(OK, SERVICE, timeline=timeline, ended_at="2026-11-24T22:26:51.134Z")

    assert "clock_step" not in allowed
    assert found["clock_step"]["text"].startswith("By the time of day the run took 1,011.0 s, by its own clock 1,001 s")


def test_a_clock_is_not_judged_where_the_run_was_not_written_to_its_end(cautions):
    timeline = rows_of([1] * 10 + [1], planned=100)

    assert "clock_step" not in cautions(OK, SERVICE, timeline=timeline, ended_at="2026-11-24T23:10:00Z")


def test_a_run_that_an_objective_stopped_says_so(cautions):
    found = cautions(OK, SERVICE, counts=None, state="interrupted", stopped_by="p99<1s over 30s stop")["incomplete"]

    assert found["text"].startswith("The run was stopped because it missed 'p99<1s over 30s stop'")
    assert not found["serious"]


def absence(**changes):
    return {"worker": "worker 2 on gpu-7", "heard_s": 31.5, "told_s": 29, "unreported": 130, "back_s": None} | changes


def test_a_lost_worker_makes_the_run_invalid_and_is_named_with_what_is_missing(cautions):
    found = cautions(OK, SERVICE, workers=3, workers_lost=1, lost_worker="invalid", absences=[absence()])

    assert found["worker_lost"]["serious"]
    assert found["worker_lost"]["text"] == (
        "1 of 3 worker processes went away in mid-run. Not counted are at most 130 requests of theirs: worker 2 on"
        " gpu-7 was last heard of at second 31.5, and had told of those before 29. Allowed is none."
    )


def test_a_lost_worker_whose_share_others_took_leaves_the_run_valid(cautions):
    found = cautions(OK, SERVICE, workers=3, workers_lost=1, lost_worker="redistribute", absences=[absence()])

    assert not found["worker_lost"]["serious"]
    assert "Others took their share of the load seconds later." in found["worker_lost"]["text"]


def test_a_worker_that_came_back_lost_nothing(cautions):
    found = cautions(OK, SERVICE, workers=3, workers_lost=0, absences=[absence(back_s=62.0)])

    assert list(found) == ["worker_away"]
    assert "worker 2 on gpu-7 was not heard of from second 31.5 to 62." in found["worker_away"]["text"]


def test_a_worker_that_left_in_order_is_told_of(cautions):
    found = cautions(
        OK, SERVICE, workers=3, workers_lost=0, workers_left=[{"worker": "worker 2 on gpu-7", "at_s": 6.1}]
    )

    assert list(found) == ["worker_away"]
    assert not found["worker_away"]["serious"]
    assert "worker 2 on gpu-7 was told to stop at second 6.1." in found["worker_away"]["text"]


def test_many_absences_are_not_all_named(cautions):
    found = cautions(OK, SERVICE, workers=9, workers_lost=5, absences=[absence()] * 5)

    assert found["worker_lost"]["text"].count("worker 2 on gpu-7") == 3
    assert "at most 650 requests" in found["worker_lost"]["text"]
    assert ", and 2 more." in found["worker_lost"]["text"]


@pytest.mark.parametrize(
    ("lost_worker", "lost", "serious"), [("invalid", 1, True), ("redistribute", 1, False), ("redistribute", 2, True)]
)
def test_a_lost_worker_is_serious_unless_there_are_others_to_take_its_share(cautions, lost_worker, lost, serious):
    found = cautions(OK, SERVICE, lost_worker=lost_worker, workers=2, workers_lost=lost)

    assert found["worker_lost"]["serious"] is serious
    assert ("Others took their share" in found["worker_lost"]["text"]) is not serious
