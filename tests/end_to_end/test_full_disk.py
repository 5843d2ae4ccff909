"""A disk that is full ends a run in order. The disks are real, of some megabytes."""

import csv
import json
import subprocess
import threading
from pathlib import Path

import pytest
from conftest import PYTHON, environment, until, wait_for
from small_disk import SmallDisk, small_disk

FAST = ("--service-time=constant:20ms", "--instances=32")
DISK_BYTES = 12 << 20
PATIENCE_S = 60
LOCUSTFILE = Path(__file__).parents[2] / "locustfiles" / "json_requests.py"
TABLES = ("latency.csv", "timeline.csv", "failures.csv", "notable.csv", "locust_stats_history.csv")
RUN = ("loadgate", "run", "{url}", "--rate=50", "--duration=40s", "--no-plots")
WAYS = {
    "one process": RUN,
    "workers": (*RUN, "--processes=2"),
    "Locust, until it is told to stop": (
        "locust",
        f"-f={LOCUSTFILE}",
        "--headless",
        "--host={url}",
        "-u=50",
        "-r=50",
        "--only-summary",
        "--no-plots",
    ),
}


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", DISK_BYTES) as made:
        yield made


class Filling:
    """Somebody else, who takes all the room that there is, again and again."""

    def __init__(self, disk: SmallDisk) -> None:
        self._disk, self._over = disk, threading.Event()
        self._thread = threading.Thread(target=self._fill)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _fill(self) -> None:
        while not self._over.wait(0.001):
            self._disk.fill()


def started(words, service, run):
    words = [word.format(url=service.url) for word in words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*PYTHON, *words, f"--out={run}"], cwd=run.parent.parent, env=environment(service.token), **pipes
    )


def told(stderr):
    """What was said of the trouble, in lines without their date. No line is of anything worse."""
    assert "Traceback" not in stderr
    assert "Exception" not in stderr
    return [line.rpartition("loadgate: ")[2] for line in stderr.splitlines() if "No space left" in line]


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def responses(run):
    rows = [row for row in rows_of(run / "latency.csv") if row[3] == "response"]
    return sum(int(row[5]) * len(row[4].split()) for row in rows)


def seconds_of(run):
    return len(rows_of(run / "timeline.csv")) - 1 if (run / "timeline.csv").exists() else 0


def assert_whole(run):
    for name in TABLES:
        head, *rows = rows_of(run / name)
        assert {len(row) for row in rows} <= {len(head)}, name
        assert (run / name).read_bytes().endswith(b"\n"), name
    assert not list(run.glob("*.part"))
    assert not list(run.glob(".*"))


def reported(run, out):
    words = [*PYTHON, "loadgate", "report", str(run), "--no-plots", f"--out={out}"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("way", WAYS)
def test_a_disk_that_gets_full_ends_the_run_and_loses_nothing_of_it(stand_in, disk, way):
    service, run = stand_in(*FAST), disk.folder / "run"
    with started(WAYS[way], service, run) as process:
        until(lambda: seconds_of(run) >= 3)
        disk.fill()
        stdout, stderr = process.communicate(timeout=PATIENCE_S)

    manifest, summary = (json.loads((run / name).read_text("utf-8")) for name in ("run.json", "summary.json"))
    assert process.returncode == 2
    assert told(stderr) == [f"stopped, because '{run}' can no longer be written (No space left on device)"]
    assert manifest["state"] == "interrupted"
    assert_whole(run)
    served = len(service.truth()) - 1  # without the request before the load
    assert responses(run) == sum(summary["outcomes"].values()) == manifest["counts"]["planned"] == served
    assert served < 30 * 50  # it did not go on to its end
    assert "response" in stdout
    assert (run / "report.html").stat().st_size > 0


@pytest.mark.parametrize("way", ["one process", "workers"])
def test_of_a_disk_that_stays_full_what_was_written_can_be_read(stand_in, disk, tmp_path, way):
    """Somebody takes the room that was kept back as soon as it is given free."""
    service, run = stand_in(*FAST), disk.folder / "run"
    with started(WAYS[way], service, run) as process:
        until(lambda: seconds_of(run) >= 3)
        with Filling(disk):
            stdout, stderr = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 2
    assert told(stderr) == [
        f"stopped, because '{run}' can no longer be written (No space left on device)",
        f"Error: not all pages could be written to '{run}' (No space left on device)",
    ]
    assert "response" in stdout  # the result is told all the same
    for name in TABLES[:4]:
        head, *rows = rows_of(run / name)
        assert {len(row) for row in rows} <= {len(head)}, name

    again = reported(run, tmp_path / "report")
    assert again.returncode in (0, 3), again.stderr  # 3: the last rows are missing
    summary = json.loads((tmp_path / "report" / "summary.json").read_text("utf-8"))
    assert summary["run"]["state"] in ("running", "interrupted")
    assert 0 < sum(summary["outcomes"].values()) == responses(run) <= len(service.truth()) - 1


@pytest.mark.parametrize("out", ["run", "new/run"])
def test_a_disk_that_is_full_before_the_load_is_refused(stand_in, disk, command, out):
    service = stand_in(*FAST)
    disk.leave(1 << 20)

    done = command(
        "loadgate", "run", service.url, "--duration=5s", f"--out={disk.folder / out}", token=service.token, out=False
    )

    assert (done.code, done.stdout) == (2, "")
    assert told(done.stderr) == [f"Error: --out '{disk.folder / out}' cannot be written (No space left on device)"]
    assert [path.name for path in disk.folder.iterdir()] == ["filler"]
    assert service.truth() == []


def test_a_disk_that_is_full_when_the_report_comes_still_has_the_run(stand_in, disk, tmp_path):
    service, run = stand_in(*FAST), disk.folder / "run"
    words = [*RUN[:3], "--rate=50", "--duration=4s"]
    with started(words, service, run) as process:
        wait_for(run / "run.json")
        until(lambda: '"complete"' in (run / "run.json").read_text("utf-8"))
        disk.fill()
        stdout, stderr = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 2
    assert told(stderr) == [f"Error: not all pages could be written to '{run}' (No space left on device)"]
    assert "200 ok" in stdout
    assert not list(run.glob(".*"))  # no half of a page
    assert reported(run, tmp_path / "report").returncode in (0, 3)
    assert responses(run) == 200


@pytest.mark.parametrize("is_there", [True, False])
def test_a_report_for_a_disk_that_is_full_is_told(disk, is_there):
    out = disk.folder / "report"
    example = Path(__file__).parents[2] / "reports" / "example"
    if is_there:
        out.mkdir()
    disk.fill()

    done = reported(example, out)

    assert done.returncode == 2
    assert told(done.stderr) == [f"Error: not all pages could be written to '{out}' (No space left on device)"]
    assert "4,081 ok" in done.stdout
    assert not out.exists() or not list(out.iterdir())


def test_a_comparison_for_a_disk_that_is_full_is_told(disk):
    example = Path(__file__).parents[2] / "reports" / "example"
    out = disk.folder / "compared"
    disk.fill()

    words = [*PYTHON, "loadgate", "compare", str(example), str(example), "--force", "--no-plots", f"--out={out}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert told(done.stderr) == [f"Error: not all pages could be written to '{out}' (No space left on device)"]
    assert "p50" in done.stdout
