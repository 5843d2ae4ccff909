"""The page's calls against a real process, by clients that are not ours."""

import base64
import csv
import json
import signal
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import trustme
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from loadgate.standin.errors import ERRORS
from loadgate.standin.faults import REFUSALS

PAGE_BODY = '{"data":{"req_data":[{"sepal_length":3,"sepal_width":1,"petal_length":2.2,"petal_width":4}]}}'
FAST = ("--service-time", "constant:0ms")


def curl(*arguments):
    """Body and status that curl saw; fails when curl does."""
    done = subprocess.run(
        ["curl", "-k", "-sS", "--max-time", "20", "-w", "\n%{http_code}", *arguments],  # noqa: S607  the system's curl
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return json.loads(body), int(status)


def rows(service):
    with service.truth.open(newline="") as file:
        return list(csv.DictReader(file))


def wait_for(condition, seconds=3.0):
    end_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_s, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def image(tmp_path, picture):
    path = tmp_path / "test.png"
    path.write_bytes(picture())
    return path


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(b"a" * 13_000_000)
    return path


def test_the_pages_calls_work_as_written(serve, image):
    service = serve(*FAST)
    auth = f"X-Auth-Token:{service.token}"
    file, status = curl("-F", f"images=@{image}", "-H", auth, "-X", "POST", service.url)
    assert (status, file["predicted_label"]) == (200, "rose")
    text, status = curl("-d", PAGE_BODY, "-H", auth, "-H", "Content-type: application/json", "-X", "POST", service.url)
    assert status == 200
    assert text["data"]["resp_data"][0]["predictresult"] == "Iris-versicolor"

    headers = {"X-Auth-Token": service.token}
    with image.open("rb") as opened:
        resp = requests.post(service.url, headers=headers, files={"images": opened})
    assert (resp.status_code, resp.json()) == (200, file)
    body = {"image": base64.b64encode(image.read_bytes()).decode("utf-8")}
    resp = requests.post(service.url, headers={"Content-Type": "application/json", **headers}, json=body)
    assert (resp.status_code, resp.json()) == (200, file)
    assert resp.headers["Server"] == "ModelArts"

    assert curl("-d", PAGE_BODY, "-H", "X-Auth-Token:MIISwrong", "-X", "POST", service.url)[1] == 401
    assert service.stop() == 0
    written = rows(service)
    assert [row["status"] for row in written] == ["200"] * 4 + ["401"]
    assert [row["model"] for row in written] == ["file", "json", "file", "base64", ""]


def test_an_oversized_body_is_answered_and_not_reset(serve, large):
    service = serve(*FAST)
    auth = ("-H", f"X-Auth-Token:{service.token}", "-X", "POST", service.url)
    ways = [
        ("-F", f"images=@{large}"),
        ("-F", f"images=@{large}", "-H", "Expect:"),
        ("-d", f"@{large}"),
        ("-d", f"@{large}", "-H", "Expect:"),
        ("-d", f"@{large}", "-H", "Transfer-Encoding: chunked", "-H", "Expect:"),
    ]
    for way in ways:
        body, status = curl(*way, *auth)
        assert (status, body["error_code"]) == (413, "APIG.0201")
    for content in (large.read_bytes(), iter([large.read_bytes()])):
        resp = requests.post(service.url, headers={"X-Auth-Token": service.token}, data=content)
        assert (resp.status_code, resp.headers["Connection"]) == (413, "close")
    service.stop()
    assert [row["status"] for row in rows(service)] == ["413"] * 7


def test_a_large_body_within_the_limit_is_taken(serve, picture, tmp_path):
    service = serve(*FAST)
    path = tmp_path / "large.bmp"
    path.write_bytes(picture(kind="BMP", size=1900))
    assert path.stat().st_size > 10_000_000
    body, status = curl("-F", f"images=@{path}", "-H", f"X-Auth-Token:{service.token}", service.url)
    assert (status, body["predicted_label"]) == (200, "rose")


def test_a_slow_answer_is_504_at_the_limit(serve):
    service = serve("--service-time", "constant:5s", "--timeout", "200ms")
    began_s = time.monotonic()
    resp = requests.post(service.url, headers={"X-Auth-Token": service.token}, data=PAGE_BODY)
    assert 0.2 <= time.monotonic() - began_s < 2.5
    assert (resp.status_code, resp.json()["error_code"]) == (504, "ModelArts.4503")


def test_a_connection_serves_many_requests_and_the_truth_has_a_row_for_each(serve):
    service = serve(*FAST)
    with requests.Session() as session:
        for number in range(200):
            content = {"meta": {"uuid": f"u{number}"}, **json.loads(PAGE_BODY)}
            resp = session.post(service.url, headers={"X-Auth-Token": service.token}, json=content)
            assert resp.json()["meta"]["uuid"] == f"u{number}"
    wait_for(lambda: len(rows(service)) == 200, 0.5)
    assert {row["uuid"] for row in rows(service)} == {f"u{number}" for number in range(200)}
    assert all(abs(float(row["arrival_s"]) - time.monotonic()) < 60 for row in rows(service))


def test_iam_hands_out_a_token_that_works(serve):
    service = serve(*FAST, LOADGATE_IAM_USER="me", LOADGATE_IAM_PASSWORD="pw", LOADGATE_TOKEN="sesame")
    user = {"name": "me", "password": "pw", "domain": {"name": "account"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    content = {"auth": {"identity": identity, "scope": {"project": {"name": "ap-1"}}}}
    issuer = service.url[: service.url.index("/v1")] + "/v3/auth/tokens"
    resp = requests.post(issuer, json=content)
    assert resp.status_code == 201
    for token in (resp.headers["X-Subject-Token"], "sesame"):
        assert requests.post(service.url, headers={"X-Auth-Token": token}, data=PAGE_BODY).status_code == 200
    user["password"] = "wrong"
    assert requests.post(issuer, json=content).status_code == 401


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cuts_what_is_in_flight_and_gives_each_request_its_row(serve, number):
    service = serve("--service-time", "constant:30s", "--instances", "1", "--concurrency", "1")
    request = (
        f"POST /v1/infers/x HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {service.token}\r\n"
        f"Content-Length: {len(PAGE_BODY)}\r\n\r\n{PAGE_BODY}"
    ).encode()
    host, port = service.url.split("/")[2].split(":")
    sockets = [socket.create_connection((host, int(port))) for _ in range(20)]
    for connection in sockets:
        connection.sendall(request)
    time.sleep(0.3)
    began_s = time.monotonic()
    assert service.stop(number) == 0
    assert time.monotonic() - began_s < 1.0
    for connection in sockets:
        connection.settimeout(1)
        with connection:
            try:
                received = connection.recv(1)
            except ConnectionResetError:
                received = b""
            assert received == b""
    written = rows(service)
    assert [row["status"] for row in written] == [""] * 20
    assert sum(row["start_s"] != "" for row in written) == 1
    assert service.process.stderr.read() == ""


def test_a_cut_answer_breaks_off_and_nothing_is_logged(serve):
    service = serve(*FAST, "--fault", "cut:100%")
    with pytest.raises(requests.exceptions.RequestException):
        requests.post(service.url, headers={"X-Auth-Token": service.token}, data=PAGE_BODY)
    service.stop()
    assert [(row["status"], row["fault"]) for row in rows(service)] == [("200", "cut")]
    assert service.process.stderr.read() == ""


def test_a_hanging_request_ends_with_its_client(serve):
    service = serve(*FAST, "--fault", "hang:1")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(service.url, headers={"X-Auth-Token": service.token}, data=PAGE_BODY, timeout=0.2)
    wait_for(lambda: [(row["status"], row["fault"]) for row in rows(service)] == [("", "hang")])


def test_https_with_a_certificate(serve, tmp_path):
    authority = trustme.CA()
    cert, key, trusted = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    service = serve(*FAST, "--tls-cert", str(cert), "--tls-key", str(key))
    assert service.url.startswith("https://")
    resp = requests.post(service.url, headers={"X-Auth-Token": service.token}, data=PAGE_BODY, verify=str(trusted))
    assert resp.status_code == 200
    large = requests.post(
        service.url, headers={"X-Auth-Token": service.token}, data=bytes(13_000_000), verify=str(trusted)
    )
    assert large.status_code == 413
    assert ssl.HAS_TLSv1_3
    assert service.stop() == 0


def test_answers_do_not_wait_for_the_clients_delayed_acknowledgement(serve):
    service = serve(*FAST)
    with requests.Session() as session:

        def post():
            return session.post(service.url, headers={"X-Auth-Token": service.token}, data=PAGE_BODY)

        post()
        began_s = time.monotonic()
        for _ in range(50):
            post()
        assert (time.monotonic() - began_s) / 50 < 0.03


def test_it_listens_on_this_machine_alone_unless_told_otherwise(serve):
    """As the kernel's table has it."""
    port = urlsplit(serve(*FAST).url).port
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]

    assert {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")} == {
        "0100007F"
    }


def test_the_token_file_is_its_owners_only(serve):
    service = serve(*FAST)
    path = service.truth.with_name("token.txt")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.glob(".*")] == []


@pytest.mark.parametrize("name", ["APIG.0308/429/ip", "ModelArts.4503/504/ssl", "error_wrapped"])
def test_curl_asks_for_an_error_by_its_name(serve, name):
    service = serve(*FAST)
    auth = f"X-Auth-Token: {service.token}"
    body, status = curl("-d", PAGE_BODY, "-H", auth, "-H", f"X-Standin-Fault: {name}", service.url)
    refusal = REFUSALS[name]
    assert status == refusal.status
    sent = body.get("error") or {"code": body["error_code"], "message": body["error_msg"]}
    assert sent == {"code": refusal.code, "message": refusal.message}
    service.stop()
    assert [(row["status"], row["code"], row["fault"]) for row in rows(service)] == [(str(status), refusal.code, name)]


def test_every_listed_error_is_sent_with_its_status_and_words(serve):
    service = serve(*FAST)
    service_id = service.url.rpartition("/")[2] + "-x"
    with requests.Session() as session:
        for name, error in ERRORS.items():
            headers = {"X-Auth-Token": service.token, "X-Standin-Fault": name}
            resp = session.post(f"{service.url}-x", headers=headers, data=PAGE_BODY)
            sent = (resp.status_code, resp.json()["error_code"], resp.json()["error_msg"])
            assert sent == (error.status, error.code, error.about(service=service_id).message)
            assert len(resp.headers["X-Request-Id"]) == 32
    service.stop()
    assert [row["fault"] for row in rows(service)] == list(ERRORS)


def test_a_code_can_be_a_share_of_the_load(serve):
    service = serve(*FAST, "--fault", "ModelArts.4503/504/keepalive:30%", "--seed", "2")
    with requests.Session() as session:
        headers = {"X-Auth-Token": service.token}
        statuses = [session.post(service.url, headers=headers, data=PAGE_BODY).status_code for _ in range(200)]
    assert set(statuses) == {200, 504}
    assert statuses.count(504) == pytest.approx(60, abs=25)


def sdk_signed(url, body, *, sk="hush", content_type="application/json", **headers):
    """Headers as the vendor's SDK signs them now."""
    parts = urlsplit(url)
    request = SdkRequest(
        method="POST",
        schema="http",
        host=parts.netloc,
        resource_path=parts.path,
        uri=None,
        query_params=parse_qsl(parts.query),
        header_params={
            "X-Sdk-Date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            "Content-Type": content_type,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        body=body,
        stream=False,
        signing_algorithm=None,
    )
    return Signer(BasicCredentials("AKID", sk)).sign(request).header_params


def test_requests_that_the_vendors_sdk_has_signed_pass(serve, image):
    service = serve(*FAST, LOADGATE_AK="AKID", LOADGATE_SK="hush")
    for url in (service.url, f"{service.url}/predictions/poetry?lang=en"):
        assert requests.post(url, headers=sdk_signed(url, PAGE_BODY), data=PAGE_BODY).status_code == 200
    padded = PAGE_BODY + " " * 100_000
    assert requests.post(service.url, headers=sdk_signed(service.url, padded), data=padded).status_code == 200
    form = requests.Request("POST", service.url, files={"images": image.read_bytes()}).prepare()
    form.headers.update(sdk_signed(service.url, form.body, content_type=form.headers["Content-Type"]))
    assert form.headers["X-Sdk-Content-Sha256"] == "UNSIGNED-PAYLOAD"
    with requests.Session() as session:
        assert session.send(form).status_code == 200
    changed = requests.post(service.url, headers=sdk_signed(service.url, PAGE_BODY), data=PAGE_BODY + " ")
    assert (changed.status_code, changed.json()["error_code"]) == (401, "APIG.0301")


def test_six_wrong_signatures_lock_the_key_for_a_while(serve):
    service = serve(*FAST, "--ak-lock", "2s", LOADGATE_AK="AKID", LOADGATE_SK="hush")

    def post(**how):
        return requests.post(service.url, headers=sdk_signed(service.url, PAGE_BODY, **how), data=PAGE_BODY)

    messages = [post(sk="wrong").json()["error_msg"] for _ in range(6)]
    assert all("verify aksk signature fail, canonicalRequest:POST|" in message for message in messages)
    locked = post()
    assert locked.status_code == 401
    assert locked.json()["error_msg"].endswith("AK access failed to reach the limit,forbidden")
    wait_for(lambda: post().status_code == 200, 10)
    expired = post(X_Sdk_Date="20240101T000000Z").json()
    assert expired["error_msg"].endswith("calc ak sk signature fail:signature expired")


def test_a_temporary_key_needs_its_token(serve):
    service = serve(*FAST, LOADGATE_AK="AKID", LOADGATE_SK="hush", LOADGATE_SECURITY_TOKEN="temporary")
    for sent, status in (({"X_Security_Token": "temporary"}, 200), ({}, 401)):
        resp = requests.post(service.url, headers=sdk_signed(service.url, PAGE_BODY, **sent), data=PAGE_BODY)
        assert resp.status_code == status
    assert resp.json()["error_msg"].endswith("Get secretKey failed,ak:AKID,err:ak not exist")


def test_an_app_code_is_a_credential(serve):
    service = serve(*FAST, LOADGATE_APPCODE="open-up")
    assert curl("-d", PAGE_BODY, "-H", "X-Apig-AppCode: open-up", service.url)[1] == 200
    body, status = curl("-d", PAGE_BODY, "-H", "X-Apig-AppCode: wrong", service.url)
    assert (status, body["error_code"]) == (401, "APIG.0303")
    assert body["error_msg"] == "Incorrect app authentication information: app not found with specified appCode"
    body, status = curl("-d", PAGE_BODY, service.url)
    assert (status, body["error_msg"]) == (401, "Incorrect IAM authentication information: x-auth-token not found")


def test_no_secret_is_shown_by_what_the_service_writes(serve):
    secrets = {"LOADGATE_AK": "AKID", "LOADGATE_SK": "hush", "LOADGATE_APPCODE": "open-up"}
    service = serve(*FAST, **secrets)
    requests.post(service.url, headers=sdk_signed(service.url, PAGE_BODY, sk="wrong"), data=PAGE_BODY)
    requests.post(service.url, headers={"X-Apig-AppCode": "open-up"}, data=PAGE_BODY)
    service.stop()
    written = service.truth.read_text() + service.process.stderr.read() + service.process.stdout.read()
    assert len(rows(service)) == 2
    assert "hush" not in written
    assert "open-up" not in written


def test_a_token_lives_as_long_as_told(serve):
    service = serve(*FAST, "--token-life", "1s")
    headers = {"X-Auth-Token": service.token}
    wait_for(lambda: requests.post(service.url, headers=headers, data=PAGE_BODY).status_code == 401, 10)
    body, status = curl("-d", PAGE_BODY, "-H", f"X-Auth-Token: {service.token}", service.url)
    assert (status, body["error_code"], body["error_msg"]) == (401, "APIG.0307", "The token must be updated.")


def test_the_limits_are_options(serve):
    service = serve(*FAST, "--throttle", "3/1m", "--slow-start", "100ms", "--circuit-breaker", "1/1m")
    headers = {"X-Auth-Token": service.token, "X-Apig-Mode": "debug"}
    time.sleep(0.2)
    failed = requests.post(service.url, headers={**headers, "X-Standin-Fault": "model_error"}, data=PAGE_BODY)
    assert (failed.status_code, failed.headers["X-Apig-RateLimit-user"]) == (500, "remain:2,limit:3,time:1 minute")
    cut_off, _, throttled = [requests.post(service.url, headers=headers, data=PAGE_BODY) for _ in range(3)]
    assert (cut_off.status_code, cut_off.json()["error_code"]) == (503, "ModelArts.4302")
    assert throttled.json()["error_msg"].endswith("policy user over ratelimit,limit:3,time:1 minute")


def test_the_time_limit_can_show_as_the_gateways_own(serve):
    service = serve("--service-time", "constant:5s", "--timeout", "200ms", "--time-out-as", "APIG.0203")
    resp = requests.post(service.url, headers={"X-Auth-Token": service.token}, data=PAGE_BODY)
    assert (resp.status_code, resp.json()["error_code"]) == (504, "APIG.0203")
    assert resp.elapsed.total_seconds() >= 0.19
