import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_by_hand import failure, write_csv, write_run

from analysis.choices import Choices
from analysis.errors import BadRun
from analysis.outcomes import POPULATION
from analysis.readers.run_directory import read_latency, read_run, read_runs
from analysis.run_format import LATENCY_COLUMNS, MEASURES
from analysis.samples import OUTCOMES
from analysis.summary import summarize
from analysis.window import window_of

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


@pytest.mark.parametrize("second", [10_000_001, 2**31, 2**63])
def test_a_second_beyond_any_run_is_refused(make_run, second):
    with pytest.raises(BadRun, match=rf"^latency\.csv, line 2: second '{second}' is not a whole number from 0 to 100"):
        read_run(make_run([(second, "json", "ok", "response", 1, 1)]))


def test_rows_are_kept_in_small_arrays(make_run):
    samples = read_run(make_run(ROWS)).samples

    assert [samples.second.dtype, samples.value_us.dtype, samples.count.dtype] == [np.int32, np.int32, np.int32]
    assert {samples.name.dtype, samples.outcome.dtype, samples.measure.dtype} == {np.dtype(np.int8)}


@pytest.fixture
def two_runs(tmp_path):
    """Generators that started 3 s apart; each knows names that the other does not."""

    def write(latency=((0, "file", "ok", "response", 7, 1), (1, "json", "ok", "response", 5, 2)), **changes):
        row = (2.5, "json", "server_error", "model", "", 500, "", "boom", "", "")
        early = write_run(folder(tmp_path, "early"), ROWS, notable=[row], started_at="2026-11-24T22:10:00.9Z")
        late = {"started_at": "2026-11-24T22:10:04Z", "notable": [(0.25, *row[1:])]} | changes
        return [write_run(folder(tmp_path, "late"), latency, **late), early]

    return write


def folder(parent, name):
    path = parent / name
    path.mkdir()
    return path


def test_runs_side_by_side_are_one(two_runs):
    paths = two_runs()
    run = read_runs(paths)

    assert run.samples.outcome_counts() == {"ok": 7, "gateway_timeout": 1, "dropped": 2}
    assert sorted(run.samples.names) == ["file", "json"]
    of_file = run.samples.where(run.samples.name == run.samples.names.index("file"))
    assert of_file.requests("second", 4).tolist() == [1, 0, 0, 1]
    assert run.timeline.second.tolist() == [0, 3]
    assert run.timeline.planned.tolist() == [7, 3]
    assert [row["at_s"] for row in run.notable] == [2.5, 3.25]
    assert {failure.outcome: failure.count for failure in run.failures} == {"gateway_timeout": 1, "dropped": 2}
    assert run.manifest["counts"]["planned"] == 10
    assert run.source.notes == (
        "2 runs side by side, read as one. By their clocks they started 3 s, 0 s after the earliest; seconds count from"
        " there.",
    )
    assert run.source.files == tuple(map(str, paths))


def test_an_error_in_one_of_several_runs_says_in_which(two_runs):
    paths = two_runs(latency=[(0, "json", "okay", "response", 5, 2)])

    with pytest.raises(BadRun) as error:
        read_runs(paths)

    assert str(error.value).startswith(f"{paths[0]}/latency.csv, line 2: outcome 'okay' is not one of")


def test_a_folder_among_several_that_is_no_run_is_named_once(two_runs, tmp_path):
    with pytest.raises(BadRun) as error:
        read_runs([*two_runs(), tmp_path])

    assert str(error.value) == f"{tmp_path} is not a run: it has no run.json"


def test_a_run_that_started_when_the_others_had_ended_is_refused(two_runs):
    with pytest.raises(BadRun, match="late did not run side by side with the others: it started 60 s after the first"):
        read_runs(two_runs(started_at="2026-11-24T22:11:00.9Z"))


def test_a_line_cut_off_in_one_of_several_runs_says_in_which(two_runs):
    late, early = two_runs()
    with (early / "latency.csv").open("a") as file:
        file.write("7,js")

    assert read_runs([late, early]).cut == (f"{early}/latency.csv",)


def test_failures_that_one_run_does_not_tell_are_not_known_of_all(two_runs):
    late, early = two_runs()
    (early / "failures.csv").unlink()

    assert read_runs([late, early]).failures is None


