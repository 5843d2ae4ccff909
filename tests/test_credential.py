import json
import socket
import string
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.credential import SHORTEST_PIECE, TOKEN_VARIABLE, Credential, from_environment, iam_token
from loadgate.errors import ConfigError

TOKEN_CHARACTERS = string.ascii_letters + string.digits + "+/=_.-"
TOKENS = st.text(TOKEN_CHARACTERS, min_size=1, max_size=80)
TOKEN = "MIIFHwYJKoZIhvcNAQcCoIIFEDCCBQ+/abc="


# ---- redacting


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("no secret here: authentication information", "no secret here: authentication information"),
        (TOKEN, "***"),
        (f"{TOKEN} and {TOKEN}", "*** and ***"),
        (f"bad token {TOKEN[:20]}", "bad token ***"),
        (f"bad token {TOKEN[-15:]}!", "bad token ***!"),
        (f"X-Auth-Token={TOKEN[5:25]}", "X-Auth-Token=***"),
        (f"x{TOKEN[:12]}y", "x***y"),
        (TOKEN[:11], TOKEN[:11]),
    ],
)
def test_the_token_and_its_longer_pieces_are_replaced(text, shown):
    assert Credential("X-Auth-Token", TOKEN).redact(text) == shown


@given(st.text(TOKEN_CHARACTERS, min_size=12, max_size=80), st.data())
def test_no_piece_of_twelve_token_characters_is_left_whatever_stands_around_it(token, data):
    around = st.text(max_size=5) | st.text(TOKEN_CHARACTERS, max_size=5)
    words = [data.draw(around)]
    for start in data.draw(st.lists(st.integers(0, len(token) - 12), min_size=1, max_size=3)):
        words += [token[start : data.draw(st.integers(start + 12, len(token)))], data.draw(around)]
    shown = Credential("X-Auth-Token", token).redact("".join(words))

    assert not any(token[at : at + 12] in shown for at in range(len(token) - 11))


@given(TOKENS, st.text(max_size=40))
def test_a_text_without_the_token_stays_as_it_is(token, text):
    length = min(SHORTEST_PIECE, len(token))
    has_a_piece = any(token[at : at + length] in text for at in range(len(token) - length + 1))

    assert has_a_piece or Credential("X-Auth-Token", token).redact(text) == text


def test_a_token_of_other_characters_is_redacted_in_pieces_too():
    assert Credential("X", "abc:def:ghi:jkl!").redact("(def:ghi:jkl!)") == "(***)"


def test_without_a_token_nothing_is_redacted():
    assert Credential("", "").redact("as it is") == "as it is"


def test_the_token_shows_in_no_representation():
    credential = Credential("X-Auth-Token", TOKEN)

    assert TOKEN not in f"{credential!r} {credential!s} {[credential]}"


# ---- from the environment


def test_the_token_comes_from_the_environment_without_its_line_end():
    credential = from_environment("X-Auth-Token", None, {TOKEN_VARIABLE: f" {TOKEN}\n"})

    assert credential.headers == {"X-Auth-Token": TOKEN}


def test_a_token_file_goes_before_the_environment(tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    credential = from_environment("X-Auth-Token", str(tmp_path / "token"), {TOKEN_VARIABLE: "other"})

    assert credential.headers == {"X-Auth-Token": TOKEN}


def test_a_gateway_that_wants_none_gets_none():
    assert from_environment(None, None, {TOKEN_VARIABLE: TOKEN}).headers == {}


@pytest.mark.parametrize("environ", [{}, {TOKEN_VARIABLE: " \n"}])
def test_no_token_is_refused_with_the_three_ways_out(environ):
    with pytest.raises(ConfigError, match=r"set LOADGATE_TOKEN or give --token-file FILE \(or --gateway none"):
        from_environment("X-Auth-Token", None, environ)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "t\xf6ken", "tab\there", "nul\0"])
def test_a_token_with_characters_no_token_has_is_refused_and_not_repeated(token):
    with pytest.raises(ConfigError, match="the token in LOADGATE_TOKEN has characters") as refused:
        from_environment("X-Auth-Token", None, {TOKEN_VARIABLE: token})

    assert token not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), (b"\xff\xfe", r"cannot be read \(not text\)"), (b"\n", "is empty")]
)
def test_a_token_file_that_holds_none_is_named(content, words, tmp_path):
    if content is not None:
        (tmp_path / "token").write_bytes(content)

    with pytest.raises(ConfigError, match=f"--token-file '.*token' {words}"):
        from_environment("X-Auth-Token", str(tmp_path / "token"), {})


# ---- IAM


@pytest.fixture
def iam():
    """A server that keeps what it was asked and answers with `server.reply`: status, headers, body."""

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

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


def test_iam_is_asked_for_a_project_scoped_token_by_password(iam):
    iam.reply = 201, {"X-Subject-Token": TOKEN}, b"{}"

    assert iam_token(iam.url, "me", "hunter2", "my-domain", "my-project") == TOKEN
    assert iam.asked == (
        "/v3/auth/tokens",
        {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": "me", "password": "hunter2", "domain": {"name": "my-domain"}}},
                },
                "scope": {"project": {"name": "my-project"}},
            }
        },
    )


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((401, {}, b'{"error": {"message": "The password is wrong."}}'), "gave no token: 401 .*The password is wrong"),
        ((401, {}, b"user me, password hunter2"), r"gave no token: 401 user me, password \*\*\*"),
        ((201, {}, b"{}"), "gave no token: 201"),
        ((200, {"X-Subject-Token": TOKEN}, b"{}"), "gave no token: 200"),
    ],
)
def test_iams_own_words_are_passed_on_without_the_password(iam, reply, words):
    iam.reply = reply

    with pytest.raises(ConfigError, match=words) as refused:
        iam_token(iam.url, "me", "hunter2", "d", "p")

    assert "hunter2" not in str(refused.value)


def test_an_iam_that_does_not_answer_is_named():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(ConfigError, match=f"IAM at {url}/ does not answer"):
            iam_token(url, "me", "hunter2", "d", "p")
