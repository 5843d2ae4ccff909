"""A load of several processes that meet on a port, as they do over several machines."""

import contextlib
import pickle
import socket
import struct
import time
from collections import Counter, defaultdict
from typing import Any

import captured
import msgpack
import numpy as np
import pytest
import zmq
from cluster import Cluster
from conftest import PATIENCE_S, free_port, master_words, until
from relay import Relay

FAST = ("--service-time=constant:5ms", "--instances=4")


def per_second(rows: list[dict[str, str]], column: str) -> dict[int, float]:
    sums: dict[int, float] = defaultdict(float)
    for row in rows:
        sums[int(row["second"])] += float(row[column])
    return sums


def test_workers_share_the_rate_exactly_also_in_a_ramp_and_where_it_does_not_divide(stand_in, cluster):
    service = stand_in(*FAST)
    done = cluster(service, "--rate=50", "--ramp=5s", "--duration=12s", workers=3).finished()

    done.assert_sound()
    timeline = done.rows("timeline.csv")
    target = per_second(timeline, "target_per_s")
    # Locust adds ten users a second; a row says what is asked for at the end of its second.
    assert [target[second] for second in range(6, 11)] == [50.0] * 5
    assert all(target[second] % 1 == 0 and 10 * (second + 1) <= target[second] + 10 for second in range(5)), target
    planned = per_second(timeline, "planned")
    assert all(abs(planned[second] - 50) <= 2 for second in range(6, 11)), planned  # a second ends between two arrivals
    assert {int(row["users"]) for row in timeline if row["second"] == "8"} == {16, 17}
    assert sum(done.outcomes().values()) == len(service.truth()) - 1  # the probe


def test_the_merged_percentiles_are_those_of_all_that_the_workers_reported(stand_in, beside, tmp_path):
    service, port, run = stand_in("--service-time=exponential:20ms", "--instances=8"), free_port(), tmp_path / "run"
    master = beside(
        "master", *master_words(service.url, port, run, 2), "--rate=120", "--duration=5s", token=service.token
    )
    until(lambda: listens(port))
    relay = Relay(port)
    try:
        for name in ("one", "other"):
            beside(name, "loadgate", "worker", f"127.0.0.1:{relay.port}", token=service.token)
        done = master.finished(run)
    finally:
        relay.close()
    by_worker = captured.reports(relay.from_workers)
    sent = captured.requests(report for reports in by_worker.values() for report in reports)

    assert done.outcomes() == {"ok": 600}, done.stderr
    assert len(by_worker) == 2
    assert counted(done.rows("latency.csv")) == sent
    for measure in ("response", "service", "lateness", "first_byte", "upload"):
        times_us = [time_us for (*_, of, time_us), count in sent.items() if of == measure for _ in range(count)]
        shown = {name: each["value_s"] for name, each in done.summary()["latency"][measure].items() if is_known(each)}
        assert shown.keys() >= {"p50", "p90", "p95"}
        for name, value_s in shown.items():
            percentile = 100 if name == "max" else float(name[1:])
            expected = np.percentile(times_us, percentile, method="inverted_cdf") / 1e6
            assert value_s == pytest.approx(expected, rel=1e-12), (measure, name)


def is_known(percentile) -> bool:
    return isinstance(percentile, dict) and percentile.get("value_s") is not None


