"""A load from the first request to the report, checked against what the stand-in knows."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import PYTHON, ROOT, environment, wait_for

FAST = ("--service-time=constant:20ms", "--instances=16")
STATUS_OUTCOMES = {
    "200": "ok",
    "401": "unauthorized",
    "413": "oversize",
    "429": "throttled",
    "500": "server_error",
    "503": "unavailable",
    "504": "gateway_timeout",
}


def assert_reconciled(finished, service) -> Counter:
    """Planned = every outcome together = what the stand-in saw (the first request, before the load, included)."""
    outcomes, manifest = finished.outcomes(), finished.manifest()
    planned = manifest["counts"]["planned"]

    assert sum(outcomes.values()) == planned
    assert manifest["counts"]["sent"] == planned - outcomes["dropped"]
    assert len(service.truth()) == manifest["counts"]["sent"] + 1
    assert finished.summary()["outcomes"] == dict(outcomes)
    return outcomes


def test_open_load_is_sent_as_planned_and_measured_as_it_was(stand_in, command):
    service = stand_in("--service-time=constant:100ms", "--instances=16")

    finished = command("loadgate", "run", service.url, "--no-plots", "--rate=50", "--duration=5s", token=service.token)

    finished.assert_sound()
    assert assert_reconciled(finished, service)["ok"] == pytest.approx(250, abs=1)
    truth_s = [float(row["end_s"]) - float(row["arrival_s"]) for row in service.truth()[1:]]
    latency = finished.summary()["latency"]["service"]
    for percentile, share, late_s in (("p50", 0.5, 0.005), ("p90", 0.9, 0.02)):
        true_s = np.quantile(truth_s, share, method="inverted_cdf")
        assert latency[percentile]["value_s"] == pytest.approx(true_s, abs=late_s)


def test_every_answer_of_the_gateway_and_the_model_gets_its_outcome(stand_in, command):
    faults = ("model_error", "unavailable", "throttled", "cut", "bad_answer", "wrong_uuid", "slow", "hang")
    service = stand_in(
        *FAST, "--timeout=300ms", "--instances=64", "--seed=5", *(f"--fault={name}:5%" for name in faults)
    )

    finished = command(
        "loadgate",
        "run",
        service.url,
        "--rate=150",
        "--duration=2s",
        "--timeout=300ms",
        "--grace=300ms",
        token=service.token,
    )

    outcomes = assert_reconciled(finished, service)
    by_fault = Counter(row["fault"] for row in service.truth()[1:])
    statuses = Counter(row["status"] for row in service.truth()[1:] if row["fault"] in ("", "slow"))
    assert statuses["504"] == by_fault["slow"]
    assert outcomes == Counter(
        {
            "ok": statuses["200"],
            "gateway_timeout": by_fault["slow"],
            "client_timeout": by_fault["hang"],
            "server_error": by_fault["model_error"],
            "unavailable": by_fault["unavailable"],
            "throttled": by_fault["throttled"],
            "connection_error": by_fault["cut"],
            "bad_answer": by_fault["bad_answer"] + by_fault["wrong_uuid"],
        }
    )
    assert min(by_fault[name] for name in faults) > 0


def test_oversize_bodies_are_rejected_by_the_gateway_and_counted(stand_in, command, tmp_path: Path):
    service = stand_in(*FAST, "--body-limit=64KiB")
    (tmp_path / "big.png").write_bytes(bytes(200_000))

    finished = command(
        *("loadgate", "run", service.url, "--no-plots", "--rate=40", "--duration=1s", "--body-limit=64KiB"),
        *(f"--file={tmp_path / 'big.png'}", f"--file={ROOT / 'loadgate/samples/flower.png'}"),
        token=service.token,
    )

    outcomes = assert_reconciled(finished, service)
    by_size = Counter(int(row["bytes"]) > 65536 for row in service.truth()[1:])
    assert outcomes == {"ok": by_size[False], "oversize": by_size[True]}
    assert abs(by_size[True] - by_size[False]) <= 1
    big = next(source for source in finished.manifest()["payloads"] if source["name"] == "big.png")
    assert big["over_limit"] == 1


def test_closed_users_wait_for_their_answers(stand_in, command):
    service = stand_in("--service-time=constant:50ms", "--instances=8")

    finished = command("loadgate", "run", service.url, "--no-plots", "--users=3", "--duration=2s", token=service.token)

    assert_reconciled(finished, service)
    edges = sorted(
        (float(row[edge]), step) for row in service.truth()[1:] for edge, step in (("arrival_s", 1), ("end_s", -1))
    )
    in_flight = np.cumsum([step for _, step in edges])
    assert in_flight.max() == 3
    assert 60 <= finished.outcomes()["ok"] <= 3 * 2 / 0.05 + 3  # a busy machine has them wait


def test_processes_share_the_load_and_their_records_merge(stand_in, command):
    service = stand_in(*FAST)

    finished = command(
        "loadgate", "run", service.url, "--no-plots", "--rate=60", "--duration=2s", "--processes=2", token=service.token
    )

    finished.assert_sound()
    assert assert_reconciled(finished, service)["ok"] == pytest.approx(120, abs=3)
    assert finished.manifest()["workers"] == 2


def test_arrivals_over_the_limit_in_flight_are_dropped_and_the_run_is_invalid(stand_in, command):
    service = stand_in("--service-time=constant:400ms", "--instances=64")

    finished = command(
        "loadgate",
        "run",
        service.url,
        "--no-plots",
        "--rate=50",
        "--duration=1s",
        "--max-in-flight=5",
        token=service.token,
    )

    outcomes = assert_reconciled(finished, service)
    assert outcomes["dropped"] > 20
    assert finished.code == 3
    assert finished.summary()["verdict"] == "invalid"


def test_requests_in_flight_at_the_end_are_waited_for(stand_in, command):
    service = stand_in("--service-time=constant:600ms", "--instances=64")

    finished = command(
        "loadgate", "run", service.url, "--no-plots", "--rate=40", "--duration=500ms", token=service.token
    )

    assert assert_reconciled(finished, service)["ok"] == pytest.approx(20, abs=1)


@pytest.mark.parametrize(("stop", "processes"), [("SIGINT", 1), ("SIGTERM", 1), ("SIGINT", 2)])
def test_an_interrupted_run_has_its_report(stand_in, command, stop: str, processes: int):
    service = stand_in(*FAST)
    load = ("--rate=50", "--duration=60s", *([f"--processes={processes}"] if processes > 1 else []))

    finished = command("loadgate", "run", service.url, "--no-plots", *load, token=service.token, interrupt=stop)

    assert finished.code == 130, finished.stderr
    assert finished.manifest()["state"] == "interrupted"
    assert assert_reconciled(finished, service)["ok"] > 0
    assert (finished.run / "report.html").exists()


def test_a_lost_worker_makes_the_run_invalid_and_is_named(stand_in, tmp_path):
    service = stand_in(*FAST)
    run = tmp_path / "run"
    load = ("--rate=40", "--duration=2s", "--processes=2", "--no-plots", f"--out={run}")
    with subprocess.Popen(
        [*PYTHON, "loadgate", "run", service.url, *load], stdout=subprocess.DEVNULL, env=environment(service.token)
    ) as process:
        wait_for(run / "latency.csv")
        time.sleep(0.5)
        psutil.Process(process.pid).children()[0].kill()
        code = process.wait(60)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))

    assert code == 3
    serious = {caution["name"] for caution in summary["cautions"] if caution["serious"]}
    assert {"worker_lost"} <= serious <= {"worker_lost", "generator_late"}
    assert 20 <= summary["outcomes"]["ok"] < 80


def test_two_shared_runs_at_once_do_not_meet(stand_in, tmp_path):
    service = stand_in(*FAST)
    load = ("--rate=40", "--duration=1s", "--processes=2", "--no-plots")
    started = [
        subprocess.Popen(
            [*PYTHON, "loadgate", "run", service.url, *load, f"--out={tmp_path / name}"],
            stdout=subprocess.DEVNULL,
            env=environment(service.token),
        )
        for name in ("one", "two")
    ]

    assert {process.wait(60) for process in started} <= {0, 3}  # 3: too busy to be in time
    for name in ("one", "two"):
        summary = json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8"))
        assert summary["outcomes"] == {"ok": 40}
    assert len(service.truth()) == 2 * (40 + 1)  # each with the first request before its load


def test_where_no_run_could_be_kept_nothing_is_sent(stand_in, tmp_path):
    service = stand_in(*FAST)
    run = tmp_path / "run"
    command = (
        f"ulimit -f 8; exec {sys.executable} -P -m loadgate run {service.url} --rate=300 --duration=30s --out={run}"
    )

    done = subprocess.run(
        ["/bin/bash", "-c", command],
        env=environment(service.token),
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"Error: --out '{run}' cannot be written (File too large)"
    assert not run.exists()
    assert service.truth() == []


def test_report_again_gives_the_same_figures(stand_in, command):
    service = stand_in(*FAST)
    finished = command("loadgate", "run", service.url, "--rate=50", "--duration=1s", token=service.token)
    first = (finished.run / "report.html").read_bytes()

    again = command("loadgate", "report", str(finished.run), out=False)

    assert again.code == finished.code
    assert again.stdout == finished.stdout
    assert (finished.run / "report.html").read_bytes() == first
    assert command("analysis", str(finished.run), "--no-plots", out=False).stdout == finished.stdout


def test_json_lines_are_sent_in_the_order_of_the_seed(stand_in, command, tmp_path: Path):
    bodies = tmp_path / "bodies.jsonl"
    row = {"sepal_length": 5, "sepal_width": 3, "petal_length": 1, "petal_width": 0.2}
    bodies.write_text(
        "".join(json.dumps({"data": {"req_data": [row] * n}}) + "\n" for n in range(1, 8)), encoding="utf-8"
    )
    orders = []
    for seed in ("3", "3", "4"):
        service = stand_in(*FAST)
        run = (
            "loadgate",
            "run",
            service.url,
            "--no-plots",
            "--rate=70",
            "--duration=500ms",
            f"--seed={seed}",
            f"--json={bodies}",
        )
        finished = command(*run, token=service.token)
        assert_reconciled(finished, service)
        orders.append([row["bytes"] for row in sorted(service.truth()[1:], key=lambda row: float(row["arrival_s"]))])
        finished.run.rename(tmp_path / f"run-{len(orders)}")

    assert len(set(orders[0])) == 7
    assert orders[0] == orders[1] != orders[2]
