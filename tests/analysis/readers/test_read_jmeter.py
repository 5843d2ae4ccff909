import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import BadRun
from analysis.population import population_of
from analysis.readers import read
from analysis.readers.failure_counts import MOST_WAYS
from analysis.run_format import MEASURES
from analysis.samples import OUTCOMES, UNMEASURED

JTL = Path(__file__).parents[2] / "data" / "jmeter.jtl"
HEADER = "timeStamp,elapsed,label,responseCode,responseMessage,success,Latency,Connect,allThreads"
START_MS = 1_795_630_780_000


def row(at_ms=0, elapsed=10, label="json", code="200", message="OK", success="true", latency=9, connect=0, threads=1):
    return f"{START_MS + at_ms},{elapsed},{label},{code},{message},{success},{latency},{connect},{threads}"


@pytest.fixture
def read_rows(tmp_path):
    def read_text(*rows, header=HEADER, end="\n", **options):
        path = tmp_path / "run.jtl"
        path.write_text("\n".join((header, *rows)) + end)
        return read([path], **options)

    return read_text


def rows_of(run):
    """(second, name, outcome, measure, value_us): count."""
    samples = run.samples
    columns = (samples.second, samples.name, samples.outcome, samples.measure, samples.value_us, samples.count)
    return {
        (second, samples.names[name], str(OUTCOMES[outcome]), MEASURES[measure], value): count
        for second, name, outcome, measure, value, count in zip(*(column.tolist() for column in columns), strict=True)
    }


def test_every_outcome_of_a_real_looking_file_is_named():
    run = read([JTL], timeout_s=1.0)

    assert run.samples.outcome_counts() == {
        "ok": 2,
        "gateway_timeout": 1,
        "client_timeout": 1,
        "oversize": 1,
        "throttled": 1,
        "bad_answer": 1,
        "connection_error": 1,
    }
    assert set(run.samples.names) == {"json", 'image, "large"'}
    assert run.manifest["name"] == "jmeter"
    assert run.manifest["started_at"] == "2026-11-25T18:19:40.100Z"
    assert run.manifest["gateway"]["timeout_s"] == 1.0
    assert run.manifest["load"] == {"model": "recorded", "recorded_by": "JMeter JTL", "duration_s": None}
    assert run.source.files == (str(JTL),)
    assert run.cut == ()


def test_the_sum_of_a_transaction_is_no_request():
    assert (
        "jmeter.jtl: 1 rows are sums of a transaction controller, not requests, and left out."
        in read([JTL]).source.notes
    )


def test_failures_say_what_the_file_says():
    failures = {failure.outcome: failure for failure in read([JTL]).failures}

    assert failures["client_timeout"].error_code == "java.net.SocketTimeoutException"
    assert failures["client_timeout"].message == "Read timed out"
    assert failures["client_timeout"].status is None
    assert failures["client_timeout"].answered_by == ""
    assert failures["gateway_timeout"].status == 504
    assert failures["gateway_timeout"].message == "Gateway Time-out"
    assert failures["gateway_timeout"].answered_by == ""
    assert failures["bad_answer"].message == "Test failed: text expected to contain\n/req_data/"


def test_times_are_of_their_measures(read_rows):
    run = read_rows(row(0, elapsed=48, latency=47, connect=3), row(1, elapsed=50, latency=0, connect=0))

    assert rows_of(run) == {
        (0, "json", "ok", "response", UNMEASURED): 2,
        (0, "json", "ok", "service", 48_000): 1,
        (0, "json", "ok", "service", 50_000): 1,
        (0, "json", "ok", "first_byte", 47_000): 1,
        (0, "json", "ok", "first_byte", 0): 1,
        (0, "json", "ok", "connect", 3_000): 1,
    }


