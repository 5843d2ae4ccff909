"""Who may import whom: locustfiles -> loadgate -> analysis, and the stand-in knows neither of the two."""

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("locustfiles", "loadgate", "analysis")
FILES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def imported(path):
    """Every module that a file imports, anywhere in it; of `from a import b`, both `a` and `a.b`."""
    package, modules = ".".join(path.relative_to(ROOT).parent.parts), set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            modules |= {module, *(f"{module}.{name.name}" for name in node.names)}
    return modules


def packages(path):
    return {module.partition(".")[0] for module in imported(path)}


def within(*folders):
    chosen = [path for path in FILES if path.is_relative_to(ROOT.joinpath(*folders))]
    assert chosen
    return pytest.mark.parametrize("path", chosen, ids=lambda path: str(path.relative_to(ROOT)))


@within("analysis")
def test_analysis_knows_only_the_run_directory(path):
    assert packages(path).isdisjoint({"loadgate", "locustfiles", "locust", "gevent"})


@within("loadgate")
def test_loadgate_does_not_know_the_locustfiles(path):
    assert "locustfiles" not in packages(path)


@within("loadgate", "standin")
def test_the_stand_in_knows_nothing_of_the_rest(path):
    ours = {module for module in imported(path) if module.partition(".")[0] in LAYERS}

    assert {module for module in ours if not f"{module}.".startswith("loadgate.standin.")} == set()
    assert packages(path).isdisjoint({"locust", "gevent"})


@within("locustfiles")
def test_locustfiles_know_loadgate_alone(path):
    assert packages(path) & set(LAYERS) == {"loadgate"}
    assert imported(path) & {"loadgate", "loadgate.InferenceUser"} == {"loadgate", "loadgate.InferenceUser"}


def test_only_the_user_and_what_runs_inside_locust_import_it():
    """Importing Locust patches the process: `serve`, `send` and `report` must not."""
    importers = {path.relative_to(ROOT).as_posix() for path in FILES if "locust" in packages(path)}

    assert importers == {
        "loadgate/commands/run.py",
        "loadgate/fleet.py",
        "loadgate/locust_rpc.py",
        "loadgate/locust_stats.py",
        "loadgate/progress.py",
        "loadgate/session.py",
        "loadgate/shapes.py",
        "loadgate/user.py",
        "loadgate/web/locust_form.py",
        "loadgate/worker.py",
        "loadgate/workers.py",
    }


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("loadgate, loadgate.commands", {"locust", "gevent", "ssl"}),
        ("loadgate.commands.serve", {"locust", "gevent"}),
        ("loadgate.commands.report, loadgate.commands.compare", {"locust", "gevent", "matplotlib"}),
        ("loadgate.commands.send, loadgate.commands.run", {"locust"}),
        ("analysis.report", {"locust", "gevent", "loadgate"}),
    ],
)
def test_an_import_does_not_bring_what_patches_the_process(modules, absent):
    program = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert absent.isdisjoint(loaded.stdout.split())
