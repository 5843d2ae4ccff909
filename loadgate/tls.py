"""How TLS is spoken with the service: whom to trust, and who we are."""

import ssl
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from loadgate.errors import ConfigError

CHUNK_BYTES = 65536  # encrypted at a time
KEY_PASSWORD = "LOADGATE_KEY_PASSWORD"  # noqa: S105 - the variable's name


def tls_context(options: Namespace, environ: Mapping[str, str]) -> ssl.SSLContext:
    """The context of every connection. Raises ConfigError where a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=options.cacert)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"--cacert {options.cacert!r} cannot be read ({_reason(error)})") from None
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.cert is not None:
        _present(context, options.cert, options.key, environ.get(KEY_PASSWORD, ""))
    elif options.key is not None:
        raise ConfigError("--key needs --cert: name the certificate that the key belongs to")
    return context


def trust(cacert: str | None) -> ssl.SSLContext:
    """Whom to trust with a password: the system's authorities and those in `cacert`, always verified.

    Raises ConfigError where the file cannot be used.
    """
    context = ssl.create_default_context()
    try:
        if cacert is not None:
            context.load_verify_locations(cacert)
    except OSError as error:  # ssl's own is one
        raise ConfigError(f"--cacert {cacert!r} cannot be read ({_reason(error)})") from None
    return context


def _present(context: ssl.SSLContext, cert: str, key: str | None, password: str) -> None:
    for option, path in (("--cert", cert), *((("--key", key),) if key else ())):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"{option} {path!r} cannot be read ({_reason(error)})") from None
    try:
        # With a password given, even an empty one, OpenSSL does not ask for one on the terminal.
        context.load_cert_chain(cert, key, password)
    except (ssl.SSLError, ValueError) as error:  # the second for a password longer than OpenSSL takes
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            reason = f"--key {key or cert!r} is not the key of --cert {cert!r}"
        elif key is None:
            reason = f"--cert {cert!r} is not a PEM certificate with its key; name the key with --key"
        else:
            reason = f"--cert {cert!r} and --key {key!r} are not a PEM certificate and key"
        raise ConfigError(f"{reason} (the key's password, if it has one, comes from {KEY_PASSWORD})") from None


def _reason(error: Exception) -> str:
    return "not a PEM certificate" if isinstance(error, ssl.SSLError) else str(getattr(error, "strerror", error))


class Tls:
    """The TLS side of one connection: bytes in, bytes out, no socket of its own."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        self.unsent: list[memoryview] = []  # pieces of the request, as plain bytes

    def take(self, received: bytes) -> None:
        """Bytes from the server; none is its end."""
        if received:
            self.incoming.write(received)
        else:
            self.incoming.write_eof()

    @property
    def readable(self) -> bool:
        """Whether a read may bring something: asking first is cheaper than an exception for each answer."""
        return bool(self.incoming.pending or self.incoming.eof or self.session.pending())

    def encrypted(self) -> bytes:
        """The next bytes for the server; none if there is nothing to say."""
        while self.unsent and not self.outgoing.pending:
            piece = self.unsent.pop(0)
            if piece:
                self.unsent.insert(0, piece[self.session.write(piece[:CHUNK_BYTES]) :])
        return self.outgoing.read()