def test_who_never_got_a_first_byte_waited_for_it_until_the_end(read_rows):
    timeout = row(
        elapsed=400, code="Non HTTP response code: java.net.SocketTimeoutException", success="false", latency=0
    )
    refused = row(elapsed=2, code="Non HTTP response code: java.net.ConnectException", success="false", latency=0)
    run = read_rows(timeout, refused)

    assert population_of(run.samples, "first_byte").at_least_s(1) == 0.4
    assert (0, "json", "connection_error", "first_byte", 0) not in rows_of(run)


def test_seconds_count_from_the_earliest_start_which_need_not_be_written_first(read_rows):
    run = read_rows(row(2_500, elapsed=10), row(1_600, elapsed=3_000), row(2_599), row(2_600))

    assert [key[0] for key in rows_of(run) if key[3] == "response"] == [0, 1]
    assert run.samples.outcome_counts() == {"ok": 4}
    assert [count for key, count in rows_of(run).items() if key[3] == "response"] == [3, 1]


def test_the_timeline_is_counted_from_starts_and_ends(read_rows):
    timeline = read_rows(row(0, 1_500, threads=3), row(100, 200, threads=2), row(2_100, 100, threads=5)).timeline

    assert timeline.second.tolist() == [0, 1, 2]
    assert timeline.sent.tolist() == [2, 0, 1]
    assert timeline.planned.tolist() == [2, 0, 1]
    assert timeline.finished.tolist() == [1, 1, 1]
    assert timeline.in_flight.tolist() == [1, 0, 0]
    assert timeline.users.tolist() == [2, 3, 5]


def test_columns_may_be_absent_and_in_any_order(read_rows):
    run = read_rows(f"5,{START_MS}", f"7,{START_MS}", header="elapsed,timeStamp")

    assert run.samples.outcome_counts() == {"ok": 2}
    assert run.samples.names == ("all requests",)
    assert population_of(run.samples, "service").n == 2
    assert run.timeline.users.tolist() == [0]


def test_without_response_codes_a_failure_is_that_of_a_check(read_rows):
    rows = (f"{START_MS},5,false,wrong", f"{START_MS},9,false,Read timed out", f"{START_MS},5,true,")
    run = read_rows(*rows, header="timeStamp,elapsed,success,failureMessage")

    assert run.samples.outcome_counts() == {"ok": 1, "client_timeout": 1, "bad_answer": 1}


def test_dates_are_read_as_well(read_rows):
    run = read_rows("2026/11/25 18:19:40.000,10", "2026/11/25 18:19:41.500,10", header="timeStamp,elapsed")

    assert run.manifest["started_at"] == "2026-11-25T18:19:40.000Z"
    assert run.timeline.sent.tolist() == [1, 1]


def test_a_file_without_its_header_line_is_refused_with_what_to_do(read_rows):
    with pytest.raises(BadRun, match=r"^run.jtl looks like a JTL without its header line: .*print_field_names=true"):
        read_rows(row(), header=row())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(elapsed=-1), "elapsed '-1' is not a whole number of milliseconds from 0 to 31 days"),
        (row(elapsed="9" * 20), f"elapsed '{'9' * 20}' is not a whole number of milliseconds from 0 to 31 days"),
        (row(elapsed=""), "elapsed '' is not a whole number of milliseconds from 0 to 31 days"),
        (row(success="perhaps"), "success 'perhaps' is not true or false"),
        (row(latency=-3), "Latency '-3' is not a whole number of milliseconds from 0 to 31 days"),
        (
            "now,1,json,200,OK,true,1,0,1",
            "timeStamp 'now' is not milliseconds since 1970, or a time as 2026/11/24 22:10:00.123",
        ),
        ("1,2,3", "3 columns where the header has 9"),
    ],
)
def test_a_bad_cell_is_named_by_file_line_column_and_value(read_rows, bad, message):
    with pytest.raises(BadRun) as error:
        read_rows(row(), bad, row())

    assert str(error.value) == f"run.jtl, line 3: {message}"


def test_a_cut_last_line_is_left_out_and_told(read_rows):
    run = read_rows(row(), row()[:-4], end="")

    assert run.samples.outcome_counts() == {"ok": 1}
    assert run.cut == ("run.jtl",)


