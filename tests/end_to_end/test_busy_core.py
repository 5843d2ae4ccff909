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
from statistics import fmean

import pytest
from conftest import PATIENCE_S, ROOT, wait_for
from junitparser import Error, JUnitXml

TIMED_SERVER = ROOT / "benchmarks" / "timed_server.py"
RATE, SECONDS = 4000, 2
BUSY_S = 1.0
HOGS = 12


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
    body = tmp_path / "body.json"
    body.write_text('{"req_data": [1]}')
    log = tmp_path / "server.csv"
    hogging = threading.Thread(target=hog, args=(last_core, tmp_path / "run"))
    hogging.start()
    with subprocess.Popen([sys.executable, TIMED_SERVER, f"--log={log}"], stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().split()[1]
        load = (f"--json={body}", f"--rate={RATE}", f"--duration={SECONDS}s", "--no-plots", "--slo=p50<30s")

        finished = command("loadgate", "run", url, *load, token="t", core=last_core)

        server.terminate()
    hogging.join()
    arrived = sorted(float(row["arrived"]) for row in csv.DictReader(log.read_text().splitlines()))[1:]
    since_plan = [moment - number / RATE for number, moment in enumerate(arrived)]
    seen_ms = sorted((moment - min(since_plan)) * 1000 for moment in since_plan)
    own_ms, upload_ms = (measured_ms(finished, measure) for measure in ("lateness", "upload"))
    latest_ms = max(float(row["lateness_ms"]) for row in finished.rows("timeline.csv") if row["lateness_ms"])

    assert len(arrived) == len(own_ms) == RATE * SECONDS
    assert seen_ms[-1] > 20
    assert latest_ms == pytest.approx(own_ms[-1], rel=0.001)
    # A request is sent when it is given to its connection. If that is held up, it shows in `upload`.
    assert latest_ms - 2 < seen_ms[-1] < latest_ms + upload_ms[-1] + 2
    assert fmean(own_ms) + fmean(upload_ms) == pytest.approx(fmean(seen_ms), rel=0.02, abs=1)
    assert "generator_late" in {caution["name"] for caution in finished.summary()["cautions"]}
    assert (finished.code, finished.stdout.splitlines()[-1]) == (3, "INVALID")
    assert "not judged: p50<30s: " in finished.stdout
    [case] = [case for suite in JUnitXml.fromfile(str(finished.run / "junit.xml")) for case in suite]
    assert [type(result) for result in case.result] == [Error]


def measured_ms(finished, measure: str) -> list[float]:
    """Every value of a measure, in order."""
    rows = [row for row in finished.rows("latency.csv") if row["measure"] == measure]
    return sorted(float(us) / 1000 for row in rows for us in row["value_us"].split() * int(row["count"]))
