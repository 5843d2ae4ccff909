"""Every way in, and every way that stays shut: with the stand-in's own count of who came."""

import contextlib
import json
import secrets
import socket
import stat
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

FAST = ("--service-time=constant:5ms", "--instances=16")
PASSWORD = "pass word-" + secrets.token_urlsafe(12)
SK = secrets.token_urlsafe(30)
AKSK = {"LOADGATE_AK": "AKIDEXAMPLE0000000000", "LOADGATE_SK": SK}
LOGIN = {"LOADGATE_IAM_USER": "me", "LOADGATE_IAM_PASSWORD": PASSWORD}


def iam_at(url: str, **changes: str) -> dict[str, str]:
    """The environment of somebody who logs in at this address."""
    scheme, host = urlsplit(url)[:2]
    account = {"LOADGATE_IAM_ENDPOINT": f"{scheme}://{host}", "LOADGATE_IAM_DOMAIN": "d", "LOADGATE_IAM_PROJECT": "p"}
    return LOGIN | account | changes


class Relay:
    """Passes connections on to an address, and counts them: a login takes one of its own."""

    def __init__(self, url: str) -> None:
        self._to = (urlsplit(url).hostname, urlsplit(url).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.times: list[float] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.times.append(time.monotonic())
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._to) as far:
            there = threading.Thread(target=self._pass_on, args=(near, far), daemon=True)
            there.start()
            self._pass_on(far, near)
            there.join()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def relay():
    """Make a relay to a URL."""
    made = []

    def make(url: str) -> Relay:
        made.append(Relay(url))
        return made[-1]

    yield make
    for one in made:
        one.close()


def assert_no_secret(finished, *hidden: str) -> None:
    """Neither output nor any file of the run holds one of these."""
    texts = [finished.stdout, finished.stderr]
    if finished.run.exists():
        texts += [path.read_text("utf-8") for path in finished.run.iterdir() if path.suffix != ".png"]
    for text in texts:
        for secret in hidden:
            assert secret not in text


# ---- tokens


@pytest.mark.parametrize("processes", [None, 2])
def test_a_token_is_renewed_ahead_of_its_end_once_in_each_process_and_no_request_fails(
    stand_in, command, relay, processes
):
    """A token of half an hour and a longer run, scaled down: 6 s, and 8 s of load."""
    service = stand_in(*FAST, "--token-life=6s", environ=LOGIN)
    counted = relay(service.url)
    sharing = [f"--processes={processes}"] if processes else []

    finished = command(
        "loadgate",
        "run",
        service.url,
        "--rate=40",
        "--duration=8s",
        "--no-plots",
        *sharing,
        environ=iam_at(counted.url),
    )

    finished.assert_sound()
    planned = finished.manifest()["counts"]["planned"]
    assert finished.outcomes() == {"ok": planned}
    assert planned == pytest.approx(320, abs=2)
    assert {row["status"] for row in service.truth()} == {"200"}
    senders, collectors = (processes, 1) if processes else (1, 0)
    assert finished.manifest()["counts"]["renewed"] == senders
    assert len(counted.times) == collectors + 2 * senders
    assert len(service.truth()) == planned + 1  # a login is not a request
    assert_no_secret(finished, PASSWORD)


def test_a_token_that_is_refused_as_expired_is_renewed_once_and_the_load_goes_on(stand_in, command, relay):
    service = stand_in(*FAST, "--fault=expired:5%", "--seed=2", environ=LOGIN)
    counted = relay(service.url)

    finished = command(
        "loadgate", "run", service.url, "--rate=100", "--duration=3s", "--no-plots", environ=iam_at(counted.url)
    )

    refused = sum(row["code"] == "APIG.0307" for row in service.truth()[1:])
    assert finished.outcomes()["unauthorized"] == refused > 3
    assert finished.manifest()["counts"]["renewed"] == 1
    assert len(counted.times) == 2
    (failure,) = {(row["answered_by"], row["status"], row["error_code"]) for row in finished.rows("failures.csv")}
    assert failure == ("gateway", "401", "APIG.0307")


