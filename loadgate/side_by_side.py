"""Two services under the same load at the same time, and the second compared with the first.

Runs one after the other, or in two jobs, differ by the hour and the machine, often by more than what a change makes.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import IO

from analysis.run_format import MANIFEST
from loadgate.analyse import analyse

A, B = "a", "b"
REPORT_HTML = "report.html"
CANNOT, INTERRUPTED = 2, 130
POLL_S = 0.1

Process = subprocess.Popen[str]


def run_both(urls: Mapping[str, str], out: Path, arguments: Sequence[str], tolerance: float, plots: bool) -> int:
    """Run A and B of `urls` with the same arguments into `out`/a and `out`/b; return the exit code of B against A."""
    processes = {name: _started(name, url, out, [*arguments, *_no_plots(name, plots)]) for name, url in urls.items()}
    _pass_signals_on(list(processes.values()))
    printers = [Thread(target=_print, args=(name, process.stderr)) for name, process in processes.items()]
    for printer in printers:
        printer.start()
    codes = _ended(processes)
    for printer in printers:
        printer.join()
    if CANNOT in codes.values():
        return CANNOT
    _set_baseline(out / B / MANIFEST, tolerance)
    print(out / A / REPORT_HTML)
    code = analyse(out / B, plots)
    return INTERRUPTED if INTERRUPTED in codes.values() else code


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
    )


def _pass_signals_on(processes: Sequence[Process]) -> None:
    def pass_on(number: int, _: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)


def _print(name: str, lines: IO[str] | None) -> None:
    for line in lines or ():
        sys.stderr.write(f"{name}: {line}")
        sys.stderr.flush()


def _ended(processes: Mapping[str, Process]) -> dict[str, int]:
    """Wait for all; where one cannot run, the others have nothing to be compared with and are stopped."""
    codes: dict[str, int] = {}
    while len(codes) < len(processes):
        for name, process in processes.items():
            if name in codes:
                continue
            try:
                codes[name] = process.wait(POLL_S)
            except subprocess.TimeoutExpired:
                continue
            if codes[name] == CANNOT:
                for other in processes.values():
                    other.terminate()
    return codes


def _set_baseline(manifest: Path, tolerance: float) -> None:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["baseline"] = {"path": f"../{A}", "tolerance": tolerance}
    manifest.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
