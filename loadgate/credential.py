"""What opens the gateway: the headers of each request. Secrets come from the environment or a file only."""

import time
from argparse import Namespace
from collections.abc import Callable, Mapping

from loadgate import iam
from loadgate.errors import ConfigError
from loadgate.gateway import Gateway
from loadgate.redaction import Redaction
from loadgate.secret import checked
from loadgate.signing import UNSIGNED, Signer
from loadgate.target import Target
from loadgate.tls import trust
from loadgate.tokens import IamTokens, Source, TokenFile

TOKEN_VARIABLE = "LOADGATE_TOKEN"  # noqa: S105 - the names of variables, not secrets
APPCODE_VARIABLE = "LOADGATE_APPCODE"
AK_VARIABLE, SK_VARIABLE, SECURITY_TOKEN_VARIABLE = "LOADGATE_AK", "LOADGATE_SK", "LOADGATE_SECURITY_TOKEN"
VARIABLES = {
    "token": (TOKEN_VARIABLE,),
    "iam": (iam.VARIABLES["password"],),
    "aksk": (AK_VARIABLE, SK_VARIABLE),
    "appcode": (APPCODE_VARIABLE,),
}
WAYS = ("token", "bearer", "iam", "aksk", "appcode", "none")

BodyHash = Callable[[], str]  # hexadecimal SHA-256 of the body


class Credential:
    """No header at all: an open service."""

    way = "none"
    lockable = False  # would failures in a row lock it?
    generation = 0  # changes whenever the headers do
    source: Source | None = None  # of fresh secrets

    def __init__(self) -> None:
        self.redact = Redaction()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.way!r}, ...)"

    def headers(self, content_type: str, body_sha256: BodyHash) -> Mapping[str, str]:
        """The headers of a request with this body."""
        return {}


class Bearer(Credential):
    """One header with a secret, the same in every request until it is renewed."""

    def __init__(self, way: str, header: str, prefix: str, secret: str, source: Source | None = None) -> None:
        super().__init__()
        self.way, self.source = way, source
        self._header, self._prefix = header, prefix
        self.use(secret)

    def headers(self, content_type: str, body_sha256: BodyHash) -> Mapping[str, str]:
        """The header, whatever the body."""
        return {self._header: f"{self._prefix}{self._secret}"}

    def use(self, secret: str) -> None:
        """Send this secret from now on."""
        self._secret = secret
        self.redact.add(secret)
        self.generation += 1


class KeyPair(Credential):
    """An access key and its secret key, which sign each request: anew in each second, and for each other body."""

    way, lockable = "aksk", True

    def __init__(self, access_key: str, secret_key: str, security_token: str, target: Target) -> None:
        super().__init__()
        self.redact.add(secret_key)
        self.redact.add(security_token)
        self._signer = Signer(
            access_key, secret_key, path=target.path, host=target.authority, security_token=security_token
        )

    @property
    def generation(self) -> int:  # type: ignore[override] # elsewhere it is an attribute: it is read for each request
        """The second: the date that is signed has no finer part."""
        return int(time.time())

    def headers(self, content_type: str, body_sha256: BodyHash) -> Mapping[str, str]:
        """The signature. As the vendor's SDKs do, it leaves out a body that is not JSON."""
        signed = body_sha256() if content_type.startswith("application/json") else UNSIGNED
        return self._signer.headers(content_type, signed, time.time())


def find(gateway: Gateway, target: Target, options: Namespace, environ: Mapping[str, str]) -> Credential:
    """The credential that options and environment name for this gateway. Raises ConfigError.

    A login to IAM is made here: once in each process, before its load.
    """
    way = options.auth or _way(gateway, options.token_file, environ)
    if options.token_file and way not in ("token", "bearer"):
        raise ConfigError(f"--token-file goes with --auth token or bearer, not with {way}; leave one of them out")
    if way == "none":
        return Credential()
    if way == "aksk":
        access_key, secret_key = (_secret(environ, name) for name in (AK_VARIABLE, SK_VARIABLE))
        temporary = _secret(environ, SECURITY_TOKEN_VARIABLE) if environ.get(SECURITY_TOKEN_VARIABLE) else ""
        return KeyPair(access_key, secret_key, temporary, target)
    if way == "appcode":
        return Bearer(way, "X-Apig-AppCode", "", _secret(environ, APPCODE_VARIABLE))
    header = ("Authorization", "Bearer ") if way == "bearer" else (gateway.token_header, gateway.token_prefix)
    source = _source(way, options, environ)
    token = source.token() if source else _secret(environ, TOKEN_VARIABLE)
    return Bearer(way, *header, token or "", source)


def _source(way: str, options: Namespace, environ: Mapping[str, str]) -> Source | None:
    if way == "iam":
        return IamTokens(iam.from_environment(environ), trust(options.cacert))
    return TokenFile(options.token_file) if options.token_file else None


def _way(gateway: Gateway, token_file: str | None, environ: Mapping[str, str]) -> str:
    """The way in: what the command line or the environment holds, if the gateway asks for any."""
    if token_file:
        return "token"
    if gateway.auth[0] == "none":
        return "none"
    given = [
        way for way, names in VARIABLES.items() if way in gateway.auth and any(environ.get(name) for name in names)
    ]
    if len(given) > 1:
        names = ", ".join(VARIABLES[way][0] for way in given)
        raise ConfigError(f"there are several credentials ({names}); choose one with --auth {' or '.join(given)}")
    if not given:
        names = ", ".join(VARIABLES[way][0] for way in VARIABLES if way in gateway.auth)
        raise ConfigError(f"no credential: set {names} or give --token-file FILE (or --auth none for an open service)")
    return given[0]


def _secret(environ: Mapping[str, str], variable: str) -> str:
    secret = environ.get(variable, "").strip()
    if not secret:
        raise ConfigError(
            f"{variable} is not set or only blanks; put the secret into the environment, never into an argument"
        )
    return checked(secret, variable)
