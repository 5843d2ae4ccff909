import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import BadRun
from analysis.population import population_of
from analysis.readers import read
from analysis.run_format import MEASURES
from analysis.samples import OUTCOMES, UNMEASURED

K6 = Path(__file__).parents[2] / "data" / "k6.csv"
AT = 1_795_630_780
METRICS = ("http_reqs", "http_req_duration", "http_req_connecting", "http_req_tls_handshaking", "http_req_waiting")
OUTCOME = {"200": "ok", "401": "unauthorized", "503": "unavailable", "504": "gateway_timeout"}


def request(at=AT, ms=40.5, connecting=0.0, tls=0.0, name="json", status=200, error="", code="", expected="true"):
    values = (1, ms, connecting, tls, ms - 1)
    return [
        f"{metric},{at},{value:f},{name},{status},{error},{code},{expected}"
        for metric, value in zip(METRICS, values, strict=True)
    ]


def other(metric, value, at=AT):
    return [f"{metric},{at},{value},,,,,"]


@pytest.fixture
def read_rows(tmp_path):
    def read_text(*groups, header="metric_name,timestamp,metric_value,name,status,error,error_code,expected_response"):
        path = tmp_path / "out.csv"
        path.write_text("\n".join([header, *(line for group in groups for line in group)]) + "\n")
        return read([path])

    return read_text


def values_of(run, measure):
    chosen = run.samples.of_measure(measure)
    return sorted(np.repeat(chosen.value_us, chosen.count).tolist())


def real_rows(metric):
    with K6.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["metric_name"] == metric]


def test_a_real_file_is_counted_as_it_says():
    run = read([K6])
    expected = Counter(
        OUTCOME.get(row["status"]) or ("client_timeout" if row["error_code"] == "1050" else "connection_error")
        for row in real_rows("http_reqs")
    )
    expected["dropped"] = len(real_rows("dropped_iterations"))

    assert run.samples.outcome_counts() == dict(expected)
    assert len(set(expected)) >= 5
    assert {*run.samples.names} == {row["name"] for row in real_rows("http_reqs")} | {"dropped iterations"}
    assert run.timeline.users.max() == 3
    assert int(run.timeline.dropped.sum()) == expected["dropped"]


def test_a_real_file_has_its_times():
    run = read([K6])
    times = [round(float(row["metric_value"]) * 1000) for row in real_rows("http_req_duration")]
    connects = [round(float(row["metric_value"]) * 1000) for row in real_rows("http_req_connecting")]

    assert values_of(run, "service") == sorted(times)
    assert values_of(run, "connect") == sorted(value for value in connects if value)
    assert values_of(run, "response") == [UNMEASURED] * (len(times) + len(real_rows("dropped_iterations")))


def test_connecting_and_tls_are_one_time_and_a_reused_connection_has_none(read_rows):
    run = read_rows(request(connecting=0.5, tls=1.25), request(connecting=0, tls=0), request(connecting=0.25))

    assert values_of(run, "connect") == [250, 1750]


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"status": 0, "error": "request timeout", "code": 1050, "expected": "false"}, "client_timeout"),
        ({"status": 200, "error": "request timeout", "code": 1050, "expected": "false"}, "client_timeout"),
        ({"status": 0, "error": "dial: i/o timeout", "code": 1211, "expected": "false"}, "connection_error"),
        ({"status": 0, "error": "lookup: no such host", "code": 1101, "expected": "false"}, "connection_error"),
        ({"status": 0, "error": "request timeout", "code": "", "expected": "false"}, "client_timeout"),
        ({"status": 0, "error": "", "code": "", "expected": "false"}, "connection_error"),
        ({"status": 200, "expected": "false"}, "bad_answer"),
        ({"status": 404, "expected": "true"}, "client_error"),
        ({"status": 413, "code": 1413, "expected": "false"}, "oversize"),
        ({"status": "", "code": 1503, "expected": "false"}, "unavailable"),
    ],
)
def test_an_outcome_is_of_status_error_code_and_words(read_rows, fields, outcome):
    run = read_rows(request(**fields))

    assert run.samples.outcome_counts() == {outcome: 1}
    assert [(failure.outcome, failure.count) for failure in run.failures] == [(outcome, 1)]


