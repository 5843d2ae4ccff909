"""A load of several processes that meet on a port, as they do over several machines."""

import contextlib
import csv
import json
import pickle
import socket
import struct
import subprocess
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
import zmq
from conftest import PATIENCE_S, PYTHON, environment, until


class Cluster:
    """A master and its workers, each with an environment and a working folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.run = folder, url, folder / "run"
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{chosen.getsockname()[1]}"
        self.workers: list[subprocess.Popen[str]] = []
        self.master: subprocess.Popen[str] | None = None

    def start_master(self, token: str, *words: str, workers: int = 2) -> None:
        self.master = self._start(
            (
                "run",
                self.url,
                f"--workers={workers}",
                f"--listen={self.address}",
                f"--out={self.run}",
                "--no-plots",
                *words,
            ),
            token,
            "master",
        )

    def start_worker(self, token: str | None, *words: str) -> subprocess.Popen[str]:
        self.workers.append(self._start(("worker", self.address, *words), token, f"worker-{len(self.workers)}"))
        return self.workers[-1]

    def _start(self, words: tuple[str, ...], token: str | None, name: str) -> subprocess.Popen[str]:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([*PYTHON, "loadgate", *words], cwd=folder, env=environment(token), **pipes)

    @property
    def listens(self) -> bool:
        """Whether the master can be reached."""
        host, _, port = self.address.partition(":")
        with socket.socket() as tried:
            return tried.connect_ex((host, int(port))) == 0

    def end(self) -> tuple[int, str]:
        """The master's exit code and all that it said."""
        assert self.master is not None
        said, _ = self.master.communicate(timeout=2 * PATIENCE_S)
        for worker in self.workers:
            worker.communicate(timeout=PATIENCE_S)
        return self.master.returncode, said

    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.run / "summary.json").read_text(encoding="utf-8"))
        return summary

    def assert_sound(self, code: int) -> None:
        """The run is valid, or invalid for one reason only: that this machine was too busy to send in time."""
        serious = {caution["name"] for caution in self.summary()["cautions"] if caution["serious"]}
        assert serious <= {"generator_late"}, serious
        assert code == (3 if serious else 0)

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.run / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def outcomes(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for row in self.rows("latency.csv"):
            if row["measure"] == "response":
                counts[row["outcome"]] += int(row["count"]) * max(len(row["value_us"].split()), 1)
        return counts


@pytest.fixture
def cluster(tmp_path):
    made = []

    def make(url: str) -> Cluster:
        made.append(Cluster(tmp_path, url))
        return made[-1]

    yield make
    for each in made:
        for process in (each.master, *each.workers):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()


def per_second(rows: list[dict[str, str]], column: str) -> dict[int, float]:
    sums: dict[int, float] = defaultdict(float)
    for row in rows:
        sums[int(row["second"])] += float(row[column])
    return sums


def test_workers_share_the_rate_exactly_also_in_a_ramp_and_where_it_does_not_divide(stand_in, cluster):
    service = stand_in("--service-time=constant:5ms", "--instances=4")
    load = cluster(service.url)
    load.start_master(service.token, "--rate=50", "--ramp=5s", "--duration=12s", workers=3)
    for _ in range(3):
        load.start_worker(service.token)
    code, _ = load.end()

    load.assert_sound(code)
    timeline = load.rows("timeline.csv")
    target = per_second(timeline, "target_per_s")
    # Locust adds ten users a second; a row says what is asked for at the end of its second.
    assert [target[second] for second in range(6, 11)] == [50.0] * 5
    assert all(target[second] % 1 == 0 and 10 * (second + 1) <= target[second] + 10 for second in range(5)), target
    planned = per_second(timeline, "planned")
    assert all(abs(planned[second] - 50) <= 2 for second in range(6, 11)), planned  # a second ends between two arrivals
    shares = {int(row["users"]) for row in timeline if row["second"] == "8"}
    assert shares == {16, 17}
    truth = len(service.truth()) - 1  # the probe
    assert sum(load.outcomes().values()) == truth


def test_the_merged_percentiles_are_those_of_all_the_rows(stand_in, cluster):
    service = stand_in("--service-time=exponential:20ms", "--instances=8")
    load = cluster(service.url)
    load.start_master(service.token, "--rate=120", "--duration=5s")
    for _ in range(2):
        load.start_worker(service.token)
    _, said = load.end()

    assert load.outcomes() == {"ok": 600}, said
    summary = load.summary()
    for measure in ("response", "service", "lateness"):
        times_us = np.concatenate(
            [
                np.repeat([int(us) for us in row["value_us"].split()], int(row["count"]))
                for row in load.rows("latency.csv")
                if row["measure"] == measure
            ]
        )
        shown = summary["latency"][measure]
        for name in ("p50", "p90"):
            expected = float(np.percentile(times_us, float(name[1:]), method="inverted_cdf")) / 1e6
            assert shown[name]["value_s"] == pytest.approx(expected, rel=1e-12), (measure, name)


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
        for kind in ("ready", "checked", "locked?", "taken", "report")
        for data in (None, 5, {"terms": 5}, {"run": []})
    ),
]


def test_messages_that_make_no_sense_change_nothing(stand_in, cluster):
    service = stand_in("--service-time=constant:5ms")
    load = cluster(service.url)
    load.start_master(service.token, "--rate=40", "--duration=8s", workers=1)
    load.start_worker(service.token)
    until((load.run / "latency.csv").exists)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.IDENTITY, b"hostile")
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(f"tcp://{load.address}")
        for message in HOSTILE:
            stranger.send(message)
        time.sleep(2)
    code, said = load.end()

    assert "Traceback" not in said, said
    assert load.outcomes() == {"ok": 320}, said
    assert len(service.truth()) == 321, said
    load.assert_sound(code)


def test_a_message_too_large_is_not_read(stand_in, cluster):
    service = stand_in("--service-time=constant:5ms")
    load = cluster(service.url)
    load.start_master(service.token, "--rate=20", "--duration=6s", workers=1)
    load.start_worker(service.token)
    until((load.run / "latency.csv").exists)
    host, port = load.address.split(":")
    with socket.create_connection((host, int(port))) as stranger:
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
    code, said = load.end()

    assert load.outcomes() == {"ok": 120}, said
    load.assert_sound(code)


class Relay:
    """Passes on what two sides of a connection say, and keeps it."""

    def __init__(self, address: str) -> None:
        self.kept: list[bytes] = []
        self._to = address.split(":")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept_on, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept_on(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((self._to[0], int(self._to[1])))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self.kept.append(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


def test_no_secret_travels_between_master_and_worker(stand_in, cluster):
    service = stand_in("--service-time=constant:5ms")
    load = cluster(service.url)
    load.start_master(service.token, "--rate=20", "--duration=3s", workers=1)
    until(lambda: load.listens)
    relay = Relay(load.address)
    load.address = relay.address
    load.start_worker(service.token)
    code, said = load.end()
    relay.close()
    travelled = b"".join(relay.kept)

    load.assert_sound(code)
    assert load.outcomes() == {"ok": 60}, said
    assert b"loadgate-begin" in travelled
    assert b"iris.json" in travelled
    for secret in (service.token.strip(), service.token.strip()[:20]):
        assert secret.encode() not in travelled
