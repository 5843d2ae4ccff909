"""What became of a request, from what another tool recorded: its HTTP status, its words and its own verdict.

None of them keeps who answered or why, so a status is taken at its word: 504 is the gateway's time limit, 413 its
body limit.
"""

import re

from analysis.outcomes import Outcome

BY_STATUS = {
    401: Outcome.UNAUTHORIZED,
    403: Outcome.UNAUTHORIZED,
    408: Outcome.GATEWAY_TIMEOUT,
    413: Outcome.OVERSIZE,
    429: Outcome.THROTTLED,
    502: Outcome.UNAVAILABLE,
    503: Outcome.UNAVAILABLE,
    504: Outcome.GATEWAY_TIMEOUT,
}

_TIMED_OUT = re.compile(r"time[ds]?[ -]?out|deadline exceeded", re.IGNORECASE)
_NOBODY = re.compile(
    r"connect|refused|reset|resolv|getaddrinfo|\bdns|unknownhost|no route|unreachable|broken ?pipe|socket|\bssl|\btls"
    r"|certificate|handshake|closed|\beof|failed to respond",
    re.IGNORECASE,
)
# `504 Server Error`, `status code 504`, `code=504`, `HTTP 504`: three digits anywhere could be anything.
_STATUS_IN_WORDS = re.compile(
    r"\b([1-5]\d\d) (?:Client|Server) Error\b"
    r"|\b(?:(?:status(?:[ _]?code)?|code)\W{0,3}|HTTP(?:/\d(?:\.\d)?)?:? )([1-5]\d\d)\b(?!\.\d)",
    re.IGNORECASE,
)


def outcome_of(status: int | None, *, success: bool | None = None, timed_out: bool = False) -> Outcome:
    """Name the outcome of a request with this *status*, None if nobody answered.

    *success* is the tool's own verdict, None if it has none: a request without a status that it calls a success
    was not HTTP, and is ok. *timed_out* says that its words speak of a timeout.
    """
    if status is None:
        if success:
            return Outcome.OK
        return Outcome.CLIENT_TIMEOUT if timed_out else Outcome.CONNECTION_ERROR
    if 200 <= status <= 299:
        return Outcome.BAD_ANSWER if success is False else Outcome.OK
    if status in BY_STATUS:
        return BY_STATUS[status]
    return Outcome.SERVER_ERROR if 500 <= status <= 599 else Outcome.CLIENT_ERROR


def outcome_in_words(words: str) -> tuple[Outcome, int | None]:
    """Guess outcome and status of a failure from its error text alone.

    One that speaks of no status, no timeout and no connection is the verdict of a check on an answer.
    """
    if words in set(Outcome) - {Outcome.OK}:
        return Outcome(words), None  # loadgate's own words, in the files that Locust writes for it
    status = status_in_words(words)
    if status is not None:
        return outcome_of(status, success=False), status
    if speaks_of_timeout(words) or _NOBODY.search(words):
        return outcome_of(None, timed_out=speaks_of_timeout(words)), None
    return Outcome.BAD_ANSWER, None


def status_of(text: str) -> int | None:
    """Read a status code: three digits from 100 to 599; None for all else, such as `0` or an exception's name."""
    return int(text) if re.fullmatch(r"[1-5][0-9]{2}", text) else None


def status_in_words(words: str) -> int | None:
    """Find the status that an error text names, None if it names none."""
    match = _STATUS_IN_WORDS.search(words)
    return int(match[1] or match[2]) if match else None


def speaks_of_timeout(words: str) -> bool:
    return _TIMED_OUT.search(words) is not None
