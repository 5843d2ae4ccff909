"""The runs that the page knows: the tab "Report", their reports and their files."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gevent
from flask import Blueprint, Response, abort, make_response, render_template, send_from_directory

from analysis.run_format import MANIFEST, REPORT_HTML, SUMMARY
from analysis.wording import NOTHING, count_text, estimate_text, one_line, size_text
from loadgate import manifest
from loadgate.secret import without_secrets
from loadgate.web.tabs import Tab

MOST_SHOWN = 50  # the newest
LARGEST_BYTES = 16 << 20  # of a manifest or a summary
LONGEST_WORD = 40
FRESH_S = 10.0  # as long a live report is not made anew
LOWEST_PRIORITY = 19
# A report is made of what a service said, and a folder may hold somebody else's: it must not act as this page.
SANDBOX = "sandbox allow-scripts allow-popups; frame-ancestors 'none'"
COLUMNS = {
    "run": "Run",
    "started": "Started, UTC",
    "state": "State",
    "requests": "Requests",
    "p50": "p50",
    "p99": "p99",
    "verdict": "Verdict",
    "report": "Report",
    "files": "Files",
}


@dataclass(frozen=True)
class Listed:
    """What is shown of a run; figures are of its report, `-` before there is one."""

    run: str
    started: str
    state: str
    requests: str = NOTHING
    p50: str = NOTHING
    p99: str = NOTHING
    verdict: str = NOTHING


class Runs:
    """The runs beside that which is on."""

    def __init__(self, web_ui: Any) -> None:
        out = web_ui.environment.parsed_options.out
        self._folder = (Path(out).parent if out else Path(manifest.DEFAULT_PARENT)).resolve()
        self._web_ui = web_ui
        self._live = LiveReports()

    def add_to(self, pages: Blueprint) -> None:
        """Put the runs under these pages."""
        rules = {
            "/runs/": self.all_runs,
            "/runs/<name>/": self.files,
            f"/runs/<name>/{REPORT_HTML}": self.report,
            "/runs/<name>/<file>": self.file,
        }
        for path, view in rules.items():
            pages.add_url_rule(path, view.__name__, self._web_ui.auth_required_if_enabled(view))

    def tab(self, pages: str) -> Tab:
        """The tab; `pages` is the path that the runs are under."""
        return Tab("report", "Report", COLUMNS, lambda: lambda: (_row(listed, pages) for listed in self._listed()))

    # ---- pages

    def all_runs(self) -> str:
        """A list of them."""
        # In a thread of its own: the load must not wait for the disk.
        runs = gevent.get_hub().threadpool.apply(lambda: list(self._listed()))
        return render_template("loadgate/runs.html", runs=runs)

    def files(self, name: str) -> str:
        """The files of one run."""
        found = {path.name: size_text(path.stat().st_size) for path in sorted(_files(self._run(name)))}
        return render_template("loadgate/run.html", run=name, files=found)

    def report(self, name: str) -> Response:
        """Its report: the one it has, else one of what it has so far."""
        run = self._run(name)
        if run / REPORT_HTML in _files(run):
            return _sandboxed(send_from_directory(run, REPORT_HTML))
        folder, error = self._live.of(run)
        if folder is not None:
            return _sandboxed(make_response((folder / REPORT_HTML).read_bytes()))
        return make_response(render_template("loadgate/waiting.html", run=name, error=error))

    def file(self, name: str, file: str) -> Response:
        """One of its files, to keep."""
        run = self._run(name)
        if file not in {path.name for path in _files(run)}:
            abort(404)
        return send_from_directory(run, file, as_attachment=True)

    # ---- inside

    def _run(self, name: str) -> Path:
        """The run called `name`, which a browser may have made up."""
        if name not in {path.name for path in self._runs()}:
            abort(404)
        return self._folder / name

    def _runs(self) -> Iterator[Path]:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name.isprintable() and (path / MANIFEST).is_file():
                    yield path

    def _listed(self) -> Iterator[Listed]:
        found = ((_changed_ns(path / MANIFEST), _changed_ns(path / SUMMARY), path) for path in self._runs())
        for manifest_ns, summary_ns, path in sorted(found, reverse=True)[:MOST_SHOWN]:
            yield _listed(path, manifest_ns, summary_ns)


class LiveReports:
    """Reports of runs that have none yet, made by a process of their own that comes after the load."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="loadgate-")  # gone with this
        self._made: dict[Path, tuple[float, str]] = {}  # when, and why not
        self._making: dict[Path, gevent.Greenlet] = {}

    def of(self, run: Path) -> tuple[Path | None, str]:
        """The folder of the report of `run`, or none while it is being made; and why it could not be."""
        made_at, error = self._made.get(run, (-FRESH_S, ""))
        folder = Path(self._folder.name, run.name)
        if time.monotonic() - made_at < FRESH_S:
            return (None, error) if error else (folder, "")
        if run not in self._making:
            self._making[run] = gevent.spawn(self._make, run, folder)
        return None, ""

    def _make(self, run: Path, folder: Path) -> None:
        command = [sys.executable, "-P", "-m", "analysis", str(run), f"--out={folder}"]
        try:
            with subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=without_secrets(os.environ),
            ) as process:
                os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST_PRIORITY)
                _, words = process.communicate()
            failed = not (folder / REPORT_HTML).is_file()
            self._made[run] = time.monotonic(), (one_line(words) or "it could not be made") if failed else ""
        finally:
            del self._making[run]


def _sandboxed(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


def _files(run: Path) -> Iterator[Path]:
    for path in run.iterdir():
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=10 * MOST_SHOWN)
def _listed(run: Path, _manifest_ns: int, _summary_ns: int) -> Listed:
    """What is shown of `run`, read once for each state of its files."""
    about, summary = _json(run / MANIFEST), _json(run / SUMMARY)
    started = str(about.get("started_at") or NOTHING)[:19].replace("T", " ")
    listed = Listed(run.name, _word(started), _word(about.get("state") or NOTHING))
    try:
        latency = summary["latency"][summary["main"]]
        return replace(
            listed,
            requests=count_text(sum(summary["outcomes"].values())),
            p50=estimate_text(latency["p50"]),
            p99=estimate_text(latency["p99"]),
            verdict=_word(summary["verdict"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError):
        return listed  # no report yet, or one without these percentiles


def _json(path: Path) -> dict[str, Any]:
    try:
        # A folder may hold anything: what waits for a writer, or is without end.
        found = json.loads(path.read_bytes()) if path.is_file() and path.stat().st_size <= LARGEST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _word(value: object) -> str:
    return one_line(str(value)[:LONGEST_WORD])


def _row(listed: Listed, pages: str) -> Mapping[str, str]:
    at = f"{pages}/runs/{listed.run}/"
    return {**vars(listed), "report": f"{at}{REPORT_HTML}", "files": at}
