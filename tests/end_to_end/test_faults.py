"""What becomes of a load over several processes when something breaks: nothing is missing, nothing is counted twice.

The stand-in's truth file has a row for each request that it got, the one before the load among them.
"""

import json
import os
import platform
import re
import selectors
import signal
import socket
import struct
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
import requests
from cable import MASTER, SERVICE, Cable
from cluster import Cluster, reported, timeline
from conftest import PATIENCE_S, free_port, master_words, until
from relay import Relay

FAST = ("--service-time=constant:20ms", "--instances=16")
RATE, EACH = 40, 20  # requests/s of all, and of each of two workers
REPORT_S, HEARTBEAT_S = 3.0, 1.0
ANSWERED_S = 0.5  # a report is taken and answered by then
UNWRITTEN_S = 0.5  # of a killed service's truth
SHORT = ("below_rate",)  # a run of seconds misses more than 1 % by a share that is handed over
TOKEN = "MIIS-a-token-of-no-end"
ANSWER = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"
FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1"


def served(service) -> int:
    """Requests of the load that the service got."""
    return len(service.truth()) - 1


def counted(done) -> int:
    return sum(done.outcomes().values())


def assert_exact(done, service, duration_s) -> None:
    """Every request is counted once. A few less may be sent than planned: a share is handed over in seconds."""
    assert counted(done) == served(service) == done.manifest()["counts"]["planned"]
    assert 0.9 * RATE * duration_s <= counted(done) <= RATE * duration_s + EACH


def cautions(done) -> set[str]:
    return {caution["name"] for caution in done.summary()["cautions"]}


def assert_estimated(done, service, chance=False) -> None:
    """The report says how many requests may be missing: no fewer than there are, and hardly more."""
    missing = served(service) - counted(done)
    unreported = sum(absence["unreported"] for absence in done.manifest()["absences"])

    assert 0 < missing <= unreported
    assert missing <= EACH * (REPORT_S + HEARTBEAT_S)
    assert unreported <= missing + EACH * 2 * HEARTBEAT_S + (8 * missing**0.5 if chance else 0)


def rate_at_the_end(service) -> float:
    """Requests/s of the last four seconds, by their arrival."""
    arrivals = sorted(float(row["arrival_s"]) for row in service.truth())
    return sum(arrival > arrivals[-1] - 4 for arrival in arrivals) / 4


# ---- a network that fails, or is slow


@pytest.fixture
def relayed(beside, tmp_path):
    """Start a master and two workers, of which the second comes by a relay."""
    relays = []

    def start(service, *words, delay_s=0.0):
        port, run = free_port(), tmp_path / "run"
        master = beside("master", *master_words(service.url, port, run, 2), *words, token=service.token)
        relays.append(Relay(port, delay_s))
        ports = (port, relays[-1].port)
        workers = [
            beside(f"by-{each}", "loadgate", "worker", f"127.0.0.1:{each}", token=service.token) for each in ports
        ]
        return Cluster(master, workers, run), relays[-1]

    yield start
    for relay in relays:
        relay.close()


@pytest.mark.parametrize("word", ["invalid", "redistribute"])
def test_what_a_worker_sent_while_it_was_cut_off_is_reported_later(stand_in, relayed, word):
    service = stand_in(*FAST)
    load, relay = relayed(service, f"--rate={RATE}", "--duration=20s", f"--lost-worker={word}")
    load.await_reports()

    relay.cut = True
    time.sleep(10)
    relay.cut = False
    done = load.finished(90)

    assert_back(done, service, word, 20, 10)


def assert_back(done, service, word, duration_s, away_s) -> None:
    """A worker was away for a while, and nothing is missing. Without it others sent its share, or it did."""
    [absence] = done.manifest()["absences"]
    assert absence["back_s"] >= absence["heard_s"] + away_s - HEARTBEAT_S
    assert absence["unreported"] == done.manifest()["workers_lost"] == 0
    assert "worker_away" in cautions(done)
    assert_exact(done, service, duration_s)
    if word == "invalid":
        done.assert_sound()
        assert counted(done) == pytest.approx(RATE * duration_s, abs=1)
    else:
        done.assert_sound(*SHORT)


