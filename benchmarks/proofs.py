"""What the accuracy benchmark proves: each measures one round and says what it should have been."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cores import SERVICE
from generators import Run, k6, loadgate, locust, same_body, start
from server_log import Served, Times, lateness_ms, percentile, timed_server
from tools import HERE

Values = dict[str, float]
Reached = Callable[[Values], bool]
SHARES = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9}


@dataclass(frozen=True)
class Proof:
    """`measure` gives the figures of one round by label; `targets` says what of them must hold, by label."""

    measure: Callable[[Path, float], Values]
    targets: dict[str, tuple[str, Reached]] = field(default_factory=dict)


# ---- open-*


def open_load(rate: int, own_p99_ms: float) -> Proof:
    """Constant arrivals at `rate` a second, by loadgate and by k6, and when the server saw them."""

    def measure(folder: Path, seconds: float) -> Values:
        with timed_server(folder) as served:
            run = loadgate(folder, served.url, same_body(folder), f"--rate={rate}", f"--duration={seconds:g}s")
        arrived = without_probe(served)
        with timed_server(folder) as other:
            k6(folder, other.url, rate=rate, duration_s=seconds, users=min(rate, 500))
        own, steady = run.lateness_ms(), run.lateness_ms(from_second=1)
        return {
            "delivered, % of the plan": 100 * len(arrived) / (rate * seconds),
            "own lateness p50, ms": percentile(own, 50),
            "own lateness p99, ms": percentile(own, 99),
            "own lateness max, ms": percentile(own, 100),
            "others had its core, ms/s": run.seen.waited_s / seconds * 1000,
            "after 1 s: own lateness p50, ms": percentile(steady, 50),
            "after 1 s: own lateness p99, ms": percentile(steady, 99),
            **seen_lateness("after 1 s: server-seen lateness", arrived, rate),
            "k6: delivered, % of the plan": 100 * len(other.arrived) / (rate * seconds),
            **seen_lateness("k6, after 1 s: server-seen lateness", other.arrived, rate),
        }

    seen, own = "after 1 s: server-seen lateness p99, ms", "after 1 s: own lateness p99, ms"
    return Proof(
        measure,
        {
            "delivered, % of the plan": ("within 0.5 %", lambda v: abs(v["delivered, % of the plan"] - 100) <= 0.5),
            "own lateness p99, ms": (f"<= {own_p99_ms:g}", lambda v: v["own lateness p99, ms"] <= own_p99_ms),
            own: ("within 0.2 ms of the server's", lambda v: abs(v[own] - v[seen]) <= 0.2),
            seen: ("below k6's", lambda v: v[seen] < v["k6, after 1 s: server-seen lateness p99, ms"]),
        },
    )


def without_probe(served: Served) -> Times:
    """Arrivals of the load: loadgate sends one request before it."""
    return served.arrived[1:]


def seen_lateness(name: str, arrived: Times, rate: float) -> Values:
    """Percentiles of the lateness that the server saw after the first second, in which a generator gets going."""
    late = lateness_ms(arrived[arrived >= arrived[0] + 1], rate)
    return {f"{name} {word}, ms": percentile(late, SHARES[word]) for word in ("p50", "p99")}


# ---- in-flight


def in_flight(folder: Path, _seconds: float) -> Values:
    """10,000 requests in flight, each answered after 40 s: who loses any, and in how much memory."""
    slow = "--answer-after=40s"
    with timed_server(folder, slow) as served:
        run = loadgate(folder, served.url, same_body(folder), "--rate=250", "--duration=40s", "--timeout=60s")
    with timed_server(folder, slow) as of_k6:
        by_k6 = k6(folder, of_k6.url, rate=250, duration_s=40, users=10_000)
    with timed_server(folder, slow) as of_locust:
        by_locust = locust(folder, of_locust.url, users=10_000, spawn_rate=250)
    return {
        "planned": run.manifest["counts"]["planned"],
        "in flight at once": most_at_once(served),
        "arrived at the server": len(without_probe(served)),
        "ok": run.summary["outcomes"].get("ok", 0),
        "peak memory, MB": run.seen.peak_mb,
        "its report's, a process after the load, MB": run.seen.child_peak_mb,
        "k6: in flight at once": most_at_once(of_k6),
        "k6: peak memory, MB": by_k6.peak_mb,
        "Locust: in flight at once": most_at_once(of_locust),
        "Locust: peak memory, MB": by_locust.peak_mb,
    }


def most_at_once(served: Served) -> int:
    """Most requests that were at the server together."""
    moments = np.concatenate([served.arrived, served.answered])
    change = np.repeat([1, -1], len(served.arrived))
    return int(np.cumsum(change[np.argsort(moments, kind="stable")]).max())


IN_FLIGHT = Proof(
    in_flight,
    {
        "ok": ("all of planned, arrived", lambda v: v["ok"] == v["planned"] == v["arrived at the server"]),
        "peak memory, MB": ("<= 150", lambda v: v["peak memory, MB"] <= 150),
    },
)


# ---- stall

STALL_RATE, STALL_S, BASE_S = 200, 60.0, 0.1
STALL = (f"--answer-after={BASE_S}s", "--stall-at=30s", "--stall-for=1.4s")


def stall(folder: Path, _seconds: float) -> Values:
    """A server that stands still once: what the plan makes of it, and what a user who waits sees."""
    with timed_server(folder, *STALL) as served:
        run = loadgate(folder, served.url, same_body(folder), f"--rate={STALL_RATE}", f"--duration={STALL_S:g}s")
    with timed_server(folder, *STALL) as of_closed:
        closed = loadgate(folder, of_closed.url, same_body(folder), "--users=1", f"--duration={STALL_S:g}s")
    due = expected_ms(without_probe(served)[0], served.stalled)
    values = {}
    for name, share in SHARES.items():
        values[f"response {name}, ms"] = run.percentile_ms("response", name)
        values[f"by arithmetic {name}, ms"] = percentile(due, share)
    values |= {f"service {name}, ms": run.percentile_ms("service", name) for name in SHARES}
    return values | {"closed loop, 1 user: p99, ms": closed.percentile_ms("response", "p99")}


def expected_ms(first: float, stalled: tuple[float, float]) -> Times:
    """What each arrival of the plan has to wait, by the server's rule: it reads, then answers BASE_S later.

    Who arrives in the stall is read at its end; whose answer would fall into it is answered at its end.
    """
    began, ended = stalled
    arrived = first + np.arange(STALL_RATE * STALL_S) / STALL_RATE
    waits = np.full(len(arrived), BASE_S)
    in_stall = (arrived >= began) & (arrived < ended)
    caught = (arrived < began) & (arrived + BASE_S > began)
    waits[in_stall] = ended - arrived[in_stall] + BASE_S
    waits[caught] = ended - arrived[caught]
    return waits * 1000


def _near(name: str) -> Reached:
    return lambda v: abs(v[f"response {name}, ms"] / v[f"by arithmetic {name}, ms"] - 1) <= 0.02


STALLED = Proof(stall, {f"response {name}, ms": ("within 2 % of arithmetic", _near(name)) for name in SHARES})


# ---- truth


def truth(folder: Path, _seconds: float) -> Values:
    """The service time that loadgate measures beside the time in the stand-in service, by its truth file."""
    file, token = folder / "truth.csv", folder / "token"
    file.unlink(missing_ok=True)
    token.unlink(missing_ok=True)
    serve = [sys.executable, "-m", "loadgate", "serve", "--port=0", "--service-time=constant:100ms"]
    with start([*serve, f"--truth={file}", f"--write-token={token}"], SERVICE, {}, stdout=subprocess.PIPE) as server:
        try:
            url = server.stdout.readline().split()[1]
            run = loadgate(folder, url, "--rate=50", "--duration=20s", token=token.read_text(encoding="utf-8").strip())
        finally:
            server.terminate()
    with file.open(encoding="utf-8") as rows:
        times = sorted((float(row["arrival_s"]), float(row["end_s"])) for row in csv.DictReader(rows) if row["start_s"])
    in_server = np.array([(end - arrival) * 1000 for arrival, end in times[1:]])  # the first is the probe
    values = {}
    for name in ("p50", "p90", "p99"):
        values[f"service {name}, ms"] = run.percentile_ms("service", name)
        values[f"in the server {name}, ms"] = percentile(in_server, SHARES[name])
        values[f"difference {name}, ms"] = values[f"service {name}, ms"] - values[f"in the server {name}, ms"]
    return values


# ---- pauses


def pauses(folder: Path, seconds: float) -> Values:
    """Pauses of Python's garbage collector at 5,000/s, with few and with many requests in flight."""
    values = {}
    for load, answer_after in {"32 in flight": "6.4ms", "5,000 in flight": "1s"}.items():
        for how in ("as Python has it", "in loadgate"):
            times, run = watched(folder, how, seconds, answer_after)
            name = f"{load}, {how}"
            values[f"{name}: collections"] = len(times)
            values[f"{name}: pause p99, ms"] = percentile(times, 99)
            values[f"{name}: longest pause, ms"] = percentile(times, 100)
            values[f"{name}: lateness p99, ms"] = percentile(run.lateness_ms(), 99)
            values[f"{name}: others had its core, ms/s"] = run.seen.waited_s / seconds * 1000
    return values


def watched(folder: Path, how: str, seconds: float, answer_after: str) -> tuple[Times, Run]:
    """The length in ms of each collection of a load, and the run."""
    file = folder / "pauses.json"
    with timed_server(folder, f"--answer-after={answer_after}") as served:
        watch = (str(HERE / "gc_watch.py"), str(file), how)
        run = loadgate(folder, served.url, same_body(folder), "--rate=5000", f"--duration={seconds:g}s", launcher=watch)
    return np.array(json.loads(file.read_text(encoding="utf-8"))), run


PROOFS = {
    "open-100": open_load(100, 0.5),
    "open-1000": open_load(1000, 0.5),
    "open-10000": open_load(10_000, 2.0),
    "in-flight": IN_FLIGHT,
    "stall": STALLED,
    "truth": Proof(truth),
    "pauses": Proof(pauses),
}
