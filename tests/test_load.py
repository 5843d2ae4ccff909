"""A load's rows say exactly what its engine counted."""

import gc
import time
from collections import Counter
from itertools import accumulate

import gevent
import pytest
from awaited_client import limits, run_until
from raw_server import OK, Gate, hold, read, serve_on

from analysis import run_format
from loadgate import load as loads
from loadgate.connection import clock
from loadgate.credential import Bearer
from loadgate.gateway import Latency
from loadgate.load import Load, Share
from loadgate.payloads import Payload
from loadgate.plan import Plan, Sending
from loadgate.target import Target

USER = "JsonUser"


@pytest.fixture
def load_of(loop):
    """Start a load of a server; the keywords are fields of the plan, and those of `limits`."""
    begun = []

    def begin(server, *, most=1000, timeout_s=5.0, latency=None, on_batch=lambda batch: None, **fields):
        target = Target("localhost", server.port, "/v1", tls=False)
        gateway = limits(timeout_s=timeout_s, most=most, latency=latency)
        credential = Bearer("token", "X-Auth-Token", "", "secret")
        sending = Sending(target, [server.address], gateway, credential, None)
        requests = {USER: sending.encode([Payload("test", "file", "text/plain", b"hello")])}
        defaults = {
            "load_model": "open",
            "arrivals": "constant",
            "rate_per_user": 1.0,
            "think_time_s": 0.0,
            "own_tasks": False,
        }
        plan = Plan(sending, requests, [], **{**defaults, "duration_s": None, "seed": 1, **fields})
        begun.append(Load(plan, Share(), on_batch, lambda error: None))
        return begun[-1]

    yield begin
    for load in begun:
        load.drain()


def add_users(load, count):
    for number in range(count):
        load.add_user(number, USER)


def responses(report, column="outcome"):
    """How many requests have which value in a column, by the histogram."""
    index = run_format.LATENCY_COLUMNS.index(column)
    counts = Counter()
    for row in report["latency"]:
        _, _, _, measure, times_us, count = row
        if measure == run_format.RESPONSE:
            counts[row[index]] += count * (len(times_us) or 1)
    return counts


def timeline(report, column):
    index = run_format.TIMELINE_COLUMNS.index(column)
    return [row[index] for row in report["timeline"]]


COUNTED = ("planned", "sent", "finished", "dropped", "resent")


def assert_reconciled(load, report):
    counts = load.counts
    assert responses(report).total() == counts["planned"] == counts["sent"] + counts["dropped"]
    assert counts["sent"] == counts["finished"] + counts["unfinished"]
    assert {name: sum(timeline(report, name)) for name in COUNTED} == {name: counts[name] for name in COUNTED}
    failed = Counter()
    for row in report["failures"]:
        failed[row.outcome] += row.count
    assert failed == responses(report) - Counter({"ok": responses(report)["ok"]})
    assert all(len(row) == len(run_format.TIMELINE_COLUMNS) for row in report["timeline"])
    assert all(len(row) == len(run_format.LATENCY_COLUMNS) for row in report["latency"])


@pytest.mark.parametrize("load_model", ["open", "closed"])
def test_the_rows_reconcile_with_the_counts(serve, load_of, load_model):
    load = load_of(serve([serve_on]), load_model=load_model, rate_per_user=100.0)
    add_users(load, 4)
    run_until(lambda: load.counts["finished"] > 50)
    load.drain()

    assert_reconciled(load, load.take())


def test_a_rate_that_is_set_is_that_of_users_who_come_later_too(serve, load_of):
    load = load_of(serve([serve_on]), rate_per_user=1000.0)
    load.set_rate_per_user(0.0)
    add_users(load, 4)
    gevent.sleep(0.1)
    assert load.counts["planned"] == 0

    load.set_rate_per_user(50.0)
    run_until(lambda: load.counts["finished"] >= 40)
    load.drain()
    report = load.take()

    assert 200.0 in timeline(report, "target_per_s")
    assert_reconciled(load, report)


def test_who_sets_the_rate_is_told_what_is_in_flight(serve, load_of):
    load = load_of(serve([read, hold]), timeout_s=5.0)
    load.set_rate_per_user(5.0)
    add_users(load, 1)
    run_until(lambda: any(load.take()["waiting"]))


