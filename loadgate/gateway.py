"""What stands in front of the model: its limits, its token header, and what its answers mean.

Profiles are data files in `gateways/`. A profile's rules name an outcome by status, error code and message
together, because gateways use one code for many things; where no rule matches, the status decides.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from analysis.outcomes import Outcome
from loadgate import units
from loadgate.errors import ConfigError

PROFILES = Path(__file__).parent / "gateways"

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


@dataclass(frozen=True)
class Rule:
    """Names an outcome. A field that is None matches everything."""

    outcome: Outcome
    status: tuple[int, ...] | None = None
    code: re.Pattern[str] | None = None
    message: re.Pattern[str] | None = None

    def matches(self, status: int, code: str, message: str) -> bool:
        return (
            (self.status is None or status in self.status)
            and (self.code is None or self.code.search(code) is not None)
            and (self.message is None or self.message.search(message) is not None)
        )


@dataclass(frozen=True)
class Gateway:
    """One gateway's profile."""

    name: str
    timeout_s: float  # the gateway ends a request after this
    body_limit_bytes: int | None  # larger bodies are rejected; None: no limit
    token_header: str | None  # None: it asks for none
    request_id_header: str  # what a support ticket needs
    rules: tuple[Rule, ...] = ()

    def outcome(self, status: int, code: str, message: str) -> Outcome:
        """What an answer that is not 2xx means."""
        for rule in self.rules:
            if rule.matches(status, code, message):
                return rule.outcome
        if status in BY_STATUS:
            return BY_STATUS[status]
        return Outcome.SERVER_ERROR if status >= 500 else Outcome.CLIENT_ERROR


def names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def load(name: str) -> Gateway:
    """The profile called `name`. Raises ConfigError listing those there are."""
    if name not in names():
        raise ConfigError(f"--gateway {name!r} is not known; choose one of {', '.join(names())}")
    profile = tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))
    limit = profile.get("body_limit")
    return Gateway(
        name=name,
        timeout_s=units.duration(profile["timeout"]),
        body_limit_bytes=None if limit is None else units.size(limit),
        token_header=profile.get("token_header"),
        request_id_header=profile["request_id_header"],
        rules=tuple(_rule(**fields) for fields in profile.get("rules", [])),
    )


def _rule(outcome: str, status: list[int] | None = None, code: str | None = None, message: str | None = None) -> Rule:
    return Rule(
        Outcome(outcome),
        None if status is None else tuple(status),
        None if code is None else re.compile(code, re.IGNORECASE),
        None if message is None else re.compile(message, re.IGNORECASE),
    )
