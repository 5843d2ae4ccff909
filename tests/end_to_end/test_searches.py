"""Searches for the capacity of the stand-in, as short as they can be."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest
from conftest import PATIENCE_S, PYTHON, ROOT, environment, wait_for

SERVICE = ("--service-time=exponential:10ms", "--instances=1", "--concurrency=4", "--queue=100000", "--seed=1")
TRUE_PER_S = 350.1  # at which 1 % of the responses of M/M/4 with a mean of 10 ms take over 100 ms
LONG_S = 120
QUICK = ("--from=80", "--budget=60s", "--slo=p99<100ms", "--no-plots")


def capacity_of(finished):
    return json.loads((finished.run / "capacity.json").read_text(encoding="utf-8"))


def assert_reconciled(finished):
    counts = finished.manifest()["counts"]
    assert finished.outcomes().total() == counts["planned"] == counts["sent"] + counts["dropped"]


def test_a_short_search_encloses_the_true_rate(stand_in, command):
    service = stand_in(*SERVICE)
    load = ("--target-rate=1000", "--instances=2", "--headroom=10%")
    finished = command("loadgate", "capacity", service.url, *QUICK, *load, token=service.token, patience_s=LONG_S)

    found = capacity_of(finished)
    answer = found["answer"]
    assert (finished.code, answer["why"]) == (0, "found"), finished.stdout + finished.stderr
    assert answer["rate_per_s"]["low"] <= TRUE_PER_S <= answer["rate_per_s"]["high"]
    assert answer["gave_way"]["how"] == "latency"
    each_per_s = answer["rate_per_s"]["low"] / 2 * 0.9
    assert answer["plan"]["target"] == {"rate_per_s": 1000.0, "instances": -(-1000 // each_per_s)}
    assert finished.summary()["verdict"] == "pass"
    assert found == finished.summary()["capacity"]
    assert "The service carries " in finished.stdout
    assert_reconciled(finished)


def test_throttling_is_what_gives_way_at_a_fixed_cap(stand_in, command):
    service = stand_in("--service-time=constant:5ms", "--instances=8", "--concurrency=8", "--rate-limit=100")
    load = ("--from=60", "--budget=70s", "--slo=errors<1%", "--arrivals=constant", "--no-plots")
    finished = command("loadgate", "capacity", service.url, *load, token=service.token, patience_s=LONG_S)

    answer = capacity_of(finished)["answer"]
    assert finished.code == 0
    assert answer["rate_per_s"]["value"] == pytest.approx(100 / 0.99, rel=0.05)
    assert answer["gave_way"]["how"] == "throttling"


@pytest.mark.parametrize(
    ("words", "code", "why", "said"),
    [
        (("--slo=p50<2ms",), 1, "the objectives are missed at the lowest rate", "took longer than 2 ms"),
        (
            ("--slo=p50<5s", "--from=250", "--to=250"),
            0,
            "the objectives hold up to the highest rate",
            "carries at least that",
        ),
        (("--slo=p99<5s", "--budget=16s"), 3, "the budget is too small to decide anything", "Give it more"),
        (("--slo=p50<5s", "--max-in-flight=1"), 3, "the generator was the limit", "--max-in-flight"),
    ],
)
def test_what_cannot_be_found_is_said(stand_in, command, words, code, why, said):
    service = stand_in(*SERVICE)
    load = ("--from=20", "--no-plots", *(() if "--budget" in str(words) else ("--budget=40s",)))
    finished = command("loadgate", "capacity", service.url, *load, *words, token=service.token, patience_s=LONG_S)

    answer = capacity_of(finished)["answer"]
    assert (finished.code, answer["why"]) == (code, why), finished.stdout + finished.stderr
    assert said in finished.stdout
    assert answer["rate_per_s"] is None


def test_a_generator_that_is_too_slow_gives_no_number(stand_in, command, tmp_path):
    """The service would carry all of it; whoever listens to every request holds up the load."""
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / "slow.py").write_text(
        "from time import perf_counter as now\n"
        "from locust import events\n"
        "from loadgate.run_capacity import CapacitySearch, Requests\n\n"
        "@events.request.add_listener\n"
        "def slow(**_):\n    end = now() + 0.004\n    while now() < end:\n        pass\n",
        encoding="utf-8",
    )
    service = stand_in("--service-time=constant:1ms", "--instances=100", "--concurrency=100")
    load = ("--from=50", "--to=1000", "--budget=60s", "--slo=p99<5s", "--no-plots", "--arrivals=poisson")
    locust = ("locust", "--headless", "-f", "slow.py", "--host", service.url, *load)
    finished = command(*locust, token=service.token)

    answer = capacity_of(finished)["answer"]
    assert (finished.code, answer["why"], answer["rate_per_s"]) == (3, "the generator was the limit", None)
    assert "after their planned time" in finished.stdout


def test_an_interrupted_search_keeps_its_levels_and_goes_on(stand_in, command, tmp_path):
    service = stand_in(*SERVICE)
    first = tmp_path / "first"
    arguments = ["loadgate", "capacity", service.url, *QUICK, f"--out={first}"]
    with subprocess.Popen(
        [*PYTHON, *arguments], cwd=tmp_path, env=environment(service.token), stdout=subprocess.PIPE, text=True
    ) as process:
        wait_for(first / "capacity.json")
        while len(json.loads((first / "capacity.json").read_text(encoding="utf-8"))["levels"]) < 2:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    earlier = json.loads((first / "capacity.json").read_text(encoding="utf-8"))
    assert process.returncode == 130
    assert earlier["answer"]["why"] == "the search did not get to its end"

    finished = command(
        "loadgate", "capacity", service.url, f"--resume={first}", "--no-plots", token=service.token, patience_s=LONG_S
    )

    found = capacity_of(finished)
    assert finished.code == 0, finished.stdout + finished.stderr
    assert found["levels"][: len(earlier["levels"])] == earlier["levels"]
    assert (found["resumed"], found["resumed_levels"]) == ("first", len(earlier["levels"]))
    assert found["answer"]["rate_per_s"]["low"] <= TRUE_PER_S <= found["answer"]["rate_per_s"]["high"]
    assert sum(level["took_s"] for level in found["levels"]) <= 1.3 * 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "needs an objective to keep"),
        (("--slo=p99<1s", "--headroom=100%"), "below 100%"),
        (("--resume=nowhere",), "does not exist"),
        (("--resume=nowhere", "--slo=p99<1s", "--from=5"), "leave out --from, --slo"),
    ],
)
def test_bad_input_is_one_line(stand_in, command, words, said):
    service = stand_in()
    finished = command("loadgate", "capacity", service.url, *words, token=service.token)

    assert finished.code == 2
    assert said in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1
    assert not finished.run.exists()


def test_the_shape_is_locusts_and_works_on_workers(stand_in, tmp_path):
    """A master and a worker of plain Locust, and a locustfile of one's own."""
    service, run = stand_in(*SERVICE), tmp_path / "run"
    (tmp_path / "search.py").write_text(
        "from loadgate import InferenceUser\n"
        "from loadgate.shapes import CapacitySearch\n\n\n"
        "class Mine(InferenceUser):\n    kind = 'json'\n",
        encoding="utf-8",
    )
    locust = [*PYTHON, "locust", "-f", "search.py", "--host", service.url, "--budget=30s", "--slo=p50<5s"]
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    ours = {"cwd": tmp_path, "env": environment(service.token) | {"PYTHONPATH": os.fspath(ROOT)}, **pipes}
    master = [
        *locust,
        "--master",
        "--headless",
        "--expect-workers=1",
        "--from=250",
        "--to=250",
        f"--out={run}",
        "--no-plots",
    ]
    bind = ["--master-bind-host=127.0.0.1", f"--master-bind-port={port}"]
    with (
        subprocess.Popen([*master, *bind], **ours) as one,
        subprocess.Popen([*locust, "--worker", "--master-host=127.0.0.1", f"--master-port={port}"], **ours) as two,
    ):
        said, _ = one.communicate(timeout=2 * PATIENCE_S)
        two.communicate(timeout=PATIENCE_S)

    found = json.loads((run / "capacity.json").read_text(encoding="utf-8"))
    assert (one.returncode, found["answer"]["why"]) == (0, "the objectives hold up to the highest rate"), said
    levels = [level for level in found["levels"] if not level["spoiled"]]  # those are held again
    assert [level["rate_per_s"] for level in levels] == [250.0, 250.0]
    for level in levels:
        assert sum(level["outcomes"].values()) == pytest.approx(level["rate_per_s"] * level["length_s"], rel=0.05)