def test_draining_waits_for_what_is_in_flight(serve, load_of, loop):
    gate = Gate()
    server = serve([read, gate.wait, OK, hold])
    load = load_of(server, load_model="closed")
    add_users(load, 5)
    run_until(lambda: len(server.bodies) == 5)
    loop.timer(0.1).start(gate.open)
    before = clock()
    load.drain()
    report = load.take()

    assert clock() - before >= 0.09
    assert responses(report) == {"ok": 5}
    assert_reconciled(load, report)


def test_draining_ends_with_the_deadline_of_what_never_comes(serve, load_of):
    server = serve([read, hold])
    load = load_of(server, load_model="closed", timeout_s=0.2)
    add_users(load, 5)
    run_until(lambda: len(server.bodies) == 5)
    load.drain()
    report = load.take()

    assert responses(report) == {"client_timeout": 5}
    assert_reconciled(load, report)


def test_what_is_still_in_flight_after_all_is_unfinished(serve, load_of, monkeypatch):
    """Held up beyond the deadline and its slack, the engine had no turn to time anything out."""
    monkeypatch.setattr(loads, "END_SLACK_S", -5.0)
    server = serve([read, hold])
    load = load_of(server, load_model="closed")
    add_users(load, 5)
    run_until(lambda: len(server.bodies) == 5)
    load.drain()
    report = load.take()

    assert responses(report) == {"unfinished": 5}
    assert_reconciled(load, report)


def test_dropped_arrivals_have_a_row_without_a_time(serve, load_of):
    load = load_of(serve([read, hold]), rate_per_user=200.0, most=2, timeout_s=0.3)
    add_users(load, 1)
    run_until(lambda: load.counts["dropped"] > 5)
    load.drain()
    report = load.take()

    assert responses(report)["dropped"] == load.counts["dropped"]
    assert_reconciled(load, report)
    dropped = [row for row in report["latency"] if row[2] == "dropped"]
    assert {(row[3], tuple(row[4])) for row in dropped} == {(run_format.RESPONSE, ())}


@pytest.mark.parametrize("load_model", ["open", "closed"])
def test_a_plan_with_a_duration_ends_there(serve, load_of, load_model):
    """The stop comes early, as Locust's timer does: the plan is sent in full, and nothing after it."""
    load = load_of(serve([serve_on]), load_model=load_model, rate_per_user=100.0, duration_s=1.0)
    add_users(load, 2)
    gevent.sleep(0.9)
    load.drain()
    report = load.take()

    assert {row[0] for row in report["latency"]} == {0}
    assert load_model == "closed" or load.counts["planned"] == 200
    assert_reconciled(load, report)


def test_a_plan_whose_stop_comes_late_has_ended_by_itself(serve, load_of):
    load = load_of(serve([serve_on]), rate_per_user=100.0, duration_s=0.3)
    add_users(load, 2)
    gevent.sleep(0.5)

    assert load.counts["planned"] == 60
    load.drain()
    assert load.counts["planned"] == 60


def test_a_stop_long_before_the_end_stops_at_once(serve, load_of):
    load = load_of(serve([serve_on]), rate_per_user=100.0, duration_s=60.0)
    add_users(load, 2)
    gevent.sleep(0.1)
    before = clock()
    load.drain()

    assert clock() - before < 0.5
    assert_reconciled(load, load.take())


def test_each_row_is_taken_once(serve, load_of):
    load = load_of(serve([serve_on]), load_model="closed")
    add_users(load, 2)
    reports = []
    for _ in range(4):
        gevent.sleep(0.3)
        reports.append(load.take())
    load.drain()
    reports.append(load.take())
    whole = {key: [row for report in reports for row in report[key]] for key in reports[0]}

    assert_reconciled(load, whole)
    assert [bool(report["latency"]) for report in reports] == [bool(report["timeline"]) for report in reports]
    assert not reports[0]["latency"]  # once a second
    assert timeline(whole, "second") == list(range(len(whole["timeline"])))
    assert len(whole["timeline"]) >= 2
    assert load.take() == {"latency": [], "timeline": [], "failures": [], "notable": [], "waiting": []}


