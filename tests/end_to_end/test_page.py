"""`loadgate ui`: a test is started, watched and stopped on Locust's page."""

import csv
import json
import time
from collections import Counter

import pytest
import requests
from conftest import TIMEOUT_S, until, wait_for


def test_a_test_is_started_watched_and_stopped_and_the_tab_is_what_the_summary_says(stand_in, page, tmp_path):
    service, run = stand_in("--service-time=constant:20ms"), tmp_path / "run"
    ours = page(service.url, service.token, f"--out={run}")
    assert '"key": "inference"' in requests.get(f"{ours.url}/?locust", timeout=TIMEOUT_S).text
    assert ours.tab() == {}

    ours.post("/swarm", user_count=40, spawn_rate=40)
    seen = until(lambda: (tab := ours.tab()).get(("Outcomes", "ok"), ("0",))[0] not in ("0", "") and tab)
    assert seen["Generator", "CPU"][0] != "-"
    assert seen["In flight", "requests"][1] == "planned, and not answered yet"
    time.sleep(3)
    ours.post("/stop")
    wait_for(run / "summary.json")

    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    last = until(lambda: (tab := ours.tab())["Outcomes", "ok"][0] == f"{summary['outcomes']['ok']:,}" and tab)
    p50_s = summary["latency"]["response"]["p50"]["value_s"]
    number, unit = last["Response", "p50"][0].split()
    assert (float(number), unit) == (pytest.approx(1000 * p50_s, rel=0.02), "ms")  # the summary cuts a warm-up


def test_the_search_for_the_capacity_is_a_shape_of_the_picker_and_a_plain_test_after_it_is_plain(
    stand_in, page, tmp_path
):
    service, run = stand_in("--service-time=constant:5ms"), tmp_path / "run"
    load = (f"--out={run}", "--slo=p50<1s", "--from=250", "--to=250", "--budget=20s")
    ours = page(service.url, service.token, *load)

    ours.post("/swarm", user_count=1, spawn_rate=1, shape_class="CapacitySearch")
    wait_for(run / "summary.json")
    found = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert (found["capacity"]["answer"]["verdict"], found["verdict"]) == ("pass", "pass")
    assert {level["rate_per_s"] for level in found["capacity"]["levels"]} == {250.0}

    # Its summary is there a moment before it is over.
    until(lambda: '"success":true' in ours.post("/swarm", user_count=30, spawn_rate=30, shape_class="Default"))
    until(lambda: ours.tab().get(("Generator", "planned"), ("",))[0] == "30/s")
    ours.post("/stop")
    wait_for(tmp_path / "run-2" / "summary.json")
    assert not (tmp_path / "run-2" / "capacity.json").exists()


def test_a_shape_of_the_picker_sets_the_rate_and_ends_by_itself(stand_in, page, tmp_path):
    service, run = stand_in("--service-time=constant:20ms", "--instances=4"), tmp_path / "run"
    ours = page(service.url, service.token, f"--out={run}")
    picker = requests.get(f"{ours.url}/?locust", timeout=TIMEOUT_S).text
    assert '"available_shape_classes": ["Default", "CapacitySearch", "Ramp", "Soak", "Spike", "Steps"]' in picker

    ours.post("/swarm", user_count=50, spawn_rate=1, run_time="10s", shape_class="Steps")
    wait_for(run / "summary.json")
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    load = manifest["load"]
    assert manifest["state"] == "complete"
    assert (load["shape"], load["users"], load["rate_per_s"], load["duration_s"]) == ("Steps", 50, 50.0, 10.0)
    due: Counter[int] = Counter()  # by planned second: a row of the timeline is made a moment after its second
    with (run / "latency.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["measure"] == "response":
                due[int(row["second"])] += int(row["count"]) * len(row["value_us"].split())
    planned = [due[second] for second in range(10)]
    assert planned == sorted(planned)
    assert due.total() - sum(planned) <= 1  # due at the very end
    for step in range(5):  # the change may come in one of its two seconds
        assert 10 * (step + 1) in planned[2 * step : 2 * step + 2]
    assert sum(planned) == pytest.approx(300, abs=30)


def test_a_shape_that_is_stopped_is_interrupted_and_another_one_follows(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:20ms", "--instances=4")
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}")

    ours.post("/swarm", user_count=30, spawn_rate=1, run_time="1h", shape_class="Soak")
    wait_for(tmp_path / "run" / "latency.csv")
    ours.post("/stop")
    for number in (2, 3):
        wait_for(tmp_path / "run" / "summary.json" if number == 2 else tmp_path / "run-2" / "summary.json")
        ours.post("/swarm", user_count=30, spawn_rate=1, run_time="2s", shape_class="Ramp")
    wait_for(tmp_path / "run-3" / "summary.json")

    runs = [
        json.loads((tmp_path / name / "run.json").read_text(encoding="utf-8")) for name in ("run", "run-2", "run-3")
    ]
    assert [run["state"] for run in runs] == ["interrupted", "complete", "complete"]
    assert [(run["load"]["shape"], run["load"]["ramp_s"]) for run in runs] == [("Soak", 60.0), *[("Ramp", 0.0)] * 2]


def test_a_test_that_cannot_be_made_says_why(page):
    ours = page("http://127.0.0.1:9/v1/infers/x", "t")
    ours.post("/swarm", user_count=1, spawn_rate=1)

    value, why = until(lambda: ours.tab().get(("Test", "refused")))
    assert value == "-"
    assert "127.0.0.1:9" in why
