import csv
import json
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from small_disk import small_disk

from analysis import run_format
from analysis.capacity.record import Record
from analysis.capacity.search import Search
from loadgate.errors import ConfigError
from loadgate.run_directory import KEPT_BYTES, KEPT_FOR_END_BYTES, RunDirectory, check_writable

LATENCY = [
    (0, "a", "ok", "response", [1250, 1500], 3),
    (0, "a", "ok", "service", [1000], 6),
    (0, 'b,"\n', "dropped", "response", [], 2),
]
TIMELINE = [(0, 5, 50.0, 50, 48, 47, 2, 0, 1, 0.1, 0.5, 0.3, 0.0)]
NOTABLE = [(0.5, "a", "throttled", "gateway", "", 429, "APIG.0308", "too many, wait", "acbc548a", 0.25)]


ADVICE = {"token expired": "Get a new one.", "no token": "Set one."}
FAILURES = [(0, 'b,"\n', "dropped", "", "", None, "", "", 2)]


def report(latency=(), timeline=(), failures=(), notable=()):
    return {
        "latency": list(latency),
        "timeline": list(timeline),
        "failures": list(failures),
        "notable": list(notable),
    }


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.fixture
def directory(tmp_path):
    made = RunDirectory(tmp_path / "reports" / "run", {"format": 1, "state": "running", "gateway": {}}, ADVICE)
    yield made
    made.close("complete")


def test_a_run_has_its_manifest_and_the_heads_of_its_tables_at_once(directory):
    tables = (run_format.LATENCY, run_format.TIMELINE, run_format.FAILURES, run_format.NOTABLE)
    heads = {name: read(directory.path / name) for name in tables}

    assert json.loads((directory.path / run_format.MANIFEST).read_text()) == {
        "format": 1,
        "state": "running",
        "gateway": {},
    }
    assert heads == {
        run_format.LATENCY: [list(run_format.LATENCY_COLUMNS)],
        run_format.TIMELINE: [list(run_format.TIMELINE_COLUMNS)],
        run_format.FAILURES: [list(run_format.FAILURE_COLUMNS)],
        run_format.NOTABLE: [list(run_format.NOTABLE_COLUMNS)],
    }


def test_rows_can_be_read_while_the_run_goes_on(directory):
    directory.append(report(LATENCY, TIMELINE, FAILURES, NOTABLE))
    directory.append(report(LATENCY[:1]))

    assert read(directory.path / run_format.LATENCY)[1:] == [
        ["0", "a", "ok", "response", "1250 1500", "3"],
        ["0", "a", "ok", "service", "1000", "6"],
        ["0", 'b,"\n', "dropped", "response", "", "2"],
        ["0", "a", "ok", "response", "1250 1500", "3"],
    ]
    for name in (run_format.TIMELINE, run_format.FAILURES, run_format.NOTABLE):
        assert len(read(directory.path / name)) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_what_a_service_says_is_no_formula_for_a_spreadsheet(directory, text):
    failure = (0, "a", "server_error", "model", "", 500, text, text, 1)
    notable = (-0.5, "a", "server_error", "model", "", 500, text, text, text, 0.25)
    directory.append(report(failures=[failure], notable=[notable]))

    said = f"'{text}"
    assert read(directory.path / run_format.FAILURES)[1] == [
        "0",
        "a",
        "server_error",
        "model",
        "",
        "500",
        said,
        said,
        "1",
    ]
    assert read(directory.path / run_format.NOTABLE)[1][6:9] == [said] * 3
    assert read(directory.path / run_format.NOTABLE)[1][0] == "-0.5"


def test_outcomes_are_counted_once_for_each_request(directory):
    directory.append(report(LATENCY))
    directory.append(report(LATENCY))

    assert directory.outcomes == {"ok": 12, "dropped": 4}


def test_the_manifest_has_the_advice_for_the_reasons_that_came_up(directory):
    def advice():
        return json.loads((directory.path / run_format.MANIFEST).read_text())["gateway"].get("advice")

    assert advice() is None
    for reason in ("", "token expired", "not in the profile"):
        directory.append(report(failures=[[0, "a", "unauthorized", "gateway", reason, 401, "", "", 1]]))

    assert advice() == {"token expired": "Get a new one."}


def test_what_came_from_workers_is_told_with_how_far_the_files_have_come(directory):
    directory.append(report(LATENCY, TIMELINE, FAILURES, NOTABLE), {1: 1, 12: 1})
    names = (run_format.LATENCY, run_format.TIMELINE, run_format.FAILURES, run_format.NOTABLE)
    first = [str((directory.path / name).stat().st_size) for name in names]
    directory.append(report(LATENCY[:1]), {12: 3})
    then = [str((directory.path / run_format.LATENCY).stat().st_size), *first[1:]]

    assert read(directory.path / run_format.WORKERS) == [
        list(run_format.WORKERS_COLUMNS),
        ["1 12", "1 1", *first],
        ["12", "3", *then],
    ]


def test_closing_completes_the_manifest(tmp_path):
    directory = RunDirectory(tmp_path, {"format": 1, "state": "running"}, {})
    directory.close("interrupted", counts={"planned": 5})

    assert json.loads((tmp_path / run_format.MANIFEST).read_text()) == {
        "format": 1,
        "state": "interrupted",
        "counts": {"planned": 5},
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        run_format.FAILURES,
        run_format.LATENCY,
        run_format.NOTABLE,
        run_format.MANIFEST,
        run_format.TIMELINE,
    ]


