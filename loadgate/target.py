"""Where requests go: a service's URL, and the addresses its host name stands for."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loadgate.errors import ConfigError

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
CONNECT_TIMEOUT_S = 3.0
EXAMPLE = "https://HOST/v1/infers/SERVICE-ID"


@dataclass(frozen=True)
class Target:
    """One URL, taken apart once. `path` holds the query too."""

    host: str
    port: int
    path: str
    tls: bool

    @property
    def authority(self) -> str:
        """The Host header: with the port only where it is not the scheme's own, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL as it may be printed and stored: a query can carry an access code, so it is left out."""
        path, query, _ = self.path.partition("?")
        return f"{'https' if self.tls else 'http'}://{self.authority}{path}{'?...' if query else ''}"


def parse(url: str | None) -> Target:
    """The target `url` names. Raises ConfigError where it cannot be a service's URL."""
    if not url:
        raise ConfigError(f"no URL: give the service's URL, like {EXAMPLE}")
    bare = url.partition("?")[0]  # a query can carry an access code, so no sentence has it
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"the URL cannot be read ({error}); write it like {EXAMPLE}") from None
    if parts.username is not None:
        raise ConfigError("URL must not hold a user or password; set LOADGATE_TOKEN instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"URL {bare!r} must start with http:// or https:// and name a host, like {EXAMPLE}")
    tls = parts.scheme == "https"
    default_port = 443 if tls else 80
    try:
        port = default_port if parts.port is None else parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ConfigError(f"URL {bare!r} has a port that is not a number from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(not "!" <= character <= "~" for character in path):
        raise ConfigError(f"URL {bare!r} has characters that must be percent-encoded (%20 for a space)")
    try:
        host = parts.hostname.encode("idna").decode()
    except UnicodeError:
        raise ConfigError(f"URL {bare!r} names no possible host; check it") from None
    return Target(host, port, path, tls)


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to `host`; every interface (an empty one) is more than that."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def resolve(target: Target) -> list[Address]:
    """Every TCP address of the target, in the resolver's order. Raises ConfigError where there is none.

    Of several, those that take no connection are left out (`localhost` is often two, of which a service has one).
    Where none does, all are kept: the first request then says why.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"host {target.host!r} does not resolve ({reason}); check the URL") from None
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    if len(addresses) == 1:
        return addresses
    return [address for address in addresses if _takes_connections(address)] or addresses


def _takes_connections(address: Address) -> bool:
    family, where = address
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.settimeout(CONNECT_TIMEOUT_S)
        return attempt.connect_ex(where) == 0
