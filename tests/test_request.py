import hashlib
import uuid
from email.parser import BytesParser

import pytest

from loadgate import target as targets
from loadgate.credential import Bearer, Credential
from loadgate.payloads import Payload, json_payload
from loadgate.request import LARGEST_COPIED, Uuids, encode

TARGET = targets.parse("https://h.example:8443/v1/infers/1?x=2")
PLAIN = Payload("a", "json", "application/json", b'{"a": 1}')
FRESH = "10eb0091-887f-4839-9929-cbc884f1e20e"
LONG = b"x" * (LARGEST_COPIED + 1)


class Signing(Credential):
    """Signs by telling the hash of the body it is for."""

    def headers(self, content_type, body_sha256):
        return {"Signed": body_sha256()}


def head_and_body(wire):
    head, _, body = b"".join(wire).partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    return line, BytesParser().parsebytes(fields), body


def with_uuid(padding=b""):
    return json_payload("a", b'{"meta": {"uuid": ""}, "data": {"req_data": ["%b"]}}' % padding, "a.json")


def test_the_head_names_path_host_type_and_length():
    token = Bearer("token", "X-Auth-Token", "", "t")
    line, fields, body = head_and_body(encode(PLAIN, TARGET, token, "9.9", {"X-Apig-Mode": "debug"}).wire(b""))

    assert line == b"POST /v1/infers/1?x=2 HTTP/1.1"
    assert dict(fields) == {
        "Host": "h.example:8443",
        "User-Agent": "loadgate/9.9",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": "8",
        "X-Apig-Mode": "debug",
        "X-Auth-Token": "t",
    }
    assert body == b'{"a": 1}'


def test_a_body_without_a_uuid_is_laid_out_once():
    request = encode(PLAIN, TARGET, Credential(), "1")

    assert request.wire(b"")[0] is request.wire(b"")[0]
    assert request.wire(b"")[1] == b""


def test_a_long_body_is_never_copied():
    payload = Payload("a", "file", "text/plain", LONG)
    first, rest = encode(payload, TARGET, Credential(), "1").wire(b"")

    assert rest is payload.body
    assert first.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("padding", [b"", LONG])
def test_a_fresh_uuid_takes_the_place_of_the_old_and_nothing_else_changes(padding):
    payload = with_uuid(padding)
    _, fields, body = head_and_body(encode(payload, TARGET, Credential(), "1").wire(FRESH.encode()))

    assert body == payload.body[: payload.uuid_at] + FRESH.encode() + payload.body[payload.uuid_at + 36 :]
    assert fields["Content-Length"] == str(len(body))


def test_headers_are_taken_anew_when_the_credential_changes():
    token = Bearer("token", "X-Auth-Token", "", "first")
    request = encode(PLAIN, TARGET, token, "1")
    before = head_and_body(request.wire(b""))
    token.use("second")
    after = head_and_body(request.wire(b""))

    assert (before[1]["X-Auth-Token"], after[1]["X-Auth-Token"]) == ("first", "second")
    assert before[2] == after[2] == PLAIN.body


@pytest.mark.parametrize(
    "payload", [PLAIN, Payload("a", "json", "application/json", LONG), with_uuid(), with_uuid(LONG)]
)
def test_a_signature_is_over_exactly_the_body_that_is_sent(payload):
    request = encode(payload, TARGET, Signing(), "1")
    uuids = Uuids()
    for _ in range(3):
        _, fields, body = head_and_body(request.wire(uuids.next()))

        assert fields["Signed"] == hashlib.sha256(body).hexdigest()


def test_a_body_that_stays_the_same_is_signed_and_hashed_once():
    class Counting(Signing):
        asked = 0

        def headers(self, content_type, body_sha256):
            self.asked += 1
            return super().headers(content_type, body_sha256)

    credential = Counting()
    request = encode(PLAIN, TARGET, credential, "1")
    for _ in range(5):
        request.wire(b"")
    assert credential.asked == 1

    credential.generation = 1  # the next second
    for _ in range(5):
        request.wire(b"")
    assert credential.asked == 2


def test_uuids_are_version_4_and_never_the_same():
    made = [uuids.next().decode() for uuids in (Uuids(), Uuids()) for _ in range(50)]

    assert len(set(made)) == 100
    for text in made:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
