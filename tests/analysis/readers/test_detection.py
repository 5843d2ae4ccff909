import shutil
from pathlib import Path

import pytest

from analysis.errors import BadRun
from analysis.readers import read
from analysis.readers.detection import kind_of
from analysis.readers.headers import READABLE

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="a.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_text


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("second,name,outcome,measure,value_us,count", "loadgate latency.csv"),
        ("elapsed,timeStamp", "JMeter JTL"),
        ("metric_value,metric_name,timestamp", "k6 CSV"),
        (
            "timestamp,request_type,name,response_time_ms,response_length,status_code,exception",
            "Locust CsvRequestLogger",
        ),
        ("Type,Name,Request Count,Failure Count,50%", "Locust --csv"),
        ("Count,Message,Traceback,Nodes", "Locust --csv"),
        ("name,service_ms", "CSV"),
    ],
)
def test_the_format_is_told_by_the_header(write, header, kind):
    assert kind_of(write(f"{header}\n")) == kind


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("a,b", "its first line is 'a,b'. Needed is a column of times named <measure>_<unit>, such as service_ms"),
        ("latency,status", "its first line is 'latency,status'. Needed is a column of times named <measure>_<unit>"),
        ("timeStamp;elapsed;label", "its columns are separated by semicolons, and only commas are read"),
        ("timeStamp\telapsed\tlabel", "its columns are separated by tabs, and only commas are read"),
        (
            "second,users,target_per_s,planned,sent,finished,dropped,resent,in_flight,cpu_share,lateness_ms,loop_lag_ms,"
            "gc_pause_ms",
            "it is one file of a run directory of loadgate: give the directory",
        ),
    ],
)
def test_an_unknown_header_is_refused_with_what_was_found_and_what_can_be_read(write, header, why):
    with pytest.raises(BadRun) as error:
        read([write(f"{header}\n1,2\n")])

    message = str(error.value)
    assert message.startswith(f"a.csv cannot be read: {why}")
    assert message.endswith(READABLE)
    assert "\n" not in message


def test_files_of_two_formats_are_named(write):
    """In the order of their paths, whatever the order they are given in."""
    jtl, k6 = write("timeStamp,elapsed\n", "a.jtl"), write((DATA / "k6.csv").read_text(), "k6.csv")
    with pytest.raises(
        BadRun, match=r"a\.jtl is a JMeter JTL and .*k6\.csv a k6 CSV: files of one format are read as one"
    ):
        read([k6, jtl])


def test_a_file_is_read_once(write):
    path = write("service_ms\n1\n")
    with pytest.raises(BadRun, match=r"^a file is given twice: "):
        read([path, path])
    with pytest.raises(BadRun, match=r"^a file is given twice: "):
        read([path, path.parent / "." / ".." / path.parent.name / path.name])


def test_a_run_directory_is_read_once(make_run):
    run = make_run([(0, "json", "ok", "response", 10, 3)])
    with pytest.raises(BadRun, match=r"^a file is given twice: "):
        read([run, run / ".." / run.name])


def test_a_run_directory_is_one(make_run):
    run = read([make_run([(0, "json", "ok", "response", 10, 3)])])

    assert run.source.kind == "loadgate"
    assert run.samples.outcome_counts() == {"ok": 3}


def test_a_latency_file_alone_is_read(make_run):
    run = read([make_run([(0, "json", "ok", "response", 10, 3)]) / "latency.csv"], timeout_s=4.0)

    assert run.samples.outcome_counts() == {"ok": 3}
    assert run.manifest["gateway"]["timeout_s"] == 4.0


def test_a_directory_with_one_readable_file_is_that_file(tmp_path):
    shutil.copy(DATA / "jmeter.jtl", tmp_path)
    (tmp_path / "hosts.csv").write_text("host,port\na,1\n")
    run = read([tmp_path])

    assert run.source.kind == "JMeter JTL"
    assert run.source.notes[-1] == f"jmeter.jtl was taken from {tmp_path}."


def test_a_directory_with_a_set_of_locust_is_that_set(tmp_path):
    for path in DATA.glob("locust_*.csv"):
        shutil.copy(path, tmp_path)
    run = read([tmp_path])

    assert run.source.kind == "Locust --csv"
    assert run.source.notes[-1] == f"locust_stats.csv was taken from {tmp_path}."


def test_a_directory_with_nothing_to_read_is_no_run(tmp_path):
    with pytest.raises(
        BadRun, match=r"is not a run: it has no run\.json, and no CSV that can be read\. What can be read: "
    ):
        read([tmp_path])


def test_a_directory_with_several_files_needs_a_choice(tmp_path):
    for name in ("a.csv", "b.csv"):
        shutil.copy(DATA / "k6.csv", tmp_path / name)
    with pytest.raises(BadRun, match=r"and more than one file to read \(a\.csv, b\.csv\): name the file$"):
        read([tmp_path])
