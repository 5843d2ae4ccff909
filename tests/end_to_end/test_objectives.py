"""Objectives from the command line to the exit code, and the same verdict from the report afterwards."""

import json
import os
import signal
import subprocess
import time

import psutil
import pytest
from conftest import PYTHON, ROOT, environment, wait_for
from junitparser import Error, Failure, JUnitXml

LOCUSTFILE = f"-f={ROOT / 'locustfiles' / 'json_requests.py'}"
FAST = ("--service-time=constant:20ms", "--instances=16")
LOAD = ("--rate=100", "--duration=2s", "--no-plots")
ENOUGH = ("--rate=50", "--duration=60s", "--no-plots")


def slo(*texts):
    return [f"--slo={text}" for text in texts]


def results(finished):
    return {each["text"]: each["result"] for each in finished.summary()["slo"]}


def cases(run):
    """What junit.xml says of each objective."""
    kinds = {Failure: "failure", Error: "error"}
    found = [case for suite in JUnitXml.fromfile(str(run / "junit.xml")) for case in suite]
    return {case.name: kinds[type(case.result[0])] if case.result else "passed" for case in found}


IN_JUNIT = {"met": "passed", "missed": "failure", "undecided": "error"}


def report_again(finished):
    """The exit code and the summary of the same run, reported anew."""
    done = subprocess.run([*PYTHON, "analysis", str(finished.run), "--no-plots"], capture_output=True, check=False)
    return done.returncode, finished.summary()


@pytest.mark.parametrize(
    ("service_options", "objectives", "code", "line"),
    [
        (FAST, {"p50<1s": "met", "errors<5%": "met", "rate>=95/s": "met"}, 0, "PASS"),
        (FAST, {"p50<5ms": "missed", "errors<5%": "met"}, 1, "FAIL"),
        ((*FAST, "--timeout=1s", "--fault=timeout_apig:0.2"), {"timeouts<5%": "missed", "p50<1s": "met"}, 1, "FAIL"),
        (("--service-time=exponential:50ms", "--instances=64"), {"p99.99<1s": "undecided"}, 3, "NOT DECIDED"),
        (
            ("--service-time=exponential:50ms", "--instances=64"),
            {"p99.99<1s": "undecided", "p50<1ms": "missed"},
            1,
            "FAIL",
        ),
    ],
)
def test_the_verdict_is_the_exit_code_and_the_last_line_now_and_later(
    stand_in, command, service_options, objectives, code: int, line: str
):
    service = stand_in(*service_options)

    finished = command("loadgate", "run", service.url, *LOAD, "--timeout=1s", *slo(*objectives), token=service.token)
    if "generator_late" in {caution["name"] for caution in finished.summary()["cautions"] if caution["serious"]}:
        code, line = 3, "INVALID"  # this machine was too busy: then there is no other verdict

    assert results(finished) == objectives
    assert finished.manifest()["slo"] == list(objectives)
    assert finished.stdout.splitlines()[-1] == line
    assert finished.code == code
    expected = {text: "error" if line == "INVALID" else IN_JUNIT[result] for text, result in objectives.items()}
    assert cases(finished.run) == expected
    before = finished.summary()
    assert report_again(finished) == (code, before)


def test_a_run_that_did_not_send_its_plan_is_invalid_though_its_objective_was_met(stand_in, command):
    service = stand_in("--service-time=constant:400ms", "--instances=64")

    finished = command("loadgate", "run", service.url, *LOAD, "--max-in-flight=5", *slo("p50<2s"), token=service.token)

    assert results(finished) == {"p50<2s": "met"}
    assert finished.summary()["verdict"] == "invalid"
    assert finished.code == 3
    assert finished.stdout.splitlines()[-1] == "INVALID"
    assert cases(finished.run) == {"p50<2s": "error"}