def test_a_run_of_nothing_has_nothing(read_rows):
    run = read_rows()

    assert run.samples.outcome_counts() == {}
    assert run.failures == []
    assert run.duration_s is None
    assert run.timeline.second.tolist() == []
    assert (run.manifest["started_at"], run.manifest["ended_at"]) == ("", None)


def test_a_run_of_one_request_is_a_run(read_rows):
    run = read_rows(row())

    assert run.duration_s == 1.0
    assert run.timeline.finished.tolist() == [1]


def test_names_may_be_anything(read_rows, tmp_path):
    names = ["a,b", 'say "x"', "two\nlines", "<script>alert(1)</script>", "=cmd()", "\u202egnp.exe", "\x1b[31m"]
    cells = [name.replace('"', '""') for name in names]
    run = read_rows(*(row(label=f'"{cell}"') for cell in cells))

    assert set(run.samples.names) == set(names)


def test_a_clock_that_went_back_is_noted(read_rows):
    run = read_rows(row(10_000), row(4_500), row(4_700))

    assert any(note.startswith("run.jtl: the time goes back by 5.5 s") for note in run.source.notes)
    assert run.source.clock_step_s == 5.5


def test_files_joined_with_cat_read_as_one(read_rows):
    assert read_rows(row(), HEADER, row(5)).samples.outcome_counts() == {"ok": 2}


def test_several_files_are_one_run_in_any_order(tmp_path):
    first, second = tmp_path / "a.jtl", tmp_path / "b.jtl"
    first.write_text(f"{HEADER}\n{row(3_000, label='x', threads=2)}\n{row(9_000, threads=2)}\n")
    second.write_text(f"{HEADER}\n{row(500, label='y', threads=3)}\n{row(3_100, threads=3, code=500)}\n")
    runs = [read([first, second]), read([second, first])]

    for run in runs:
        assert rows_of(run) == rows_of(runs[0])
        assert run.samples.outcome_counts() == {"ok": 3, "server_error": 1}
        assert run.timeline.users.tolist() == [3, 3, 5, 5, 5, 5, 5, 5, 5]
        assert run.manifest["name"] == "a and 1 more"
        assert run.source.notes == runs[0].source.notes


def test_a_run_of_months_is_refused(read_rows):
    with pytest.raises(BadRun, match=r"^run.jtl: the run would be 58 days long, and 31 at most are read as one"):
        read_rows(row(0), row(58 * 86_400_000))


def test_a_million_labels_and_messages_are_counted(read_rows):
    """Names are all kept, for a summary to choose from; of the messages some thousands."""
    count = 30_000
    rows = (row(n, label=f"label {n}", code=500, message=f"message {n}", success="false") for n in range(count))
    run = read_rows(*rows)

    assert len(run.samples.names) == count
    assert run.samples.outcome_counts() == {"server_error": count}
    assert len(run.failures) <= MOST_WAYS + 1
    assert sum(failure.count for failure in run.failures) == count


def test_counts_agree_with_the_rows_of_a_large_file(read_rows):
    """20,000 rows span several blocks of the reader."""
    rng = np.random.default_rng(3)
    columns = [rng.integers(0, 60_000, 20_000), rng.integers(0, 900, 20_000), rng.choice([200, 429, 503, 504], 20_000)]
    columns[0].sort()
    rows = [
        row(at, elapsed, "ab"[at % 2], code, "m" * 80)
        for at, elapsed, code in zip(*map(np.ndarray.tolist, columns), strict=True)
    ]
    found = Counter()
    start = int(columns[0][0])
    for line in csv.reader(rows):
        found[(int(line[0]) - START_MS - start) // 1000, line[2], line[3], int(line[1]) * 1000] += 1
    outcomes = {"200": "ok", "429": "throttled", "503": "unavailable", "504": "gateway_timeout"}
    expected = {(s, name, outcomes[code], "service", value): count for (s, name, code, value), count in found.items()}

    assert {key: count for key, count in rows_of(read_rows(*rows)).items() if key[3] == "service"} == expected
