"""The run of a killed master, read with what its workers kept: every request once, wherever it was killed."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_by_hand import manifest_of

from analysis.errors import BadRun
from analysis.readers.run_directory import read_latency, read_run, read_runs
from analysis.run_format import FAILURES, LATENCY, MANIFEST, MEASURES, NOTABLE, RESPONSE, TIMELINE, WORKERS
from loadgate.run_directory import RunDirectory

FILES = (LATENCY, TIMELINE, FAILURES, NOTABLE, WORKERS)  # in the order in which they are written
WORKER_NUMBERS = (1, 2)


def report(number):
    """A report whose only request took a time that no other report's did."""
    return {
        "latency": [(number, "a", "server_error", RESPONSE, [number], 1)],
        "timeline": [(number, 1, 1, 1, 1, 1, 0, 0, 0, 0.1, 0.2, 0.3, 0.0)],
        "failures": [(number, "a", "server_error", "model", "", 500, "", f'of "{number}",\nwhich failed', 1)],
        "notable": [(number, "a", "server_error", "model", "", 500, "", "", f"id-{number}", 0.1)],
    }


def together(reports):
    return {name: [row for number in reports for row in report(number)[name]] for name in report(0)}


def directory(path, **manifest):
    return RunDirectory(path, manifest_of(**{"id": "one", "state": "running", "counts": None} | manifest), {})


def running(path, *writes, **manifest):
    """Leave what a master leaves that is killed: `writes` are reports, and how many of each worker there are then."""
    made, sizes = directory(path, **manifest), []
    for reports, taken in writes:
        sizes.append({name: size_of(path / name) for name in FILES})
        made.append(together(reports), taken)
    manifest = (path / MANIFEST).read_bytes()
    made.close("complete")
    (path / MANIFEST).write_bytes(manifest)
    return sizes[-1] if sizes else {}


def size_of(path):
    return path.stat().st_size if path.exists() else 0


def kept(path, worker, reports, **manifest):
    """Leave the reports (number, what it has) that a worker kept."""
    made = directory(path, **({"kept_by": worker, "workers": 0} | manifest))
    for number, has in reports:
        made.append(report(has), {worker: number + 1})
    made.close("interrupted")


def times_us(run):
    """How often the time of each report is there."""
    response = run.samples.measure == MEASURES.index(RESPONSE)
    found = Counter()
    for value, count in zip(run.samples.value_us[response].tolist(), run.samples.count[response].tolist(), strict=True):
        found[value] += count
    return found


@st.composite
def loads(draw):
    """Writes of a master as (worker, report) pairs, and how many reports each worker was told that it has."""
    writes = draw(st.lists(st.lists(st.sampled_from(WORKER_NUMBERS), min_size=1, max_size=4), min_size=1, max_size=5))
    sent, of = Counter(), []
    for number, worker in enumerate(worker for write in writes for worker in write):
        of.append((worker, sent[worker], number))
        sent[worker] += 1
    pairs = iter(of)
    writes = [[next(pairs) for _ in write] for write in writes]
    whole = Counter(worker for write in writes[:-1] for worker, _, _ in write)
    told = {worker: draw(st.integers(0, whole[worker])) for worker in WORKER_NUMBERS}
    return writes, told


def killed_at(run, before, share):
    """Leave the files as a process leaves them that was killed in its last write, after this share of it."""
    grown = {name: (run / name).stat().st_size - size for name, size in before.items()}
    rest = int(share * sum(grown.values()))
    for name in FILES:
        with (run / name).open("r+b") as file:
            file.truncate(before[name] + min(rest, grown[name]))
        rest -= min(rest, grown[name])


@settings(max_examples=60)  # each keeps back room on the disk, three times
@given(load=loads(), share=st.floats(0, 1))
def test_every_request_is_counted_once_wherever_the_master_is_killed(load, share):
    writes, told = load
    folder = Path(tempfile.mkdtemp())
    try:
        run = folder / "run"
        taken = [{worker: number + 1 for worker, number, _ in write} for write in writes]
        before = running(run, *zip([[has for _, _, has in write] for write in writes], taken, strict=True))
        killed_at(run, before, share)
        for worker in WORKER_NUMBERS:
            own = [(number, has) for write in writes for of, number, has in write if of == worker]
            kept(folder / f"kept-{worker}", worker, own[told[worker] :])

        found = read_runs([run, *(folder / f"kept-{worker}" for worker in WORKER_NUMBERS)])

        reports = range(sum(map(len, writes)))
        assert times_us(found) == Counter(reports)
        assert found.timeline.planned.sum() == len(reports)
        assert sum(each.count for each in found.failures) == len(reports)
        assert sorted(each["request_id"] for each in found.notable) == sorted(f"id-{number}" for number in reports)
        alone = times_us(read_run(run))
        assert not alone - Counter(reports)
        assert len(alone) >= sum(map(len, writes[:-1]))
    finally:
        shutil.rmtree(folder)