def test_plain_locust_has_the_same_verdict(stand_in, command):
    service = stand_in(*FAST)
    load = ("--headless", "--users=40", "--spawn-rate=40", "--duration=2s", "--no-plots")

    finished = command("locust", LOCUSTFILE, f"--host={service.url}", *load, *slo("p50<5ms"), token=service.token)

    assert results(finished) == {"p50<5ms": "missed"}
    assert finished.code == (3 if finished.summary()["verdict"] == "invalid" else 1)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_service_that_stops_answering_ends_the_run_while_it_hangs(stand_in, tmp_path, processes: int):
    service, run = stand_in(*FAST), tmp_path / "run"
    limits = ("--timeout=2s", "--grace=500ms", f"--processes={processes}", f"--out={run}")
    words = [*PYTHON, "loadgate", "run", service.url, *ENOUGH, *limits, *slo("p99<800ms over 3s stop", "errors<1%")]
    began = time.monotonic()
    with subprocess.Popen(
        words, env=environment(service.token), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for(run / "latency.csv")
        time.sleep(4)
        hangs_since = time.monotonic()
        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            stdout, stderr = process.communicate(timeout=60)
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))

    assert time.monotonic() - began < 30
    assert time.monotonic() - hangs_since < 25
    assert manifest["stopped_by"] == "p99<800ms over 3s stop"
    assert "stopped, because it was missed: p99<800ms over 3s stop" in stderr
    assert {each["text"]: each["result"] for each in summary["slo"]} == {
        "p99<800ms over 3s stop": "missed",
        "errors<1%": "missed",
    }
    verdict = (process.returncode, summary["verdict"], stdout.splitlines()[-1])
    late = "generator_late" in {caution["name"] for caution in summary["cautions"] if caution["serious"]}
    assert verdict == ((3, "invalid", "INVALID") if late else (1, "fail", "FAIL"))


def test_a_healthy_service_is_not_stopped(stand_in, command):
    service = stand_in(*FAST)

    finished = command(
        "loadgate",
        "run",
        service.url,
        *LOAD,
        *slo("p99<800ms over 1s stop", "errors<5% over 1s stop"),
        token=service.token,
    )

    assert finished.manifest()["stopped_by"] is None
    assert finished.manifest()["state"] == "complete"
    assert finished.outcomes() == {"ok": 200}


def test_a_killed_worker_makes_the_verdict_invalid(stand_in, tmp_path):
    service, run = stand_in(*FAST), tmp_path / "run"
    words = ("--rate=40", "--duration=3s", "--processes=2", "--no-plots", f"--out={run}", *slo("p50<1s"))
    with subprocess.Popen(
        [*PYTHON, "loadgate", "run", service.url, *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(service.token),
    ) as process:
        wait_for(run / "latency.csv")
        time.sleep(0.5)
        psutil.Process(process.pid).children()[0].kill()
        stdout, _ = process.communicate(timeout=60)

    assert (process.returncode, stdout.splitlines()[-1]) == (3, "INVALID")
    assert cases(run) == {"p50<1s": "error"}


@pytest.mark.parametrize(
    ("pyproject", "words", "code", "found"),
    [
        ('[tool.loadgate]\nslo = ["p50<5ms"]\n', (), 1, ["p50<5ms"]),
        ('[tool.loadgate]\nslo = ["p50<5ms"]\n', slo("p50<5s"), 0, ["p50<5s"]),
        ('[tool.other]\nslo = ["p50<5ms"]\n', (), 0, []),
    ],
)
def test_a_project_says_its_objectives_once(stand_in, command, tmp_path, pyproject, words, code, found):
    service = stand_in(*FAST)
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / "pyproject.toml").write_text(pyproject)

    finished = command("loadgate", "run", service.url, *LOAD, *words, token=service.token)

    assert finished.manifest()["slo"] == found
    assert finished.code == (3 if finished.summary()["verdict"] == "invalid" else code)


@pytest.mark.parametrize(
    ("pyproject", "words", "message"),
    [
        (
            "",
            slo("p99<800"),
            "'p99<800' is not an objective: at character 5, '800': p99 is a time: its limit needs a unit",
        ),
        ('[tool.loadgate]\nslo = "p99<1s"\n', (), "pyproject.toml: tool.loadgate.slo must be a list of texts"),
        (
            '[tool.loadgate]\nslo = ["p99"]\n',
            (),
            "pyproject.toml: tool.loadgate.slo: 'p99' is not an objective: at its end",
        ),
        ("[tool.loadgate]\nslos = []\n", (), "pyproject.toml: tool.loadgate.slos is not known; known is slo"),
        ("[tool", (), "TOML file"),
    ],
)
def test_a_mistake_in_an_objective_is_told_before_the_load(command, tmp_path, pyproject, words, message):
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / "pyproject.toml").write_text(pyproject)

    finished = command("loadgate", "run", "http://127.0.0.1:9/", "--gateway=none", *words)

    assert finished.code == 2
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not finished.run.exists()