@pytest.fixture
def cable():
    """Two machines on one computer."""
    joined = Cable(f"loadgate-{os.getpid()}")
    yield joined
    joined.remove()


@pytest.mark.parametrize("word", ["invalid", "redistribute"])
def test_a_cable_that_is_cut_for_half_a_minute_loses_nothing(stand_in, beside, cable, tmp_path, word):
    service = stand_in(*FAST, f"--host={SERVICE}", inside=cable.near)
    run = tmp_path / "run"
    words = [f"--rate={RATE}", "--duration=70s", f"--lost-worker={word}"]
    command = master_words(service.url, 5557, run, 2, host=MASTER)
    master = beside("master", *command, *words, token=service.token, inside=cable.near)
    workers = [
        beside(name, "loadgate", "worker", MASTER, token=service.token, inside=inside)
        for name, inside in (("near", cable.near), ("far", cable.far))
    ]
    load = Cluster(master, workers, run)
    load.await_reports()

    cable.cut()
    time.sleep(30)
    cable.mend()
    done = load.finished(120)

    assert_back(done, service, word, 70, 30)


def test_messages_that_are_late_change_nothing(stand_in, relayed):
    service = stand_in(*FAST)
    load, _ = relayed(service, f"--rate={RATE}", "--duration=8s", "--lost-worker=redistribute", delay_s=2.0)

    done = load.finished(90)

    done.assert_sound(*SHORT)
    assert_exact(done, service, 8)
    assert done.manifest()["absences"] == []


def test_what_a_master_took_and_could_not_say_is_counted_once_with_what_the_worker_left(stand_in, relayed, tmp_path):
    service = stand_in(*FAST)
    load, relay = relayed(service, f"--rate={RATE}", "--duration=15s", "--timeout=1s")
    load.await_reports()

    relay.muted = True
    done = load.finished(90)
    deaf = load.workers[1]
    assert deaf.ended(2 * PATIENCE_S) == 0
    [left] = deaf.left()
    _, alone, _ = reported(left, out=tmp_path / "alone")
    _, together, said = reported(load.run, left, out=tmp_path / "together")

    assert (done.code, done.manifest()["workers_lost"]) == (3, 1)
    assert counted(done) + sum(alone["outcomes"].values()) > served(service)  # both have some of them
    assert together["outcomes"] == {"ok": served(service)}, said


def test_what_a_worker_owes_of_a_run_that_ended_without_it_is_kept(stand_in, beside, page, tmp_path):
    service, port = stand_in(*FAST), free_port()
    ours = page(service.url, service.token, "--workers=2", f"--listen=127.0.0.1:{port}", "--timeout=1s")
    relay = Relay(port)
    try:
        _, far = [
            beside(name, "loadgate", "worker", f"127.0.0.1:{at}", token=service.token)
            for name, at in (("near", port), ("far", relay.port))
        ]
        until(lambda: requests.get(f"{ours.url}/worker-count", timeout=PATIENCE_S).json()["worker_count"] == 2)
        first = started(ours, service.url, tmp_path, 2)
        relay.cut = True
        time.sleep(REPORT_S)
        ours.post("/stop")
        until((first / "summary.json").exists)
        second = started(ours, service.url, tmp_path, 1)
        relay.cut = False
        until(lambda: senders(second) == 2)
        ours.post("/stop")
        until((second / "summary.json").exists)
    finally:
        relay.close()

    [kept] = far.left()
    _, whole, said = reported(first, kept, out=tmp_path / "whole")
    _, other, _ = reported(second, out=tmp_path / "other")
    assert sum(whole["outcomes"].values()) + sum(other["outcomes"].values()) == len(service.truth()) - 2, said


def started(ours, url, folder, workers) -> Path:
    """Start a test on the page, and wait until so many workers have reported."""
    before = set(folder.glob("reports/*"))
    fields = {"kind": "as started", "shape": "Steady", "load_model": "open", "rate": str(RATE), "gateway": "modelarts"}
    ours.post("/loadgate/", host=url, **fields, arrivals="constant")
    [run] = until(lambda: set(folder.glob("reports/*")) - before)
    until(lambda: senders(run) == workers)
    return run


