"""The start form and the runs of `loadgate ui`, asked by a client that can say whatever it likes."""

import csv
import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from conftest import TIMEOUT_S, until, wait_for

NOBODY = "http://127.0.0.1:9/v1/infers/x"
STEADY = {"kind": "as started", "shape": "Steady", "load_model": "open", "rate": "30", "arrivals": "constant"}
STEADY |= {"gateway": "modelarts"}
FORM, LOCUST = "/loadgate/", "/swarm"


def send(ours, path=FORM, files=None, **fields):
    """Send a form from the page itself."""
    headers = {"Origin": ours.url}
    where = {"url": f"{ours.url}{path}", "timeout": TIMEOUT_S, "allow_redirects": False}
    return requests.post(headers=headers, data=fields, files=files, **where)


def wrong(answer):
    """What the form says at each field, by the field's name."""
    assert answer.status_code in (409, 413, 422)
    return dict(re.findall(r'<p class="wrong" id="(\w+)-wrong">(.*?)</p>', answer.text))


def get(ours, path):
    return requests.get(f"{ours.url}{path}", timeout=TIMEOUT_S, allow_redirects=False)


def planned(run):
    """Requests planned in each second so far."""
    with (run / "timeline.csv").open(newline="", encoding="utf-8") as file:
        return [int(row["planned"]) for row in csv.DictReader(file)]


def stop(ours, run):
    ours.post("/stop")
    wait_for(run / "summary.json")
    return json.loads((run / "summary.json").read_text(encoding="utf-8"))


def test_whoever_opens_the_page_finds_the_form_and_starts_with_its_defaults(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    assert get(ours, "/").headers["Location"] == FORM
    shown = get(ours, FORM).text
    assert f'value="{service.url}"' in shown
    fields = dict(re.findall(r'<input id="\w+" name="(\w+)" value="([^"]*)"', shown))

    started = send(ours, **STEADY | fields)
    assert (started.status_code, started.headers["Location"]) == (302, "/?tab=inference")
    wait_for(run / "timeline.csv")
    until(lambda: planned(run)[1:4] == pytest.approx([10, 10, 10], abs=1))
    assert "A load is on" in get(ours, FORM).text
    assert send(ours, host=service.url, **STEADY).status_code == 409

    assert send(ours, "/loadgate/change", rate="75").status_code == 302
    changed = len(planned(run))
    until(lambda: len(planned(run)) > changed + 5)
    # At once: no ramp of Locust's. A row is made a moment after its second, and has an arrival more or less by that.
    assert planned(run)[changed + 2 : changed + 4] == pytest.approx([75, 75], abs=1)
    summary = stop(ours, run)
    assert summary["outcomes"] == {"ok": sum(planned(run))}

    assert send(ours, **STEADY | fields).status_code == 302
    wait_for(tmp_path / "run-2" / "timeline.csv")
    stop(ours, tmp_path / "run-2")
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["state"] == "complete"


def test_a_wrong_value_is_said_at_its_field_and_starts_nothing(stand_in, page, tmp_path):
    service = stand_in()
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}")

    said = wrong(send(ours, **STEADY | {"host": "localhost", "rate": "-1", "timeout_s": "soon", "slo": "p99>1"}))
    assert set(said) == {"host", "rate", "timeout_s", "slo"}
    assert "must be a number above 0" in said["rate"]
    assert 'id="rate" name="rate" value="-1"' in send(ours, **STEADY | {"host": "x", "rate": "-1"}).text
    search = {"shape": "CapacitySearch", "from_per_s": "9", "to_per_s": "1", "budget_s": "1m"}
    search |= {"instances": "1", "headroom": "20%", "host": service.url}
    assert set(wrong(send(ours, **STEADY | search))) == {"slo"}
    assert set(wrong(send(ours, **STEADY | search | {"slo": "p99<1s"}))) == {"to_per_s"}
    markup = send(ours, **STEADY | {"host": "<script>alert(1)</script>"}).text
    assert "<script>" not in markup
    assert not (tmp_path / "run").exists()
    assert ours.tab() == {}


