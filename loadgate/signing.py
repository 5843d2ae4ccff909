"""Signatures of requests with an access key and its secret key (SDK-HMAC-SHA256).

Pure: no I/O, no clock. Source: Huawei Cloud, API Signing Guide, "AK/SK Signing and Authentication Algorithm". Where the
guide leaves something open, or differs, as Huawei's SDK for Python does it: the path is decoded before it is encoded,
dot segments stay in it, and X-Security-Token is signed.
"""

import hmac
import time
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"  # instead of a body's hash: the signature does not cover the body


class Signer:
    """Signs POST requests to one URL with one key pair. Neither keys nor token show in `repr`."""

    def __init__(self, access_key: str, secret_key: str, *, path: str, host: str, security_token: str = "") -> None:
        """`path` as it is sent, with its query; `host` is the Host header; temporary keys have a `security_token`."""
        self._access_key = access_key
        self._secret_key = secret_key.encode()
        self._target = canonical_target(path)
        self._host = host
        self._token = {"X-Security-Token": security_token} if security_token else {}

    def __repr__(self) -> str:
        return f"Signer({self._host!r}, ...)"

    def headers(self, content_type: str, body_sha256: str, at: datetime | float) -> dict[str, str]:
        """The headers to add to a request, sent `at`, that has this `content_type` and the host: both are signed.

        `body_sha256` is in lower-case hex, or UNSIGNED; `at` is a datetime (a naive one is local time) or Unix seconds.
        """
        date = timestamp(at)
        added = {"X-Sdk-Date": date, **self._token}
        if body_sha256 == UNSIGNED:
            added["X-Sdk-Content-Sha256"] = UNSIGNED
        signed = {"Content-Type": content_type, "Host": self._host, **added}
        request = canonical_request("POST", self._target, signed, body_sha256)
        made = signature(self._secret_key, string_to_sign(date, request))
        names = signed_headers(signed)
        return {
            **added,
            "Authorization": f"{ALGORITHM} Access={self._access_key}, SignedHeaders={names}, Signature={made}",
        }


def timestamp(at: datetime | float) -> str:
    """`at` as X-Sdk-Date: UTC, whole seconds. The gateway takes it for 15 minutes before and after."""
    seconds = at.timestamp() if isinstance(at, datetime) else at
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def canonical_target(path: str) -> str:
    """Two lines: the path of `path`, which ends in a slash here only, and its query, sorted."""
    path, _, query = path.partition("?")
    encoded = quote(unquote(path))
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    parameters = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    return f"{encoded.removesuffix('/')}/\n{parameters}"


def canonical_request(method: str, target: str, headers: Mapping[str, str], body_sha256: str) -> str:
    """What is hashed of a request to a `canonical_target`: `headers` are those to sign, X-Sdk-Date among them."""
    fields = sorted([(name.lower(), value.strip()) for name, value in headers.items()])
    lines = "".join([f"{name}:{value}\n" for name, value in fields])
    return f"{method}\n{target}\n{lines}\n{signed_headers(headers)}\n{body_sha256}"


def signed_headers(headers: Mapping[str, str]) -> str:
    return ";".join(sorted([name.lower() for name in headers]))


def string_to_sign(date: str, request: str) -> str:
    """What the key signs: `date` as in X-Sdk-Date and the hash of the canonical `request`."""
    return f"{ALGORITHM}\n{date}\n{sha256(request.encode()).hexdigest()}"


def signature(secret_key: bytes, text: str) -> str:
    """HMAC-SHA256 in hex. The secret key signs as it is: none is derived from it."""
    return hmac.digest(secret_key, text.encode(), "sha256").hex()
