"""Tokens: which the gateway accepts, and why it refuses the others."""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass

from .answers import Refusal
from .errors import DOMAIN_TOKEN, EXPIRED_TOKEN, UNKNOWN_TOKEN

DER_HEAD = bytes((0x30, 0x82, 0x12, 0x90))
"""Head of a DER sequence of 4,752 bytes: the vendor's sample token `MIISkA...`, 6,344 characters."""
DER_BYTES = 0x1290


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is good for."""

    expires_s: float
    """On the clock of Tokens."""
    project: bool
    """Scoped to a project; otherwise to a domain, which the service does not take."""


class Tokens:
    """The tokens that exist. At most `most` issued ones: the oldest are forgotten, as if they had never been."""

    def __init__(self, *, validity_s: float, clock: Callable[[], float], most: int = 4096) -> None:
        self.validity_s = validity_s
        self._clock = clock
        self._most = most
        self._issued: dict[bytes, Grant] = {}
        self._accepted: set[bytes] = set()

    def accept(self, token: str) -> None:
        """Take a token of the caller's own, for ever."""
        self._accepted.add(token.encode())

    def issue(self, *, project: bool) -> str:
        """A new token, as long as a real one."""
        token = base64.b64encode(DER_HEAD + os.urandom(DER_BYTES))
        self._issued[token] = Grant(self._clock() + self.validity_s, project)
        if len(self._issued) > self._most:
            del self._issued[next(iter(self._issued))]
        return token.decode()

    def refusal(self, token: bytes) -> Refusal | None:
        """Why the token is no good; None: it is."""
        if token in self._accepted:
            return None
        grant = self._issued.get(token)
        if grant is None:
            return UNKNOWN_TOKEN
        if grant.expires_s <= self._clock():
            return EXPIRED_TOKEN
        return None if grant.project else DOMAIN_TOKEN