@pytest.mark.parametrize(
    ("host", "token", "words"),
    [(NOBODY, "t", "127.0.0.1:9"), (None, "wrong-token", "the first request to"), (None, "", "LOADGATE_TOKEN")],
)
def test_a_service_that_gives_no_answer_is_said_before_a_load(stand_in, page, tmp_path, host, token, words):
    service = stand_in()
    ours = page(service.url, token, f"--out={tmp_path / 'run'}")
    answer = send(ours, **STEADY | {"host": host or service.url})

    assert answer.status_code == 422
    assert words in answer.text
    assert not (tmp_path / "run").exists()


def test_a_change_of_the_rate_never_overshoots(stand_in, page, tmp_path):
    """Locust takes its time to let users go: those that are still there must not stand for more."""
    service = stand_in("--service-time=constant:5ms", "--instances=8")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    send(ours, LOCUST, user_count="300", spawn_rate="300")
    wait_for(run / "timeline.csv")
    until(lambda: planned(run)[-1:] == pytest.approx([300], abs=3))

    refused = send(ours, "/loadgate/change", rate="0")
    assert (refused.status_code, "must be a number above 0" in refused.text) == (422, True)
    send(ours, "/loadgate/change", rate="120.5")
    changed = len(planned(run))
    until(lambda: len(planned(run)) > changed + 5)
    assert max(planned(run)) < 310
    assert planned(run)[changed + 2 : changed + 4] == pytest.approx([120.5, 120.5], abs=3)
    stop(ours, run)


def test_a_change_of_the_rate_ends_a_ramp(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    send(ours, host=service.url, **STEADY | {"ramp": "1h"})
    wait_for(run / "timeline.csv")

    send(ours, "/loadgate/change", rate="30")  # as many users as before
    changed = len(planned(run))
    until(lambda: len(planned(run)) > changed + 4)
    assert planned(run)[changed + 2 : changed + 4] == pytest.approx([30, 30], abs=1)
    stop(ours, run)


def test_a_start_that_locust_does_not_make_leaves_nothing_behind(stand_in, page, tmp_path):
    service = stand_in()
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}", "--processes=1")
    psutil.Process(ours.process.pid).children()[0].kill()
    until(lambda: get(ours, "/worker-count").json()["worker_count"] == 0)
    load = STEADY | {"host": service.url, "kind": "json"}
    answer = send(ours, **load, files={"upload": ("x.json", b"{}")})

    assert answer.status_code == 422
    assert "no worker is here" in answer.text
    assert not (tmp_path / "run").exists()


def test_a_stop_of_a_change_stops_the_load_in_every_worker(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}", "--processes=2"), tmp_path / "run"
    until(lambda: get(ours, "/worker-count").json()["worker_count"] == 2)
    closed = {"load_model": "closed", "users": "60", "think_time_s": "1s", "host": service.url}
    send(ours, **STEADY | closed)
    until(lambda: get(ours, "/stats/requests").json()["user_count"] == 60)
    send(ours, "/loadgate/change", users="4")
    until(lambda: get(ours, "/stats/requests").json()["user_count"] == 4)
    send(ours, "/loadgate/change", users="50")
    summary = stop(ours, run)

    counts = json.loads((run / "run.json").read_text(encoding="utf-8"))["counts"]
    assert sum(summary["outcomes"].values()) == counts["planned"]
    assert "counts_differ" not in {caution["name"] for caution in summary["cautions"]}
    assert len(service.truth()) == counts["sent"] + 1  # and the first request


def test_a_stop_while_a_start_is_checked_starts_nothing(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:2s")
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, ours, host=service.url, **STEADY)
        time.sleep(0.7)
        ours.post("/stop")
        assert "it was stopped" in first.result().text
    assert not (tmp_path / "run").exists()


