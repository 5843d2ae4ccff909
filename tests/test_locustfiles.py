"""Locust imports every file of a folder, under its bare name, with all that it holds."""

import ast
import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "locustfiles").rglob("*.py"))
EXPECTED = {"Base64Requests", "FileRequests", "JsonRequests", "MixedFiles", "MixedJson"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def classes(path):
    return [node.name for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.ClassDef)]


@each_file
def test_a_locustfile_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40


@each_file
def test_the_name_of_a_locustfile_is_nobody_elses(path):
    """It becomes a global module: one called `json.py` would take the place of the standard library's."""
    assert importlib.util.find_spec(path.stem) is None


def test_locustfiles_do_not_replace_each_other():
    stems = Counter(path.stem for path in FILES)
    users = Counter(name for path in FILES for name in classes(path))

    assert set(stems.values()) == set(users.values()) == {1}


@each_file
def test_a_locustfile_only_declares_its_users(path):
    """No listener, shape or helper: Locust would take them into every run of the folder."""
    for node in ast.parse(path.read_bytes()).body[1:]:
        assert isinstance(node, ast.ImportFrom | ast.ClassDef)
        if isinstance(node, ast.ImportFrom):
            assert (node.module, [name.name for name in node.names]) == ("loadgate", ["InferenceUser"])
        else:
            assert [ast.unparse(parent) for parent in node.bases] == ["InferenceUser"]
            assert node.decorator_list == []
            assert {target.id for line in node.body for target in line.targets} <= {"kind", "paths", "weight"}


@each_file
def test_a_locustfile_says_what_it_sends(path):
    assert ast.get_docstring(ast.parse(path.read_bytes()))


def test_locust_lists_exactly_the_expected_classes_of_the_folder():
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    command = [sys.executable, "-m", "locust", "-f", "locustfiles/", "--list"]
    listed = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True)
    heading, *users = listed.stdout.split("\n", 1)[0], *listed.stdout.split()[2:]

    assert heading == "Available Users:"
    assert sorted(users) == sorted(EXPECTED)
    assert {name for path in FILES for name in classes(path)} == EXPECTED
