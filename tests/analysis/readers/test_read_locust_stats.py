import csv
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from analysis.errors import BadRun
from analysis.percentiles import nearest_rank
from analysis.population import population_of
from analysis.readers import read

DATA = Path(__file__).parents[2] / "data"
FILES = ("locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv", "locust_exceptions.csv")
HEADER = (
    "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response"
    " Time,Average Content Size,Requests/s,Failures/s,50%,95%,100%"
)
ROW = "GET,x,10,0,5,5.5,1,9,0,2.0,0,5,9,9"
HISTORY = "Timestamp,User Count,Type,Name,Total Request Count\n"
TOTAL = ",Aggregated,10,0,5,5.5,1,9,0,2.0,0,5,9,9"


def stats_rows():
    with (DATA / "locust_stats.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def read_stats(tmp_path):
    def read_text(*rows, header=HEADER, **others):
        for kind, text in {"stats": "\n".join((header, *rows)) + "\n", **others}.items():
            (tmp_path / f"run.1_{kind}.csv").write_text(text)
        return read([tmp_path / "run.1_stats.csv"])

    return read_text


def test_percentiles_are_those_that_locust_gives_of_each_name_and_of_all():
    run = read([DATA / "locust_stats.csv"])
    percentiles = [name for name in stats_rows()[0] if name.endswith("%")]

    assert [f"{float(100 * p):g}%" for p in run.source.known] == percentiles[:-1]
    for row in stats_rows():
        is_all = row["Name"] == "Aggregated"
        samples = run.samples if is_all else run.samples.where(run.samples.name == run.samples.names.index(row["Name"]))
        population = population_of(samples, "service")
        assert population.n == int(row["Request Count"])
        for name in percentiles:
            rank = nearest_rank(population.n, Fraction(name[:-1]) / 100)
            assert population.at_least_s(rank) == int(row[name]) / 1000


@pytest.mark.parametrize("file", FILES)
def test_any_file_of_the_set_takes_all_of_it(file):
    run = read([DATA / file])

    assert run.source.files == tuple(sorted(str(DATA / name) for name in FILES))
    assert run.samples.outcome_counts() == read([DATA / name for name in reversed(FILES)]).samples.outcome_counts()
    assert run.manifest["name"] == "locust"


def test_outcomes_are_guessed_from_the_error_texts():
    run = read([DATA / "locust_stats.csv"])

    assert run.samples.outcome_counts() == {
        "ok": 142,
        "gateway_timeout": 7,
        "client_timeout": 5,
        "unauthorized": 6,
        "unavailable": 6,
        "bad_answer": 4,
        "connection_error": 13,
    }
    assert sum(failure.count for failure in run.failures) == 41


def test_the_length_is_what_locusts_rate_says():
    run, total = read([DATA / "locust_stats.csv"]), stats_rows()[-1]

    assert run.duration_s == pytest.approx(int(total["Request Count"]) / float(total["Requests/s"]), abs=0.001)


def test_the_timeline_has_users_and_finished_requests_of_the_history():
    run = read([DATA / "locust_stats.csv"])

    assert run.timeline.users.tolist() == [0, 3, 6, 6, 6, 6, 6, 6]
    assert run.timeline.finished.tolist() == [0, 17, 32, 28, 24, 25, 28, 29]
    assert run.manifest["started_at"] == "2026-11-25T18:26:40.000Z"


def test_notes_say_what_the_files_cannot_tell():
    notes = " ".join(read([DATA / "locust_stats.csv"]).source.notes)

    for words in (
        "two digits",
        "39.6 s and 40.4 s",
        "failed ones included",
        "confidence interval",
        "--csv-full-history",
    ):
        assert words in notes


def test_a_name_without_requests_has_no_percentiles(read_stats):
    nothing = "GET,none,0,0,0,0,0,0,0,0,0,N/A,N/A,N/A"
    run = read_stats("GET,x,10,0,5,5.5,1,9,0,2.0,0,5,9,9", nothing, TOTAL)

    assert run.samples.names == ("x",)
    assert run.source.known == (Fraction(1, 2), Fraction(95, 100))


def test_a_run_without_requests_is_empty(read_stats):
    run = read_stats(",Aggregated,0,0,0,0,0,0,0,0,0,N/A,N/A,N/A")

    assert run.samples.outcome_counts() == {}
    assert run.duration_s is None


def test_failures_without_a_text_are_told(read_stats):
    run = read_stats("GET,x,10,4,5,5.5,1,9,0,2.0,0,5,9,9", TOTAL)

    assert run.samples.outcome_counts() == {"ok": 6, "bad_answer": 4}
    assert "Of 4 failures there is no error text: they count as bad_answer." in run.source.notes
    assert run.manifest["name"] == "run.1"


def test_without_a_100th_percentile_the_rest_is_at_most_the_largest(read_stats):
    header, row = HEADER.replace(",100%", ""), ",10,0,5,5.5,1,12.5,0,2.0,0,5,9"
    run = read_stats(f"GET,x{row}", f",Aggregated{row}", header=header)

    assert population_of(run.samples, "service").at_least_s(10) == 0.009
    assert run.source.known == (Fraction(1, 2), Fraction(95, 100))


def test_statistics_that_were_reset_count_from_there(read_stats):
    history = (
        "Timestamp,User Count,Type,Name,Total Request Count\n1795631200,1,,Aggregated,5\n1795631201,2,GET,x,9\n"
        "1795631201,2,,Aggregated,9\n1795631203,2,,Aggregated,3\n"
    )
    run = read_stats("GET,x,10,0,5,5.5,1,9,0,2.0,0,5,9,9", TOTAL, stats_history=history)

    assert run.timeline.finished.tolist() == [5, 4, 0, 3]
    assert run.timeline.users.tolist() == [1, 2, 2, 2]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["GET,x,10,0,5,5.5,1,9,0,2.0,0,5,9,9"], "run.1_stats.csv has no row of all requests"),
        (
            ["GET,x,1,0,5,5,1,9,0,2.0,0,5,4,9", TOTAL],
            "run.1_stats.csv: the percentiles of 'x' are missing or do not ascend",
        ),
        (["GET,x,1,0,5,5,1,9,0,2.0,0,N/A,4,9", TOTAL], "run.1_stats.csv: the percentiles of 'x' are missing or do not"),
        (
            ["GET,x,1,0,5,5,1,9,0,2.0,0,-5,4,9", TOTAL],
            "run.1_stats.csv, line 2: 50% '-5' is not a time in ms from 0 to 31",
        ),
        (
            ["GET,x,-1,0,5,5,1,9,0,2.0,0,5,4,9", TOTAL],
            "run.1_stats.csv, line 2: Request Count '-1' is not a whole number",
        ),
        (["GET,x,1,0,5,5,1,9,0,2.0,0,5,9e99,9", TOTAL], "run.1_stats.csv, line 2: 95% '9e99' is not a time in ms"),
    ],
)
def test_a_bad_row_is_named(read_stats, rows, message):
    with pytest.raises(BadRun, match=f"^{message}"):
        read_stats(*rows)


