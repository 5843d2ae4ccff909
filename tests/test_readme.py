"""The README and the pages it names say what the code does and what a run measured."""

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))]


def test_the_first_block_is_the_two_commands_that_set_everything_up():
    first = re.search(r"```\n(.+?)```", README, re.DOTALL)

    assert first
    assert first[1] == "pip install -e . && loadgate demo\npip install -e '.[test]' && pytest\n"


def test_the_result_table_is_that_of_the_example():
    summary = json.loads((ROOT / "reports/example/summary.json").read_text(encoding="utf-8"))
    report = (ROOT / "reports/example/report.md").read_text(encoding="utf-8")
    rows = [line for line in README.splitlines() if line.startswith(("| response |", "| service |", "| lateness |"))]

    assert len(rows) == 3
    assert all(row in report.splitlines() for row in rows)
    for outcome, count in summary["outcomes"].items():
        assert f"{count:,} `{outcome}`" in README


def test_the_example_is_a_whole_run_and_its_pages_are_what_the_code_makes_of_it(tmp_path: Path):
    example, copy = ROOT / "reports/example", tmp_path / "example"
    shutil.copytree(example, copy)
    subprocess.run([sys.executable, "-P", "-m", "analysis", str(copy), "--no-plots"], check=True, capture_output=True)

    made, kept = ((folder / "summary.json").read_text(encoding="utf-8") for folder in (copy, example))
    assert json.loads(made) == json.loads(kept)
    assert json.loads(kept)["verdict"] == "none"
    assert (example / "percentiles.png").stat().st_size > 10_000


@cache
def known_options() -> set[str]:
    """Every option of our commands, by their own help."""
    helps = ""
    for command in ("run", "ui", "capacity", "worker", "send", "serve", "demo", "token", "report", "compare"):
        helps += subprocess.run(
            [sys.executable, "-P", "-m", "loadgate", command, "--help"], check=True, capture_output=True, text=True
        ).stdout
    return set(re.findall(r"--[a-z][a-z0-9-]*", helps))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.splitlines()[0])
def test_every_option_named_in_a_page_is_one(page: str):
    of_locust = {
        "--class-picker",
        "--csv",
        "--csv-full-history",
        "--headless",
        "--host",
        "--json-file",
        "--load-model",
        "--master",
        "--master-host",
        "--rate-per-user",
        "--run-time",
        "--web-host",
        "--web-login",
        "--worker",
        "--i-know-this-is-open",
    }
    of_containers = {  # tests/test_deploy.py asks Compose and kubectl themselves
        "--build",
        "--current",
        "--exit-code-from",
        "--for",
        "--from",
        "--from-env-file",
        "--image",
        "--namespace",
        "--pod-running-timeout",
        "--rm",
        "--use-aliases",
    }

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", page)) <= known_options() | of_locust | of_containers


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
)
def test_every_link_leads_somewhere(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")

    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or ((ROOT / page).parent / link).exists(), link