def test_tags_may_be_left_out(read_rows):
    rows = [",".join(line.split(",")[:3]) for line in request()]
    run = read_rows(rows, header="metric_name,timestamp,metric_value")

    assert run.samples.outcome_counts() == {"ok": 1}
    assert run.samples.names == ("all requests",)
    assert population_of(run.samples, "service").n == 1


def test_columns_may_be_in_any_order(read_rows):
    rows = [f"200,{AT},json,{metric},{value}" for metric, value in (("http_reqs", 1), ("http_req_duration", 7.5))]
    run = read_rows(rows, header="status,timestamp,name,metric_name,metric_value")

    assert values_of(run, "service") == [7500]


def test_dropped_iterations_are_dropped_requests(read_rows):
    run = read_rows(request(), other("dropped_iterations", "3.000000"), other("dropped_iterations", 2, AT + 1))

    assert run.samples.outcome_counts() == {"ok": 1, "dropped": 5}
    assert run.timeline.dropped.tolist() == [3, 2]
    assert run.timeline.planned.tolist() == [4, 2]
    assert any("out.csv: 5 iterations were dropped" in note for note in run.source.notes)
    assert [failure.count for failure in run.failures] == [5]


def test_users_are_those_of_the_rows_that_tell_them(read_rows):
    run = read_rows(request(), other("vus", 3), request(AT + 1), other("vus", 7, AT + 1), request(AT + 2))

    assert run.timeline.users.tolist() == [3, 7, 7]
    assert run.samples.outcome_counts() == {"ok": 3}


def test_metrics_of_other_kinds_may_hold_anything(read_rows):
    run = read_rows(other("my_metric", -1e30), other("grpc_req_duration", 5), request())

    assert run.samples.outcome_counts() == {"ok": 1}
    assert run.samples.names == ("json",)


def test_nanoseconds_and_dates_are_seconds_too(read_rows):
    for at in (AT * 10**9, "2026-11-25T18:19:40Z"):
        run = read_rows(request(at), request(at))

        assert run.manifest["started_at"] == "2026-11-25T18:19:40.000Z"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["http_reqs,now,1,json,200,,,true"], "out.csv, line 7: timestamp 'now' is not a moment"),
        ([f"http_reqs,{AT},x,json,200,,,true"], "out.csv, line 7: metric_value 'x' is not a finite number"),
        (
            [f"http_reqs,{AT},-1,json,200,,,true"],
            "out.csv: a metric_value of http_reqs, dropped_iterations or vus is not a",
        ),
        (
            [f"http_reqs,{AT},1e12,json,200,,,true"],
            "out.csv: a metric_value of http_reqs, dropped_iterations or vus is not a",
        ),
        (
            [f"http_req_duration,{AT},-1,j,200,,,true"],
            "out.csv: metric_value -1 of http_req_duration is not a time in ms",
        ),
        (
            [f"http_req_duration,{AT},1e12,j,200,,,true"],
            "out.csv: metric_value 1e\\+12 of http_req_duration is not a time",
        ),
    ],
)
def test_a_bad_row_is_named(read_rows, bad, message):
    with pytest.raises(BadRun, match=f"^{message}"):
        read_rows(request(), bad)


def test_rows_of_a_request_may_fall_into_two_blocks(read_rows):
    """10,000 requests of five rows are several blocks of the reader; only every third had to connect."""
    requests = [request(AT + n // 100, connecting=(n % 3 == 0) * 1.0, tls=0.5 * (n % 3 == 0)) for n in range(10_000)]
    run = read_rows(*requests)

    assert values_of(run, "connect") == [1500] * 3334
    assert population_of(run.samples, "service").n == 10_000
    assert run.timeline.sent.tolist() == [100] * 100


def test_outcomes_have_their_names():
    samples = read([K6]).samples

    assert {str(OUTCOMES[code]) for code in np.unique(samples.outcome)} >= {"ok", "dropped"}
    assert {MEASURES[code] for code in np.unique(samples.measure)} == {"response", "service", "first_byte", "connect"}
