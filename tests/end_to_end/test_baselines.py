"""A run that must not be worse than another: an earlier one, or one of another service at the same time."""

import json
import subprocess
import time

import pytest
from conftest import PYTHON, environment

SERVICE = ("--instances=64",)
LOAD = ("--rate=50", "--duration=4s", "--no-plots")


def report_again(run):
    done = subprocess.run([*PYTHON, "analysis", str(run), "--no-plots"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-2:]


def load(folder, service, name, *options):
    done = subprocess.run(
        [*PYTHON, "loadgate", "run", service.url, *LOAD, f"--out={name}", *options],
        cwd=folder,
        env=environment(service.token),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def test_a_slower_service_fails_now_and_in_every_later_report(stand_in, tmp_path):
    before, after = (
        stand_in(*SERVICE, "--service-time=constant:20ms"),
        stand_in(*SERVICE, "--service-time=constant:40ms"),
    )
    load(tmp_path, before, "main")

    done = load(tmp_path, after, "change", "--baseline=main", "--tolerance=10%")

    last = done.stdout.splitlines()[-2:]
    code, word, result = expected(tmp_path / "change", done)
    assert (done.returncode, last[1]) == (code, word), done.stdout
    assert last[0].startswith(f"{result}: no regression against main: ")
    assert report_again(tmp_path / "change") == (code, last)
    (tmp_path / "main").rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "change").rename(tmp_path / "elsewhere" / "change")
    (tmp_path / "moved").rename(tmp_path / "elsewhere" / "main")
    assert report_again(tmp_path / "elsewhere" / "change") == (code, last)


def expected(run, done):
    """A regression; unless this machine was too busy for either run, which then says so."""
    summary = json.loads((run / "summary.json").read_text("utf-8"))
    if summary["verdict"] == "invalid":
        assert {each["name"] for each in summary["cautions"] if each["serious"]} == {"generator_late"}
        return 3, "INVALID", "not judged"
    if "The baseline is an invalid run: " in done.stdout and "left" in done.stdout:
        return 3, "NOT DECIDED", "not decided"
    return 1, "FAIL", "MISSED"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--baseline=main", "--rate=60"],
            "--baseline 'main' is a run that this one cannot be compared with: rate (1/s) is 50.0 and 60.0",
        ),
        (["--baseline=nowhere"], "--baseline 'nowhere' cannot be read: nowhere is not a run: it has no run.json"),
        (["--tolerance=5%"], "name the run to compare with: --baseline RUN"),
        (["--baseline=main", "--tolerance=5"], "'5' is not a tolerance"),
        (["--baseline=main", "--ab=http://127.0.0.1:9/"], "give one of them"),
    ],
)
def test_a_wrong_baseline_is_told_before_anything_is_sent(stand_in, tmp_path, options, words):
    service = stand_in(*SERVICE, "--service-time=constant:20ms")
    manifest = {"model": "open", "arrivals": "constant", "rate_per_s": 50.0, "think_time_s": None, "ramp_s": 0.0}
    (tmp_path / "main").mkdir()
    run = {"format": 1, "state": "complete", "name": "json", "target": "", "started_at": "", "load": manifest}
    run |= {"gateway": {"name": "modelarts", "timeout_s": 40.0, "body_limit_bytes": 12582912}, "payloads": []}
    (tmp_path / "main" / "run.json").write_text(json.dumps(run))
    (tmp_path / "main" / "latency.csv").write_text("second,name,outcome,measure,value_us,count\n")

    done = load(tmp_path, service, "change", *options)

    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "change").exists()
    assert service.truth() == []


def test_two_services_get_the_same_load_at_the_same_time(stand_in, tmp_path):
    page = tmp_path / "summary.md"
    a, b = (
        stand_in(*SERVICE, f"--service-time=constant:{ms}ms", environ={"LOADGATE_TOKEN": "shared"}) for ms in (20, 40)
    )

    done = subprocess.run(
        [*PYTHON, "loadgate", "run", a.url, f"--ab={b.url}", "--rate=50", "--duration=11s", "--no-plots", "--out=ab"],
        cwd=tmp_path,
        env=environment("shared") | {"GITHUB_STEP_SUMMARY": str(page)},
        capture_output=True,
        text=True,
        check=False,
    )

    code, word, result = expected(tmp_path / "ab" / "b", done)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, word), done.stderr
    assert done.stdout.splitlines()[-2].startswith(f"{result}: no regression against a: ")
    assert report_again(tmp_path / "ab" / "b") == (code, done.stdout.splitlines()[-2:])
    assert [len(service.truth()) for service in (a, b)] == [551, 551]  # with the request before the load
    assert page.read_text("utf-8").count("\n# json\n") == 1  # the job is told once, of the comparison
    # A log has a line every ten seconds, and nothing that steers a terminal.
    for name in ("a", "b"):
        [line] = [line for line in done.stderr.splitlines() if line.startswith(f"{name}: 10 s of 11 s: ")]
        assert line.endswith(" ok")
    assert not {"\x1b", "\r", "\b"} & set(done.stderr)


def test_a_service_that_cannot_be_reached_ends_both(stand_in, tmp_path):
    service = stand_in(*SERVICE, "--service-time=constant:20ms")

    began = time.monotonic()
    done = load(tmp_path, service, "ab", "--ab=http://127.0.0.1:9/", "--duration=60s")

    assert done.returncode == 2
    assert time.monotonic() - began < 50
    assert "b: Error: the first request to http://127.0.0.1:9/ failed" in done.stderr
