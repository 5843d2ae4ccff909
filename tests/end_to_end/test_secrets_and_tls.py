"""What must not get out does not, and who the service is gets checked."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest
import trustme
from raw_server import serve_on


class EchoingService:
    """A hostile service: its error message repeats every header it was sent, with markup and control characters."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1/infers/x"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        with peer:
            while request := peer.recv(65536):
                head = request.partition(b"\r\n\r\n")[0].replace(b"\r\n", b" ").replace(b'"', b"'")
                message = b"<script>alert(1)</script>\\u001b[31m=cmd|' " + head + head[-900:]
                body = b'{"error_code": "' + head[-40:] + b'", "error_msg": "' + message + b'"}'
                id_header = b"X-Request-Id: " + head[-100:]
                peer.sendall(b"HTTP/1.1 500 No\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (id_header, len(body), body))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def echoing():
    service = EchoingService()
    yield service
    service.close()


def test_no_file_and_no_output_of_a_run_holds_the_token(echoing, command):
    token = "MIIS" + "".join(chr(ord("a") + (7 * k * k + k) % 26) for k in range(3000))

    finished = command("loadgate", "run", echoing.url, "--rate=30", "--duration=1s", token=token)

    texts = [path.read_text(encoding="utf-8") for path in finished.run.iterdir() if path.suffix != ".png"]
    assert len(texts) >= 9
    assert finished.outcomes()["server_error"] == 30
    pieces = {token[k : k + 12] for k in range(len(token) - 11)}
    for text in [*texts, finished.stdout, finished.stderr]:
        assert not any(piece in text for piece in pieces)
    html = (finished.run / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "\x1b" not in "".join([*texts, finished.stdout])


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Path]:
    """A certificate for 127.0.0.1, its key, and the authority that signed it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    authority.cert_pem.write_to_path(str(files["ca"]))
    certificate.cert_chain_pems[0].write_to_path(str(files["cert"]))
    certificate.private_key_pem.write_to_path(str(files["key"]))
    return files


def test_https_is_verified_unless_told_otherwise(stand_in, command, tls):
    service = stand_in(f"--tls-cert={tls['cert']}", f"--tls-key={tls['key']}", "--service-time=constant:5ms")
    load = ("loadgate", "run", service.url, "--rate=40", "--duration=1s", "--no-plots")

    unknown = command(*load, token=service.token)
    trusted = command(*load, f"--cacert={tls['ca']}", token=service.token)
    sent = command("loadgate", "send", service.url, "-k", token=service.token, out=False)

    assert service.url.startswith("https://")
    assert unknown.code == 2
    assert "certificate" in unknown.stderr
    trusted.assert_sound()
    assert sent.code == 0, sent.stderr
    assert sum(trusted.outcomes().values()) == trusted.outcomes()["ok"] == len(service.truth()) - 2


def test_insecure_says_what_it_gives_up(stand_in, command, tls):
    service = stand_in(f"--tls-cert={tls['cert']}", f"--tls-key={tls['key']}", "--service-time=constant:5ms")
    warning = "Warning: --insecure: the certificate is not verified, so the credential may go to anybody"

    sent = command("loadgate", "send", service.url, "-k", token=service.token, out=False)
    ran = command("loadgate", "run", service.url, "-k", "--rate=20", "--duration=1s", "--no-plots", token=service.token)
    verified = command("loadgate", "send", service.url, f"--cacert={tls['ca']}", token=service.token, out=False)

    assert warning in sent.stderr.splitlines()
    assert warning in ran.stderr.splitlines()
    assert (verified.code, "Warning" in verified.stderr) == (0, False)


STEERING = "\x1b]0;title\x07\x1b[2J\u202e"
COMMANDS = ("::error::x", "  ::stop-commands::x", "##[set-output name=a]b", "##vso[task.setvariable variable=a]b")


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_steers_neither_the_terminal_nor_a_ci_server(serve, command, status):
    """Whether it is a good one or not, in `send` and in a load."""
    lines = "\r\n".join(COMMANDS)
    body = f'{{"error_code": {json.dumps(STEERING)}, "error_msg": {json.dumps(STEERING + lines)}, "request_id": "a\n'
    body = f'{body}::error::y"}}\n{lines}\n{STEERING}'.encode()
    head = f"HTTP/1.1 {status} {COMMANDS[2]}\r\nX-Request-Id: {COMMANDS[3]}\r\nContent-Length: {len(body)}\r\n\r\n"

    def answer_on(peer):
        while True:
            peer.read_request()
            peer.end.sendall(head.encode() + body)

    url = f"http://127.0.0.1:{serve([answer_on]).port}/v1/infers/x"
    sent = command("loadgate", "send", url, token="a-token-of-no-use", out=False)
    ran = command("loadgate", "run", url, "--rate=20", "--duration=1s", "--no-plots", token="a-token-of-no-use")

    assert (sent.code, sum(ran.outcomes().values())) == (1, 20)
    assert "stop-commands" in sent.stdout
    for text in (sent.stdout, sent.stderr, ran.stdout, ran.stderr):
        assert not any(letter in text for letter in "\x1b\x07\u202e\r")
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
        assert "##[" not in text
        assert "##vso[" not in text


def test_a_proxy_of_the_environment_gets_nothing(serve, command, tmp_path):
    """It would get the token, or the password."""
    service, proxy = serve([serve_on]), serve([serve_on])
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    environ = dict.fromkeys(names, f"http://127.0.0.1:{proxy.port}")
    login = {f"LOADGATE_IAM_{name}": "x" for name in ("USER", "PASSWORD", "DOMAIN", "PROJECT")}
    login["LOADGATE_IAM_ENDPOINT"] = f"http://127.0.0.1:{service.port}"

    sent = command("loadgate", "send", f"http://127.0.0.1:{service.port}/x", token="t", environ=environ, out=False)
    asked = command("loadgate", "token", str(tmp_path / "token"), environ=environ | login, out=False)

    assert "200 OK (bad_answer" in sent.stderr
    assert "gave no token: 200" in asked.stderr
    assert (len(service.bodies), proxy.connections) == (2, 0)


# Every Python that starts writes down how it was started.
NOTES = """
import json, os, sys
started = {"arguments": sys.orig_argv, "environment": dict(os.environ)}
with open(os.path.join(os.environ["NOTES"], f"{os.getpid()}.json"), "w") as file:
    json.dump(started, file)
"""


def test_no_process_has_a_secret_in_its_arguments_and_the_analysis_has_none_at_all(stand_in, command, tmp_path):
    service, notes, hooks = stand_in("--service-time=constant:5ms"), tmp_path / "notes", tmp_path / "hooks"
    notes.mkdir()
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(NOTES, encoding="utf-8")
    environ = {"PYTHONPATH": os.fspath(hooks), "NOTES": os.fspath(notes), "LOADGATE_KEY_PASSWORD": "open sesame"}
    load = ("--rate=20", "--duration=1s", "--processes=2", "--no-plots")

    ran = command("loadgate", "run", service.url, *load, token=service.token, environ=environ)
    started = [json.loads(path.read_text(encoding="utf-8")) for path in notes.iterdir()]
    [analysis] = [each for each in started if "analysis" in each["arguments"]]

    assert ran.outcomes()["ok"] == 20
    assert len(started) >= 2
    assert any(each["environment"].get("LOADGATE_TOKEN") == service.token for each in started)
    for each in started:
        assert service.token not in " ".join(each["arguments"])
    assert [name for name in analysis["environment"] if name.startswith("LOADGATE_")] == []
