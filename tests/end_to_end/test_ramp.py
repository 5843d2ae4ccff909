"""A ramp through Locust: the kernel's clock, where the requests arrive, sees its rate and no burst or gap."""

import csv
import itertools
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

TIMED_SERVER = ROOT / "benchmarks" / "timed_server.py"
RATE, LATE_S = 100, 0.008


def test_a_ramp_has_neither_burst_nor_gap(command, tmp_path: Path):
    """Locust starts 50 users at once and 50 a second later: 50/s, then 100/s."""
    body = tmp_path / "body.json"
    body.write_text('{"req_data": [1]}')
    log = tmp_path / "server.csv"
    with subprocess.Popen([sys.executable, TIMED_SERVER, f"--log={log}"], stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().split()[1]

        load = (f"--json={body}", f"--rate={RATE}", "--ramp=2s", "--duration=2500ms", "--no-plots")

        finished = command("loadgate", "run", url, *load, token="t")

        server.terminate()
    arrived = sorted(float(row["arrived"]) for row in csv.DictReader(log.read_text().splitlines()))[1:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrived)]
    slow, fast = gaps[:48], gaps[52:]

    finished.assert_sound()
    assert abs(len(arrived) - 200) <= 2
    assert all(abs(gap - 2 / RATE) < LATE_S for gap in slow)
    assert all(abs(gap - 1 / RATE) < LATE_S for gap in fast)
    assert min(gaps) > 1 / RATE - LATE_S
    assert max(gaps) < 2 / RATE + LATE_S
