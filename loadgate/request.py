"""The bytes of a request: made once for each payload and credential, sent as they are."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from loadgate.payloads import Payload
from loadgate.target import Target

UUID_LENGTH = 36


@dataclass(frozen=True)
class Request:
    """One payload on its way to one target. `after` follows the UUID, where the body has one."""

    payload: Payload
    before: bytes
    after: bytes | None

    def wire(self, uuid_text: bytes) -> bytes:
        """Every byte to send, with `uuid_text` (36 bytes) in its place. A body without one is not copied."""
        return self.before if self.after is None else b"".join((self.before, uuid_text, self.after))


def encode(payload: Payload, target: Target, headers: Mapping[str, str], version: str) -> Request:
    """Lay out the HTTP/1.1 request with its head and body."""
    fields = {
        "Host": target.authority,
        "User-Agent": f"loadgate/{version}",
        "Accept": "*/*",
        "Content-Type": payload.content_type,
        "Content-Length": str(len(payload)),
        **headers,
    }
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    if payload.uuid_at is None:
        return Request(payload, head + payload.body, None)
    return Request(payload, head + payload.body[: payload.uuid_at], payload.body[payload.uuid_at + UUID_LENGTH :])


class Uuids:
    """Version 4 UUIDs (RFC 9562) that differ in a counter: no other process or run has them, and they are cheap."""

    def __init__(self) -> None:
        self._prefix = str(uuid.uuid4())[:24].encode()
        self._count = 0

    def next(self) -> bytes:
        self._count += 1
        return b"%b%012x" % (self._prefix, self._count)
