"""What is installed along with loadgate: by name and version, from wherever the user's pip is told to look."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = [
    *PROJECT["dependencies"],
    *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
]


@pytest.mark.parametrize("text", [text for text in REQUIREMENTS if not text.startswith("loadgate[")])
def test_a_dependency_has_a_name_and_a_lowest_version_and_no_place_of_its_own(text):
    found = Requirement(text)

    assert found.url is None
    assert any(each.operator == ">=" for each in found.specifier)


def test_no_index_is_named():
    for path in (ROOT / "pyproject.toml", ROOT / ".ci" / "run"):
        assert not re.search(r"index-url|find-links|trusted-host|https?://", path.read_text(encoding="utf-8"))