def senders(run) -> int:
    """How many processes there are whose rows are of the same second."""
    rows = timeline(run)
    return max(Counter(row["second"] for row in rows).values(), default=0)


# ---- a master that is killed


def test_processes_of_a_killed_master_leave_what_it_had_not_taken(stand_in, beside, tmp_path):
    service, run = stand_in(*FAST), tmp_path / "run"
    words = ["loadgate", "run", service.url, f"--rate={RATE}", "--duration=5m", "--processes=2", f"--out={run}"]
    master = beside("master", *words, token=service.token)
    load = Cluster(master, [], run)
    load.await_reports(2)
    children = psutil.Process(master.process.pid).children()

    time.sleep(ANSWERED_S)
    master.send(signal.SIGKILL)
    _, still = psutil.wait_procs(children, timeout=PATIENCE_S)

    assert still == []
    assert_recovered(run, master.left(), service, tmp_path)


def test_workers_of_a_killed_master_go_on_for_a_minute_and_leave_what_it_had_not_taken(stand_in, cluster, tmp_path):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=5m")
    load.await_reports()

    time.sleep(ANSWERED_S)
    load.master.send(signal.SIGKILL)
    codes = [worker.ended(2 * PATIENCE_S) for worker in load.workers]

    left = [path for worker in load.workers for path in worker.left()]
    assert codes == [0, 0]
    assert served(service) > RATE * 60
    assert_recovered(load.run, left, service, tmp_path)


def assert_recovered(run, left, service, folder) -> None:
    """What two workers left, with the run of their master, has every request once."""
    alone, first, _ = reported(run, out=folder / "alone")
    together, summary, said = reported(run, *left, out=folder / "together")

    assert {alone, together} <= {0, 3}, said  # 3: too busy to be in time
    assert len(left) == 2
    assert first["run"]["state"] == summary["run"]["state"] == "running"
    assert 0 < sum(first["outcomes"].values()) < served(service)
    assert summary["outcomes"] == {"ok": served(service)}


# ---- workers that are killed


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_the_run_of_a_killed_worker_is_invalid_and_says_what_may_be_missing(stand_in, cluster, arrivals):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=10s", f"--arrivals={arrivals}")
    load.await_reports()

    load.workers[0].send(signal.SIGKILL)
    done = load.finished()

    assert (done.code, done.manifest()["workers_lost"]) == (3, 1)
    assert "worker_lost" in cautions(done)
    assert_estimated(done, service, chance=arrivals == "poisson")


def test_of_a_worker_that_is_killed_in_a_ramp_no_more_is_missing_than_is_said(stand_in, cluster):
    service = stand_in(*FAST)
    load = cluster(service, "--rate=200", "--ramp=10s", "--duration=11s")
    load.await_that(lambda: len(service.rows()) > 200)

    load.workers[0].send(signal.SIGKILL)
    done = load.finished()
    [absence] = done.manifest()["absences"]

    assert 0 < served(service) - counted(done) <= absence["unreported"]
    assert f"Not counted are at most {absence['unreported']} requests of theirs" in done.stdout


def test_what_users_who_wait_sent_is_told_as_of_how_fast_it_was(stand_in, cluster):
    load = cluster(stand_in(*FAST), "--users=2", "--duration=8s")
    load.await_reports()

    load.workers[0].send(signal.SIGKILL)
    done = load.finished()

    assert re.search(r"Not counted are about [\d,]+ requests of theirs, if these were answered as fast", done.stdout)


def test_that_a_worker_was_killed_is_known_when_its_master_is_killed_too(stand_in, cluster, tmp_path):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=5m")
    load.await_reports()

    load.workers[0].send(signal.SIGKILL)
    load.await_that(lambda: '"heard_s"' in (load.run / "run.json").read_text("utf-8"))
    load.master.send(signal.SIGKILL)
    assert load.workers[1].ended(2 * PATIENCE_S) == 0
    code, summary, said = reported(load.run, *load.workers[1].left(), out=tmp_path / "together")
    [absence] = json.loads((load.run / "run.json").read_text("utf-8"))["absences"]

    assert code == 3, said
    assert "worker_lost" in {caution["name"] for caution in summary["cautions"]}
    assert 0 < served(service) - sum(summary["outcomes"].values()) <= absence["unreported"]


