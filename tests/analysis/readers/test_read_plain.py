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
        ("status", "200.0", "ok"),
        ("status", "0.0", "connection_error"),
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


@pytest.mark.parametrize("measure", ["service", "response"])
@pytest.mark.parametrize("outcome", ["gateway_timeout", "client_timeout", "unfinished"])
def test_who_waited_in_vain_without_a_time_took_at_least_nothing(read_text, outcome, measure):
    """None may vanish from the percentiles: of those with a time, the file knows how long."""
    run = read_text(f"{measure}_ms,outcome\n,{outcome}\n40,{outcome}\n5,ok\n,throttled\n")
    times = population_of(run.samples, measure)

    assert (times.n, times.at_least_s(1), times.at_most_s(1), times.at_most_s(2)) == (3, 0.0, 0.005, None)
    assert "1 requests that waited in vain have no time: " in " ".join(run.source.notes)


def test_no_time_is_made_up_for_a_measure_that_the_file_does_not_have(read_text):
    run = read_text("first_byte_ms,outcome\n,gateway_timeout\n5,ok\n")

    assert population_of(run.samples, "service").n == 0
    assert "1 requests have no time: they are counted, and in no percentile." in run.source.notes


@pytest.mark.parametrize(
    ("rows", "step_s"),
    [
        ([(0, 9), (1, 0.1), (2, 0.1)], 0.0),  # in the order of starts
        ([(1, 0.1), (2, 0.1), (0, 9)], 0.0),  # in the order of ends
        ([(10, 1), (11, 1), (3, 1)], 8.0),
        ([(10, 1), (11, 1), (9.5, 1)], 0.0),
    ],
)
def test_a_clock_that_went_back_is_noted_in_whichever_order_rows_are(read_text, rows, step_s):
    run = read_text("at_s,service_s\n" + "".join(f"{start},{took}\n" for start, took in rows))

    assert run.source.clock_step_s == step_s
    assert any(note.startswith("own.csv: the time goes back by 8.0 s") for note in run.source.notes) is bool(step_s)


def test_a_clock_is_not_judged_by_rows_whose_end_is_not_known(read_text):
    assert read_text("at_s,service_s\n40,1\n1,\n41,1\n").source.clock_step_s == 0.0
    assert read_text("at_s,first_byte_s\n40,1\n1,40\n").source.clock_step_s == 0.0


def test_the_largest_step_of_several_files_is_that_of_the_clock(tmp_path):
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    for path, back in zip(paths, (20, 30), strict=True):
        path.write_text(f"at_s,service_ms\n50,1\n{50 - back},1\n")

    assert read(paths).source.clock_step_s == 30.0


def test_blanks_around_names_of_columns_and_blank_lines_do_not_matter(read_text):
    run = read_text("\ufeffname, service_ms ,status \na,1,200\n\nb,2,200\n\n")

    assert run.samples.names == ("a", "b")
    assert run.samples.outcome_counts() == {"ok": 2}


def test_names_that_differ_in_a_byte_that_is_no_utf_8_are_two(tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes("name,service_ms\ncaf\xe9,1\ncaf\xe8,2\n".encode("latin-1"))

    assert read([path]).samples.names == ("caf\\xe9", "caf\\xe8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("service_ms\n-1\n", "own.csv, line 2: service_ms '-1' is not a time in ms from 0 to 31 days, or empty"),
        ("service_s\n1e12\n", "own.csv, line 2: service_s '1e12' is not a time in s from 0 to 31 days, or empty"),
        ("service_ms,outcome\n1,fine\n", "own.csv, line 2: outcome 'fine' is not one of ok, "),
        ("service_ms,status\n1,200.5\n", "own.csv, line 2: status '200.5' is not an HTTP status"),
        ("service_ms,status\n1,OK\n", "own.csv, line 2: status 'OK' is not an HTTP status"),
        ("at_s,service_ms\n,1\n", "own.csv, line 2: at_s '' is not a number of seconds of 0 or more"),
        ("service_ms,latency_s\n1,2\n", "own.csv, line 1: service_ms and latency_s are both service: keep one of them"),
    ],
)
def test_a_bad_file_is_named(read_text, text, message):
    with pytest.raises(BadRun, match=f"^{message}"):
        read_text(text)
