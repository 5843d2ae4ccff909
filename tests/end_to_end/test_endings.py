"""How a run may end before its time: by signals, by its own tasks, by being killed. What was measured stays."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import PYTHON, environment, wait_for

FAST = ("--service-time=constant:20ms", "--instances=16")
LOAD = ("--rate=20", "--duration=60s", "--no-plots")
AT_ONCE_S = 30  # to stop and to report; a request that hangs is waited for 45 s
SHAPE = """
from locust import LoadTestShape
from loadgate import InferenceUser

class Requests(InferenceUser):
    kind = "json"

class Steady(LoadTestShape):
    def tick(self):
        return (20, 20)
"""
LATE_WORKERS = """
import time
from locust import events
from locust.runners import WorkerRunner
from loadgate import InferenceUser

@events.test_start.add_listener
def late(environment, **_):
    if isinstance(environment.runner, WorkerRunner):
        time.sleep(5)

class Requests(InferenceUser):
    kind = "json"
"""
EXITING = """
from locust import task
from loadgate import InferenceUser

class Requests(InferenceUser):
    kind = "json"
    sent = 0

    @task
    def send_some(self):
        self.infer()
        Requests.sent += 1
        if Requests.sent == 20:
            raise SystemExit(5)
"""


def ended(words, run, service, *signals, group=True, hangs=False):
    """Start a command, send it *signals* half a second apart, and give what became of it."""
    with subprocess.Popen(
        [*PYTHON, *words, f"--out={run}"],
        env=environment(service.token),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_for(run / "latency.csv")
        time.sleep(1)
        if hangs:
            service.process.send_signal(signal.SIGSTOP)
        for number in signals:
            time.sleep(0.5)
            (os.killpg if group else os.kill)(process.pid, number)
        began = time.monotonic()
        try:
            _, stderr = process.communicate(timeout=60)
        finally:
            service.process.send_signal(signal.SIGCONT)
    manifest, summary = (json.loads((run / name).read_text("utf-8")) for name in ("run.json", "summary.json"))
    return process.returncode, stderr, manifest, summary, time.monotonic() - began


@pytest.mark.parametrize(
    ("signals", "processes", "group"),
    [
        ((signal.SIGINT, signal.SIGINT), 1, True),
        ((signal.SIGTERM, signal.SIGTERM), 1, True),
        ((signal.SIGINT, signal.SIGTERM), 2, True),
        ((signal.SIGTERM, signal.SIGINT), 2, False),
    ],
)
def test_a_second_signal_does_not_wait_and_loses_nothing(stand_in, tmp_path, signals, processes, group):
    service = stand_in(*FAST)
    words = ["loadgate", "run", service.url, *LOAD]
    words += [f"--processes={processes}"] if processes > 1 else []

    code, stderr, manifest, summary, took_s = ended(words, tmp_path / "run", service, *signals, group=group, hangs=True)

    assert (code, manifest["state"]) == (130, "interrupted")
    assert summary["outcomes"]["unfinished"] > 0
    assert set(summary["outcomes"]) <= {"ok", "unfinished"}
    assert sum(summary["outcomes"].values()) == manifest["counts"]["planned"]
    assert took_s < AT_ONCE_S
    assert "Traceback" not in stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_workers_have_begun_still_ends_with_a_report(stand_in, tmp_path, number):
    service, run, locustfile = stand_in(*FAST), tmp_path / "run", tmp_path / "late_workers.py"
    locustfile.write_text(LATE_WORKERS, encoding="utf-8")
    locust = ["locust", f"-f={locustfile}", "--headless", f"--host={service.url}", "-u20", "-r20", "-t60s"]

    code, stderr, manifest, summary, _ = ended([*locust, "--processes=2", "--no-plots"], run, service, number)

    assert (code, manifest["state"], summary["outcomes"]) == (130, "interrupted", {})
    assert "Traceback" not in stderr


def test_a_shape_is_stopped_too(stand_in, tmp_path):
    service, locustfile = stand_in(*FAST), tmp_path / "shape.py"
    locustfile.write_text(SHAPE)
    words = ["locust", f"-f={locustfile}", "--headless", f"--host={service.url}", "--no-plots"]

    code, stderr, manifest, summary, took_s = ended(words, tmp_path / "run", service, signal.SIGTERM)

    assert (code, manifest["state"]) == (130, "interrupted")
    assert summary["outcomes"] == {"ok": manifest["counts"]["planned"]}
    assert took_s < AT_ONCE_S
    assert "Traceback" not in stderr


def test_a_task_that_exits_ends_the_run_and_not_its_report(stand_in, tmp_path):
    service, locustfile = stand_in(*FAST), tmp_path / "exiting.py"
    locustfile.write_text(EXITING)
    words = ["locust", f"-f={locustfile}", "--headless", "-u=2", f"--host={service.url}", "-t=60", "--no-plots"]

    code, stderr, manifest, summary, _ = ended(words, tmp_path / "run", service)

    assert (code, manifest["state"]) == (130, "interrupted")
    assert summary["outcomes"]["ok"] >= 20
    assert "a task raised SystemExit" in stderr


def test_of_a_killed_run_the_report_recovers_all_but_the_last_second(stand_in, tmp_path):
    service, run = stand_in(*FAST), tmp_path / "run"
    words = [*PYTHON, "loadgate", "run", service.url, "--rate=100", *LOAD[1:], f"--out={run}"]
    with subprocess.Popen(words, env=environment(service.token), stderr=subprocess.DEVNULL) as process:
        wait_for(run / "latency.csv")
        time.sleep(4)
        process.kill()

    reported = subprocess.run(
        [*PYTHON, "loadgate", "report", str(run), "--no-plots"], capture_output=True, text=True, check=False
    )

    summary = json.loads((run / "summary.json").read_text("utf-8"))
    serious = {caution["name"] for caution in summary["cautions"] if caution["serious"]}
    assert serious <= {"generator_late"}  # this machine may have been too busy
    assert reported.returncode == (3 if serious else 0), reported.stderr
    assert summary["run"]["state"] == "running"
    served = len(service.truth()) - 1  # without the request before the load
    # Lost are the last second's, and those of a moment in which this machine was busy.
    assert max(1, served - 150) <= summary["outcomes"]["ok"] <= served


def test_the_first_thing_that_ends_a_run_is_what_ended_it(stand_in, tmp_path):
    """Its time is over while it still waits for a request, but a signal had ended it before."""
    service = stand_in("--service-time=constant:8s", "--instances=200")
    words = ["loadgate", "run", service.url, "--rate=10", "--duration=5s", "--no-plots"]

    code, _, manifest, _, _ = ended(words, tmp_path / "run", service, signal.SIGINT)

    assert (code, manifest["state"]) == (130, "interrupted")


def test_the_wait_for_the_last_answers_misses_no_rate(stand_in, tmp_path):
    service = stand_in("--service-time=constant:3s", "--instances=200")
    words = ["loadgate", "run", service.url, "--rate=10", "--duration=6s", "--no-plots"]
    words += ["--slo=rate>=8/s over 2s stop", "--slo=ok_rate>=8/s over 2s stop"]

    _, stderr, manifest, summary, _ = ended(words, tmp_path / "run", service)

    assert (manifest["state"], manifest["stopped_by"]) == ("complete", None), stderr
    assert summary["outcomes"] == {"ok": 60}
