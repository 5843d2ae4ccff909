"""What must not get out does not, and who the service is gets checked."""

import socket
import threading
from pathlib import Path

import pytest
import trustme


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
