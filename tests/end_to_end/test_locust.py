"""The same load from plain Locust: one locustfile, a folder of them, its web page, its listeners."""

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from conftest import PYTHON, ROOT, environment, wait_for

LOCUSTFILES = ROOT / "locustfiles"
LOAD = ("--headless", "--users=40", "--spawn-rate=40", "--duration=500ms", "--no-plots")
FAST = ("--service-time=constant:20ms", "--instances=16")


@pytest.mark.parametrize(
    ("locustfile", "models"),
    [
        ("json_requests.py", {"json"}),
        ("file_requests.py", {"file"}),
        ("base64_requests.py", {"base64"}),
        ("mixed_requests.py", {"json", "file"}),
        ("", {"json", "file", "base64"}),
    ],
)
def test_locustfiles_work_headless(stand_in, command, locustfile: str, models: set[str]):
    service = stand_in(*FAST)

    finished = command("locust", f"-f={LOCUSTFILES / locustfile}", f"--host={service.url}", *LOAD, token=service.token)

    finished.assert_sound()
    rows = service.truth()[1:]
    assert {row["model"] for row in rows} == models
    assert finished.outcomes() == {"ok": len(rows)}
    assert len(rows) == pytest.approx(20, abs=len(models) + 2)
    if locustfile == "mixed_requests.py":
        assert Counter(row["model"] for row in rows)["file"] == pytest.approx(4, abs=1)


def test_locusts_run_time_is_the_duration(stand_in, command):
    service = stand_in(*FAST)
    load = ("--headless", "--users=30", "--spawn-rate=30", "--run-time=1s", "--no-plots")

    finished = command(
        "locust", f"-f={LOCUSTFILES / 'json_requests.py'}", f"--host={service.url}", *load, token=service.token
    )

    assert finished.outcomes()["ok"] == pytest.approx(30, abs=1)
    assert finished.manifest()["load"]["duration_s"] == 1


def test_locusts_own_figures_agree(stand_in, command):
    service = stand_in(*FAST, "--fault=unavailable:20%", "--seed=2")

    finished = command(
        "locust", f"-f={LOCUSTFILES / 'json_requests.py'}", f"--host={service.url}", *LOAD, token=service.token
    )

    statuses = Counter(row["status"] for row in service.truth()[1:])
    total = (finished.run / "locust_stats.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")
    failures = (finished.run / "locust_failures.csv").read_text(encoding="utf-8").splitlines()
    assert [int(count) for count in total[2:4]] == [sum(statuses.values()), statuses["503"]]
    assert failures[1].split(",")[:4] == ["POST", "iris.json", "unavailable", str(statuses["503"])]


def test_a_listener_hears_of_every_request_and_nothing_is_counted_twice(stand_in, command, tmp_path: Path):
    service = stand_in(*FAST, "--fault=model_error:20%", "--seed=2")
    heard = tmp_path / "heard.jsonl"
    locustfile = tmp_path / "listening_requests.py"
    locustfile.write_text(
        f"""
import json
from locust import events
from loadgate import InferenceUser

class Listening(InferenceUser):
    kind = "json"

@events.request.add_listener
def hear(name, response_time, exception, **_):
    with open({str(heard)!r}, "a") as file:
        print(json.dumps([name, response_time, str(exception)]), file=file)
""",
        encoding="utf-8",
    )

    finished = command("locust", f"-f={locustfile}", f"--host={service.url}", *LOAD, token=service.token)

    lines = [json.loads(line) for line in heard.read_text(encoding="utf-8").splitlines()]
    statuses = Counter(row["status"] for row in service.truth()[1:])
    assert Counter(line[2] for line in lines) == {"None": statuses["200"], "server_error": statuses["500"]}
    assert all(line[0] == "iris.json" and line[1] >= 20 for line in lines)
    total = (finished.run / "locust_stats.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")
    assert int(total[2]) == len(lines)


def test_web_page_starts_and_stops_runs_of_their_own(stand_in, tmp_path: Path):
    service = stand_in(*FAST)
    arguments = [
        f"--host={service.url}",
        "--web-host=127.0.0.1",
        "--web-port=0",
        f"--out={tmp_path / 'run'}",
        "--no-plots",
    ]
    command = [*PYTHON, "locust", f"-f={LOCUSTFILES / 'json_requests.py'}", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(service.token)
    )
    try:
        page = _address(process)
        outcomes = []
        for number in (1, 2):
            run = tmp_path / ("run" if number == 1 else "run-2")
            _post(f"{page}/swarm", {"user_count": 30, "spawn_rate": 30, "host": service.url})
            wait_for(run / "latency.csv")
            time.sleep(1)
            _post(f"{page}/stop", {})
            wait_for(run / "summary.json")
            manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
            assert manifest["state"] == "complete"
            outcomes.append(json.loads((run / "summary.json").read_text(encoding="utf-8"))["outcomes"]["ok"])
            assert outcomes[-1] == manifest["counts"]["planned"]
    finally:
        process.terminate()
        process.communicate(timeout=30)

    assert min(outcomes) > 20
    assert len(service.truth()) == sum(outcomes) + 2  # each run's first request


def _address(process: subprocess.Popen) -> str:
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            port = found[1] if found[1] != "0" else _listening_port(process.pid)
            return f"http://127.0.0.1:{port}"
    raise AssertionError("Locust's page did not start")


def _listening_port(pid: int) -> str:
    import psutil

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ports = [c.laddr.port for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        if ports:
            return str(ports[0])
        time.sleep(0.05)
    raise AssertionError("nothing listens")


def _post(url: str, fields: dict[str, object]) -> None:
    own = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), {"Origin": own})
    urllib.request.urlopen(request).close()


def test_tasks_of_ones_own_get_their_answers_and_are_measured(stand_in, command, tmp_path: Path):
    service = stand_in(*FAST)
    locustfile = tmp_path / "own_tasks.py"
    locustfile.write_text(
        """
from locust import task
from loadgate import InferenceUser
from loadgate.payloads import json_payload

EMPTY = json_payload("empty", b'{"data": {"req_data": []}}', "here")

class Visitor(InferenceUser):
    kind = "json"

    @task
    def ask_twice(self):
        assert self.infer().json()["data"]["resp_data"]
        self.infer(EMPTY)

    def on_stop(self):
        self.infer()
"""
    )

    finished = command("locust", f"-f={locustfile}", f"--host={service.url}", *LOAD, token=service.token)

    rows = service.truth()[1:]
    names = Counter(row["name"] for row in finished.rows("latency.csv") if row["measure"] == "response")
    assert sum(finished.outcomes().values()) == len(rows) > 40
    assert set(names) == {"iris.json", "empty"}
    assert finished.manifest()["load"]["model"] == "closed"
    assert "Traceback" not in finished.stderr
