"""Where tokens come from: a file that somebody keeps fresh, or a login to IAM."""

import math
import ssl
from pathlib import Path
from time import monotonic as clock
from typing import Protocol

from loadgate.errors import ConfigError
from loadgate.iam import Login, LoginRefusedError
from loadgate.secret import checked

LOOK_S = 1.0  # at a file
RENEWED_AT = 0.9  # of a token's life: one about to expire may fail on its way
RETRY_S, LONGEST_RETRY_S = 1.0, 60.0


class Source(Protocol):
    """Where tokens come from."""

    def wait_s(self) -> float:
        """How long until it may have a new one."""

    def token(self, refused: bool = False) -> str | None:
        """A token, or None if the last one is still the best; `refused`: a gateway did not take that.

        Raises ConfigError.
        """


class TokenFile:
    """A file that somebody else keeps fresh."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: object = None

    def wait_s(self) -> float:
        """Look again in a second."""
        return LOOK_S

    def token(self, refused: bool = False) -> str | None:
        """The file's content, if it changed."""
        path = Path(self._path)
        try:
            status = path.stat()
            seen = status.st_mtime_ns, status.st_size, status.st_ino
            if seen == self._seen:
                return None
            text = path.read_text(encoding="utf-8").strip()
            self._seen = seen
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise ConfigError(f"--token-file {self._path!r} cannot be read ({reason})") from None
        return checked(text, f"--token-file {self._path!r}")


class IamTokens:
    """A login to IAM, renewed ahead of expiry."""

    def __init__(self, login: Login, trust: ssl.SSLContext | None) -> None:
        self._login, self._trust = login, trust
        self._due = 0.0
        self._retry_s = RETRY_S

    def wait_s(self) -> float:
        """Until the last token's life is nearly over."""
        return max(self._due - clock(), 0.0)

    def token(self, refused: bool = False) -> str | None:
        """A new token if it is time. A login that IAM refuses is not tried again: the account would be locked."""
        if not refused and clock() < self._due:
            return None
        if self._due == math.inf:
            return None
        try:
            token = self._login.token(self._trust)
        except LoginRefusedError:
            self._due = math.inf
            raise
        except ConfigError:
            self._due = clock() + self._retry_s
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
            raise
        # Not more often, whatever IAM says: a token that is over at once would make a storm of logins.
        self._due = clock() + max(RENEWED_AT * token.validity_s, RETRY_S)
        self._retry_s = RETRY_S
        return token.text