def test_percentiles_must_be_there(read_stats):
    with pytest.raises(BadRun, match=r"^run.1_stats.csv, line 1: no column is a percentile, such as 50%$"):
        read_stats(",Aggregated,1,0", header="Type,Name,Request Count,Failure Count")


def test_the_other_files_alone_are_not_enough(tmp_path):
    shutil.copy(DATA / "locust_failures.csv", tmp_path / "x_failures.csv")

    with pytest.raises(BadRun, match=r"^x_failures.csv: the percentiles are in x_stats.csv, which is not beside it$"):
        read([tmp_path / "x_failures.csv"])


def test_two_sets_are_not_one_run(tmp_path):
    for name in ("a_stats.csv", "b_stats.csv"):
        shutil.copy(DATA / "locust_stats.csv", tmp_path / name)

    with pytest.raises(BadRun, match=r"are of two runs, and percentiles of two runs cannot be put together: give one$"):
        read([tmp_path / "b_stats.csv", tmp_path / "a_stats.csv"])


def test_a_history_without_rows_makes_no_timeline(read_stats):
    run = read_stats(ROW, TOTAL, stats_history=HISTORY)

    assert run.timeline.second.tolist() == []
    assert run.manifest["started_at"] == ""


@pytest.mark.parametrize("later", [1795631100, 1795631200 + 32 * 86_400])
def test_a_history_that_goes_back_or_on_for_months_is_refused(read_stats, later):
    with pytest.raises(BadRun, match=r"^run.1_stats_history.csv: Timestamp goes back, or over more than 31 days$"):
        read_stats(ROW, TOTAL, stats_history=f"{HISTORY}1795631200,1,,Aggregated,5\n{later},2,,Aggregated,9\n")
