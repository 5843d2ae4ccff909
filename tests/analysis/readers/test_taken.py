"""The run of a killed master, read with what its workers left: every request once, wherever it was killed."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_by_hand import manifest_of

from analysis.errors import BadRun
from analysis.readers.run_directory import read_run, read_runs
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
    return RunDirectory(path, manifest_of(id="one", state="running", counts=None, **manifest), {})


def running(path, *writes):
    """Leave what a master leaves that is killed: `writes` are reports, and how many of each worker there are then."""
    made, sizes = directory(path), []
    for reports, taken in writes:
        sizes.append({name: size_of(path / name) for name in FILES})
        made.append(together(reports), taken)
    manifest = (path / MANIFEST).read_bytes()
    made.close("complete")
    (path / MANIFEST).write_bytes(manifest)
    return sizes[-1]


def size_of(path):
    return path.stat().st_size if path.exists() else 0


def left(path, worker, reports):
    """Leave the reports (number, what it has) of a worker."""
    made = directory(path, left_by=worker, workers=0)
    for number, has in reports:
        made.append(report(has), {worker: number + 1})
    made.close("interrupted")


def times_us(run):
    """How often the time of each report is there."""
    response = run.samples.measure == MEASURES.index(RESPONSE)
    values, counts = run.samples.value_us[response].tolist(), run.samples.count[response].tolist()
    return Counter(dict(zip(values, counts, strict=True)))


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


@settings(deadline=None, max_examples=60)  # each keeps back room on the disk, three times
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
            left(folder / f"left-{worker}", worker, own[told[worker] :])

        found = read_runs([run, *(folder / f"left-{worker}" for worker in WORKER_NUMBERS)])

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
    left(tmp_path / "left", 1, [(0, 10), (2, 12), (3, 0), (5, 15)])

    assert times_us(read_runs([tmp_path / "run", tmp_path / "left"])) == Counter([0, 15])


def test_what_another_run_left_is_counted_whole(tmp_path):
    running(tmp_path / "run", ([0], {1: 4}))
    made = RunDirectory(tmp_path / "left", manifest_of(id="other", left_by=1, state="running", workers=0), {})
    made.append(report(10), {1: 1})
    made.close("interrupted")

    assert times_us(read_runs([tmp_path / "run", tmp_path / "left"])) == Counter([0, 10])


def test_rows_that_somebody_adds_to_a_run_that_ended_count(tmp_path):
    made = directory(tmp_path)
    made.append(report(0), {1: 1})
    made.close("complete")
    with (tmp_path / LATENCY).open("a", encoding="utf-8") as file:
        file.write("9,a,server_error,response,9,1\n")

    assert times_us(read_run(tmp_path)) == Counter([0, 9])


def test_a_file_that_ends_before_what_was_taken_is_said_to_be_cut(tmp_path):
    running(tmp_path, ([0], {1: 1}))
    (tmp_path / LATENCY).write_text("second,name,outcome,measure,value_us,count\n", encoding="utf-8")

    assert read_run(tmp_path).cut == (LATENCY,)


@pytest.mark.parametrize("again", ["run", "left"])
def test_a_run_that_is_named_twice_is_refused(tmp_path, again):
    running(tmp_path / "run", ([0], {1: 1}))
    left(tmp_path / "left", 1, [(1, 10)])
    shutil.copytree(tmp_path / again, tmp_path / "again")

    with pytest.raises(BadRun, match=f"{again} and .*again are the same run; name it once"):
        read_runs([tmp_path / "run", tmp_path / "left", tmp_path / "again"])
