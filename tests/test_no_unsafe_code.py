"""Nothing that we read is ever run: no module of ours has what turns data or text into code or commands."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = sorted(path for folder in ("loadgate", "analysis", "locustfiles") for path in (ROOT / folder).rglob("*.py"))
MODULES = {"cPickle", "cloudpickle", "dill", "jsonpickle", "marshal", "pickle", "shelve", "yaml"}
NAMES = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput")}
SWITCHES = {"shell", "allow_pickle"}


def unsafe(text):
    """What a module has of it, by line."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, each.name) for each in node.names if each.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append((node.lineno, node.module))
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in NAMES:
                found.append((node.lineno, called.id))
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                name = called.value.id, called.attr
                found += [(node.lineno, ".".join(name))] if name in ATTRIBUTES else []
            found += [(node.lineno, each.arg) for each in node.keywords if each.arg in SWITCHES]
    return found


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_turns_data_into_code(path):
    assert unsafe(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import pickle", "pickle"),
        ("from yaml import load", "yaml"),
        ("eval(x)", "eval"),
        ("os.system(x)", "os.system"),
        ("subprocess.run(x, shell=True)", "shell"),
        ("np.load(x, allow_pickle=True)", "allow_pickle"),
    ],
)
def test_it_would_be_found(text, what):
    assert unsafe(text) == [(1, what)]