def test_a_load_that_is_stopped_before_its_time_says_so(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}")
    for run, seconds, state in (("run", 60, "interrupted"), ("run-2", 3, "complete")):
        send(ours, host=service.url, **STEADY | {"duration": f"{seconds}s"})
        wait_for(tmp_path / run / "timeline.csv")
        if state == "interrupted":
            until(lambda: len(planned(tmp_path / "run")) > 2)
            ours.post("/stop")
        else:
            send(ours, LOCUST, user_count="40", spawn_rate="40")  # a change moves no end
        wait_for(tmp_path / run / "summary.json")
        about = json.loads((tmp_path / run / "run.json").read_text(encoding="utf-8"))
        assert (about["state"], about["load"]["duration_s"]) == (state, seconds)
    assert 90 < sum(planned(tmp_path / "run-2")) <= 120
    until(lambda: '"success":true' in ours.post("/swarm", user_count="5", spawn_rate="5"))  # has no end
    wait_for(tmp_path / "run-3" / "timeline.csv")
    until(lambda: len(planned(tmp_path / "run-3")) > 5)
    stop(ours, tmp_path / "run-3")
    about = json.loads((tmp_path / "run-3" / "run.json").read_text(encoding="utf-8"))
    assert (about["state"], about["load"]["duration_s"]) == ("complete", None)


def test_locusts_page_sets_nothing_of_a_user_class_that_is_ours(page, tmp_path):
    ours = page(NOBODY, "t", f"--out={tmp_path / 'run'}")
    settings = {"user_class_name": "Requests", "paths": ["/etc/passwd"]}
    for body, code in ((settings, 400), ([], 400), ({"user_class_name": "Requests", "weight": 2}, 201)):
        answer = requests.post(f"{ours.url}/user", json=body, headers={"Origin": ours.url}, timeout=TIMEOUT_S)
        assert answer.status_code == code


