"""loadgate sends what curl and requests send for the calls on a service's page: bytes off a socket, side by side."""

import base64
import json
import re
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import parse_headers
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from conftest import Finished
from PIL import Image
from python_multipart import parse_form

TOKEN = "MIIS" + "".join(chr(ord("a") + (11 * k * k + k) % 26) for k in range(600))
SECRET = "patient 4711 has a mole"
PAGE_JSON = '{"data":{"req_data":[{"sepal_length":3,"sepal_width":1,"petal_length":2.2,"petal_width":4}]}}'


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    line: bytes
    fields: Message
    body: bytes

    @property
    def plain_body(self) -> bytes:
        """The body with a boundary that is always the same."""
        boundary = self.fields.get_boundary()
        return self.body if boundary is None else self.body.replace(boundary.encode(), b"boundary")


class Capture(socketserver.ThreadingTCPServer):
    """Answers every request with 200 and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1/infers/eb3e0c54?version=2"
        self.sent: list[Sent] = []
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()

    def of(self, client: Callable[..., Any], *arguments: Any) -> Sent:
        """The one request that `client` makes."""
        self.sent.clear()
        client(self.url, *arguments)
        (sent,) = self.sent
        return sent


class _Handler(socketserver.StreamRequestHandler):
    server: Capture

    def handle(self) -> None:
        while line := self.rfile.readline():
            fields = parse_headers(self.rfile)
            if "Expect" in fields:
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.server.sent.append(Sent(line, fields, self.rfile.read(int(fields["Content-Length"]))))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.fixture
def capture() -> Iterator[Capture]:
    with Capture() as server:
        yield server
        server.shutdown()


@pytest.fixture
def loadgate(command: Callable[..., Finished]) -> Callable[..., Finished]:
    """`loadgate send`, checked for secrets."""

    def send(url: str, *options: str) -> Finished:
        finished = command("loadgate", "send", url, *options, token=TOKEN, out=False)
        assert_no_secret(finished.stdout, finished.stderr)
        return finished

    return send


# ---- the others, as the page has them


def curl(url: str, *what: str) -> str:
    done = subprocess.run(
        ["curl", "-k", "-s", *what, "-H", f"X-Auth-Token:{TOKEN}", "-X", "POST", url],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def curl_file(url: str, path: Path) -> str:
    return curl(url, "-F", f"images=@{path}")


def curl_json(url: str, text: str) -> str:
    return curl(url, "-d", text, "-H", "Content-type: application/json")


def requests_file(url: str, path: Path) -> requests.Response:
    with path.open("rb") as file:
        return requests.post(url, headers={"X-Auth-Token": TOKEN}, files={"images": file})


def requests_base64(url: str, path: Path) -> requests.Response:
    body = {"image": base64.b64encode(path.read_bytes()).decode("utf-8")}
    return requests.post(url, headers={"Content-Type": "application/json", "X-Auth-Token": TOKEN}, json=body)


# ---- what is looked at


def files_in(sent: Sent) -> list[tuple[str, str, bytes]]:
    """What a server's parser finds in a form: field, file name, content of each file."""
    found: list[tuple[str, str, bytes]] = []

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        found.append((file.field_name.decode(), file.file_name.decode(), file.file_object.read()))
        file.close()

    head = {name: sent.fields[name].encode() for name in ("Content-Type", "Content-Length")}
    parse_form(head, BytesIO(sent.body), on_field=found.append, on_file=on_file)
    return found


def without_part_type(body: bytes) -> bytes:
    return re.sub(rb"\r\nContent-Type: [^\r]*", b"", body, count=1)


def assert_no_secret(*texts: str | bytes) -> None:
    """Nothing holds a piece of the token, or what was in a body, plain or as base64 at any offset."""
    pieces = {TOKEN[k : k + 12].encode() for k in range(len(TOKEN) - 11)} | {SECRET.encode()}
    pieces |= {base64.b64encode(SECRET[k : k + 15].encode()) for k in range(3)}
    for text in texts:
        content = text.encode() if isinstance(text, str) else text
        assert not any(piece in content for piece in pieces)


# ---- files

BINARY_3_MB = (
    b"\r\n--boundary--\r\n--loadgate-0123\r\n------------------------0123--\r\n" + bytes(range(256))
) * 10_000


