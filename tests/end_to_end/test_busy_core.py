"""A generator that does not get its core says so, and a clock that is not its own agrees: the kernel's, where the
requests arrive.
"""

import csv
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import PATIENCE_S, ROOT, wait_for

TIMED_SERVER = ROOT / "benchmarks" / "timed_server.py"
RATE, SECONDS = 2000, 3
BUSY_S = 1.0
HOGS = 16


@pytest.fixture
def last_core():
    """Have this process, and so what it starts, on all cores but one; that one is given."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core: the service would be as late as the generator")
    os.sched_setaffinity(0, cores[:-1])
    yield cores[-1]
    os.sched_setaffinity(0, cores)


def hog(core: int, run: Path) -> None:
    """Once the run has begun, let others have its core for a while."""
    wait_for(run / "timeline.csv")
    time.sleep(0.5)
    spin = f"import os, time; os.sched_setaffinity(0, {{{core}}}); end = time.monotonic() + {BUSY_S}\n"
    spin += "while time.monotonic() < end: pass"
    # A session each: where the system shares a core fairly between sessions, these are as many as there are.
    hogs = [subprocess.Popen([sys.executable, "-c", spin], start_new_session=True) for _ in range(HOGS)]
    for process in hogs:
        process.wait(PATIENCE_S)


def test_the_lateness_in_the_timeline_is_what_the_service_saw(command, tmp_path: Path, last_core: int):
    log = tmp_path / "server.csv"
    hogging = threading.Thread(target=hog, args=(last_core, tmp_path / "run"))
    hogging.start()
    with subprocess.Popen([sys.executable, TIMED_SERVER, f"--log={log}"], stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().split()[1]
        load = (f"--rate={RATE}", f"--duration={SECONDS}s", "--no-plots")

        finished = command("loadgate", "run", url, *load, token="t", core=last_core)

        server.terminate()
    hogging.join()
    arrived = sorted(float(row["arrived"]) for row in csv.DictReader(log.read_text().splitlines()))[1:]
    since_plan = [moment - number / RATE for number, moment in enumerate(arrived)]
    seen_ms = (max(since_plan) - min(since_plan)) * 1000
    late = [row for row in finished.rows("latency.csv") if row["measure"] == "lateness"]
    timeline = finished.rows("timeline.csv")
    latest_ms = max(float(row["lateness_ms"]) for row in timeline if row["lateness_ms"])

    assert len(arrived) == RATE * SECONDS
    assert seen_ms > 20
    assert latest_ms == pytest.approx(seen_ms, rel=0.05, abs=5)
    assert latest_ms == pytest.approx(max(float(row["value_us"]) for row in late) / 1000, rel=0.001)
    assert "generator_late" in {caution["name"] for caution in finished.summary()["cautions"]}
    assert finished.code == 3
