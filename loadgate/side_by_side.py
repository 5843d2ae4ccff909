"""Two services under the same load at the same time, and the second compared with the first.

Runs one after the other, or in two jobs, differ by the hour and the machine, often by more than what a change makes.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import IO

from analysis.run_format import MANIFEST, REPORT_HTML, SUMMARY
from loadgate import run_directory, target
from loadgate.analyse import analyse
from loadgate.errors import CANNOT, INTERRUPTED

A, B = "a", "b"
# What a server is told is told once, of the comparison.
OF_CI_SERVERS = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITLAB_CI")
POLL_S = 0.1

Process = subprocess.Popen[str]


def run_both(urls: Mapping[str, str], out: Path, arguments: Sequence[str], tolerance: float, plots: bool) -> int:
    """Run A and B of `urls` with the same arguments into `out`/a and `out`/b; return the exit code of B against A.

    Raises ConfigError for what can be told before anything is sent.
    """
    for url in urls.values():
        target.parse(url)
    for folder in (out, out / A, out / B):
        run_directory.check_writable(folder)
    processes: dict[str, Process] = {}
    signalled = _pass_signals_on(processes)
    for name, url in urls.items():
        if not signalled:
            processes[name] = _started(name, url, out, [*arguments, *_no_plots(name, plots)])
    printers = [Thread(target=_print, args=(name, process.stderr)) for name, process in processes.items()]
    for printer in printers:
        printer.start()
    codes = _ended(processes, out)
    for printer in printers:
        printer.join()
    if CANNOT in codes.values():
        return CANNOT
    missing = [name for name in urls if not (out / name / MANIFEST).exists()]
    if missing:
        if not signalled:
            sys.stderr.write(f"Error: {missing[0]} ended with code {codes.get(missing[0])} before it had a run\n")
        return INTERRUPTED if signalled else CANNOT
    _set_baseline(out / B / MANIFEST, tolerance)
    print(_line(out / A))
    code = analyse(out / B, plots)
    return INTERRUPTED if signalled else code


def _line(run: Path) -> str:
    """What became of A, in a line: its own objectives do not decide about B."""
    summary = run / SUMMARY
    verdict = json.loads(summary.read_text(encoding="utf-8"))["verdict"] if summary.exists() else "no report"
    return f"{run / REPORT_HTML} (by itself: {verdict})"


def _no_plots(name: str, plots: bool) -> list[str]:
    # B's report is written once more when A has ended, and then with its pictures.
    return [] if plots and name == A else ["--no-plots"]


def _started(name: str, url: str, out: Path, arguments: Sequence[str]) -> Process:
    # In a process group of its own: a Ctrl-C comes from here, once.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "loadgate", "run", url, f"--out={out / name}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
        env={name: value for name, value in os.environ.items() if name not in OF_CI_SERVERS},
    )


def _pass_signals_on(processes: Mapping[str, Process]) -> list[int]:
    """Pass signals on to whatever is started by then; they are put into the list."""
    signalled: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        signalled.append(number)
        for process in processes.values():
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    return signalled


def _print(name: str, lines: IO[str] | None) -> None:
    for line in lines or ():
        sys.stderr.write(f"{name}: {line}")
        sys.stderr.flush()


def _ended(processes: Mapping[str, Process], out: Path) -> dict[str, int]:
    """Wait for all; where one cannot run, or ends before its time, the others have nothing to be compared with."""
    codes: dict[str, int] = {}
    while len(codes) < len(processes):
        for name, process in processes.items():
            if name in codes:
                continue
            try:
                codes[name] = process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                continue
            if codes[name] == CANNOT or not _is_complete(out / name / MANIFEST):
                for other in processes.values():
                    other.terminate()
    return codes


def _is_complete(manifest: Path) -> bool:
    return manifest.exists() and json.loads(manifest.read_text(encoding="utf-8"))["state"] == "complete"


def _set_baseline(manifest: Path, tolerance: float) -> None:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["baseline"] = {"path": f"../{A}", "tolerance": tolerance}
    manifest.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