@pytest.mark.parametrize(
    ("name", "shown", "content"),
    [
        ("cat.png", "cat.png", b"\x89PNG\r\n\x1a\n" + SECRET.encode()),
        ("cat.jpg", "cat.jpg", b"\xff\xd8\xff"),
        ("CAT.JPG", "CAT.JPG", b"\xff\xd8\xff"),
        ("cat.of-no-type", "cat.of-no-type", b"cat"),
        ("cat", "cat", b"\x00"),
        ("my cat.png", "my cat.png", b"cat"),
        ("Kätzchen 猫.png", "Kätzchen 猫.png", b"cat"),
        ('my "cat".png', "my %22cat%22.png", b"cat"),  # as browsers do (HTML standard, "multipart/form-data")
        ("cat\\5%22.png", "cat\\5%22.png", b"cat"),
        ("volume.bin", "volume.bin", BINARY_3_MB),
    ],
    ids=["png", "jpg", "capitals", "no-type", "one-byte", "space", "letters", "quote", "backslash", "3-MB"],
)
def test_a_file_is_sent_as_curl_does_and_as_requests_but_for_the_parts_type(
    capture, loadgate, tmp_path, name, shown, content
):
    path = tmp_path / name
    path.write_bytes(content)

    ours = capture.of(loadgate, f"--file={path}")
    curls = capture.of(curl_file, path)
    theirs = capture.of(requests_file, path)

    assert ours.line == curls.line == theirs.line == b"POST /v1/infers/eb3e0c54?version=2 HTTP/1.1\r\n"
    assert ours.plain_body == curls.plain_body
    assert without_part_type(ours.plain_body) == theirs.plain_body != ours.plain_body
    assert files_in(ours) == files_in(curls) == files_in(theirs) == [("images", shown, content)]


def test_a_file_type_that_curl_does_not_know_is_named_and_the_rest_is_the_same(capture, loadgate, tmp_path):
    path = tmp_path / "cat.bmp"
    path.write_bytes(b"BM")

    ours = capture.of(loadgate, f"--file={path}")
    curls = capture.of(curl_file, path)

    assert b"\r\nContent-Type: image/bmp\r\n" in ours.body
    assert b"\r\nContent-Type: application/octet-stream\r\n" in curls.body
    assert without_part_type(ours.plain_body) == without_part_type(curls.plain_body)


def test_the_field_of_a_file_has_the_name_it_is_given(capture, loadgate, tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(b"cat")

    ours = capture.of(loadgate, f"--file={path}", "--field=my picture")
    curls = capture.of(curl, "-F", f"my picture=@{path}")

    assert ours.plain_body == curls.plain_body
    assert files_in(ours) == [("my picture", "cat.png", b"cat")]


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + SECRET.encode(), b"\x00", BINARY_3_MB], ids=["png", "one-byte", "3-MB"]
)
def test_a_file_in_json_is_sent_as_requests_does(capture, loadgate, tmp_path, content):
    path = tmp_path / "cat.png"
    path.write_bytes(content)

    ours = capture.of(loadgate, f"--base64={path}")
    theirs = capture.of(requests_base64, path)

    assert (ours.line, ours.fields.get_content_type(), ours.body) == (theirs.line, "application/json", theirs.body)


# ---- JSON


@pytest.mark.parametrize(
    "text",
    [
        PAGE_JSON,
        json.dumps({"note": SECRET}),
        '{"stadt": "Köln", "猫": "\\u732b \\ud83d\\ude3a 😺"}',
        '{"note": "one\\r\\ntwo"}',
        '{\r\n\t"x" : 1.10,\r\n\t"y": [1e5, -0.0]\r\n}',
        '{"x": 1, "x": 2}',
    ],
    ids=["page", "text", "letters", "line-end-inside", "line-ends-between", "twice"],
)
def test_json_is_sent_as_curl_does(capture, loadgate, tmp_path, text):
    path = tmp_path / "body.json"
    path.write_bytes(text.encode() + b"\n")

    ours = capture.of(loadgate, f"--json={path}")
    curls = capture.of(curl_json, text)

    assert (ours.line, ours.body) == (curls.line, curls.body) == (ours.line, text.encode())


