import json
import re
import resource
import ssl
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from loadgate import plan as plans
from loadgate.credential import TOKEN_VARIABLE
from loadgate.errors import ConfigError
from loadgate.options import HOW, LIMITS, LOCUST_ONLY, WHAT

ENVIRON = {TOKEN_VARIABLE: "secret-token"}
DEFAULTS = {option.name: option.default for option in (*WHAT, *HOW, *LIMITS, *LOCUST_ONLY)}


def options(**changes):
    return Namespace(**({"host": "http://127.0.0.1:8123/v1/infers/1"} | DEFAULTS | changes))


def user(name, kind=None, paths=(), own_tasks=False):
    return type(name, (), {"kind": kind, "paths": paths, "own_tasks": own_tasks})


@pytest.fixture
def bodies(tmp_path):
    """Files to send: a path by name."""
    for name, content in {"a.json": '{"a": 1}', "b.json": '{"b": 1}', "cat.png": "png"}.items():
        (tmp_path / name).write_text(content)
    return {path.name: str(path) for path in tmp_path.iterdir()}


# ---- where and how


def test_the_limits_are_the_gateways_where_nothing_else_is_said():
    limits = plans.sending(options(), ENVIRON).limits

    assert (limits.gateway.timeout_s, limits.gateway.body_limit_bytes) == (40.0, 12 * 1024 * 1024)
    assert (limits.grace_s, limits.deadline_s) == (5.0, 45.0)


def test_a_limit_that_is_said_replaces_the_gateways():
    limits = plans.sending(options(timeout_s=0.2, body_limit_bytes=2000, grace_s=0.1), ENVIRON).limits

    assert (limits.gateway.timeout_s, limits.gateway.body_limit_bytes) == (0.2, 2000)
    assert limits.deadline_s == pytest.approx(0.3)


def test_a_gateway_without_tokens_needs_none():
    assert plans.sending(options(gateway="none"), {}).credential.way == "none"


def test_requests_carry_the_token():
    sending = plans.sending(options(), ENVIRON)
    (request,) = sending.encode(plans.load(options(), "file"))

    assert b"\r\nX-Auth-Token: secret-token\r\n" in request.wire(b"")[0]