def test_a_worker_that_waits_for_its_master_ends_by_ctrl_c(beside):
    worker = beside("worker", "loadgate", "worker", f"127.0.0.1:{free_port()}", token=TOKEN)
    until(lambda: "worker of" in worker.said)
    time.sleep(2)

    worker.send(signal.SIGINT)

    assert worker.ended() == 130
    assert "Traceback" not in worker.said


def test_nobody_takes_the_share_of_a_killed_worker_however_long_it_is_gone(stand_in, cluster):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=75s")  # Locust gives a share away after a minute
    load.await_reports()

    load.workers[0].send(signal.SIGKILL)
    done = load.finished(120)

    assert done.manifest()["workers_lost"] == 1
    assert rate_at_the_end(service) == pytest.approx(EACH, abs=2)


@pytest.mark.parametrize("load", [f"--rate={RATE}", "--users=2"])
def test_of_a_worker_that_is_killed_before_it_reports_the_others_tell_what_it_may_have_sent(stand_in, cluster, load):
    service = stand_in("--service-time=constant:100ms", "--instances=16")
    load = cluster(service, load, "--duration=10s")
    load.await_that(lambda: len(service.rows()) > RATE)

    load.workers[0].send(signal.SIGKILL)
    done = load.finished()

    assert (done.code, done.manifest()["workers_lost"]) == (3, 1)
    assert_estimated(done, service)


def test_others_take_the_share_of_a_killed_worker(stand_in, cluster):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=16s", "--lost-worker=redistribute")
    load.await_reports()

    load.workers[0].send(signal.SIGKILL)
    done = load.finished()

    done.assert_sound()
    assert done.manifest()["workers_lost"] == 1
    assert "worker_lost" in cautions(done)
    assert_estimated(done, service)
    assert rate_at_the_end(service) == pytest.approx(RATE, abs=2)


@pytest.mark.parametrize("word", ["invalid", "redistribute"])
def test_a_run_whose_workers_are_all_killed_ends_at_once_and_is_invalid(stand_in, cluster, word):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=5m", f"--lost-worker={word}")
    load.await_reports()

    for worker in load.workers:
        worker.send(signal.SIGKILL)
    done = load.finished(30)

    assert (done.code, done.manifest()["workers_lost"]) == (3, 2)
    missing = served(service) - counted(done)
    assert 0 < missing <= sum(absence["unreported"] for absence in done.manifest()["absences"])


def test_a_replacement_takes_the_place_of_a_killed_worker(stand_in, cluster, beside):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=20s", "--lost-worker=redistribute")
    load.await_reports()

    load.workers[0].send(signal.SIGKILL)
    load.workers.append(beside("replacement", *load.workers[1].words, token=service.token))
    done = load.finished()

    done.assert_sound()
    assert [worker.ended() for worker in load.workers] == [-signal.SIGKILL, 0, 0]
    assert_estimated(done, service)
    assert rate_at_the_end(service) == pytest.approx(RATE, abs=2)
    assert load.senders(at_s=18) == [EACH, EACH]


def test_a_worker_that_comes_late_takes_a_share(stand_in, cluster, beside):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=16s", "--lost-worker=redistribute", workers=1)
    load.await_reports()

    load.workers.append(beside("late", *load.workers[0].words, token=service.token))
    done = load.finished()

    done.assert_sound(*SHORT)
    assert done.manifest()["workers"] == 2
    assert_exact(done, service, 16)
    assert load.senders(at_s=14) == [EACH, EACH]


@pytest.mark.parametrize(("number", "word"), [(signal.SIGTERM, "invalid"), (signal.SIGINT, "redistribute")])
def test_a_worker_that_is_told_to_stop_leaves_all_its_rows_and_its_share(stand_in, cluster, number, word):
    """It is not lost: it said so, and others go on for it, whatever is to be done about a lost one."""
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=14s", f"--lost-worker={word}")
    load.await_reports()

    load.workers[0].send(number)
    done = load.finished()

    done.assert_sound(*SHORT)
    assert load.workers[0].ended() == 0
    assert load.workers[0].left() == []
    assert (done.manifest()["workers_lost"], done.manifest()["absences"]) == (0, [])
    assert len(done.manifest()["workers_left"]) == 1
    assert "worker_away" in cautions(done)
    assert_exact(done, service, 14)
    assert rate_at_the_end(service) == pytest.approx(RATE, abs=2)