def counted(rows: list[dict[str, str]]) -> Counter[tuple[Any, ...]]:
    """The rows of a latency.csv as `captured.requests` gives those of reports."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        for time_us in row["value_us"].split() or [None]:
            key = (int(row["second"]), row["name"], row["outcome"], row["measure"])
            counts[*key, None if time_us is None else int(time_us)] += int(row["count"])
    return counts


HOSTILE = [
    b"",
    b"\xc1",
    b"\xdc\xff\xff",
    b"\x91" * 2000,
    pickle.dumps(("stats", {}, "me")),
    msgpack.dumps(5),
    msgpack.dumps(("stats",)),
    msgpack.dumps((None, None, None)),
    msgpack.dumps((["stats"], {}, "hostile")),
    msgpack.dumps(("client_ready", "2.0", "another")),
    msgpack.dumps(("stats", {"__datetime__": True, "as_str": "never"}, "hostile")),
    *(
        msgpack.dumps((kind, data, "hostile"))
        for kind in (
            "client_ready",
            "heartbeat",
            "stats",
            "spawning_complete",
            "exception",
            "logs",
            "locustfile",
            "quit",
        )
        for data in (None, 5, "x", [], {}, {"state": {}, "stats": [1], "loadgate": {"run": "x", "reports": 5}})
    ),
    *(
        msgpack.dumps((f"loadgate-{kind}", data, "hostile"))
        for kind in ("ready", "checked", "locked", "taken", "report")
        for data in (None, 5, {"terms": 5}, {"run": []})
    ),
]


def port_of(load: Cluster) -> int:
    (listen,) = [word for word in load.master.words if word.startswith("--listen=")]
    return int(listen.rpartition(":")[2])


def test_messages_that_make_no_sense_change_nothing(stand_in, cluster):
    service = stand_in(*FAST)
    load = cluster(service, "--rate=40", "--duration=8s", workers=1)
    load.await_reports()
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.IDENTITY, b"hostile")
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(f"tcp://127.0.0.1:{port_of(load)}")
        for message in HOSTILE:
            stranger.send(message)
        time.sleep(2)
    done = load.finished()

    assert "Traceback" not in done.stderr
    assert done.outcomes() == {"ok": 320}, done.stderr
    assert len(service.truth()) == 321
    done.assert_sound()


# A worker that is checked and has its share, but tells of it what no worker would: another thing in each report.
LIAR = """\
from itertools import cycle

from loadgate import worker_report
from loadgate.run_requests import *

NO_ROWS = {"latency": [], "waiting": [], "timeline": [], "failures": [], "notable": []}
LATENCY = [0, "a", "ok", "response", [1], 1]
REPORTS = cycle(
    [[0, {"rows": NO_ROWS | {"latency": [LATENCY[:at] + [cell] + LATENCY[at + 1 :]]}, "counts": None}]]
    for at in range(6)
    for cell in (None, -1, 2**63, {}, [[]], "x" * 5000, float("nan"))
)
worker_report.as_message = lambda due: next(REPORTS)
"""


def test_what_a_checked_worker_says_that_makes_no_sense_is_not_counted(stand_in, cluster, beside, tmp_path):
    service, locustfile = stand_in(*FAST), tmp_path / "liar.py"
    locustfile.write_text(LIAR, encoding="utf-8")
    load = cluster(service, "--rate=40", "--duration=30s", "--timeout=1s", workers=2, started=1)
    address = ["--master-host=127.0.0.1", f"--master-port={port_of(load)}"]
    beside("liar", "locust", f"-f={locustfile}", "--worker", *address, token=service.token)
    done = load.finished(120)

    assert "Traceback" not in done.stderr
    assert "sent something that is not taken: it is no report of a loadgate worker" in done.stderr
    assert done.outcomes() == {"ok": 600}, done.stderr
    assert (done.code, done.manifest()["workers_lost"]) == (3, 1)
    assert done.summary()["verdict"] == "invalid"


def test_a_message_too_large_is_not_read(stand_in, cluster):
    service = stand_in(*FAST)
    load = cluster(service, "--rate=20", "--duration=6s", workers=1)
    load.await_reports()
    with socket.create_connection(("127.0.0.1", port_of(load))) as stranger:
        # ZMTP 3.0: greeting, READY of a DEALER, and the head of a message of a terabyte (RFC 23/ZMTP).
        stranger.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
        stranger.sendall(b"\x04" + bytes([len(body)]) + body)
        time.sleep(0.5)
        stranger.sendall(b"\x02" + struct.pack(">Q", 2**40))
        stranger.settimeout(PATIENCE_S)
        with contextlib.suppress(ConnectionResetError):
            while stranger.recv(4096):
                pass  # it closes the connection
    done = load.finished()

    assert done.outcomes() == {"ok": 120}, done.stderr
    done.assert_sound()


def test_no_secret_travels_between_master_and_worker(stand_in, beside, tmp_path):
    service, port, run = stand_in(*FAST), free_port(), tmp_path / "run"
    master = beside(
        "master", *master_words(service.url, port, run, 1), "--rate=20", "--duration=3s", token=service.token
    )
    until(lambda: listens(port))
    relay = Relay(port)
    try:
        beside("worker", "loadgate", "worker", f"127.0.0.1:{relay.port}", token=service.token)
        done = master.finished(run)
    finally:
        relay.close()
    travelled = b"".join([*relay.from_master, *relay.from_workers])

    assert done.outcomes() == {"ok": 60}, done.stderr
    assert b"loadgate-begin" in travelled
    assert b"iris.json" in travelled
    for secret in (service.token.strip(), service.token.strip()[:20]):
        assert secret.encode() not in travelled


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
