"""How a run may end before its time: by signals, by its own tasks, by being killed. What was measured stays."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import PYTHON, environment, wait_for

FAST = ("--service-time=constant:20ms", "--instances=16")
HANGS = ("--service-time=constant:30s", "--instances=2000", "--timeout=40s")
LOAD = ("--rate=20", "--duration=60s", "--no-plots")
AT_ONCE_S = 15  # to stop and to report
SHAPE = """
from locust import LoadTestShape
from loadgate import InferenceUser

class Requests(InferenceUser):
    kind = "json"

class Steady(LoadTestShape):
    def tick(self):
        return (20, 20)
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


def ended(words, run, service, *signals, group=True):
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
        for number in signals:
            time.sleep(0.5)
            (os.killpg if group else os.kill)(process.pid, number)
        began = time.monotonic()
        _, stderr = process.communicate(timeout=60)
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
    service = stand_in(*HANGS)
    # The request before the load hangs too, so it is cut short.
    words = ["loadgate", "run", service.url, *LOAD, "--timeout=2s", "--grace=3s"]
    words += [f"--processes={processes}"] if processes > 1 else []

    code, stderr, manifest, summary, took_s = ended(words, tmp_path / "run", service, *signals, group=group)

    planned = manifest["counts"]["planned"]
    assert (code, manifest["state"]) == (130, "interrupted")
    assert planned > 0
    assert summary["outcomes"] == {"unfinished": planned}
    assert took_s < AT_ONCE_S
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
        killed = time.monotonic()
        process.kill()
        process.wait(10)
    assert time.monotonic() - killed < 1

    reported = subprocess.run(
        [*PYTHON, "loadgate", "report", str(run), "--no-plots"], capture_output=True, text=True, check=False
    )

    summary = json.loads((run / "summary.json").read_text("utf-8"))
    assert reported.returncode == 0, reported.stderr
    assert summary["run"]["state"] == "running"
    served = len(service.truth()) - 1  # without the request before the load
    # The last whole second, what was in flight, and a moment until rows are written.
    assert served - 130 <= summary["outcomes"]["ok"] <= served
    assert served > 250
