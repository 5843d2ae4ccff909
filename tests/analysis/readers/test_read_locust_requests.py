import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import BadRun
from analysis.population import population_of
from analysis.readers import read

LOG = Path(__file__).parents[2] / "data" / "locust_requests.csv"
HEADER = "timestamp,request_type,name,response_time_ms,response_length,status_code,exception"


@pytest.fixture
def read_rows(tmp_path):
    def read_text(*rows, end="\r\n"):
        path = tmp_path / "log.csv"
        path.write_bytes(("\r\n".join((HEADER, *rows)) + end).encode())
        return read([path])

    return read_text


def real_rows():
    with LOG.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_real_file_is_counted_as_it_says():
    run = read([LOG])
    expected = Counter()
    for row in real_rows():
        status, failed = row["status_code"], row["exception"] != ""
        named = {"200": "bad_answer" if failed else "ok", "401": "unauthorized", "503": "unavailable"}
        named |= {
            "504": "gateway_timeout",
            "0": "client_timeout" if "timed out" in row["exception"] else "connection_error",
        }
        expected[named[status]] += 1

    assert run.samples.outcome_counts() == dict(expected)
    assert len(expected) == 7
    assert sum(failure.count for failure in run.failures) == sum(expected.values()) - expected["ok"]
    assert set(run.samples.names) == {row["name"] for row in real_rows()}


def test_a_real_file_has_its_times():
    service = read([LOG]).samples.of_measure("service")
    times = np.repeat(service.value_us, service.count)

    assert sorted(times.tolist()) == sorted(round(float(row["response_time_ms"]) * 1000) for row in real_rows())


def test_a_real_file_has_its_seconds():
    run = read([LOG])
    starts = [float(row["timestamp"]) for row in real_rows()]
    sent = Counter(int(start - min(starts)) for start in starts)

    assert run.timeline.sent.tolist() == [sent[second] for second in run.timeline.second.tolist()]
    assert run.manifest["started_at"] == "2026-11-25T18:26:40.303Z"


def test_one_name_of_two_types_is_two_names(read_rows):
    run = read_rows(
        "1795630780.5,GET,/x,1.5,0,200,", "1795630780.6,POST,/x,2.5,0,200,", "1795630780.7,GET,/y,2.5,0,200,"
    )

    assert sorted(run.samples.names) == ["/y", "GET /x", "POST /x"]


def test_a_request_without_a_time_is_counted_and_told(read_rows):
    run = read_rows("1795630780.5,WS,push,,0,0,", "1795630780.5,WS,push,3,0,0,")

    assert run.samples.outcome_counts() == {"ok": 2}
    assert "1 requests have no time: they are counted, and in no percentile." in run.source.notes


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x,GET,/x,1,0,200,", "timestamp 'x' is not a moment"),
        ("1795630780,GET,/x,-1,0,200,", "response_time_ms '-1' is not a time in ms from 0 to 31 days"),
        ("1795630780,GET,/x,1,0,2000,", "status_code '2000' is not an HTTP status from 100 to 599"),
    ],
)
def test_a_bad_cell_is_named(read_rows, row, message):
    with pytest.raises(BadRun, match=f"^log.csv, line 3: {message}"):
        read_rows("1795630780,GET,/x,1,0,200,", row)


def test_a_cut_last_line_is_left_out_and_told(read_rows):
    run = read_rows("1795630780.5,GET,/x,1.5,0,200,", "1795630780.5,GET,/x,1", end="")

    assert run.samples.outcome_counts() == {"ok": 1}
    assert run.cut == ("log.csv",)


def test_a_clock_that_went_back_is_noted(read_rows):
    run = read_rows("1795630790.5,GET,/x,1000,0,200,", "1795630780.0,GET,/x,1000,0,200,", "1795630700,GET,/x,,0,504,")

    assert any(note.startswith("log.csv: the time goes back by 10.5 s") for note in run.source.notes)
    assert run.source.clock_step_s == 10.5


def test_a_timeout_without_a_time_took_at_least_nothing(read_rows):
    run = read_rows(
        "1795630780.5,POST,/x,,0,504,", "1795630780.5,POST,/x,,0,0,timed out", "1795630780.5,POST,/x,3,0,200,"
    )
    service = population_of(run.samples, "service")

    assert (service.n, service.at_least_s(1), service.at_most_s(2)) == (3, 0.0, None)
    assert [note for note in run.source.notes if "no time" in note] == [
        "2 requests that waited in vain have no time: percentiles count them with a lower bound that is not their own."
    ]
