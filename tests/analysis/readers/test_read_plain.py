import numpy as np
import pytest

from analysis.errors import BadRun
from analysis.population import population_of
from analysis.readers import read
from analysis.readers.plain import measure_of


@pytest.fixture
def read_text(tmp_path):
    def write(text):
        path = tmp_path / "own.csv"
        path.write_text(text)
        return read([path])

    return write


@pytest.mark.parametrize(
    ("column", "measure"),
    [
        ("service_ms", "service"),
        ("latency_s", "service"),
        ("elapsed_us", "service"),
        ("duration_ms", "service"),
        ("response_ms", "response"),
        ("first_byte_ms", "first_byte"),
        ("latency", None),
        ("latency_ns", None),
        ("my_latency_ms", None),
    ],
)
def test_a_column_says_measure_and_unit(column, measure):
    assert measure_of(column) == measure


@pytest.mark.parametrize(("unit", "cell"), [("s", "0.0405"), ("ms", "40.5"), ("us", "40500")])
def test_a_time_is_read_in_its_unit(read_text, unit, cell):
    assert population_of(read_text(f"latency_{unit}\n{cell}\n").samples, "service").at_least_s(1) == 0.0405


def test_without_a_moment_all_is_the_first_second(read_text):
    run = read_text("service_ms\n1\n2\n")

    assert run.samples.second.tolist() == [0, 0, 0]
    assert run.samples.outcome_counts() == {"ok": 2}
    assert run.samples.names == ("all requests",)
    assert run.manifest["started_at"] == ""
    assert any(note.startswith("No moment is recorded") for note in run.source.notes)
    assert "What became of a request is not recorded: each is taken as ok." in run.source.notes


@pytest.mark.parametrize(
    ("column", "cells", "started_at"),
    [
        ("second", (10, 10, 12), ""),
        ("at_s", (0.5, 1.4, 3), ""),
        ("time_s", (1795630780.5, 1795630781.4, 1795630783), "2026-11-25T18:19:40.500Z"),
        ("timestamp", (1795630780500, 1795630781400, 1795630783000), "2026-11-25T18:19:40.500Z"),
        (
            "timestamp",
            ("2026-11-25T18:19:40.5Z", "2026-11-25T18:19:41Z", "2026-11-25T18:19:42.9Z"),
            "2026-11-25T18:19:40.500Z",
        ),
    ],
)
def test_seconds_count_from_the_earliest(read_text, column, cells, started_at):
    run = read_text(f"{column},service_ms\n" + "".join(f"{cell},1\n" for cell in reversed(cells)))

    assert np.unique(run.samples.second).tolist() == [0, 2]
    assert run.timeline.sent.tolist() == [2, 0, 1]
    assert run.manifest["started_at"] == started_at


def test_a_response_time_is_one(read_text):
    run = read_text(
        "response_ms,service_ms,lateness_ms,outcome\n50,40,10,ok\n,,,dropped\n40000,39990,10,gateway_timeout\n"
    )

    assert population_of(run.samples, "response").n == 2
    assert population_of(run.samples, "lateness").at_least_s(1) == 0.01
    assert run.samples.outcome_counts() == {"ok": 1, "gateway_timeout": 1, "dropped": 1}
    assert (run.timeline.planned[0], run.timeline.sent[0], run.timeline.dropped[0]) == (3, 2, 1)
    assert (run.timeline.in_flight[0], run.timeline.finished[40]) == (1, 1)
    assert not any("planned" in note for note in run.source.notes)


@pytest.mark.parametrize(
    ("column", "cell", "outcome"),
    [
        ("outcome", "throttled", "throttled"),
        ("status", "429", "throttled"),
        ("status", "0", "connection_error"),
        ("status", "", "connection_error"),
        ("status", "200", "ok"),
        ("success", "false", "bad_answer"),
        ("success", "True", "ok"),
        ("success", "", "ok"),
    ],
)
def test_what_became_of_a_request_is_outcome_status_or_success(read_text, column, cell, outcome):
    run = read_text(f"service_ms,{column}\n1,{cell}\n")

    assert run.samples.outcome_counts() == {outcome: 1}
    assert sum(failure.count for failure in run.failures) == (outcome != "ok")


def test_success_and_status_go_together(read_text):
    assert read_text("service_ms,status,success\n1,200,false\n1,404,true\n").samples.outcome_counts() == {
        "bad_answer": 1,
        "client_error": 1,
    }


@pytest.mark.parametrize("column", ["name", "label", "url"])
def test_a_name_may_be_called_so(read_text, column):
    assert read_text(f"{column},service_ms\na,1\nb,2\n").samples.names == ("a", "b")


def test_a_missing_time_is_told(read_text):
    run = read_text("at_s,service_ms\n1,\n2,3\n")

    assert "1 requests have no time: they are counted, and in no percentile." in run.source.notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("service_ms\n-1\n", "own.csv, line 2: service_ms '-1' is not a time in ms from 0 to 31 days, or empty"),
        ("service_s\n1e12\n", "own.csv, line 2: service_s '1e12' is not a time in s from 0 to 31 days, or empty"),
        ("service_ms,outcome\n1,fine\n", "own.csv, line 2: outcome 'fine' is not one of ok, "),
        ("service_ms,status\n1,OK\n", "own.csv, line 2: status 'OK' is not an HTTP status"),
        ("at_s,service_ms\n,1\n", "own.csv, line 2: at_s '' is not a number of seconds of 0 or more"),
        ("service_ms,latency_s\n1,2\n", "own.csv, line 1: service_ms and latency_s are both service: keep one of them"),
    ],
)
def test_a_bad_file_is_named(read_text, text, message):
    with pytest.raises(BadRun, match=f"^{message}"):
        read_text(text)
