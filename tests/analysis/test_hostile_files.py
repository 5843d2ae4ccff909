"""Folders and files that somebody else made, given to `loadgate report`: none of them writes, reads or takes more than
it should.
"""

import os
import resource
import subprocess
import sys

import pytest
from click.testing import CliRunner
from made_by_hand import write_run

from analysis.comparison.command import compare
from analysis.report.command import report
from analysis.run_format import LONGEST_RUN_S

ROWS = [(second, "json", "ok", measure, 100_000, 3) for second in range(3) for measure in ("response", "service")]
SECRET = "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI"
MOST_BYTES = 2 << 30


def made(folder, rows=ROWS, **known):
    folder.mkdir()
    return write_run(folder, rows, **known)


def reported(*words):
    return CliRunner().invoke(report, [*map(str, words), "--no-plots"])


def said(folder, done):
    pages = [path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix in (".html", ".md", ".json")]
    return "\n".join([done.output, *pages])


@pytest.fixture
def run(tmp_path):
    return made(tmp_path / "run")


def test_a_link_in_a_run_is_replaced_by_its_report_and_not_followed(run, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    names = ("summary.json", "report.html", "report.md")
    for name in (*names, *(f".{name}.part" for name in names)):
        (run / name).symlink_to(victim)

    assert reported(run).exit_code == 0
    assert victim.read_text() == "untouched"
    assert "<html" in (run / "report.html").read_text()
    assert not any(path.is_symlink() for path in run.iterdir())


@pytest.mark.parametrize("name", ["latency.csv", "timeline.csv", "failures.csv", "notable.csv"])
def test_a_pipe_without_a_writer_is_named_and_not_waited_for(run, name):
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)

    done = reported(run)
    assert (done.exit_code, done.output) == (1, f"Error: {name}: not a file\n")


def test_a_pipe_alone_is_no_file_to_be_read(tmp_path):
    os.mkfifo(tmp_path / "run.csv")

    done = reported(tmp_path / "run.csv")
    assert "run.csv cannot be read: it is no file" in done.output


@pytest.mark.parametrize("name", ["run.json", "capacity.json"])
def test_json_beyond_any_run_is_not_read(run, name):
    with (run / name).open("ab") as file:
        file.truncate(1 << 40)  # of nothing: it takes no disk

    done = reported(run)
    assert (done.exit_code, done.output) == (1, f"Error: {name}: larger than 64 MiB\n")


@pytest.mark.parametrize("path", ["../secret.csv", "../folder", "{tmp_path}/secret.csv"])
def test_what_a_run_calls_its_baseline_and_is_none_is_not_quoted(tmp_path, path):
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "secret.csv", tmp_path / "folder" / "secret.csv"):
        place.write_text(f"{SECRET},service_ms\n{SECRET},x\n")
    run = made(tmp_path / "run", baseline={"path": path.format(tmp_path=tmp_path), "tolerance": 0.05})

    done = reported(run)
    assert "is no run" in said(run, done)
    assert SECRET not in said(run, done)


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a/../../b\x00", "..", "\x1b]0;title\x07"])  # noqa: S108
def test_a_name_leads_nowhere(tmp_path, name):
    rows = [(second, name, *rest) for second, _, *rest in ROWS]
    runs = [made(tmp_path / letter, rows, name=name, payloads=[{"name": name}]) for letter in "ab"]
    done = [reported(run) for run in runs]
    compared = CliRunner().invoke(compare, [*map(str, runs), "--no-plots"])

    assert [each.exit_code for each in (*done, compared)] == [0, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "b-against-a"]
    assert "\x1b" not in "".join(each.output for each in (*done, compared))


def test_the_longest_run_of_a_few_rows_takes_little(tmp_path):
    """In a process that gets 2 GiB: rows at either end of what is read as one run."""
    rows = [(second, "json", "ok", "response", 100_000, 1) for second in (0, LONGEST_RUN_S)]
    timeline = [(second, 1, 1.0, 1, 1, 1, 0, 0, 1, 0.1, 0.2, 0.3, 0.0) for second in (0, LONGEST_RUN_S)]
    run = made(tmp_path / "run", rows, timeline=timeline)
    limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))  # noqa: E731
    command = [sys.executable, "-P", "-m", "analysis", str(run), "--no-plots"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=180, check=False)

    assert done.returncode in (0, 3), done.stderr
    assert (run / "report.html").exists()
