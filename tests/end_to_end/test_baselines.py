"""A run that must not be worse than another: an earlier one, or one of another service at the same time."""

import json
import subprocess

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
    assert (done.returncode, last[1]) == (1, "FAIL"), done.stdout
    assert last[0].startswith("MISSED: no regression against main: ")
    assert report_again(tmp_path / "change") == (1, last)
    (tmp_path / "main").rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "change").rename(tmp_path / "elsewhere" / "change")
    (tmp_path / "moved").rename(tmp_path / "elsewhere" / "main")
    assert report_again(tmp_path / "elsewhere" / "change") == (1, last)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--baseline=main", "--rate=60"],
            "--baseline 'main' is a run that this one cannot be compared with: rate (1/s) is 50.0 and 60.0",
        ),
        (["--baseline=nowhere"], "--baseline: nowhere is not a run: it has no run.json"),
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

    done = load(tmp_path, service, "change", *options)

    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "change").exists()
    assert service.truth() == []


def test_two_services_get_the_same_load_at_the_same_time(stand_in, tmp_path):
    a, b = (
        stand_in(*SERVICE, f"--service-time=constant:{ms}ms", environ={"LOADGATE_TOKEN": "shared"}) for ms in (20, 40)
    )

    done = subprocess.run(
        [*PYTHON, "loadgate", "run", a.url, f"--ab={b.url}", "--rate=50", "--duration=11s", "--no-plots", "--out=ab"],
        cwd=tmp_path,
        env=environment("shared"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "FAIL"), done.stderr
    assert done.stdout.splitlines()[-2].startswith("MISSED: no regression against a: ")
    assert report_again(tmp_path / "ab" / "b") == (1, done.stdout.splitlines()[-2:])
    assert [len(service.truth()) for service in (a, b)] == [551, 551]  # with the request before the load
    # A log has a line every ten seconds, and nothing that steers a terminal.
    for name in ("a", "b"):
        [line] = [line for line in done.stderr.splitlines() if line.startswith(f"{name}: 10 s of 11 s: ")]
        assert line.endswith(" ok")
    assert not {"\x1b", "\r", "\b"} & set(done.stderr)


def test_a_service_that_cannot_be_reached_ends_both(stand_in, tmp_path):
    service = stand_in(*SERVICE, "--service-time=constant:20ms")

    done = load(tmp_path, service, "ab", "--ab=http://127.0.0.1:9/", "--duration=30s")

    assert done.returncode == 2
    assert "b: Error: the first request to http://127.0.0.1:9/ failed" in done.stderr
