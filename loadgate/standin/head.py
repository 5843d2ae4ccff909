"""The head of a request: all that is known of it before its body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "/v1/infers"


@dataclass(frozen=True, slots=True)
class Head:
    """Method, path and headers, as the server has read them."""

    method: str
    """In upper case."""
    path: str
    """Decoded."""
    query: bytes
    """As sent, without the question mark."""
    headers: Mapping[bytes, bytes]
    """Names in lower case; of several with one name, the last."""

    @property
    def service_id(self) -> str:
        """Which service the path names; empty: none."""
        return self.path[len(PREFIX) + 1 :].partition("/")[0]


def head_of(scope: Mapping[str, Any]) -> Head:
    """The head of the request with this ASGI scope."""
    return Head(scope["method"], scope["path"], scope["query_string"], dict(scope["headers"]))
