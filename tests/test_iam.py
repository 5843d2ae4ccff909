import json
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from raw_server import PATIENCE_S, read, serve_on

from loadgate import iam
from loadgate import target as targets
from loadgate.errors import ConfigError
from loadgate.iam import Login, LoginRefusedError, Token

TOKEN = "MIIFHwYJKoZIhvcNAQcCoIIFEDCCBQ+/abc="
PASSWORD = "hunter2 and more"
ENVIRON = {
    "LOADGATE_IAM_ENDPOINT": "https://iam.example",
    "LOADGATE_IAM_USER": "me",
    "LOADGATE_IAM_PASSWORD": PASSWORD,
    "LOADGATE_IAM_DOMAIN": "my-domain",
    "LOADGATE_IAM_PROJECT": "my-project",
}


def issued(scope="project", **times):
    """A body as the API reference shows it."""
    fields = {"issued_at": "2020-09-04T06:50:44.390000Z", "expires_at": "2020-09-05T06:50:44.390000Z", **times}
    return json.dumps({"token": {"methods": ["password"], **fields, scope: {"name": "n", "id": "i"}}}).encode()


@pytest.fixture
def server():
    """Keeps what it was asked and answers with `server.reply`: status, headers, body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.asked = (self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, headers, body = self.server.reply
            self.send_response(status)
            for name, value in {**headers, "Content-Length": len(body)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
        running.url = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()


def login(url):
    return Login(targets.parse(url), "me", PASSWORD, "my-domain", "my-project")


def test_iam_is_asked_for_a_project_scoped_token_by_password(server):
    server.reply = 201, {"X-Subject-Token": TOKEN}, issued()

    assert login(server.url).token() == Token(TOKEN, 24 * 3600.0)
    assert server.asked == (
        "/v3/auth/tokens?nocatalog=true",
        {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": "me", "password": PASSWORD, "domain": {"name": "my-domain"}}},
                },
                "scope": {"project": {"name": "my-project"}},
            }
        },
    )


@pytest.mark.parametrize(
    ("body", "validity_s"),
    [
        (issued(expires_at="2020-09-04T07:20:44.390000Z"), 1800.0),
        (issued(expires_at="2020-09-04T06:50:46Z"), 1.61),
        (issued(expires_at="tomorrow"), 24 * 3600.0),
        (issued(expires_at=None), 24 * 3600.0),
        (issued(expires_at="2020-09-04T00:00:00Z"), 24 * 3600.0),
        (b"{}", 24 * 3600.0),
        (b"[]", 24 * 3600.0),
        (b"no JSON", 24 * 3600.0),
    ],
)
def test_a_token_lives_as_long_as_iam_says_and_a_day_where_it_says_nothing(server, body, validity_s):
    server.reply = 201, {"X-Subject-Token": TOKEN}, body

    assert login(server.url).token().validity_s == pytest.approx(validity_s)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        # The bodies of the API's documentation and of the vendor's own SDK tests: both shapes, and none.
        ((401, {}, b'{"error": {"message": "The password is wrong."}}'), "gave no token: 401 .*The password is wrong"),
        ((400, {}, b'{"error_code": "IAM.0072", "error_msg": "\'auth\' is required."}'), "400 IAM.0072 'auth' is req"),
        ((403, {}, b'{"error": {"code": 403, "message": "no"}}'), "gave no token: 403 no; may the user log in"),
        ((401, {}, b"user me, password " + PASSWORD.encode()), r"gave no token: 401 user me, password \*\*\*"),
        ((404, {}, b""), r"404 \(without a word\); check LOADGATE_IAM_ENDPOINT"),
    ],
)
def test_a_refused_login_is_said_in_iams_words_without_the_password(server, reply, words):
    server.reply = reply

    with pytest.raises(LoginRefusedError, match=words) as refused:
        login(server.url).token()

    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    "reply",
    [(500, {}, b"oops"), (503, {}, b""), (408, {}, b""), (429, {}, b"slow down"), (201, {}, b"{}"), (302, {}, b"")],
)
def test_an_iam_that_fails_may_be_asked_again(server, reply):
    server.reply = reply

    with pytest.raises(ConfigError, match=f"gave no token: {reply[0]}") as failed:
        login(server.url).token()

    assert not isinstance(failed.value, LoginRefusedError)


def test_a_token_of_the_whole_account_is_refused_with_the_reason(server):
    server.reply = 201, {"X-Subject-Token": TOKEN}, issued(scope="domain")

    with pytest.raises(LoginRefusedError, match=r"token of the whole account \(domain scope\).*LOADGATE_IAM_PROJECT"):
        login(server.url).token()


def test_an_iam_that_does_not_answer_is_named():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(ConfigError, match=f"IAM at {url}/ does not answer"):
            login(url).token()


def test_an_iam_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(iam, "TIMEOUT_S", 0.1)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(ConfigError, match=r"does not answer \(timed out\)"),
    ):
        login(f"http://127.0.0.1:{mute.getsockname()[1]}").token()


def test_iams_certificate_is_verified(server_tls):
    with socket.create_server(("127.0.0.1", 0)) as listener, listener:

        def serve():
            end, _ = listener.accept()
            with pytest.raises(ssl.SSLError):
                server_tls.wrap_socket(end, server_side=True)
            end.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ConfigError, match=r"does not answer .*(unable to get local issuer|self.signed)"):
            login(f"https://127.0.0.1:{listener.getsockname()[1]}").token()
        thread.join()


def test_a_token_shows_in_no_representation():
    assert TOKEN not in repr(Token(TOKEN, 1.0))


def test_the_login_comes_from_the_environment():
    found = iam.from_environment(ENVIRON)

    assert found == Login(targets.parse("https://iam.example"), "me", PASSWORD, "my-domain", "my-project")
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("missing", sorted(ENVIRON))
def test_a_variable_that_is_missing_or_empty_is_named(missing):
    for environ in ({**ENVIRON, missing: "\n"}, {name: text for name, text in ENVIRON.items() if name != missing}):
        with pytest.raises(ConfigError, match=f"a login to IAM needs {missing} too"):
            iam.from_environment(environ)


@pytest.mark.parametrize(
    ("url", "fine"), [("http://iam.example", False), ("http://127.0.0.1:1", True), ("http://localhost", True)]
)
def test_a_password_goes_over_tls_except_on_this_machine(url, fine):
    environ = {**ENVIRON, "LOADGATE_IAM_ENDPOINT": url}
    if fine:
        assert iam.from_environment(environ).endpoint == targets.parse(url)
    else:
        with pytest.raises(ConfigError, match="LOADGATE_IAM_ENDPOINT must be https"):
            iam.from_environment(environ)


TRICKLING = {
    "head": (b"HTTP/1.1 201 Created\r\nX-Long: ", True),
    "body": (b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n", True),
    "body-without-a-length": (b"HTTP/1.1 201 Created\r\n\r\n", True),
    "body-without-end": (b"HTTP/1.1 201 Created\r\nX-Subject-Token: t\r\n\r\n", False),
    "header-without-end": (b"HTTP/1.1 201 Created\r\nX-Long: ", False),
}


@pytest.mark.parametrize(("beginning", "slowly"), TRICKLING.values(), ids=TRICKLING)
def test_an_iam_without_end_is_given_up_whatever_it_sends(serve, monkeypatch, beginning, slowly):
    def send_on(peer):
        while not peer.server.stopped.wait(0.02 if slowly else 0):
            peer.end.sendall(b"x" if slowly else b"x" * 65536)

    monkeypatch.setattr(iam, "TIMEOUT_S", 0.5)
    began = time.monotonic()
    words = ""
    try:
        login(f"http://127.0.0.1:{serve([read, beginning, send_on]).port}").token()
    except ConfigError as error:
        words = str(error)

    assert time.monotonic() - began < PATIENCE_S / 2
    assert words.endswith("(timed out)") is slowly
    assert len(words) < 300


def test_an_iam_that_points_elsewhere_sends_no_password_there(server, serve):
    elsewhere = serve([serve_on])
    server.reply = 307, {"Location": f"http://127.0.0.1:{elsewhere.port}/v3/auth/tokens"}, b""

    with pytest.raises(ConfigError, match="gave no token: 307"):
        login(server.url).token()
    assert elsewhere.connections == 0