def test_whoever_has_the_row_of_a_second_has_all_that_finished_in_it(serve, load_of):
    load = load_of(serve([serve_on]), rate_per_user=10.0)
    add_users(load, 1)
    finished, recorded = [], []
    until = clock() + 2.9
    while clock() < until:
        gevent.sleep(0.005)  # at any time, and so while a row is being made
        report = load.take()
        finished.append(sum(timeline(report, "finished")))
        recorded.append(responses(report).total())
    sums = zip(accumulate(finished), accumulate(recorded), strict=True)

    assert sum(finished) == pytest.approx(20, abs=1)
    assert all(known <= measured for known, measured in sums)


def test_the_timeline_has_a_row_for_each_whole_second(serve, load_of):
    load = load_of(serve([serve_on]), rate_per_user=100.0, duration_s=2.0)
    add_users(load, 1)
    gevent.sleep(1.99)
    load.drain()
    report = load.take()

    assert timeline(report, "second")[:2] == [0, 1]
    assert sum(timeline(report, "planned")) == pytest.approx(200, abs=1)
    assert min(timeline(report, "planned")[:2]) >= 50  # a row is made a little after its second
    assert timeline(report, "users")[0] == 1
    assert timeline(report, "target_per_s")[0] == 100.0


def test_batches_hold_every_request_once(serve, load_of):
    sizes = []
    load = load_of(
        serve([serve_on]), load_model="closed", on_batch=lambda batch: sizes.append((len(batch.second), batch.names))
    )
    add_users(load, 2)
    gevent.sleep(0.6)
    load.drain()

    assert len(sizes) >= 3
    assert sum(size for size, _ in sizes) == load.counts["planned"]
    assert sizes[0][1] == ["test"]


def test_failures_and_the_slowest_are_notable(serve, load_of):
    server = serve([read, b"HTTP/1.1 500 No\r\nContent-Length: 18\r\n\r\nsecret is no token", serve_on])
    load = load_of(server, load_model="closed")
    add_users(load, 1)
    run_until(lambda: load.counts["finished"] > 10)
    load.drain()
    notable = load.take()["notable"]

    assert (notable[0].outcome, notable[0].message) == ("server_error", "*** is no token")
    assert {row.outcome for row in notable[1:]} == {"ok"}


def test_what_the_gateway_says_of_its_time_is_recorded_where_it_says_it(serve, load_of):
    said = b"HTTP/1.1 200 OK\r\nX-Total: 15\r\nX-Behind: 12\r\nContent-Length: 2\r\n\r\nok"
    zero = b"HTTP/1.1 200 OK\r\nX-Total: 0\r\nX-Behind: 0\r\nContent-Length: 2\r\n\r\nok"
    half = b"HTTP/1.1 200 OK\r\nX-Total: 7\r\nContent-Length: 2\r\n\r\nok"
    server = serve([read, said, read, zero, read, half, read, OK, hold])
    load = load_of(server, load_model="closed", latency=Latency("X-Total", "X-Behind", includes_backend=True))
    add_users(load, 1)
    run_until(lambda: load.counts["finished"] == 4)
    load.drain()
    rows = Counter()
    for _, _, _, measure, times_us, count in load.take()["latency"]:
        if measure in (run_format.GATEWAY, run_format.BACKEND):
            rows.update({(measure, time_us): count for time_us in times_us})

    assert rows == {("gateway", 3001): 1, ("backend", 12_004): 1, ("gateway", 0): 1, ("backend", 0): 1}


@pytest.mark.parametrize("load_model", ["open", "closed"])
def test_users_come_and_go(serve, load_of, load_model):
    load = load_of(serve([serve_on]), load_model=load_model, rate_per_user=100.0)
    add_users(load, 2)
    gevent.sleep(0.1)
    for number in range(2):
        load.remove_user(number, USER)
    planned = load.counts["planned"]
    gevent.sleep(0.1)

    assert load.counts["planned"] == planned > 0