def test_a_report_without_requests_that_is_left_out_shifts_nothing(tmp_path):
    running(tmp_path / "run", ([0], {1: 4}))
    kept(tmp_path / "kept", 1, [(0, 10), (2, 12), (3, 0), (5, 15)])

    assert times_us(read_runs([tmp_path / "run", tmp_path / "kept"])) == Counter([0, 15])


def test_what_is_of_another_worker_is_counted_whole(tmp_path):
    running(tmp_path / "run", ([0], {1: 4}))
    kept(tmp_path / "kept", 2, [(0, 10)])

    assert times_us(read_runs([tmp_path / "run", tmp_path / "kept"])) == Counter([0, 10])


def test_what_is_of_another_run_is_not_added(tmp_path):
    running(tmp_path / "run", ([0], {1: 4}))
    kept(tmp_path / "kept", 1, [(0, 10)], id="other")

    with pytest.raises(BadRun, match="kept is what worker 1 kept of another run: name that one's folder"):
        read_runs([tmp_path / "run", tmp_path / "kept"])


def test_what_was_kept_can_be_read_alone(tmp_path):
    kept(tmp_path / "one", 1, [(3, 10)])
    kept(tmp_path / "other", 2, [(0, 20)])

    assert times_us(read_run(tmp_path / "one")) == Counter([10])
    assert times_us(read_runs([tmp_path / "one", tmp_path / "other"])) == Counter([10, 20])


def test_reports_that_neither_has_are_missed(tmp_path):
    running(tmp_path / "run", ([0], {1: 4}))
    kept(tmp_path / "kept", 1, [(5, 10)])

    with pytest.raises(
        BadRun, match="kept begins with report 6 of worker 1, and of those before, its run has 4: workers"
    ):
        read_runs([tmp_path / "run", tmp_path / "kept"])


SHARED = {"sharing": {"by": "workers", "count": 1}}


@pytest.mark.parametrize("of", ["run", "kept"])
def test_a_workers_csv_that_was_not_copied_along_is_missed(tmp_path, of):
    running(tmp_path / "run", ([0], {1: 1}), **SHARED)
    kept(tmp_path / "kept", 1, [(0, 10)], **SHARED)
    (tmp_path / of / WORKERS).unlink()

    with pytest.raises(BadRun, match=f"/{of} has no workers.csv"):
        read_runs([tmp_path / "run", tmp_path / "kept"])


def test_masters_that_ended_side_by_side_need_no_workers_csv(tmp_path):
    for name, number in (("one", 1), ("other", 2)):
        made = directory(tmp_path / name, id=name, **SHARED)
        made.append(report(number), {1: 1})
        made.close("complete")
    (tmp_path / "one" / WORKERS).unlink()

    assert times_us(read_runs([tmp_path / "one", tmp_path / "other"])) == Counter([1, 2])


def test_of_a_worker_whose_own_directory_is_here_nothing_is_missing(tmp_path):
    away = {"worker": "worker 1 on a", "number": 1, "heard_s": 1.0, "told_s": 1, "unreported": 20, "back_s": None}
    gone = away | {"worker": "worker 2 on b", "number": 2}
    running(tmp_path / "run", ([0], {1: 1, 2: 1}), absences=[away, gone], workers_lost=2, workers=2)
    kept(tmp_path / "kept", 1, [(1, 10)])

    found = read_runs([tmp_path / "run", tmp_path / "kept"]).manifest

    assert (found["absences"], found["workers_lost"], found["workers"]) == ([gone], 1, 2)


def test_a_master_that_tells_of_no_number_still_misses_its_worker(tmp_path):
    away = {"worker": "worker 1 on a", "heard_s": 1.0, "told_s": 1, "unreported": 20, "back_s": None}
    for name in ("one", "other"):
        running(tmp_path / name, ([0], {1: 1}), id=name, absences=[away], workers_lost=1, workers=1)

    found = read_runs([tmp_path / "one", tmp_path / "other"]).manifest

    assert (found["absences"], found["workers_lost"]) == ([away, away], 2)


def test_a_master_that_was_killed_before_it_wrote_anything_has_nothing(tmp_path):
    running(tmp_path / "run", **SHARED)
    kept(tmp_path / "kept", 1, [(0, 10)], **SHARED)

    assert not (tmp_path / "run" / WORKERS).exists()
    assert times_us(read_runs([tmp_path / "run", tmp_path / "kept"])) == Counter([10])


