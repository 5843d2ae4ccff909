"""What the gateway is, against the stand-in: its words, its limits, and its own figures of its time."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.outcomes import AnsweredBy
from loadgate import profiles
from loadgate.answers import Answer, judge
from loadgate.payloads import Payload
from loadgate.standin.errors import ERRORS

MODELARTS = profiles.load("modelarts")
PAYLOAD = Payload("a", "json", "application/json", b"{}")


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_that_the_stand_in_knows_is_the_gateways_and_has_its_reason_and_advice(name):
    """Both were written from the vendor's tables, each without the other."""
    refusal = ERRORS[name]
    finding = judge(Answer(refusal.status, {}, refusal.body("0" * 32)), PAYLOAD, None, MODELARTS)

    assert (finding.by, finding.code) == (AnsweredBy.GATEWAY, refusal.code)
    assert finding.reason in MODELARTS.advice


def test_a_load_of_many_errors_is_counted_as_the_stand_in_sent_them(stand_in, command):
    shown = ("ModelArts.4503/504/keepalive", "ModelArts.4302/503/self_protection", "APIG.0201/413", "APIG.0201/502")
    others = ("APIG.0203", "ModelArts.4206", "APIG.0308/429/user", "error_wrapped", "html", "truncated_error")
    faults = [f"--fault={name}:6%" for name in (*shown, *others, "MR.0105")]
    service = stand_in("--service-time=constant:5ms", "--instances=16", "--seed=4", *faults)

    finished = command("loadgate", "run", service.url, "--rate=150", "--duration=3s", token=service.token)

    by_fault = Counter(row["fault"] for row in service.truth()[1:])
    assert by_fault[""] == finished.outcomes()["ok"]
    failures = Counter()
    for row in finished.rows("failures.csv"):
        failures[row["answered_by"], row["reason"], row["status"], row["error_code"]] += int(row["count"])
    assert sum(failures.values()) == sum(by_fault.values()) - by_fault[""]
    for key, faults_of_it in {
        ("gateway", "idle connection closed by the model", "504", "ModelArts.4503"): ["ModelArts.4503/504/keepalive"],
        ("gateway", "circuit breaker open", "503", "ModelArts.4302"): ["ModelArts.4302/503/self_protection"],
        ("gateway", "body over the limit", "413", "APIG.0201"): ["APIG.0201/413"],
        ("gateway", "no backend available", "502", "APIG.0201"): ["APIG.0201/502"],
        ("gateway", "backend timeout", "504", "APIG.0203"): ["APIG.0203"],
        ("gateway", "throttled by the service's traffic limit", "429", "ModelArts.4206"): ["ModelArts.4206"],
        ("gateway", "throttled by the API's policy", "429", "APIG.0308"): ["APIG.0308/429/user"],
    }.items():
        assert failures[key] == sum(by_fault[fault] for fault in faults_of_it) > 0, key
    assert sum(count for (by, *_), count in failures.items() if by == "model") == by_fault["MR.0105"] > 0
    ids = {row["request_id"] for row in service.truth()}
    known = [row["request_id"] for row in finished.rows("notable.csv") if row["request_id"]]
    assert set(known) <= ids
    assert len(known) > 20
    report = (finished.run / "report.html").read_text(encoding="utf-8")
    assert "circuit breaker open" in report
    assert MODELARTS.advice["circuit breaker open"][:40] in report


def test_the_gateways_own_time_and_the_models_are_told_apart(stand_in, command):
    service = stand_in("--service-time=constant:40ms", "--instances=1", "--concurrency=2")

    finished = command(
        "loadgate", "run", service.url, "--rate=30", "--duration=4s", "--gateway-latency", token=service.token
    )

    finished.assert_sound()
    latency = finished.summary()["latency"]
    true_s = [float(row["end_s"]) - float(row["arrival_s"]) for row in service.truth()[1:]]
    assert latency["backend"]["n"] == latency["gateway"]["n"] == finished.outcomes()["ok"] == 120
    assert latency["backend"]["p50"]["value_s"] == pytest.approx(np.median(true_s), abs=0.003)
    assert latency["gateway"]["p50"]["value_s"] <= 0.003


def test_payloads_over_the_limit_are_named_and_sent_or_skipped(stand_in, command, tmp_path: Path):
    service = stand_in("--service-time=constant:5ms", "--body-limit=2kB")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "small.txt").write_bytes(b"x" * 100)
    (folder / "large.txt").write_bytes(b"x" * 3000)
    load = ("loadgate", "run", service.url, f"--file={folder}", "--rate=40", "--duration=1s", "--body-limit=2kB")

    sent = command(*load, token=service.token)
    assert sent.outcomes()["oversize"] == 20
    (payload,) = sent.summary()["run"]["payloads"]
    assert (payload["over_limit"], payload["skipped"]) == (1, 0)
    assert "1 over the limit of 1.95 KiB" in sent.stderr
    for page in ("report.html", "report.md"):
        assert "large.txt" in (sent.run / page).read_text(encoding="utf-8")
    sent.run.rename(tmp_path / "sent")

    skipped = command(*load, "--skip-oversize", token=service.token)
    assert "oversize" not in skipped.outcomes()
    assert skipped.summary()["run"]["payloads"][0]["skipped"] == 1

    nothing = command(*load, "--skip-oversize", "--body-limit=10B", token=service.token)
    assert nothing.code == 2
    assert "--skip-oversize leaves nothing to send" in nothing.stderr


@pytest.mark.parametrize("form", ["4503", "APIG.0203", "4205"])
def test_the_time_limit_is_a_timeout_in_each_of_its_three_forms(stand_in, command, form):
    service = stand_in("--service-time=constant:5ms", "--timeout=200ms", "--fault=slow:50%", f"--time-out-as={form}")

    finished = command(
        "loadgate",
        "run",
        service.url,
        "--rate=40",
        "--duration=1s",
        "--timeout=200ms",
        "--no-plots",
        token=service.token,
    )

    slow = sum(row["fault"] == "slow" for row in service.truth()[1:])
    assert finished.outcomes()["gateway_timeout"] == slow > 0
    assert {row["reason"] for row in finished.rows("failures.csv")} == {"backend timeout"}
    assert finished.summary()["latency"]["response"]["p90"]["censored"]
