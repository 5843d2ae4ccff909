"""What stands in front of the model: its limits, its credentials, and what its answers mean.

Profiles are data files in `gateways/`, and files of the user's own. A profile's rules say what an answer means by
status, error code, message and headers together, because gateways use one code for many things; where no rule
matches, the status decides.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from analysis.outcomes import AnsweredBy, Outcome

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

_NUMBER = re.compile(rb"\s*\d{1,12}(\.\d{1,12})?\s*")


class Explanation(NamedTuple):
    """What an answer that is not 2xx means, who gave it, and why in a few words of the profile ("": no rule says)."""

    outcome: Outcome
    by: AnsweredBy
    reason: str = ""


@dataclass(frozen=True)
class Rule:
    """Explains an answer. What is None or empty matches everything; `outcome` None lets the status decide."""

    outcome: Outcome | None = None
    status: frozenset[int] | None = None
    code: re.Pattern[str] | None = None
    message: re.Pattern[str] | None = None
    header: tuple[tuple[bytes, re.Pattern[str]], ...] = ()  # names in lower case
    by: AnsweredBy = AnsweredBy.GATEWAY
    reason: str = ""
    advice: str = ""
    renew: bool = False  # a new token would help

    def matches(self, status: int, code: str, message: str, headers: Mapping[bytes, bytes]) -> bool:
        return (
            (self.status is None or status in self.status)
            and (self.code is None or self.code.search(code) is not None)
            and (self.message is None or self.message.search(message) is not None)
            and all(_has(headers, name, pattern) for name, pattern in self.header)
        )


@dataclass(frozen=True)
class Latency:
    """The headers in which a gateway says, in milliseconds, how long a request took it and the model behind it."""

    gateway_header: str = ""
    backend_header: str = ""
    includes_backend: bool = False  # the gateway's figure has the backend's in it
    ask: Mapping[str, str] = field(default_factory=dict)  # headers of the request without which it says nothing

    def of(self, headers: Mapping[bytes, bytes]) -> tuple[float, float]:
        """Seconds in the gateway itself and in the backend; NaN where the answer does not say.

        Header names in lower case. The two are rounded apart, so the gateway's own part is never below 0.
        """
        gateway_name, backend_name = self._names
        gateway_s, backend_s = _milliseconds(headers.get(gateway_name)), _milliseconds(headers.get(backend_name))
        if self.includes_backend:
            gateway_s -= backend_s
        return gateway_s if math.isnan(gateway_s) else max(gateway_s, 0.0), backend_s

    @cached_property
    def _names(self) -> tuple[bytes, bytes]:
        return self.gateway_header.lower().encode(), self.backend_header.lower().encode()


@dataclass(frozen=True)
class Gateway:
    """One gateway's profile."""

    name: str
    timeout_s: float  # the gateway ends a request after this
    body_limit_bytes: int | None = None  # larger bodies are rejected; None: no limit, or not known
    auth: tuple[str, ...] = ("none", "token")  # the credentials it takes, the usual one first
    token_header: str = "Authorization"  # noqa: S105 - a header's name
    token_prefix: str = "Bearer "  # noqa: S105
    request_id_header: str = "X-Request-Id"  # what a support ticket needs
    latency: Latency | None = None
    rules: tuple[Rule, ...] = ()

    def is_over(self, body_bytes: int) -> bool:
        """Whether a body of this size should be rejected."""
        return self.body_limit_bytes is not None and body_bytes > self.body_limit_bytes

    def explain(self, status: int, code: str, message: str, headers: Mapping[bytes, bytes]) -> Explanation:
        """What an answer that is not 2xx means. The message's last dot does not matter."""
        message = message.strip().rstrip(".")
        for rule in self._rules_by_status.get(status, self._rules_by_status[None]):
            if rule.matches(status, code, message, headers):
                return Explanation(rule.outcome or _of_status(status), rule.by, rule.reason)
        return Explanation(_of_status(status), AnsweredBy.UNKNOWN)

    @cached_property
    def advice(self) -> dict[str, str]:
        """What to do, by reason; of several rules the first says it."""
        return {rule.reason: rule.advice for rule in reversed(self.rules) if rule.advice}

    def renews(self, reason: str) -> bool:
        """Whether a new token would help against an answer with this reason."""
        return any(rule.renew and rule.reason == reason for rule in self.rules)

    @cached_property
    def _rules_by_status(self) -> dict[int | None, tuple[Rule, ...]]:
        """The rules an answer of a status can meet; None: one that no rule names. Failures come by the thousand."""
        named: set[int | None] = {status for rule in self.rules for status in rule.status or ()}
        return {
            status: tuple(rule for rule in self.rules if rule.status is None or status in rule.status)
            for status in named | {None}
        }


def _of_status(status: int) -> Outcome:
    return BY_STATUS.get(status, Outcome.SERVER_ERROR if status >= 500 else Outcome.CLIENT_ERROR)


def _has(headers: Mapping[bytes, bytes], name: bytes, pattern: re.Pattern[str]) -> bool:
    value = headers.get(name)
    return value is not None and pattern.search(value.decode("latin-1")) is not None


def _milliseconds(value: bytes | None) -> float:
    """Seconds in a plain number of milliseconds; NaN for anything else."""
    return float(value) / 1000 if value is not None and _NUMBER.fullmatch(value) else math.nan