# ---- a service that is killed


def test_the_requests_that_find_no_service_are_counted(stand_in, cluster):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=8s")
    load.await_reports()

    service.stop(signal.SIGKILL)
    done = load.finished()

    done.assert_sound()
    assert counted(done) == done.manifest()["counts"]["planned"] == pytest.approx(RATE * 8, abs=1)
    assert set(done.outcomes()) == {"ok", "connection_error"}
    assert done.outcomes()["ok"] == pytest.approx(served(service), abs=RATE * UNWRITTEN_S)


def test_a_service_that_is_started_again_is_found_again(stand_in, cluster):
    port = free_port()
    first = stand_in(*FAST, f"--port={port}", environ={"LOADGATE_TOKEN": TOKEN})
    first.token = TOKEN
    load = cluster(first, f"--rate={RATE}", "--duration=20s")
    load.await_reports()

    first.stop(signal.SIGKILL)
    time.sleep(1)
    second = stand_in(*FAST, f"--port={port}", environ={"LOADGATE_TOKEN": TOKEN})
    done = load.finished()

    done.assert_sound()
    assert counted(done) == done.manifest()["counts"]["planned"] == pytest.approx(RATE * 20, abs=1)
    assert set(done.outcomes()) == {"ok", "connection_error"}
    both = served(first) + len(second.truth())
    assert done.outcomes()["ok"] == pytest.approx(both, abs=RATE * UNWRITTEN_S)
    assert rate_at_the_end(second) == pytest.approx(RATE, abs=1)


# ---- workers that stand still, or whose clock is set


@pytest.mark.parametrize("word", ["invalid", "redistribute"])
def test_a_worker_that_stood_still_is_late_and_loses_nothing(stand_in, cluster, word):
    service = stand_in(*FAST)
    load = cluster(service, f"--rate={RATE}", "--duration=18s", f"--lost-worker={word}")
    load.await_reports()

    load.workers[0].send(signal.SIGSTOP)
    time.sleep(8)
    load.workers[0].send(signal.SIGCONT)
    done = load.finished()

    assert done.code == 3
    assert {"generator_late", "worker_away"} <= cautions(done)
    [absence] = done.manifest()["absences"]
    assert 7 <= absence["back_s"] - absence["heard_s"] <= 13  # its first word may go to a connection that was given up
    assert counted(done) == served(service) == done.manifest()["counts"]["planned"]
    if word == "invalid":  # else others have sent its share by then, too
        assert counted(done) == pytest.approx(RATE * 18, abs=1)


@pytest.mark.parametrize("step", ["+3600", "-3600"])
def test_a_worker_whose_clock_is_set_goes_on(stand_in, cluster, tmp_path, step):
    service = stand_in(*FAST)
    offset = tmp_path / "offset"
    offset.write_text("+0")
    load = cluster(service, f"--rate={RATE}", "--duration=14s", environs=[{}, clock_from(offset)])
    load.await_reports()

    offset.write_text(step)
    done = load.finished()

    done.assert_sound()
    assert counted(done) == served(service) == pytest.approx(RATE * 14, abs=1)
    assert done.manifest()["absences"] == []


def test_a_master_whose_clock_is_set_back_still_shares_anew(stand_in, cluster, tmp_path):
    service = stand_in(*FAST)
    offset = tmp_path / "offset"
    offset.write_text("+0")
    words = (f"--rate={RATE}", "--duration=16s", "--lost-worker=redistribute")
    load = cluster(service, *words, masters=clock_from(offset))
    load.await_reports()

    offset.write_text("-3600")
    load.workers[0].send(signal.SIGKILL)
    done = load.finished()

    done.assert_sound()
    assert "worker_lost" in cautions(done)
    assert_estimated(done, service)
    assert rate_at_the_end(service) == pytest.approx(RATE, abs=2)


