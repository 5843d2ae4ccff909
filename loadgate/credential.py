"""The token that opens the gateway, and how to get one. Secrets come from the environment or a file only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from loadgate import target as targets
from loadgate.errors import ConfigError

TOKEN_VARIABLE = "LOADGATE_TOKEN"  # noqa: S105 - the name of a variable, not a secret
IAM_TIMEOUT_S = 30.0
# A shorter piece of a token is of no use to anyone, and too easily found in ordinary words.
SHORTEST_PIECE = 12


@dataclass(frozen=True)
class Credential:
    """The header that a gateway wants. Its value never shows in `repr`, so neither in a log nor in a traceback."""

    header: str
    _token: str

    def __repr__(self) -> str:
        return f"Credential({self.header!r}, ...)"

    @property
    def headers(self) -> dict[str, str]:
        return {self.header: self._token} if self._token else {}

    def redact(self, text: str) -> str:
        """`text` with the token, and every longer piece of it, replaced: services echo what they are sent."""
        if not self._token:
            return text
        length = min(SHORTEST_PIECE, len(self._token))
        kept, end = [], 0
        for at in range(len(text) - length + 1):
            if text[at : at + length] in self._pieces:
                if at >= end:
                    kept.append(text[end:at])
                end = at + length
        return "***".join([*kept, text[end:]])

    @cached_property
    def _pieces(self) -> frozenset[str]:
        """The shortest pieces: every longer one is made of them."""
        length = min(SHORTEST_PIECE, len(self._token))
        return frozenset(self._token[at : at + length] for at in range(len(self._token) - length + 1))


def from_environment(header: str | None, token_file: str | None, environ: Mapping[str, str]) -> Credential:
    """The credential for a gateway that wants `header` (None: it wants none). Raises ConfigError."""
    if header is None:
        return Credential("", "")
    if token_file:
        try:
            token, source = Path(token_file).read_text(encoding="utf-8").strip(), token_file
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise ConfigError(f"--token-file {token_file!r} cannot be read ({reason})") from None
    else:
        token, source = environ.get(TOKEN_VARIABLE, "").strip(), TOKEN_VARIABLE
    if not token:
        raise ConfigError(
            f"no token: set {TOKEN_VARIABLE} or give --token-file FILE (or --gateway none for an open service)"
            if source == TOKEN_VARIABLE
            else f"--token-file {token_file!r} is empty; write the token into it"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"the token in {source} has characters that no token has (spaces, line ends?)")
    return Credential(header, token)


def iam_token(endpoint: str, user: str, password: str, domain: str, project: str) -> str:
    """Ask IAM for a project-scoped token: `POST {endpoint}/v3/auth/tokens`, token in `X-Subject-Token`.

    Source: Identity and Access Management API reference, "Obtaining a User Token Through Password
    Authentication". Raises ConfigError with IAM's own words where it gives none.
    """
    target = targets.parse(endpoint)
    identity = {"user": {"name": user, "password": password, "domain": {"name": domain}}}
    scope = {"project": {"name": project}}
    body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": identity}, "scope": scope}})
    connect = HTTPSConnection if target.tls else HTTPConnection
    connection = connect(target.host, target.port, timeout=IAM_TIMEOUT_S)
    try:
        headers = {"Content-Type": "application/json;charset=utf8"}
        connection.request("POST", "/v3/auth/tokens", body, headers)
        answer = connection.getresponse()
        text = answer.read(65536).decode(errors="replace")
    except (OSError, HTTPException) as error:
        raise ConfigError(f"IAM at {target.shown} does not answer ({error})") from None
    finally:
        connection.close()
    token = answer.getheader("X-Subject-Token")
    if answer.status != 201 or not token:
        words = text.replace(password, "***")[:200] if password else text[:200]
        raise ConfigError(f"IAM at {target.shown} gave no token: {answer.status} {words}")
    return token
