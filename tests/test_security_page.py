"""docs/security.md names a test for each defence: it is there, under that name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PARTS = {part.partition("\n")[0]: part for part in re.split(r"(?m)^## ", PAGE)[1:]}
NOT_DEFENDED = "What is not defended"


def names_in(path):
    parsed = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in parsed.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(PAGE))))
def test_a_test_that_the_page_names_is_there(path, name):
    assert name.startswith("test_")
    assert name in names_in(path)


@pytest.mark.parametrize("title", [title for title in PARTS if title != NOT_DEFENDED])
def test_each_attacker_is_met_by_a_test(title):
    assert NAMED.search(PARTS[title])


def test_each_row_of_a_table_names_one():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| it could try")]

    assert rows
    assert [row for row in rows if not NAMED.search(row)] == []


def test_the_page_says_what_is_not_defended():
    assert "\n- " in PARTS[NOT_DEFENDED]
