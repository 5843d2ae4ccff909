"""Signed requests: SDK-HMAC-SHA256 with an access key (AK) and its secret (SK).

Written from the vendor's description alone ("AK/SK Signing and Authentication Algorithm", API request signing guide).
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from .answers import Refusal
from .errors import AK_LOCKED, EXPIRED_SIGNATURE, NO_AK, WRONG_SIGNATURE, WRONG_SIGNATURE_OF
from .head import Head

ALGORITHM = b"SDK-HMAC-SHA256"
DATE = b"x-sdk-date"
PAYLOAD_HASH = b"x-sdk-content-sha256"
SECURITY_TOKEN = b"x-security-token"
UNSIGNED = b"UNSIGNED-PAYLOAD"
MOST_SKEW = timedelta(minutes=15)
MOST_FAILURES = 5
"""In a row; one more and the key is locked."""

_AUTHORIZATION = re.compile(
    ALGORITHM + rb"\s+Access=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})\s*"
)


@dataclass(frozen=True)
class AccessKey:
    """The one key that exists."""

    ak: str
    """Access key id."""
    sk: str = field(repr=False)
    """Its secret."""
    security_token: str | None = field(default=None, repr=False)
    """What goes with a temporary key; None: the key is permanent."""


class Signed(NamedTuple):
    """The Authorization header, taken apart."""

    ak: bytes
    headers: list[bytes]
    signature: bytes


class Signatures:
    """Tells right signatures from wrong ones, and locks the key after too many of these."""

    def __init__(
        self,
        key: AccessKey | None,
        *,
        lock_s: float,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key = key
        self._lock_s = lock_s
        self._clock = clock
        self._now = now
        self._failures = 0
        self._locked_until_s = clock()

    def refusal(self, head: Head) -> Refusal | None:
        """Why a signed request is no good, as far as its head tells. None: it is, or its body will tell."""
        signed = _signed(head)
        if signed is None:
            return WRONG_SIGNATURE
        if not self._exists(signed, head):
            return NO_AK.about(ak=signed.ak.decode(errors="replace"))
        if self._clock() < self._locked_until_s:
            return AK_LOCKED
        sent = _date(head) if DATE in signed.headers else None
        if sent is None:
            return self._failed(WRONG_SIGNATURE)
        if abs(self._now() - sent) > MOST_SKEW:
            return self._failed(EXPIRED_SIGNATURE)
        claimed = head.headers.get(PAYLOAD_HASH)
        if claimed is None:
            return None
        refusal = self._compared(head, signed, claimed)
        if claimed == UNSIGNED and refusal is None:
            self._failures = 0
        return refusal

    def body_refusal(self, head: Head, actual: bytes) -> Refusal | None:
        """Why a body of this hash is not what was signed. Only after `refusal` had nothing against the head."""
        signed, claimed = _signed(head), head.headers.get(PAYLOAD_HASH)
        if signed is None or claimed == UNSIGNED:
            return None
        if claimed is None:
            refusal = self._compared(head, signed, actual)
        else:
            refusal = None if claimed == actual else self._failed(WRONG_SIGNATURE)
        if refusal is None:
            self._failures = 0
        return refusal

    def _exists(self, signed: Signed, head: Head) -> bool:
        if self._key is None or signed.ak != self._key.ak.encode():
            return False
        token = self._key.security_token
        # A temporary key is known only together with its token.
        return token is None or hmac.compare_digest(head.headers.get(SECURITY_TOKEN, b""), token.encode())

    def _compared(self, head: Head, signed: Signed, payload: bytes) -> Refusal | None:
        request = canonical_request(head, signed.headers, payload)
        assert self._key is not None  # it exists, or this would not be asked
        if request and hmac.compare_digest(signature(self._key.sk, head.headers[DATE], request), signed.signature):
            return None
        told = request.decode(errors="replace").replace("\n", "|")
        return self._failed(WRONG_SIGNATURE_OF.about(request=told) if told else WRONG_SIGNATURE)

    def _failed(self, refusal: Refusal) -> Refusal:
        self._failures += 1
        if self._failures > MOST_FAILURES:
            self._failures, self._locked_until_s = 0, self._clock() + self._lock_s
        return refusal


def payload_hash(body: bytes) -> bytes:
    """The hash of a body as it is signed: 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest().encode()


def is_signed(head: Head) -> bool:
    """Whether the request has a signature of this kind."""
    return head.headers.get(b"authorization", b"").startswith(ALGORITHM)


def canonical_request(head: Head, names: list[bytes], payload: bytes) -> bytes:
    """What is signed, in its one way to be written; empty where a header that was signed is missing."""
    if any(name not in head.headers for name in names):
        return b""
    path = "/".join(quote(segment, safe="-_.~") for segment in head.path.split("/"))
    pairs = sorted(parse_qsl(head.query.decode("latin-1"), keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    lines = [
        head.method.encode(),
        (path if path.endswith("/") else path + "/").encode(),
        query.encode(),
        *(name + b":" + head.headers[name].strip() for name in sorted(names)),
        b"",
        b";".join(sorted(names)),
        payload,
    ]
    return b"\n".join(lines)


def signature(secret: str, date: bytes, request: bytes) -> bytes:
    """The signature of a canonical request: 64 hexadecimal digits."""
    to_sign = b"\n".join((ALGORITHM, date.strip(), hashlib.sha256(request).hexdigest().encode()))
    return hmac.new(secret.encode(), to_sign, hashlib.sha256).hexdigest().encode()


def _signed(head: Head) -> Signed | None:
    match = _AUTHORIZATION.fullmatch(head.headers.get(b"authorization", b""))
    return Signed(match[1], match[2].split(b";"), match[3]) if match else None


def _date(head: Head) -> datetime | None:
    try:
        text = head.headers.get(DATE, b"").strip().decode("ascii")
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
