"""Locust's own figures, in a process of their own: importing Locust would patch this one."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

N = 10_007  # a prime: no percentile falls between two requests, where Locust would take the other one
SHARES = [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]
COLUMNS = ["50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%"]
PROGRAM = """
import json, sys, time
from pathlib import Path
import gevent
import msgpack
import numpy as np
from loadgate import locust_stats as ours
from loadgate.recording import Batch
from analysis.run_format import MEASURES
from locust import stats
from locust.env import Environment

def batch(times_s):
    measured = np.full((len(MEASURES), len(times_s)), np.nan)
    measured[MEASURES.index("response")] = times_s
    zeros = np.zeros(len(times_s), np.int64)
    return Batch(zeros, zeros, zeros, measured, zeros, ["iris.json"])

def percentiles(entry):
    return [entry.get_response_time_percentile(share) for share in stats.PERCENTILES_TO_REPORT]

times_s = np.array(json.loads(sys.stdin.read()))
folder = Path(sys.argv[1])
half = len(times_s) // 2

environment = Environment()
environment.create_local_runner()
local = environment.stats
ours.merge(batch(times_s), local)
log = ours.LocustCsv(environment, folder, print)
gevent.sleep(0)
log.close()

logged = stats.RequestStats()
for ms in (times_s * 1000).tolist():
    logged.log_request(ours.METHOD, "iris.json", ms, 0)

worker, master = stats.RequestStats(use_response_times_cache=False), stats.RequestStats()
ours.merge(batch(times_s[:half]), master)
ours.merge(batch(times_s[half:]), worker)
sent = msgpack.loads(msgpack.dumps(worker.total.get_stripped_report()), raw=False, strict_map_key=False)
master.total.extend(stats.StatsEntry.unserialize(sent, master))

now = int(time.time())
recent = stats.RequestStats()
ours.merge(batch(times_s[:half]), recent)
total = recent.total
so_far = stats.CachedResponseTimes(dict(total.response_times), total.num_requests, total.num_none_requests)
total.response_times_cache = {now - 11: so_far, now - 30: stats.CachedResponseTimes({}, 0, 0)}
ours.merge(batch(times_s[half:]), recent)
writer = stats.StatsCSV(environment, stats.PERCENTILES_TO_REPORT)

print(json.dumps({
    "local": percentiles(local.total),
    "of a worker": percentiles(master.total),
    "logged": percentiles(logged.total),
    "median": local.total.median_response_time,
    "keys": sorted(master.total.response_times),
    "as logged": dict(logged.total.response_times) == dict(local.total.response_times),
    "counts": sum(master.total.response_times.values()),
    "current": writer._percentile_fields(total, use_current=True),
    "current, by Locust": [total.get_current_response_time_percentile(p) for p in stats.PERCENTILES_TO_REPORT],
    "nothing": writer._percentile_fields(stats.RequestStats().total),
}))
"""


@pytest.fixture(scope="module")
def times_ms():
    rng = np.random.default_rng(7)
    return np.clip(rng.lognormal(np.log(60.0), 2.5, N), 0.3, 40_000.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("csv")


@pytest.fixture(scope="module")
def locusts(times_ms, folder):
    """What Locust says of these times, however they came to it."""
    given = json.dumps((times_ms / 1000).tolist())
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def csv_rows(folder):
    with (folder / "locust_stats.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["Name"] for row in rows] == ["iris.json", "Aggregated"]
    return rows


def nearest_rank(times_ms):
    return np.quantile(times_ms, SHARES, method="inverted_cdf")


@pytest.mark.parametrize("way", ["local", "of a worker", "logged"])
def test_percentiles_are_within_half_a_percent(locusts, times_ms, way):
    assert times_ms.min() == 0.3
    assert times_ms.max() == 40_000.0
    assert locusts[way] == pytest.approx(nearest_rank(times_ms), rel=0.005)


def test_times_below_a_millisecond_are_told_apart(tmp_path):
    times_ms = np.random.default_rng(3).lognormal(np.log(0.4), 0.3, N)
    given = json.dumps((times_ms / 1000).tolist())
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = json.loads(subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout)

    assert done["of a worker"] == pytest.approx(nearest_rank(times_ms), rel=0.005)
    assert done["median"] == pytest.approx(nearest_rank(times_ms)[0], rel=0.005)
    for row in csv_rows(tmp_path):
        assert [float(row[name]) for name in COLUMNS] == pytest.approx(nearest_rank(times_ms), rel=0.005)


def test_times_have_three_digits_and_not_too_many_buckets(locusts):
    assert len(locusts["keys"]) <= 5_500
    assert all(float(f"{key:.3g}") == key for key in locusts["keys"])
    assert locusts["counts"] == N


def test_what_locust_counts_itself_is_in_the_same_buckets(locusts):
    assert locusts["as logged"]


def test_the_csv_file_has_the_digits_too(locusts, times_ms, folder):
    for row in csv_rows(folder):
        assert [float(row[name]) for name in COLUMNS] == pytest.approx(nearest_rank(times_ms), rel=0.005)
        assert float(row["Median Response Time"]) == pytest.approx(nearest_rank(times_ms)[0], rel=0.005)
        assert row["100%"] == "40000"


def test_percentiles_of_the_last_seconds_are_those_that_locust_finds(locusts, times_ms):
    latest = nearest_rank(times_ms[N // 2 :])

    assert locusts["current"] == locusts["current, by Locust"]
    assert locusts["current"] == pytest.approx(latest, rel=0.005)


def test_without_a_request_there_is_no_percentile(locusts):
    assert locusts["nothing"] == ["N/A"] * len(SHARES)


HISTORY = """
import csv, json, sys
from pathlib import Path
from types import SimpleNamespace
import gevent
import numpy as np
from loadgate import locust_stats as ours
from loadgate.recording import Batch
from analysis.run_format import MEASURES
from locust import stats
from locust.env import Environment