@pytest.mark.parametrize("name", [LATENCY, TIMELINE, FAILURES, NOTABLE])
@pytest.mark.parametrize("change", [lambda rows: rows[:-1], lambda rows: rows + rows[-1:], lambda rows: []])
def test_what_was_kept_is_not_to_be_changed(tmp_path, name, change):
    kept(tmp_path, 1, [(0, 10), (1, 11)])
    rows = (tmp_path / name).read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / name).write_text("".join(change(rows)), encoding="utf-8")

    with pytest.raises(BadRun, match=rf"{name} has [\d,]+ bytes where workers.csv says"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", [LATENCY, TIMELINE, FAILURES, NOTABLE])
def test_a_file_that_is_gone_is_missed(tmp_path, name):
    running(tmp_path, ([0], {1: 1}))
    (tmp_path / name).unlink()

    with pytest.raises(BadRun, match=name):
        read_run(tmp_path)


def test_a_latency_csv_of_which_a_part_counts_is_not_read_alone(tmp_path):
    running(tmp_path / "run", ([0], {1: 1}), **SHARED)
    kept(tmp_path / "kept", 1, [(0, 10)], **SHARED)

    for of in ("run", "kept"):
        with pytest.raises(
            BadRun, match=f"/{of}/latency.csv: which of its rows count, the files beside it say; name its folder"
        ):
            read_latency([tmp_path / of / LATENCY])


def test_a_master_that_hears_of_nothing_has_all_that_it_heard_before(tmp_path):
    running(tmp_path, ([0], {1: 1}), ([1], {1: 2, 2: 0}))

    assert times_us(read_run(tmp_path)) == Counter([0, 1])


def test_rows_that_somebody_adds_to_a_run_that_ended_count(tmp_path):
    made = directory(tmp_path)
    made.append(report(0), {1: 1})
    made.close("complete")
    with (tmp_path / LATENCY).open("a", encoding="utf-8") as file:
        file.write("9,a,server_error,response,9,1\n")

    assert times_us(read_run(tmp_path)) == Counter([0, 9])


@pytest.mark.parametrize("spoil", [lambda rows: rows[:-2], lambda rows: rows.replace(",1\n", ",10000\n")])
def test_a_file_that_is_not_as_it_was_when_its_rows_were_taken_is_named(tmp_path, spoil):
    running(tmp_path, ([0, 1], {1: 1}))
    rows = (tmp_path / LATENCY).read_text(encoding="utf-8")
    (tmp_path / LATENCY).write_text(spoil(rows), encoding="utf-8")

    with pytest.raises(BadRun, match=rf"^latency.csv: no row ends at byte {len(rows)}, though workers.csv says so"):
        read_run(tmp_path)


def test_a_row_that_was_not_written_to_its_end_says_nothing(tmp_path):
    before = running(tmp_path, ([0], {1: 1}), ([1], {1: 2}))
    with (tmp_path / WORKERS).open("r+b") as file:
        file.truncate(before[WORKERS] + 5)

    assert times_us(read_run(tmp_path)) == Counter([0])


@pytest.mark.parametrize(
    "row",
    [
        "1,1,x,1,1,1",
        "1,1",
        "1 2,1,100,100,100,100",
        "1,1 2,100,100,100,100",
        ",,100,100,100,100",
        "1  2,1  1,100,100,100,100",
        "-1,1,100,100,100,100",
        "1,1,-5,100,100,100",
        "1,1,1e3,100,100,100",
        f"1,1,{'9' * 30},1,1,1",
        "1,0,10000,10000,10000,10000",
        "1,9,1,1,1,1",
    ],
)
@pytest.mark.parametrize("of", ["run", "kept"])
def test_what_makes_no_sense_is_named(tmp_path, row, of):
    running(tmp_path / "run", ([0], {1: 1}))
    kept(tmp_path / "kept", 1, [(0, 10), (1, 11)])
    with (tmp_path / of / WORKERS).open("a", encoding="utf-8") as file:
        file.write(row + "\n")

    with pytest.raises(BadRun, match=rf"/{of}/workers\.csv"):
        read_runs([tmp_path / "run", tmp_path / "kept"])


@pytest.mark.parametrize("offset", [5, 100, 10**18])
def test_an_offset_at_which_no_row_ends_is_named(tmp_path, offset):
    running(tmp_path, ([0], {1: 1}))
    head, _ = (tmp_path / WORKERS).read_text(encoding="utf-8").splitlines()
    (tmp_path / WORKERS).write_text(f"{head}\n1,1,{offset},{offset},{offset},{offset}\n", encoding="utf-8")

    with pytest.raises(BadRun, match=rf"^latency.csv: no row ends at byte {offset:,}, though workers.csv says so"):
        read_run(tmp_path)


@pytest.mark.parametrize("key", ["id", "kept_by"])
@pytest.mark.parametrize("value", [[], {}, True, 1.5, -1])
def test_a_manifest_that_says_nonsense_of_itself_is_named(tmp_path, key, value):
    kept(tmp_path, 1, [(0, 10)], **{key: value})

    with pytest.raises(BadRun, match=rf"^run.json: {key} "):
        read_run(tmp_path)


@pytest.mark.parametrize("again", ["run", "kept"])
def test_a_run_that_is_named_twice_is_refused(tmp_path, again):
    running(tmp_path / "run", ([0], {1: 1}))
    kept(tmp_path / "kept", 1, [(1, 10)])
    shutil.copytree(tmp_path / again, tmp_path / "again")

    with pytest.raises(BadRun, match=f"{again} and .*again are the same run; name it once"):
        read_runs([tmp_path / "run", tmp_path / "kept", tmp_path / "again"])