@pytest.mark.parametrize(
    ("changes", "environ", "words"),
    [
        ({"host": None}, ENVIRON, "no URL"),
        ({"gateway": "nope"}, ENVIRON, "--gateway 'nope' is not known"),
        ({}, {}, "no credential"),
        ({"host": "http://nothing.invalid/"}, ENVIRON, "does not resolve"),
        ({"host": "https://127.0.0.1/", "cacert": "missing.pem"}, ENVIRON, r"--cacert 'missing.pem' cannot be read"),
        ({"host": "https://127.0.0.1/", "cacert": __file__}, ENVIRON, r"cannot be read \(not a PEM certificate\)"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(changes, environ, words):
    with pytest.raises(ConfigError, match=words):
        plans.sending(options(**changes), environ)


def test_plain_http_needs_no_tls():
    assert plans.sending(options(), ENVIRON).tls is None


@pytest.mark.parametrize(
    ("insecure", "check_hostname", "mode"), [(False, True, ssl.CERT_REQUIRED), (True, False, ssl.CERT_NONE)]
)
def test_certificates_are_verified_unless_told_otherwise(insecure, check_hostname, mode):
    context = plans.sending(options(host="https://127.0.0.1/", insecure=insecure), ENVIRON).tls

    assert (context.check_hostname, context.verify_mode) == (check_hostname, mode)


def test_a_given_certificate_is_trusted(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = plans.sending(options(host="https://127.0.0.1/", cacert=str(tmp_path / "ca.pem")), ENVIRON).tls

    assert [ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True)] == [
        authority.cert_pem.bytes().decode()
    ]


# ---- open files


def files_allow(in_flight, *, soft, hard):
    """What happens in a process with these limits of open files: the answer and the new soft limit, or the refusal."""
    program = (
        "import resource, sys, json; from loadgate import plan; from loadgate.errors import ConfigError\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"try: print(json.dumps([plan._files_allow({in_flight}), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]))\n"
        "except ConfigError as error: print(json.dumps(str(error)))"
    )
    return json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


@pytest.mark.parametrize(
    ("in_flight", "soft", "expected"),
    [
        (None, 256, [800, 1000]),
        (100, 256, [100, 1000]),
        (100, 600, [100, 1000]),
        (800, 256, [800, 1000]),
        (801, 256, "--max-in-flight 801 is over this system's limit of open files; 800 would fit"),
    ],
)
def test_the_limit_of_open_files_is_raised_and_never_passed(in_flight, soft, expected):
    assert files_allow(in_flight, soft=soft, hard=1000) == expected


def test_in_flight_is_ten_thousand_where_files_allow(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert plans.sending(options(), ENVIRON).limits.max_in_flight == 10_000


# ---- what


def names(payloads):
    return [(payload.kind, payload.name) for payload in payloads]


def test_without_any_option_the_json_sample_is_sent():
    assert names(plans.load(options(), None)) == [("json", "iris.json")]


def test_every_kind_that_the_options_name_is_sent(bodies):
    given = options(file_paths=[bodies["cat.png"]], json_paths=[bodies["a.json"], bodies["b.json"]])

    assert names(plans.load(given, None)) == [("json", "a.json"), ("json", "b.json"), ("file", "cat.png")]


def test_of_a_kind_only_that_kinds_options_count(bodies):
    given = options(file_paths=[bodies["cat.png"]], json_paths=[bodies["a.json"]])

    assert names(plans.load(given, "file")) == [("file", "cat.png")]
    assert names(plans.load(given, "base64")) == [("base64", "flower.png (base64)")]


def test_a_class_with_paths_of_its_own_keeps_them(bodies):
    given = options(json_paths=[bodies["a.json"]])

    assert names(plans.load(given, "json", [bodies["b.json"]])) == [("json", "b.json")]


def test_a_plan_has_the_requests_of_each_user_class(bodies):
    classes = [user("Json", "json"), user("Files", "file", [bodies["cat.png"]])]
    plan = plans.plan(options(json_paths=[bodies["a.json"]], seed=7, load_model="closed"), classes, ENVIRON)

    assert {name: names(one.payload for one in group) for name, group in plan.requests.items()} == {
        "Json": [("json", "a.json")],
        "Files": [("file", "cat.png")],
    }
    assert names(plan.payloads) == [("json", "a.json"), ("file", "cat.png")]
    assert (plan.seed, plan.load_model) == (7, "closed")


def test_users_with_tasks_of_their_own_wait_so_their_load_is_closed(bodies):
    plan = plans.plan(options(), [user("Mine", own_tasks=True)], ENVIRON)

    assert (plan.load_model, plan.own_tasks) == ("closed", True)


def test_users_with_and_without_tasks_of_their_own_do_not_mix(bodies):
    with pytest.raises(ConfigError, match="user class Mine has tasks of its own and others have none"):
        plans.plan(options(), [user("Json", "json"), user("Mine", own_tasks=True)], ENVIRON)


# ---- over the limit


def test_bodies_over_the_limit_are_sent_unless_they_are_to_be_skipped(tmp_path):
    for name, size in {"small.png": 10, "big.png": 5000}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    changes = {"file_paths": [str(tmp_path)], "body_limit_bytes": 2000}
    sent = plans.plan(options(**changes), [user("U", "file")], ENVIRON)
    kept = plans.plan(options(**changes, skip_oversize=True), [user("U", "file")], ENVIRON)

    assert (len(sent.payloads), sent.skipped) == (2, [])
    assert [Path(payload.source).name for payload in kept.payloads] == ["small.png"]
    assert [Path(payload.source).name for payload in kept.skipped] == ["big.png"]


def test_a_load_of_which_nothing_would_be_left_is_refused(bodies):
    changes = {"file_paths": [bodies["cat.png"]], "body_limit_bytes": 10, "skip_oversize": True}

    with pytest.raises(ConfigError, match=r"--skip-oversize leaves nothing to send: every body, like .*cat.png"):
        plans.plan(options(**changes), [user("U", "file")], ENVIRON)


# ---- what the gateway says of its time


def test_a_gateway_is_asked_for_its_times_only_when_told_so():
    for asked in (False, True):
        sending = plans.sending(options(gateway_latency=asked), ENVIRON)
        (request,) = sending.encode(plans.load(options(), "file"))

        assert (b"\r\nX-Apig-Mode: debug\r\n" in request.wire(b"")[0]) is asked
        assert (sending.limits.gateway.latency is not None) is asked


def test_a_gateway_that_says_nothing_of_its_time_cannot_be_asked():
    with pytest.raises(ConfigError, match="--gateway-latency: the profile none names no header"):
        plans.sending(options(gateway="none", gateway_latency=True), ENVIRON)


@pytest.mark.parametrize(
    ("slo", "words"),
    [
        (["p50<1s of nope"], "no request is named 'nope'; sent are a.json, b.json"),
        (["p50<1s in every 10s"], "10 s are longer than the load, 5 s"),
        (["p50<1s over 6s stop"], "6 s are longer than the load, 5 s"),
    ],
)
def test_an_objective_that_no_such_load_decides_is_refused(bodies, slo, words):
    given = options(json_paths=[bodies["a.json"], bodies["b.json"]], duration_s=5.0, slo=slo)

    with pytest.raises(ConfigError, match=re.escape(words)):
        plans.plan(given, [user("Requests")], ENVIRON)


def test_an_objective_of_what_is_sent_is_taken(bodies):
    given = options(json_paths=[bodies["a.json"]], duration_s=5.0, slo=["p50<1s of a.json in every 5s"])

    assert [each.name for each in plans.plan(given, [user("Requests")], ENVIRON).slo] == ["a.json"]


@pytest.mark.parametrize(("tolerance", "expected"), [(None, 0.05), ("20%", 0.2)])
def test_a_baseline_has_its_tolerance(tolerance, expected):
    found = plans.plan(options(baseline="reports/main", tolerance=tolerance), [user("Requests")], ENVIRON).baseline

    assert (found.path, found.tolerance) == (Path("reports/main"), expected)


def test_a_tolerance_without_a_baseline_is_refused():
    with pytest.raises(ConfigError, match="--baseline RUN"):
        plans.plan(options(tolerance="5%"), [user("Requests")], ENVIRON)


@pytest.mark.parametrize(
    ("changes", "environ", "words"),
    [
        ({}, ENVIRON, ""),  # on this machine
        ({"host": "http://192.0.2.1/"}, ENVIRON, "the credential goes over http://"),
        ({"host": "http://192.0.2.1/", "auth": "none"}, {}, ""),
        ({"host": "https://192.0.2.1/"}, ENVIRON, ""),
        ({"host": "https://192.0.2.1/", "insecure": True}, ENVIRON, "--insecure: the certificate is not verified"),
    ],
)
def test_who_can_read_along_is_told(changes, environ, words):
    exposed = plans.sending(options(**changes), environ).exposed

    assert exposed.startswith(words)
    assert bool(exposed) is bool(words)