folder, names = Path(sys.argv[1]), int(sys.argv[2])
environment = Environment()
environment.create_local_runner()
began = 1_764_000_000
for second in range(120):
    stats.time = ours.time = SimpleNamespace(time=lambda: began + second + 0.5)
    code = np.full(50, second % names, np.int64)
    measured = np.full((len(MEASURES), 50), 0.1)
    zeros = np.zeros(50, np.int64)
    shown = [f"name {number}" for number in range(names)]
    ours.merge(Batch(zeros, code, zeros + 1, measured, zeros, shown), environment.stats)
turns = []
ticking = gevent.get_hub().loop.timer(0.001, 0.001)
log = ours.LocustCsv(environment, folder, print)
ticking.start(turns.append, 1)
while len(Path(folder, "locust_stats_history.csv").read_text().splitlines()) < 2:
    gevent.sleep(0.01)
ticking.stop()
log.close()
total = environment.stats.total
print(json.dumps({
    "seconds": [len(total.num_reqs_per_sec), len(total.num_fail_per_sec)],
    "turns": len(turns),
    "rates": [total.current_rps, total.current_fail_per_sec],
}))
"""


def history(folder, names):
    command = [sys.executable, "-c", HISTORY, str(folder), str(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    with (folder / "locust_stats_history.csv").open(newline="", encoding="utf-8") as file:
        return json.loads(done.stdout), list(csv.DictReader(file))


def test_the_history_has_every_name_while_they_are_few(tmp_path):
    _, rows = history(tmp_path, 20)

    assert [row["Name"] for row in rows] == [*sorted(f"name {number}" for number in range(20)), "Aggregated"]


def test_the_history_of_many_names_is_of_all_of_them_together(tmp_path):
    _, [row] = history(tmp_path, 21)

    assert (row["Name"], row["Total Request Count"]) == ("Aggregated", "6000")
    assert row["99%"] == "100"  # of the last seconds, as before


def test_rates_are_those_of_the_last_seconds_and_older_ones_are_forgotten(tmp_path):
    told, _ = history(tmp_path, 1)

    assert told["rates"] == [50.0, 50.0]
    assert max(told["seconds"]) <= 32


def test_the_loop_goes_on_while_the_figures_of_many_names_are_written(tmp_path):
    told, _ = history(tmp_path, 100)

    assert told["turns"] >= 50