def clock_from(file) -> dict[str, str]:
    """The environment of a process whose time of day is off by what the file says."""
    return {
        "LD_PRELOAD": FAKETIME.format(platform.machine()),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",  # the file is read each time
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


# ---- workers that may not, or cannot, send what the master does


def test_the_token_of_one_worker_expires(stand_in, cluster):
    service = stand_in(*FAST, "--token-life=10s", environ={"LOADGATE_TOKEN": TOKEN})
    expiring, service.token = service.token, TOKEN
    load = cluster(service, f"--rate={RATE}", "--duration=16s", environs=[{}, {"LOADGATE_TOKEN": expiring}])

    done = load.finished()

    done.assert_sound()
    statuses = Counter(row["status"] for row in service.truth())
    assert statuses["401"] > EACH
    assert done.outcomes() == {"ok": statuses["200"] - 1, "unauthorized": statuses["401"]}
    assert counted(done) == done.manifest()["counts"]["planned"] == pytest.approx(RATE * 16, abs=1)


def other_version(folder: Path) -> dict[str, str]:
    """The environment of a process that finds another loadgate installed."""
    about = folder / "loadgate-9.9.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: loadgate\nVersion: 9.9\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("token", "no credential: set LOADGATE_TOKEN"),
        ("file", "--json: file 'body.json' does not exist"),
        ("bytes", "its body.json has other bytes than the master's; give both the same file"),
        ("version", "it runs loadgate 9.9, the master 0.1.0; install the same version"),
    ],
)
def test_a_worker_that_could_not_send_the_same_is_named_before_the_load(stand_in, cluster, tmp_path, spoil, reason):
    service, environ = stand_in(*FAST), {}
    bodies = [tmp_path / name / "body.json" for name in ("master", "worker-0", "worker-1")]
    for body in bodies:
        body.parent.mkdir()
        body.write_text('{"data": 1}')
    match spoil:
        case "token":
            environ = {"LOADGATE_TOKEN": ""}
        case "file":
            bodies[-1].unlink()
        case "bytes":
            bodies[-1].write_text('{"data": 2}')
        case "version":
            environ = other_version(tmp_path / "other")
    load = cluster(service, "--rate=20", "--duration=5s", "--json=body.json", environs=[{}, environ])

    done = load.finished()

    assert done.code == 2
    assert re.search(rf"worker [12] on \S+: {re.escape(reason)}", done.stderr), done.stderr
    assert f"refused by the master: {reason}" in load.workers[1].said
    assert "Traceback" not in done.stderr
    assert not done.run.exists()
    assert served(service) == 0
    assert [worker.ended() for worker in load.workers] == [0, 2]


# ---- connections that are reset


def test_a_thousand_connections_that_are_reset_at_once_are_a_thousand_errors(cluster):
    with Resetting(1000) as server:
        load = cluster(server, "--rate=250", "--duration=5s", "--gateway=none")
        done = load.finished()

    assert done.outcomes() == {"connection_error": 1000, "unavailable": server.requests - 1 - 1000}
    assert counted(done) == done.manifest()["counts"]["planned"] == pytest.approx(1250, abs=1)


class Resetting:
    """Answers the first request, and holds all others until so many are here. Then it resets every connection."""

    token = None

    def __init__(self, most: int) -> None:
        self.requests = 0
        self._most, self._stopped = most, False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped = True
        self._thread.join()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector, self._listener:
            selector.register(self._listener, selectors.EVENT_READ)
            held = []
            while not self._stopped:
                for key, _ in selector.select(0.05):
                    if key.fileobj is self._listener:
                        end, _ = self._listener.accept()
                        selector.register(end, selectors.EVENT_READ)
                        continue
                    end = key.fileobj
                    data = end.recv(1 << 16)
                    if not data:
                        selector.unregister(end)
                        end.close()
                        continue
                    if b"POST" not in data:
                        continue
                    self.requests += 1
                    if self.requests == 1 or self.requests > self._most + 1:
                        end.sendall(ANSWER)
                        continue
                    held.append(end)
                    if len(held) == self._most:
                        for each in held:
                            selector.unregister(each)
                            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                            each.close()
                        held = []
