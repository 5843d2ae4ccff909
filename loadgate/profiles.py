"""Profiles of gateways: data files in `gateways/`, and files of the user's own."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from analysis import units
from analysis.outcomes import AnsweredBy, Outcome
from loadgate import toml_file
from loadgate.errors import ConfigError
from loadgate.gateway import BY_STATUS, Gateway, Latency, Rule
from loadgate.toml_file import TomlFile

FOLDER = Path(__file__).parent / "gateways"
AUTH = ("token", "iam", "aksk", "appcode", "none")
OURS = {"host", "user-agent", "accept", "content-type", "content-length", "transfer-encoding", "connection", "expect"}
# What an answer that is not 2xx can be; the other outcomes need no answer, or a good one.
OF_ANSWERS = (*dict.fromkeys(BY_STATUS.values()), Outcome.SERVER_ERROR, Outcome.CLIENT_ERROR)


def names() -> list[str]:
    """The profiles there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, timeout_s: float | None = None, body_limit_bytes: int | None = None) -> Gateway:
    """The profile called `name`, or in the file of that path, with the limits given in place of its own.

    Raises ConfigError: no such profile, a mistake in the file, or no time limit in either.
    """
    path = _path(name)
    try:
        file = toml_file.read(path)
    except ConfigError as error:
        raise ConfigError(f"--gateway: {error}") from None
    profile = _profile(file)
    if timeout_s is not None:
        profile["timeout_s"] = timeout_s
    if body_limit_bytes is not None:
        profile["body_limit_bytes"] = body_limit_bytes
    if profile.get("timeout_s") is None:
        raise ConfigError(f"--gateway {name} names no time limit; give the one that the service has as --timeout")
    return Gateway(path.stem, **profile)


def _path(name: str) -> Path:
    if name in names():
        return FOLDER / f"{name}.toml"
    path = Path(name)
    if path.name != name or path.suffix == ".toml" or os.path.isfile(name):  # noqa: PTH113 - never raises
        return path
    raise ConfigError(f"--gateway {name!r} is not known; choose one of {', '.join(names())}, or a file of your own")


def _profile(file: TomlFile) -> dict[str, Any]:
    """The fields of the `Gateway` that `file` describes, on top of the profile it extends."""
    given = file.fields(file.content(), _PROFILE)
    base = _profile(toml_file.read(given.pop("extends"))) if "extends" in given else {"rules": ()}
    own = {_FIELD.get(key, key): value for key, value in given.items()}
    if "latency" in own:
        own["latency"] = _latency(file, own["latency"])
    own["rules"] = _rules(file, own.get("rules", ()), base["rules"])
    return base | own


def _latency(file: TomlFile, table: dict[str, Any]) -> Latency:
    latency = Latency(**file.fields(table, _LATENCY, "latency"))
    if not latency.gateway_header and not latency.backend_header:
        raise file.wrong("latency needs gateway_header or backend_header", "latency")
    return latency


def _rules(file: TomlFile, tables: Iterable[dict[str, Any]], base: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules of `file` before those of its `base`. In a file a reason has one advice: it is looked up by it."""
    rules = []
    advice: dict[str, str] = {}
    for nth, table in enumerate(tables):
        rule = Rule(**file.fields(table, _RULE, "rules", nth))
        for needy in ("advice", "renew"):
            if getattr(rule, needy) and not rule.reason:
                raise file.wrong(f"field {needy!r} needs a reason in the same rule", needy, "rules", nth)
        if rule.advice and advice.setdefault(rule.reason, rule.advice) != rule.advice:
            raise file.wrong(f"reason {rule.reason!r} has another advice already", "advice", "rules", nth)
        rules.append(rule)
    return (*rules, *base)


# ---- what the fields of a file may hold


def _header_name(value: Any) -> str:
    if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", toml_file.text(value), re.ASCII):  # RFC 9110, 5.6.2: token
        raise ValueError(f"{value!r} is not the name of a header")
    return str(value)


def _own_header(value: Any) -> str:
    if _header_name(value).lower() in OURS:
        raise ValueError(f"{value!r} is set by loadgate itself")
    return str(value)


def _asking(value: Any) -> dict[str, str]:
    headers = {_own_header(name): _header_value(text) for name, text in toml_file.table(value).items()}
    for name in headers:
        if re.search("auth|token|cookie|key|secret", name, re.IGNORECASE):
            raise ValueError(f"{name!r} is for a credential, which no file may hold; see --auth")
    return headers


def _header_value(value: Any) -> str:
    if not toml_file.words(value).isascii():
        raise ValueError(f"{value!r} has characters other than ASCII")
    return str(value)


def _built_in(value: Any) -> Path:
    return FOLDER / f"{toml_file.one_of(names())(value)}.toml"


def _limit(convert: Callable[[str], float]) -> Callable[[Any], float | None]:
    def limit(value: Any) -> float | None:
        if toml_file.text(value) == "none":
            return None
        amount = convert(value)
        if not amount > 0:
            raise ValueError(f'{value!r} must be more than 0 (or "none")')
        return amount

    return limit


def _auth(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{value!r} is not a list of some of {', '.join(AUTH)}")
    return tuple(dict.fromkeys(map(toml_file.one_of(AUTH), value)))


def _statuses(value: Any) -> frozenset[int]:
    if not isinstance(value, list) or not all(type(item) is int and 300 <= item <= 999 for item in value) or not value:
        raise ValueError(f"{value!r} is not a list of statuses from 300 on; write [429, 503]")
    return frozenset(value)


def _header_patterns(value: Any) -> tuple[tuple[bytes, re.Pattern[str]], ...]:
    return tuple(
        (_header_name(name).lower().encode(), toml_file.pattern(text)) for name, text in toml_file.table(value).items()
    )


_FIELD = {"timeout": "timeout_s", "body_limit": "body_limit_bytes"}  # a file's fields that have units

_PROFILE: toml_file.Fields = {
    "extends": _built_in,
    "timeout": _limit(units.duration),
    "body_limit": _limit(units.size),
    "auth": _auth,
    "token_header": _own_header,
    "token_prefix": _header_value,
    "request_id_header": _header_name,
    "latency": toml_file.table,
    "rules": toml_file.tables,
}
_LATENCY: toml_file.Fields = {
    "ask": _asking,
    "gateway_header": _header_name,
    "backend_header": _header_name,
    "includes_backend": toml_file.yes,
}
_RULE: toml_file.Fields = {
    "outcome": lambda value: Outcome(toml_file.one_of(OF_ANSWERS)(value)),
    "status": _statuses,
    "code": toml_file.pattern,
    "message": toml_file.pattern,
    "header": _header_patterns,
    "by": lambda value: AnsweredBy(toml_file.one_of(by for by in AnsweredBy if by)(value)),
    "reason": toml_file.words,
    "advice": toml_file.text,
    "renew": toml_file.yes,
}
