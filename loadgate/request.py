"""The bytes of a request: made once for each payload and credential, sent as they are."""

import hashlib
import uuid
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

from loadgate.credential import Credential
from loadgate.payloads import UUID_LENGTH, Payload
from loadgate.target import Target

LARGEST_COPIED = 65536  # bytes: a longer end of a body goes out as it is, after the rest


class Request:
    """One payload on its way to one target. `head` lacks the credential's headers, and its end."""

    def __init__(self, payload: Payload, head: bytes, credential: Credential) -> None:
        self.payload = payload
        self.has_uuid = payload.uuid_at is not None
        self._head, self._credential = head, credential
        self._generation: int | None = None  # of the credential whose headers are in `_before`
        self._signed_alone = False  # a signature over the UUID is good for one request
        self._before = b""
        if payload.uuid_at is None:
            self._start, end = b"", payload.body
        else:
            self._start, end = payload.body[: payload.uuid_at], payload.body[payload.uuid_at + UUID_LENGTH :]
        self._end, self._rest = (end, b"") if len(end) <= LARGEST_COPIED else (b"", end)

    def wire(self, uuid_text: bytes) -> tuple[bytes, bytes]:
        """Every byte to send, with `uuid_text` (36 bytes) in its place: two pieces, the second mostly empty."""
        if self._generation != self._credential.generation or self._signed_alone:
            self._authorize(uuid_text)
        return b"".join((self._before, uuid_text, self._end)) if self.has_uuid else self._before, self._rest

    def _authorize(self, uuid_text: bytes) -> None:
        self._generation = self._credential.generation
        headers = self._credential.headers(self.payload.content_type, partial(self._body_sha256, uuid_text))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._before = b"".join((self._head, lines.encode(), b"\r\n", self._start))
        if not self.has_uuid:
            self._before += self._end

    def _body_sha256(self, uuid_text: bytes) -> str:
        self._signed_alone = self.has_uuid
        if not self.has_uuid:
            return str(self._hash_of_start.hexdigest())
        state = self._hash_of_start.copy()
        for piece in (uuid_text, self._end, self._rest):
            state.update(piece)
        return str(state.hexdigest())

    @cached_property
    def _hash_of_start(self) -> Any:
        """SHA-256 of the body up to the UUID: of all of it where there is none."""
        return hashlib.sha256(self._start if self.has_uuid else self.payload.body)


def encode(
    payload: Payload, target: Target, credential: Credential, version: str, asking: Mapping[str, str] | None = None
) -> Request:
    """Lay out the HTTP/1.1 request with its head and body; `asking` are headers that ask for something."""
    fields = {
        "Host": target.authority,
        "User-Agent": f"loadgate/{version}",
        "Accept": "*/*",
        "Content-Type": payload.content_type,
        "Content-Length": str(len(payload)),
        **(asking or {}),
    }
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    request = Request(payload, "\r\n".join(lines).encode() + b"\r\n", credential)
    request.wire(b"0" * UUID_LENGTH)  # now, and not in the load: a long body takes its time to be hashed
    return request


class Uuids:
    """Version 4 UUIDs (RFC 9562) that differ in a counter: no other process or run has them, and they are cheap."""

    def __init__(self) -> None:
        self._prefix = str(uuid.uuid4())[:24].encode()
        self._count = 0

    def next(self) -> bytes:
        self._count += 1
        return b"%b%012x" % (self._prefix, self._count)
