import pytest
from made_by_hand import failure

from analysis.errors import BadRun
from analysis.readers.run_directory import read_run

ROWS = [
    (0, "json", "ok", "response", 100_000, 3),
    (7, "json", "dropped", "response", "", 2),
    (0, "file", "gateway_timeout", "response", 40_000_000, 1),
    (0, "json", "ok", "response", 100_000, 1),
]


def test_rows_of_the_same_key_add_up(make_run):
    samples = read_run(make_run(ROWS)).samples

    assert samples.outcome_counts() == {"ok": 4, "gateway_timeout": 1, "dropped": 2}
    assert samples.names == ("json", "file")


def test_a_bad_row_is_named(make_run):
    run = make_run([*ROWS, (0, "json", "timeoutt", "response", 1, 1)])

    with pytest.raises(BadRun, match=r"^latency\.csv, line 6: outcome 'timeoutt' is not one of ok, gateway_timeout, "):
        read_run(run)


def test_a_bad_timeline_row_is_named(make_run):
    run = make_run(ROWS, timeline=[(0, 1, 1, "many", 1, 1, 0, 0, 1, 0.1, 0.2, 0.3, 0.0)])

    with pytest.raises(BadRun, match=r"^timeline\.csv, line 2: planned 'many' is not a whole number"):
        read_run(run)


@pytest.mark.parametrize("outcome", ["ok", "client_timeout"])
def test_a_latency_without_a_time_is_refused(make_run, outcome):
    run = make_run([(0, "json", outcome, "response", "", 1)])

    with pytest.raises(BadRun, match=f"value_us is empty in a row of measure 'response', outcome '{outcome}'"):
        read_run(run)


def test_a_line_cut_off_is_left_out_and_its_file_named(make_run):
    run = make_run(ROWS)
    path = run / "latency.csv"
    path.write_text(path.read_text().removesuffix(",1\n"))

    assert read_run(run).cut == ("latency.csv",)
    assert read_run(run).samples.outcome_counts()["ok"] == 3


def test_a_run_that_has_only_begun_has_no_samples(make_run):
    run = make_run(state="running", counts=None)
    for name in ("latency.csv", "timeline.csv", "failures.csv", "notable.csv"):
        (run / name).unlink()

    assert read_run(run).failures is None
    assert read_run(run).samples.outcome_counts() == {}
    assert read_run(run).duration_s is None


def test_notable_requests_come_in_the_order_of_time(make_run):
    notable = [
        (2.5, "json", "server_error", "model", "", 500, "", "boom", "", ""),
        (0.5, "json", "gateway_timeout", "gateway", "backend timeout", 504, "APIG.0201", "Timed out.", "id", 40.0),
    ]
    first, second = read_run(make_run(ROWS, notable=notable)).notable

    assert (first["at_s"], first["outcome"], first["status"]) == (0.5, "gateway_timeout", "504")
    assert (first["answered_by"], first["reason"]) == ("gateway", "backend timeout")
    assert (second["at_s"], second["message"], first["response_s"]) == (2.5, "boom", 40.0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (failure("ok", 1), "outcome 'ok' is not one of gateway_timeout, "),
        (failure("throttled", 1, "proxy"), "answered_by 'proxy' is not one of gateway, model, unknown, nothing$"),
        (failure("throttled", 1, status="4xx"), "status '4xx' is not a whole number of 0 or more, or empty$"),
        (failure("throttled", ""), "count '' is not a whole number of 0 or more$"),
    ],
)
def test_a_bad_row_of_failures_is_named(make_run, row, message):
    with pytest.raises(BadRun, match=f"^failures.csv, line 2: {message}"):
        read_run(make_run(ROWS, failures=[row]))


@pytest.mark.parametrize(
    ("state", "ordered", "duration_s"),
    [("complete", 20.0, 20.0), ("interrupted", 20.0, 8.0), ("running", 20.0, 8.0), ("complete", None, 8.0)],
)
def test_a_run_lasts_as_ordered_if_it_got_that_far(make_run, state, ordered, duration_s):
    """The last request was planned in second 7."""
    run = read_run(make_run(ROWS, state=state, load={"duration_s": ordered}))

    assert run.duration_s == duration_s