def test_latency_files_without_a_manifest_are_a_run_of_what_is_known(make_run):
    path = make_run(ROWS) / "latency.csv"

    run = read_latency([path], timeout_s=40.0)

    assert run.samples.outcome_counts() == {"ok": 4, "gateway_timeout": 1, "dropped": 2}
    assert (run.manifest["load"]["model"], run.manifest["gateway"]["timeout_s"]) == ("recorded", 40.0)
    assert run.duration_s == 8.0
    assert len(run.timeline.second) == 0
    assert run.failures is None
    assert run.source.kind == "loadgate latency.csv"
    assert run.source.files == (str(path),)
    assert run.source.notes[0].startswith("It has no run.json: ")


def test_an_error_in_one_of_several_latency_files_says_in_which(tmp_path):
    paths = [folder(tmp_path, name) / "latency.csv" for name in "ab"]
    for path in paths:
        write_csv(path, LATENCY_COLUMNS, [(0, "json", "ok", "response", "", 1)] if path is paths[1] else ROWS)

    with pytest.raises(BadRun, match="value_us is empty") as error:
        read_latency(paths)

    assert str(error.value).startswith(f"{paths[1]}: value_us")


KEYS = st.tuples(
    st.integers(0, 30), st.sampled_from(["a", "b", 'c,"d"']), st.sampled_from(OUTCOMES), st.sampled_from(MEASURES)
)
VALUES = st.one_of(st.integers(0, 1000), st.integers(0, 60_000_000))


@st.composite
def rows_of_latency(draw):
    key, value, count = draw(KEYS), draw(VALUES), draw(st.integers(1, 2000))
    is_absent = key[2] not in POPULATION and draw(st.booleans())
    return (*map(str, key), "" if is_absent else value, count)


def summary_of(run):
    choices = Choices()
    summary = summarize(run, choices, window_of(run, choices))
    return {key: value for key, value in summary.items() if key not in ("source", "run")}


@settings(max_examples=40)
@given(st.lists(rows_of_latency(), min_size=1, max_size=40), st.data())
def test_neither_order_nor_files_change_the_summary_of_latencies(tmp_path_factory, rows, data):
    parts = parts_of(data.draw(st.permutations(rows)), data)
    whole = tmp_path_factory.mktemp("whole") / "latency.csv"
    write_csv(whole, LATENCY_COLUMNS, rows)
    paths = [tmp_path_factory.mktemp("part") / "latency.csv" for _ in parts]
    for path, part in zip(paths, parts, strict=True):
        write_csv(path, LATENCY_COLUMNS, part)

    assert summary_of(read_latency(paths)) == summary_of(read_latency([whole]))


@settings(max_examples=40)
@given(st.lists(rows_of_latency(), min_size=1, max_size=40), st.data())
def test_neither_order_nor_run_directories_change_the_summary(tmp_path_factory, rows, data):
    parts = parts_of(data.draw(st.permutations(rows)), data)
    started = {"started_at": "2026-11-24T22:10:00Z", "users": 1}
    whole = write_run(tmp_path_factory.mktemp("whole"), rows, **started)
    paths = [write_run(tmp_path_factory.mktemp("part"), part, **started) for part in parts]

    one, many = read_run(whole), read_runs(paths)

    assert one.failures == many.failures
    assert one.timeline.planned.sum() == many.timeline.planned.sum()
    assert summary_of(many) == summary_of(one)


@settings(max_examples=40)
@given(st.lists(rows_of_latency(), min_size=1, max_size=40))
def test_times_that_share_a_row_are_worth_a_row_each(tmp_path_factory, rows):
    apart, shared = (tmp_path_factory.mktemp(name) / "latency.csv" for name in ("apart", "shared"))
    write_csv(apart, LATENCY_COLUMNS, rows)
    lists = {}
    for *key, value_us, count in rows:
        lists.setdefault((*key, count, value_us == ""), []).append(value_us)
    write_csv(
        shared,
        LATENCY_COLUMNS,
        [
            (*key, "" if absent else " ".join(map(str, times)), count * len(times) if absent else count)
            for (*key, count, absent), times in lists.items()
        ],
    )

    assert summary_of(read_latency([shared])) == summary_of(read_latency([apart]))


def parts_of(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    return [rows[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
