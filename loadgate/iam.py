"""Identity and Access Management: a user's password for a token of one project.

Source: Identity and Access Management API reference, "Obtaining a User Token Through Password Authentication".
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer
from typing import Any

from analysis.wording import one_line
from loadgate import target as targets
from loadgate.error_words import error_words
from loadgate.errors import ConfigError
from loadgate.redaction import Redaction
from loadgate.secret import checked
from loadgate.strict_json import parsed
from loadgate.target import Target

PATH = "/v3/auth/tokens?nocatalog=true"  # the catalogue of every service would be some 100 kB
TIMEOUT_S = 30.0
LONGEST_ANSWER = 1 << 20
PASSING = (408, 429)  # 4xx that say nothing of the login
VALIDITY_S = 24 * 3600.0  # where the answer does not say
PREFIX = "LOADGATE_IAM_"
VARIABLES = {
    "endpoint": f"{PREFIX}ENDPOINT",
    "user": f"{PREFIX}USER",
    "password": f"{PREFIX}PASSWORD",
    "domain": f"{PREFIX}DOMAIN",
    "project": f"{PREFIX}PROJECT",
}


class LoginRefusedError(ConfigError):
    """IAM does not take this login. Asking again would only bring the account closer to being locked."""


@dataclass(frozen=True)
class Token:
    """A token as IAM issued it."""

    text: str = field(repr=False)
    validity_s: float


@dataclass(frozen=True)
class Login:
    """Who asks for a token, where, and for which project (as a rule the region's name)."""

    endpoint: Target
    user: str
    password: str = field(repr=False)
    domain: str
    project: str

    def token(self, trust: ssl.SSLContext | None = None) -> Token:
        """Ask for a token. Raises ConfigError with IAM's own words where it gives none."""
        answer = self._post(trust)
        if answer.status != 201 or not answer.token:
            refused = 400 <= answer.status < 500 and answer.status not in PASSING
            failure = LoginRefusedError if refused else ConfigError
            code, message = error_words(answer.body)
            words = message if code == str(answer.status) else " ".join(filter(None, (code, message)))
            words = one_line(Redaction(self.password)(words))[:200] or "(without a word)"
            raise failure(
                f"IAM at {self.endpoint.shown} gave no token: {answer.status} {words}{_advice(answer.status)}"
            )
        fields = _fields(answer.body)
        if "project" not in fields and "domain" in fields:
            raise LoginRefusedError(
                f"IAM at {self.endpoint.shown} gave a token of the whole account (domain scope), which inference does "
                f"not take; is {VARIABLES['project']} the project of the service?"
            )
        return Token(checked(answer.token, f"the token of IAM at {self.endpoint.shown}"), _validity_s(fields))

    def _post(self, trust: ssl.SSLContext | None) -> "_Answer":
        host, port = self.endpoint.host, self.endpoint.port
        if self.endpoint.tls:
            connection: HTTPConnection = HTTPSConnection(host, port, timeout=TIMEOUT_S, context=trust)
        else:
            connection = HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.connect()
            with _at_most(TIMEOUT_S, connection.sock):
                headers = {"Content-Type": "application/json;charset=utf8"}
                connection.request("POST", PATH, self._body(), headers)
                with connection.getresponse() as answer:
                    body = answer.read(LONGEST_ANSWER)
        except (OSError, HTTPException) as error:
            reason = (
                getattr(error, "verify_message", "") or getattr(error, "reason", "") or error or type(error).__name__
            )
            raise ConfigError(f"IAM at {self.endpoint.shown} does not answer ({one_line(reason)[:200]})") from None
        finally:
            connection.close()
        return _Answer(answer.status, answer.getheader("X-Subject-Token", ""), body)

    def _body(self) -> bytes:
        user = {"name": self.user, "password": self.password, "domain": {"name": self.domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return json.dumps({"auth": {"identity": identity, "scope": {"project": {"name": self.project}}}}).encode()


@dataclass(frozen=True)
class _Answer:
    status: int
    token: str = field(repr=False)
    body: bytes


def from_environment(environ: Mapping[str, str]) -> Login:
    """The login that the LOADGATE_IAM_ variables name. Raises ConfigError naming those that are missing."""
    given = {name: environ.get(variable, "").strip("\r\n") for name, variable in VARIABLES.items()}
    missing = [VARIABLES[name] for name, value in given.items() if not value]
    if missing:
        raise ConfigError(f"a login to IAM needs {', '.join(missing)} too (in the environment)")
    endpoint = targets.parse(given["endpoint"])
    if not endpoint.tls and not targets.is_loopback(endpoint.host):
        raise ConfigError(f"{VARIABLES['endpoint']} must be https://: a password goes over it")
    return Login(endpoint, given["user"], given["password"], given["domain"], given["project"])


@contextmanager
def _at_most(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Cut a connection that takes longer, under whoever waits for it. Raises TimeoutError then.

    Its own limit is of each wait, and an answer that trickles in could take for ever.
    """
    is_cut = Event()

    def cut() -> None:
        is_cut.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    watch = Timer(seconds, cut)
    watch.daemon = True  # no reason for a process to stay
    watch.start()
    try:
        yield
    except (OSError, HTTPException):
        if not is_cut.is_set():
            raise
    finally:
        watch.cancel()
    if is_cut.is_set():
        raise TimeoutError("timed out")


def _advice(status: int) -> str:
    if status == 401:
        return f"; check {VARIABLES['user']}, {VARIABLES['password']} and {VARIABLES['domain']}"
    if status == 403:
        return f"; may the user log in by program, and is {VARIABLES['project']} open to it?"
    if status in (400, 404):
        return f"; check {VARIABLES['endpoint']}, {VARIABLES['domain']} and {VARIABLES['project']}"
    return ""


def _fields(body: bytes) -> dict[str, Any]:
    """The description of the token in IAM's answer; empty where it cannot be read."""
    try:
        content = parsed(body)
    except ValueError:
        return {}
    fields = content.get("token") if isinstance(content, dict) else None
    return fields if isinstance(fields, dict) else {}


def _validity_s(fields: Mapping[str, Any]) -> float:
    """How long the token lives by IAM's own clock; ours may differ from it."""
    try:
        issued, expires = (datetime.fromisoformat(fields[key]) for key in ("issued_at", "expires_at"))
        validity_s = (expires - issued).total_seconds()
    except (KeyError, TypeError, ValueError):
        return VALIDITY_S
    return validity_s if validity_s > 0 else VALIDITY_S