def test_one_start_at_a_time(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:2s")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(send, ours, host=service.url, **STEADY)
        time.sleep(0.7)  # its first request waits
        second = pool.submit(send, ours, host=service.url, **STEADY | {"rate": "99"})
        third = pool.submit(send, ours, LOCUST, user_count="99", spawn_rate="99")
        assert second.result().status_code == 409
        assert third.result().json()["message"] == "another start is being checked"
        assert first.result().status_code == 302
    until(lambda: 30 in planned(run) if (run / "timeline.csv").exists() else 0)
    stop(ours, run)
    assert max(planned(run)) <= 31


def test_files_come_from_the_folder_or_the_browser_and_are_sent(stand_in, page, tmp_path):
    service, run, folder = stand_in(), tmp_path / "run", tmp_path / "folder"
    folder.mkdir()
    (folder / "a.json").write_text('{"a": 1}', encoding="utf-8")
    (folder / ".hidden.json").write_text("{}", encoding="utf-8")
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    ours = page(service.url, service.token, f"--out={run}", f"--payloads={folder}")
    shown = get(ours, FORM).text
    assert 'value="a.json"' in shown
    assert ".hidden" not in shown
    load = STEADY | {"host": service.url, "kind": "json"}

    for name in ("../b.json", ".hidden.json", "/etc/passwd"):
        assert "is not in" in wrong(send(ours, **load, files={"files": (None, name)}))["files"]
    assert "is empty" in wrong(send(ours, **load, files={"upload": ("empty.json", b"")}))["upload"]
    assert "not valid JSON" in wrong(send(ours, **load, files={"upload": ("x.json", b"{")}))["upload"]
    assert set(wrong(send(ours, **load | {"kind": "as started"}, files={"upload": ("x.json", b"{}")}))) == {"kind"}
    assert not run.exists()

    both = [("files", (None, "a.json")), ("upload", ("../../c.json", b'{"c": 1}'))]
    assert send(ours, **load, files=both).status_code == 302
    wait_for(run / "latency.csv")
    until(lambda: len(planned(run)) > 2)
    stop(ours, run)
    names = {sent["name"] for sent in json.loads((run / "run.json").read_text(encoding="utf-8"))["payloads"]}
    assert names == {"a.json", "c.json"}
    assert [path.name for path in (run / "uploads").iterdir()] == ["c.json"]
    bodies = {row["bytes"] for row in service.truth()}
    assert bodies == {"8"}


def test_more_than_fits_is_refused_and_kept_nowhere(page, tmp_path):
    ours = page(NOBODY, "t", f"--out={tmp_path / 'run'}")
    load = STEADY | {"host": NOBODY, "kind": "file"}

    answer = send(ours, **load, files={"upload": ("big.bin", bytes((64 << 20) + 1))})
    assert "more than 64 MiB" in wrong(answer)["upload"]
    assert not (tmp_path / "run").exists()


def test_locusts_own_form_takes_nothing_that_nobody_checks(stand_in, page, tmp_path):
    service = stand_in()
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    users = {"user_count": "20", "spawn_rate": "20"}

    for name in ("rate_per_user", "headless", "token_file"):
        refused = send(ours, LOCUST, **users, **{name: "1"}).json()
        assert (refused["success"], refused["message"].split()[0]) == (False, name)
    assert "no shape Sawtooth" in send(ours, LOCUST, **users, shape_class="Sawtooth").json()["message"]
    assert send(ours, "/loadgate/change", rate="50").headers["Location"] == FORM  # there is nothing to change
    assert send(ours, LOCUST, **users).json()["success"] is True
    wait_for(run / "timeline.csv")
    assert "a test is on" in send(ours, LOCUST, **users, shape_class="Ramp").json()["message"]
    assert send(ours, LOCUST, user_count="50", spawn_rate="50").json()["success"] is True
    until(lambda: 50 in planned(run))
    stop(ours, run)

    assert send(ours, LOCUST, **users, shape_class="Soak").json()["success"] is True
    wait_for(tmp_path / "run-2" / "timeline.csv")
    assert "the shape Soak" in get(ours, FORM).text
    assert send(ours, "/loadgate/change", rate="5").headers["Location"] == FORM
    assert "shape Soak" in send(ours, LOCUST, **users).json()["message"]
    stop(ours, tmp_path / "run-2")


def test_a_report_of_a_run_that_is_on_comes_by_itself_and_cannot_act_as_the_page(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    send(ours, host=service.url, **STEADY)
    wait_for(run / "timeline.csv")
    until(lambda: len(planned(run)) > 3)

    assert "comes by itself" in get(ours, "/loadgate/runs/run/report.html").text
    live = until(
        lambda: (found := get(ours, "/loadgate/runs/run/report.html")) and "p50 response" in found.text and found
    )
    assert live.headers["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert not (run / "report.html").exists()
    summary = stop(ours, run)
    [row] = [row for row in ours.rows("report") if row["run"] == "run"]
    p99 = summary["latency"]["response"]["p99"]["value_s"]
    assert (row["state"], row["requests"], row["report"]) == (
        "complete",
        f"{summary['outcomes']['ok']:,}",
        "/loadgate/runs/run/report.html",
    )
    assert (row["p99"] == "-") == (p99 is None)
    report = get(ours, row["report"])
    assert report.content == (run / "report.html").read_bytes()
    assert report.headers["Content-Security-Policy"].startswith("sandbox")
    assert get(ours, f"{row['files']}latency.csv").content == (run / "latency.csv").read_bytes()
    assert "attachment" in get(ours, f"{row['files']}run.json").headers["Content-Disposition"]
    assert "latency.csv" in get(ours, row["files"]).text


@pytest.mark.parametrize(
    "path",
    [
        "runs/none/",
        "runs/none/report.html",
        "runs/../",
        "runs/run/..%2fsecret",
        "runs/%2e%2e/secret",
        "runs/run/link",
        "runs/run/.x",
    ],
)
def test_only_files_of_runs_are_given(page, tmp_path, path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("[" * 100_000, encoding="utf-8")  # a damaged one is listed still
    os.mkfifo(run / "summary.json")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (run / ".x").write_text("secret", encoding="utf-8")
    (run / "link").symlink_to(tmp_path / "secret")
    ours = page(NOBODY, "t", f"--out={tmp_path / 'other'}")
    asked = requests.Request("GET", ours.url).prepare()
    asked.url = f"{ours.url}/loadgate/{path}"  # as it is written: not tidied up
    answer = requests.Session().send(asked, timeout=TIMEOUT_S, allow_redirects=False)

    assert answer.status_code in (308, 404)
    assert "secret" not in answer.text
    assert 'href="/loadgate/runs/run/"' in get(ours, "/loadgate/runs/").text


def test_a_report_that_cannot_be_made_says_why(page, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{", encoding="utf-8")
    ours = page(NOBODY, "t", f"--out={tmp_path / 'other'}")

    answer = until(
        lambda: (found := get(ours, "/loadgate/runs/run/report.html")) and "no report" in found.text and found
    )
    assert "run.json" in answer.text


def test_reset_counts_anew_and_the_run_keeps_all(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    send(ours, host=service.url, **STEADY)
    until(lambda: ours.tab().get(("Outcomes", "ok"), ("0",))[0] not in ("0", "1"))
    time.sleep(2)
    before = int(ours.tab()["Outcomes", "ok"][0])
    ours.post("/stats/reset")
    after = until(lambda: (tab := ours.tab()).get(("Outcomes", "ok")) and tab)

    assert int(after["Outcomes", "ok"][0]) < before
    assert after["Test", "counted"][0] == "since the reset"
    assert stop(ours, run)["outcomes"]["ok"] >= before


def test_no_secret_is_on_any_page(stand_in, page, tmp_path):
    service, code = stand_in("--service-time=constant:5ms"), "9f8e7d6c"
    url = f"{service.url}?code={code}&x=%27%3C"
    ours, run = page(url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    shown = re.search(r'name="host" value="([^"]*)"', get(ours, FORM).text)[1]
    assert shown.endswith("?...")
    assert set(wrong(send(ours, **STEADY | {"host": shown.replace("infers/", "infers/OTHER")}))) == {"host"}

    assert send(ours, **STEADY | {"host": shown}).status_code == 302  # the same URL, with its query
    wait_for(run / "timeline.csv")
    pages = [
        "/",
        "/?locust",
        FORM,
        "/loadgate/runs/",
        "/stats/requests",
        "/logs",
        "/stats/report",
        "/tasks",
        "/exceptions",
    ]
    answers = [get(ours, path) for path in pages] + [send(ours, LOCUST, user_count="5", spawn_rate="5")]
    for answer in answers:
        assert answer.ok
        for secret in (code, service.token):
            assert secret not in answer.text + str(answer.headers)
    assert stop(ours, run)["outcomes"].keys() == {"ok"}


def test_a_load_that_begins_right_after_the_page_looked_is_shown_at_once(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}"), tmp_path / "run"
    assert get(ours, "/stats/requests").json()["state"] == "ready"  # which Locust keeps for two seconds

    send(ours, host=service.url, **STEADY)

    assert get(ours, "/stats/requests").json()["state"] in ("spawning", "running")
    wait_for(run / "timeline.csv")
    stop(ours, run)


def test_a_lost_worker_is_shown(stand_in, page, tmp_path):
    service = stand_in("--service-time=constant:5ms")
    ours, run = page(service.url, service.token, f"--out={tmp_path / 'run'}", "--processes=2"), tmp_path / "run"
    until(lambda: get(ours, "/worker-count").json()["worker_count"] == 2)
    send(ours, host=service.url, **STEADY)
    assert until(lambda: ours.tab().get(("Generator", "workers"))) == ("2", "all of them")
    until(lambda: ours.tab().get(("Generator", "planned"), ("",))[0] == "30/s")

    os.kill(psutil.Process(ours.process.pid).children()[0].pid, signal.SIGKILL)
    _, note = until(lambda: (row := ours.tab()["Generator", "workers"])[0] == "1" and row)
    assert "1 lost" in note
    stop(ours, run)
