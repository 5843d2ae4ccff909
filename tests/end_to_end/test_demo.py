"""The demo: the whole job with nothing to configure."""

import re
from contextlib import suppress
from pathlib import Path


def test_the_demo_ends_with_a_report_that_shows_every_kind_of_trouble(command):
    finished = command("loadgate", "demo", "--duration=6s")

    finished.assert_sound()
    outcomes = finished.outcomes()
    assert outcomes["ok"] > 150
    assert outcomes["oversize"] == 12
    assert outcomes["gateway_timeout"] >= 1
    assert str(finished.run / "report.html") in finished.stdout
    assert re.search(r"^response +\d+ ", finished.stdout, re.MULTILINE)
    assert "token from its IAM: 6,344 characters" in finished.stderr
    assert not _processes_of(finished.run.parent)


def test_an_interrupted_demo_has_its_report_and_leaves_nothing_running(command):
    finished = command("loadgate", "demo", interrupt="SIGINT")

    assert finished.code == 130, finished.stderr
    assert finished.manifest()["state"] == "interrupted"
    assert finished.outcomes()["ok"] + finished.outcomes()["oversize"] > 20
    assert finished.outcomes()["connection_error"] == 0
    assert (finished.run / "report.html").exists()
    assert not _processes_of(finished.run.parent)


def _processes_of(folder: Path) -> list[str]:
    """Processes that still run in this folder: the stand-in must be gone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.joinpath("cwd").readlink().is_relative_to(folder):
                found.append(process.name)
    return found