def test_a_token_file_is_read_again_when_it_changes(stand_in, command, tmp_path: Path):
    service = stand_in(*FAST, "--token-life=6s")
    path = tmp_path / "token.txt"
    path.write_text(service.token, encoding="utf-8")
    environ = {"LOADGATE_IAM_USER": "me", "LOADGATE_IAM_PASSWORD": PASSWORD}

    def rewrite() -> None:
        renewed = command("loadgate", "token", str(path), environ=iam_at(service.url) | environ, out=False)
        assert renewed.code == 0, renewed.stderr

    timer = threading.Timer(4.0, rewrite)
    timer.start()
    finished = command(
        "loadgate", "run", service.url, "--rate=40", "--duration=5s", "--no-plots", f"--token-file={path}"
    )
    timer.join()

    finished.assert_sound()
    assert finished.outcomes() == {"ok": 200}
    assert finished.manifest()["counts"]["renewed"] == 1


def test_a_domain_scoped_token_is_refused_with_the_reason_before_the_load(stand_in, command):
    service = stand_in(environ=LOGIN)
    token = domain_token(service.url)

    finished = command("loadgate", "run", service.url, token=token)

    assert finished.code == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert "ModelArts.0212" in finished.stderr
    assert "domain" in finished.stderr
    assert "project" in finished.stderr
    assert [row["code"] for row in service.truth()] == ["ModelArts.0212"]
    assert_no_secret(finished, token)