def test_a_place_that_can_be_written_is_left_as_it_is(tmp_path):
    check_writable(tmp_path / "new" / "deep")
    check_writable(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("file", "is a file; name a folder"),
        ("file/below", r"file/below' cannot be written \(Not a directory\)"),
        ("run", "holds a run already; name a folder that does not exist yet"),
        ("new/" + 300 * "n", r"cannot be written \(File name too long\)"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(path, words, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / run_format.MANIFEST).write_text("{}")

    with pytest.raises(ConfigError, match=words):
        check_writable(tmp_path / path)


def test_runs_that_begin_at_the_same_time_in_one_new_folder_are_not_in_each_others_way(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: check_writable(tmp_path / "new" / str(number)), range(80)))

    assert list(tmp_path.glob("new/*")) == []


MIB = 1 << 20
TABLES = (run_format.LATENCY, run_format.TIMELINE, run_format.FAILURES, run_format.NOTABLE)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", 8 * MIB) as made:
        yield made


@pytest.fixture
def on_disk(disk):
    made = RunDirectory(disk.folder / "run", {"format": 1, "state": "running", "gateway": {}}, ADVICE)
    yield made
    with suppress(OSError):
        made.close("interrupted")


def numbered(first, count):
    """Rows for every table, of which each can be told from the others."""
    numbers = range(first, first + count)
    return report(
        [(number, "a", "ok", "response", list(range(1000, 1200)), 1) for number in numbers],
        [(number, *TIMELINE[0][1:]) for number in numbers],
        [(number, *FAILURES[0][1:]) for number in numbers],
        [(number, *NOTABLE[0][1:]) for number in numbers],
    )


def numbers_in(folder):
    """The first cells of each table: all tables have the same rows, in whole."""
    found = set()
    for name in TABLES:
        head, *rows = read(folder / name)
        assert {len(row) for row in rows} <= {len(head)}
        found.add(tuple(int(row[0]) for row in rows))
    [numbers] = found
    return list(numbers)


def test_the_rows_that_fill_the_disk_and_those_after_them_have_room_that_was_kept(on_disk, disk):
    on_disk.append(numbered(0, 10))
    disk.fill()

    with pytest.raises(OSError, match=r"run' can no longer be written \(No space left on device\)"):
        on_disk.append(numbered(10, 100))
    on_disk.append(numbered(110, 100))  # of the requests that were in flight
    on_disk.close("interrupted", counts={"planned": 210})

    assert numbers_in(on_disk.path) == list(range(210))
    assert json.loads((on_disk.path / run_format.MANIFEST).read_text())["counts"] == {"planned": 210}
    assert disk.free_bytes > KEPT_FOR_END_BYTES - MIB  # for the report


def test_rows_that_have_no_room_are_in_no_table_and_nothing_comes_after_them(on_disk, disk):
    on_disk.append(numbered(0, 10))
    disk.fill()
    too_much = 2 * (KEPT_BYTES - KEPT_FOR_END_BYTES) // 1000

    with pytest.raises(OSError, match="No space left"):
        on_disk.append(numbered(10, too_much))
    on_disk.append(numbered(10 + too_much, 1))
    on_disk.close("interrupted")

    assert numbers_in(on_disk.path) == list(range(10))
    assert json.loads((on_disk.path / run_format.MANIFEST).read_text())["state"] == "interrupted"


def test_a_search_that_has_no_room_for_its_record_keeps_the_one_before(on_disk, disk):
    on_disk.keep(Record(Search(1.0, 10.0, 60.0, "seed"), ("p99<1s",), None, None, 0.0))
    before = (on_disk.path / run_format.CAPACITY).read_bytes()
    disk.fill()
    with pytest.raises(OSError, match="can no longer be written"):
        on_disk.append(numbered(0, 1))
    disk.fill()

    with pytest.raises(OSError, match="can no longer be written"):
        on_disk.keep(Record(Search(2.0, 20.0, 60.0, "seed"), ("p99<1s",), None, None, 0.0))

    assert (on_disk.path / run_format.CAPACITY).read_bytes() == before
    assert not list(on_disk.path.glob(".*"))


def test_a_file_that_may_not_grow_ends_a_run_as_a_full_disk_does(directory):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    directory.append(numbered(0, 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            directory.append(numbered(10, 2 * MIB // 1000))
        directory.append(numbered(0, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert numbers_in(directory.path) == list(range(10))


def test_the_room_that_is_kept_is_given_back_at_the_end(disk):
    check_writable(disk.folder / "run")
    before = disk.free_bytes
    directory = RunDirectory(disk.folder / "run", {"format": 1, "state": "running", "gateway": {}}, ADVICE)

    during = before - disk.free_bytes
    directory.close("complete")

    assert during >= KEPT_BYTES
    assert before - disk.free_bytes < MIB
    assert sorted(path.name for path in directory.path.iterdir()) == sorted([*TABLES, run_format.MANIFEST])


def test_a_disk_without_that_room_is_refused(disk):
    disk.leave(KEPT_BYTES - MIB)

    with pytest.raises(ConfigError, match=r"cannot be written \(No space left on device\)"):
        check_writable(disk.folder / "new" / "run")

    assert [path.name for path in disk.folder.iterdir()] == ["filler"]


def test_a_link_that_somebody_left_is_not_followed(tmp_path):
    victim, run = tmp_path / "victim", tmp_path / "run"
    victim.write_text("untouched")
    run.mkdir()
    tables = (run_format.LATENCY, run_format.TIMELINE, run_format.FAILURES, run_format.NOTABLE)
    for name in (*tables, f".{run_format.MANIFEST}.part"):
        (run / name).symlink_to(victim)
    made = RunDirectory(run, {"format": 1, "state": "running", "gateway": {}}, ADVICE)
    made.append(report(LATENCY, TIMELINE, FAILURES, NOTABLE))
    made.close("complete")

    assert victim.read_text() == "untouched"
    assert not any(path.is_symlink() for path in run.iterdir())