def test_of_json_with_a_uuid_only_that_is_another(capture, loadgate, tmp_path):
    text = '{"meta": {"uuid": "10eb0091-887f-4839-9929-cbc884f1e20e"}, "data": {"x":  1.10}}'
    path = tmp_path / "body.json"
    path.write_text(text, encoding="utf-8")

    ours = capture.of(loadgate, f"--json={path}")
    curls = capture.of(curl_json, text)

    start = text.index("10eb0091")
    end = start + 36
    assert (ours.body[:start], ours.body[end:]) == (curls.body[:start], curls.body[end:])
    assert str(UUID(ours.body[start:end].decode())) != text[start:end]


# ---- heads


def test_the_head_has_the_fields_of_curl_and_requests_has_two_more(capture, loadgate, tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(b"cat")
    (tmp_path / "body.json").write_text(PAGE_JSON, encoding="utf-8")

    for ours, theirs, more in (
        (capture.of(loadgate, f"--json={tmp_path / 'body.json'}"), capture.of(curl_json, PAGE_JSON), set()),
        (capture.of(loadgate, f"--file={path}"), capture.of(curl_file, path), set()),
        (capture.of(loadgate, f"--file={path}"), capture.of(requests_file, path), {"Accept-Encoding", "Connection"}),
        (
            capture.of(loadgate, f"--base64={path}"),
            capture.of(requests_base64, path),
            {"Accept-Encoding", "Connection"},
        ),
    ):
        names = [name.title() for name in ours.fields]
        assert sorted(names) == sorted({name.title() for name in theirs.fields} - more)
        # Boundaries are of different lengths.
        own = {"User-Agent"} | ({"Content-Length"} if ours.fields.get_boundary() else set())
        for name in set(names) - own:
            assert plain(ours.fields[name]) == plain(theirs.fields[name])


def plain(value: str) -> str:
    return re.sub("boundary=.*", "boundary", value)


# ---- a load, and the stand-in


def test_a_load_sends_the_same_and_keeps_none_of_it(capture, command, tmp_path):
    picture, lines = tmp_path / "cat.png", tmp_path / "bodies.jsonl"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + SECRET.encode())
    texts = [PAGE_JSON, json.dumps({"note": SECRET}), '{"stadt": "Köln"}', '{"note": "one\\r\\ntwo"}']
    lines.write_bytes("\r\n".join(texts).encode())
    others = [capture.of(curl_json, text) for text in texts]
    others += [capture.of(curl_file, picture), capture.of(requests_base64, picture)]
    capture.sent.clear()

    finished = command(
        *("loadgate", "run", capture.url, "--rate=90", "--duration=500ms"),
        *(f"--json={lines}", f"--file={picture}", f"--base64={picture}"),
        token=TOKEN,
    )

    assert len(capture.sent) == finished.manifest()["counts"]["sent"] + 1
    assert {sent.line for sent in capture.sent} == {other.line for other in others}
    assert {sent.fields["X-Auth-Token"] for sent in capture.sent} == {TOKEN}
    assert {sent.plain_body for sent in capture.sent} == {other.plain_body for other in others}
    written = [path.read_bytes() for path in finished.run.rglob("*") if path.is_file()]
    assert len(written) >= 9
    assert_no_secret(finished.stdout, finished.stderr, *written)


def test_the_stand_in_gives_all_of_them_the_right_answer(stand_in, loadgate, authority, tmp_path, monkeypatch):
    certificate, picture, body = (tmp_path / name for name in ("server.pem", "rose.png", "iris.json"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    Image.new("RGB", (32, 32), (200, 40, 60)).save(picture)
    body.write_text(PAGE_JSON, encoding="utf-8")
    service = stand_in("--service-time=constant:0ms", f"--tls-cert={certificate}", environ={"LOADGATE_TOKEN": TOKEN})

    pictures = [
        loadgate(service.url, f"--file={picture}", "-k").stdout,
        loadgate(service.url, f"--base64={picture}", "-k").stdout,
        curl_file(service.url, picture),
        requests_file(service.url, picture).text,
        requests_base64(service.url, picture).text,
    ]
    measures = [loadgate(service.url, f"--json={body}", "-k").stdout, curl_json(service.url, PAGE_JSON)]

    assert [json.loads(answer)["predicted_label"] for answer in pictures] == ["rose"] * 5
    for answer in map(json.loads, measures):
        assert [row["predictresult"] for row in answer["data"]["resp_data"]] == ["Iris-versicolor"]
    assert [row["status"] for row in service.truth()] == ["200"] * 7
