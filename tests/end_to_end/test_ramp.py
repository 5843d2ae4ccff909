"""A ramp through Locust: the kernel's clock, where the requests arrive, sees its rate and no burst or gap."""

import csv
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

TIMED_SERVER = ROOT / "benchmarks" / "timed_server.py"
RATE, LATE_S = 100, 0.008


def gaps_of_a_ramp(command, folder: Path) -> list[float]:
    """The seconds between arrivals, in their order."""
    body, log = folder / "body.json", folder / "server.csv"
    body.write_text('{"req_data": [1]}')
    with subprocess.Popen([sys.executable, TIMED_SERVER, f"--log={log}"], stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().split()[1]
        load = (f"--json={body}", f"--rate={RATE}", "--ramp=2s", "--duration=2500ms", "--no-plots")

        finished = command("loadgate", "run", url, *load, token="t")

        server.terminate()
    finished.assert_sound()
    shutil.rmtree(finished.run)  # the next one's place
    arrived = sorted(float(row["arrived"]) for row in csv.DictReader(log.read_text().splitlines()))[1:]
    return [later - earlier for earlier, later in itertools.pairwise(arrived)]


def is_even(gaps: list[float]) -> bool:
    slow, between, fast = gaps[:48], gaps[48:52], gaps[52:]
    return (
        abs(len(gaps) - 199) <= 2
        and all(abs(gap - 2 / RATE) < LATE_S for gap in slow)
        and all(1 / RATE - LATE_S < gap < 2 / RATE + LATE_S for gap in between)
        and all(abs(gap - 1 / RATE) < LATE_S for gap in fast)
    )


def test_a_ramp_has_neither_burst_nor_gap(command, tmp_path: Path):
    """Locust starts 50 users at once and 50 a second later: 50/s, then 100/s."""
    # A machine that stands still for a moment spoils one of them, a burst of ours would be in each.
    assert any(is_even(gaps_of_a_ramp(command, tmp_path)) for _ in range(3))