def domain_token(url: str) -> str:
    identity = {
        "methods": ["password"],
        "password": {"user": {"name": "me", "password": PASSWORD, "domain": {"name": "d"}}},
    }
    body = json.dumps({"auth": {"identity": identity, "scope": {"domain": {"name": "d"}}}})
    connection = HTTPConnection(urlsplit(url).netloc)
    connection.request("POST", "/v3/auth/tokens", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return str(answer.headers["X-Subject-Token"])


def test_loadgate_token_writes_a_token_that_only_its_owner_can_read(stand_in, command, tmp_path: Path):
    service = stand_in(environ=LOGIN)
    path = tmp_path / "token.txt"
    path.write_text("an old one")
    path.chmod(0o666)

    written = command("loadgate", "token", str(path), environ=iam_at(service.url), out=False)
    sent = command("loadgate", "send", service.url, f"--token-file={path}", out=False)

    assert (written.code, written.stdout, sent.code) == (0, "", 0), written.stderr
    assert written.stderr == f"{path}: 6,344 characters, good for 24 h\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert_no_secret(written, PASSWORD, path.read_text())
    assert [other.name for other in tmp_path.iterdir() if other.name.startswith(".token")] == []


# ---- key pairs and codes


@pytest.mark.parametrize("temporary", [False, True])
def test_signed_requests_of_every_form_are_let_in(stand_in, command, temporary):
    keys = AKSK | ({"LOADGATE_SECURITY_TOKEN": secrets.token_urlsafe(500)} if temporary else {})
    service = stand_in(*FAST, environ=keys)
    flower = Path(__file__).parents[2] / "loadgate/samples/flower.png"
    iris = flower.with_name("iris.json")

    finished = command(
        "loadgate",
        "run",
        service.url + "/a path?b=2&a=%20x".replace(" ", "%20"),
        "--rate=60",
        "--duration=3s",
        "--no-plots",
        f"--file={flower}",
        f"--base64={flower}",
        f"--json={iris}",
        environ=keys,
    )

    finished.assert_sound()
    assert finished.outcomes() == {"ok": 180}
    assert {row["model"] for row in service.truth()} == {"json", "file", "base64"}
    assert finished.manifest()["credential"] == "aksk"
    assert_no_secret(finished, *(value for name, value in keys.items() if name != "LOADGATE_AK"))


def test_a_wrong_secret_key_is_tried_once(stand_in, command):
    service = stand_in(*FAST, environ=AKSK)
    wrong = "a-wrong-secret-key-of-some-length"

    finished = command("loadgate", "run", service.url, "--rate=100", environ=AKSK | {"LOADGATE_SK": wrong})

    assert finished.code == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert "401 APIG.0301 Incorrect IAM authentication information: verify aksk signature fail" in finished.stderr
    assert [row["status"] for row in service.truth()] == ["401"]
    assert_no_secret(finished, wrong)


def test_a_key_pair_that_is_refused_in_mid_run_ends_the_load_before_it_is_locked(stand_in, command):
    """One request at a time, so that no other is on its way when an answer comes."""
    service = stand_in(*FAST, "--fault=APIG.0301/401/signature:60%", "--seed=7", environ=AKSK)

    finished = command(
        "loadgate", "run", service.url, "--users=1", "--think-time=20ms", "--duration=20s", "--no-plots", environ=AKSK
    )

    rows = [row["status"] for row in service.truth()]
    assert finished.code == 2, finished.stderr
    assert "the gateway refused the signature 4 times in a row" in finished.stderr
    assert rows[-4:] == ["401"] * 4
    assert "401,401,401,401,401" not in ",".join(rows)
    assert finished.manifest()["state"] == "interrupted"
    assert sum(finished.outcomes().values()) == len(rows) - 1


def test_processes_end_together_when_a_key_pair_is_refused_and_lose_no_row(stand_in, command):
    service = stand_in(*FAST, "--fault=APIG.0301/401/signature:60%", "--seed=7", environ=AKSK)

    load = ("--users=2", "--think-time=50ms", "--duration=20s", "--processes=2", "--no-plots")
    finished = command("loadgate", "run", service.url, *load, environ=AKSK)

    assert finished.code == 2, finished.stderr
    assert finished.stderr.count("the gateway refused the signature 4 times in a row") == 1
    assert finished.manifest()["workers_lost"] == 0
    assert sum(finished.outcomes().values()) == len(service.truth()) - 1
    assert finished.outcomes()["unauthorized"] < 20


@pytest.mark.parametrize(("code", "way_in"), [("the-app-code-0123456789", True), ("another-app-code-01", False)])
def test_an_app_code_opens_the_gateway_or_not(stand_in, command, code, way_in):
    service = stand_in(*FAST, environ={"LOADGATE_APPCODE": "the-app-code-0123456789"})

    finished = command("loadgate", "send", service.url, environ={"LOADGATE_APPCODE": code}, out=False)

    assert finished.code == (0 if way_in else 1)
    if not way_in:
        assert "app not found with specified appCode" in finished.stderr
    assert_no_secret(finished, code)


# ---- what stays shut


class BadIam:
    """Answers one login with this and closes; with nothing, it takes it and says nothing."""

    def __init__(self, reply: bytes) -> None:
        self._listener, self._reply = socket.create_server(("127.0.0.1", 0)), reply
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(self._reply)

    def close(self) -> None:
        self._listener.close()


def reply(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(400, b'{"error_code":"IAM.0011","error_msg":"Request body is invalid."}'), "400 IAM.0011 Request body"),
        (reply(401, b'{"error":{"message":"The username or password is wrong.","code":401}}'), "password is wrong"),
        (reply(403, b'{"error":{"message":"You are not authorized.","code":403}}'), "403 You are not authorized."),
        (reply(500, b"<html>oops</html>"), "gave no token: 500"),
        (reply(401, f"you sent {PASSWORD}".encode()), r"you sent ***"),
        (b"", "does not answer"),
        (b"SSH-2.0-x\r\n", "does not answer"),
    ],
    ids=["bad request", "wrong", "not authorized", "broken", "tells the password", "silent", "no HTTP"],
)
def test_an_iam_that_gives_no_token_is_one_line_before_any_load(command, answer, words):
    iam = BadIam(answer)

    finished = command("loadgate", "run", "http://127.0.0.1:1/v1/infers/x", environ=iam_at(iam.url))
    iam.close()

    assert finished.code == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert words in finished.stderr
    assert not finished.run.exists()
    assert_no_secret(finished, PASSWORD)


@pytest.mark.parametrize("token", [b"AB CDSECRET", b"AB\xe9SECRET", b"AB\tSECRET"])
def test_a_token_that_no_header_can_carry_is_not_written(command, tmp_path: Path, token):
    iam = BadIam(b"HTTP/1.1 201 X\r\nX-Subject-Token: %b\r\nContent-Length: 2\r\n\r\n{}" % token)

    finished = command("loadgate", "token", str(tmp_path / "token.txt"), environ=iam_at(iam.url), out=False)
    iam.close()

    assert finished.code == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert "has characters that no credential has" in finished.stderr
    assert not (tmp_path / "token.txt").exists()
    assert_no_secret(finished, "SECRET")


def test_an_iam_that_is_not_there_is_one_line(command):
    finished = command("loadgate", "token", "token.txt", environ=iam_at("http://127.0.0.1:1"), out=False)

    assert finished.code == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert "IAM at http://127.0.0.1:1/ does not answer" in finished.stderr
