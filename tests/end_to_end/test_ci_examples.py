"""The examples of docs/ci.md, carried out as their servers would."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
import yaml
from conftest import ROOT, environment

PAGE = (ROOT / "docs/ci.md").read_text("utf-8")
JOB = yaml.safe_load(re.search(r"```yaml\n(name: .*?)```", PAGE, re.DOTALL)[1])
GITLAB = yaml.safe_load(re.search(r"```yaml\n(load:\n.*?)```", PAGE, re.DOTALL)[1])["load"]
JENKINS = textwrap.dedent(re.search(r"sh '''(.*?)'''", PAGE, re.DOTALL)[1])
STEPS = {step["name"]: step["run"] for step in JOB["jobs"]["load"]["steps"] if "run" in step}


def shortened(script: str) -> str:
    """The same with a load of seconds."""
    return script.replace("--duration 2m", "--duration 6s").replace("over 30s stop", "over 3s stop")


@pytest.mark.parametrize(("slower", "code"), [("", 0), ("--slo 'p50<1ms'", 1)])
def test_the_github_example_gates_and_keeps_its_report(tmp_path: Path, slower: str, code: int):
    summary = tmp_path / "summary.md"
    environ = environment(None) | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
    }

    def carry_out(commands: str) -> subprocess.CompletedProcess[str]:
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands]  # as GitHub runs a step
        return subprocess.run(
            shell, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    assert list(STEPS) == ["Install", "Start the service", "Load"]  # installed is what is tested
    try:
        assert carry_out(STEPS["Start the service"]).returncode == 0
        done = carry_out(shortened(STEPS["Load"]).rstrip() + f" {slower}")
    finally:
        psutil.Process(int((tmp_path / "service.pid").read_text())).terminate()

    verdict = json.loads((tmp_path / "loadgate-run" / "summary.json").read_text("utf-8"))["verdict"]
    # On a busy machine the generator may be late: then there is no other verdict.
    assert done.returncode == (3 if verdict == "invalid" else code), done.stdout + done.stderr
    assert "## Objectives" in summary.read_text("utf-8")
    assert {"report.html", "junit.xml", "summary.json"} <= {path.name for path in (tmp_path / "loadgate-run").iterdir()}
    assert ("::error title=" in done.stdout) == (done.returncode != 0)


@pytest.mark.parametrize(
    ("script", "environ", "kept"),
    [
        ("\n".join(GITLAB["script"]), {"GITLAB_CI": "true"}, list(GITLAB["artifacts"]["reports"].values())),
        (JENKINS, {}, re.findall(r"junit '(.*?)'", PAGE)),
    ],
    ids=["gitlab", "jenkins"],
)
def test_the_other_examples_gate_and_keep_what_they_say(tmp_path: Path, script: str, environ, kept: list[str]):
    lines = [line for line in script.splitlines() if "pip install" not in line]  # installed is what is tested
    assert len(lines) == len(script.splitlines()) - 1
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    with subprocess.Popen(
        ["/bin/sh", "-e", "-c", shortened("\n".join(lines))],
        cwd=tmp_path,
        env=environment(None) | {"PATH": path} | environ,
        start_new_session=True,  # its service ends with the job
    ) as job:
        try:
            code = job.wait(120)
        finally:
            os.killpg(job.pid, signal.SIGTERM)

    verdict = json.loads((tmp_path / "loadgate-run" / "summary.json").read_text("utf-8"))["verdict"]
    assert code == (3 if verdict == "invalid" else 0)
    assert kept
    assert all((tmp_path / file).stat().st_size for file in kept)
