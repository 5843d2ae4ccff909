import uuid
from email.parser import BytesParser

from loadgate import target as targets
from loadgate.payloads import Payload, json_payload
from loadgate.request import Uuids, encode

TARGET = targets.parse("https://h.example:8443/v1/infers/1?x=2")
PLAIN = Payload("a", "json", "application/json", b'{"a": 1}')
FRESH = "10eb0091-887f-4839-9929-cbc884f1e20e"


def head_and_body(wire):
    head, _, body = wire.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    return line, BytesParser().parsebytes(fields), body


def test_the_head_names_path_host_type_and_length():
    line, fields, body = head_and_body(encode(PLAIN, TARGET, {"X-Auth-Token": "t"}, "9.9").wire(b""))

    assert line == b"POST /v1/infers/1?x=2 HTTP/1.1"
    assert dict(fields) == {
        "Host": "h.example:8443",
        "User-Agent": "loadgate/9.9",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": "8",
        "X-Auth-Token": "t",
    }
    assert body == b'{"a": 1}'


def test_a_body_without_a_uuid_is_not_copied():
    request = encode(PLAIN, TARGET, {}, "1")

    assert request.wire(b"") is request.wire(b"")


def test_a_fresh_uuid_takes_the_place_of_the_old_and_nothing_else_changes():
    payload = json_payload("a", b'{"meta": {"uuid": ""}, "data": {"req_data": [1]}}', "a.json")
    _, fields, body = head_and_body(encode(payload, TARGET, {}, "1").wire(FRESH.encode()))

    assert body == payload.body[: payload.uuid_at] + FRESH.encode() + payload.body[payload.uuid_at + 36 :]
    assert fields["Content-Length"] == str(len(body))


def test_uuids_are_version_4_and_never_the_same():
    made = [uuids.next().decode() for uuids in (Uuids(), Uuids()) for _ in range(50)]

    assert len(set(made)) == 100
    for text in made:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
