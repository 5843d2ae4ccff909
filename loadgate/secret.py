"""A secret as text: what can stand in a header, a file that only its owner reads, and who is not told any."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from loadgate.errors import ConfigError

PREFIX = "LOADGATE_"  # of every variable with a secret


def checked(secret: str, what: str) -> str:
    """`secret`, if it can stand in a header. Raises ConfigError naming `what` it is, and not repeating it."""
    if not secret:
        raise ConfigError(f"{what} is empty")
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ConfigError(f"{what} has characters that no credential has (spaces, line ends?)")
    return secret


def write(path: Path, secret: str) -> None:
    """Put `secret` at `path`, never readable by others and never half there; a file that was there is replaced.

    Raises ConfigError.
    """
    draft = None
    try:
        # mkstemp creates with O_EXCL and mode 0600; the rename replaces whatever was there, a link included.
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(secret)  # no line end: `open(f).read()` must be fit for a header
        Path(draft).replace(path)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise ConfigError(f"{str(path)!r} cannot be written ({error.strerror})") from None


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that has no use for a secret: it may work on what a service said."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