@pytest.mark.parametrize("load_model", ["open", "closed"])
def test_users_that_come_or_go_after_the_end_change_nothing(serve, load_of, load_model):
    load = load_of(serve([serve_on]), load_model=load_model, rate_per_user=100.0)
    add_users(load, 2)
    gevent.sleep(0.1)
    load.drain()
    counts = load.counts
    load.add_user("late", USER)
    load.remove_user(0, USER)
    gevent.sleep(0.1)

    assert load.counts == counts


def test_users_that_come_while_the_load_drains_do_not_prolong_it(serve, load_of, loop):
    gate = Gate()
    server = serve([read, gate.wait, OK, serve_on])
    load = load_of(server, load_model="closed")
    add_users(load, 1)
    run_until(lambda: len(server.bodies) == 1)
    ending = gevent.spawn(load.drain)
    gevent.sleep(0.01)
    load.add_user("late", USER)
    loop.timer(0.1).start(gate.open)
    ending.get()

    assert load.counts["planned"] == 1


def test_whoever_drains_meanwhile_waits_for_the_same_end(serve, load_of, loop):
    gate = Gate()
    server = serve([read, gate.wait, OK, hold])
    load = load_of(server, load_model="closed")
    add_users(load, 1)
    run_until(lambda: len(server.bodies) == 1)
    loop.timer(0.1).start(gate.open)
    finished = []
    endings = [gevent.spawn(lambda: load.drain() or finished.append(load.counts["finished"])) for _ in range(2)]
    gevent.joinall(endings, raise_error=True)
    load.drain()

    assert finished == [1, 1]
    assert_reconciled(load, load.take())


def test_the_collector_looks_at_everything_again_afterwards(serve, load_of):
    load = load_of(serve([serve_on]))
    assert gc.get_freeze_count() > 0
    load.drain()

    assert gc.get_freeze_count() == 0


def test_the_collectors_stops_are_measured_while_the_load_goes_on(serve, load_of):
    watching = len(gc.callbacks)
    load = load_of(serve([serve_on]))
    gc.collect()
    load.drain()

    assert max(timeline(load.take(), "gc_pause_ms")) > 0
    assert len(gc.callbacks) == watching


# ---- tasks of the user's own


def test_a_task_gets_what_its_request_brought_and_the_request_is_recorded(serve, load_of):
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"label": 42}'
    load = load_of(serve([read, answer, read, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]), own_tasks=True)
    add_users(load, 1)
    good, bad = load.infer(USER, None), load.infer(USER, Payload("mine", "json", "application/json", b"{}"))
    load.drain()

    assert (good.outcome, good.status, good.json(), good.message) == ("ok", 200, {"label": 42}, "")
    assert good.headers[b"content-type"] == b"application/json"
    assert 0 < good.service_s < 10
    assert (bad.outcome, bad.status, bad.body) == ("unavailable", 503, b"")
    named = {(name, outcome) for _, name, outcome, *_ in load.take()["latency"]}
    assert named == {("test", "ok"), ("mine", "unavailable")}


def test_names_that_are_new_in_every_request_are_kept_up_to_a_number(serve, load_of):
    load = load_of(serve([serve_on]), own_tasks=True)
    add_users(load, 1)
    many = [Payload(f"body {number}", "json", "text/plain", b"{}") for number in range(loads.NAMES_KEPT + 3)]
    for payload in [*many, many[0]]:
        load.infer(USER, payload)
    load.drain()

    report = load.take()
    names = responses(report, "name")
    assert len(names) == loads.NAMES_KEPT + 1
    assert (names["body 0"], names["body 1"], names[loads.OTHER_NAMES]) == (2, 1, 3)
    assert_reconciled(load, report)


def test_a_task_whose_user_is_stopped_leaves_its_request_on_its_way(serve, load_of):
    server = serve([read, lambda _: time.sleep(0.1), OK])
    load = load_of(server, own_tasks=True)
    task = gevent.spawn(load.infer, USER, None)
    run_until(lambda: server.bodies)
    task.kill()
    load.drain()

    assert sum(responses(load.take()).values()) == 1


def test_a_task_of_a_load_that_is_over_sends_nothing(serve, load_of):
    server = serve([serve_on])
    load = load_of(server, own_tasks=True)
    load.drain()
    with pytest.raises(gevent.GreenletExit):
        load.infer(USER, None)

    assert server.bodies == []
    assert load.counts["planned"] == 0
