"""What the start form asks, in its user's words, and how each text becomes a value or a sentence beside its field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis import units
from loadgate import options, profiles, target
from loadgate.arrivals import DISTRIBUTIONS, shared
from loadgate.errors import ConfigError

STEADY, SEARCH = "Steady", "CapacitySearch"
OPEN, CLOSED = options.LOAD_MODELS
AS_STARTED = "as started"  # what to send: what the command line and the locustfile say
LONGEST_TEXT = 4_000

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One question. `unit` says what the text is; `asked` whether it is one, by the answers to the others."""

    name: str
    label: str
    unit: str
    parse: Callable[[str], Any]
    asked: Callable[[Texts], bool] = lambda _: True
    blank: str = ""  # what no text means; without that there must be one


def _is_search(texts: Texts) -> bool:
    return texts.get("shape") == SEARCH


def _is_open(texts: Texts) -> bool:
    return texts.get("load_model") == OPEN and not _is_search(texts)


def _is_closed(texts: Texts) -> bool:
    return texts.get("load_model") == CLOSED and not _is_search(texts)


def _is_of(kind: str) -> Callable[[Texts], bool]:
    return lambda texts: texts.get("kind") == kind


def _url(text: str) -> str:
    target.parse(text)
    return text


def _profile(text: str) -> str:
    profiles.load(text, timeout_s=1)  # whether it needs a time limit is the plan's question
    return text


def _objectives(text: str) -> list[str]:
    return [options.checked_objective(line.strip()) for line in text.splitlines() if line.strip()]


FIELDS = (
    Field("host", "Service URL", target.EXAMPLE, _url),
    Field("kind", "Request", "", options.words),
    Field("field", "Model's input for files", "name", options.words, lambda texts: texts.get("kind") == "file"),
    Field(
        "base64_field", "Model's input for base64", "name", options.words, lambda texts: texts.get("kind") == "base64"
    ),
    Field("shape", "Load over time", "", options.words),
    Field("load_model", "Arrivals", "", options.one_of(OPEN, CLOSED)),
    Field("rate", "Rate", "requests/s", options.positive, _is_open),
    Field("users", "Users", "users at once", options.closed_users, _is_closed),
    Field("think_time_s", "Think time", "such as 500ms; after each answer", units.duration, _is_closed),
    Field("arrivals", "Spacing", "", options.one_of(*DISTRIBUTIONS), lambda texts: not _is_closed(texts)),
    Field(
        "duration",
        "Duration",
        "such as 5m",
        options.positive_duration,
        lambda texts: not _is_search(texts),
        blank="until stopped; a shape: 10m",
    ),
    Field(
        "ramp",
        "Ramp",
        "such as 30s, to the full load",
        options.positive_duration,
        lambda texts: texts.get("shape") == STEADY,
        blank="at once",
    ),
    Field("from_per_s", "Lowest rate", "requests/s", options.positive, _is_search),
    Field("to_per_s", "Highest rate", "requests/s", options.positive, _is_search),
    Field("budget_s", "Budget", "such as 15m", options.positive_duration, _is_search),
    Field("target_per_s", "Traffic to plan for", "requests/s", options.positive, _is_search, blank="no plan"),
    Field("instances", "Instances now", "instances", options.count, _is_search),
    Field("headroom", "Capacity to keep free", "%", options.share_free, _is_search),
    Field("gateway", "Gateway", "profile", _profile),
    Field("timeout_s", "Time limit", "such as 40s", options.positive_duration, blank="the profile's"),
    Field("body_limit_bytes", "Body limit", "such as 12MiB", options.positive_size, blank="the profile's"),
    Field("slo", "Objectives", "one a line", _objectives, blank="none"),
)
BY_NAME = {field.name: field for field in FIELDS}
CHOICES = {"kind", "shape", "load_model", "arrivals", "gateway"}  # of a list, not free text


@dataclass(frozen=True)
class Answers:
    """A form that can be started."""

    values: dict[str, Any]  # by field; None where a field was left blank or not asked

    @property
    def peak(self) -> tuple[int, float]:
        """Users, and requests/s of each, at the full load."""
        if self.values["users"] is not None:
            return self.values["users"], 1.0
        rate_per_s = self.values["rate"] or 1.0
        return shared(rate_per_s)

    @property
    def spawn_rate(self) -> float:
        """Users a second."""
        users, ramp_s = self.peak[0], self.values["ramp"]
        return users / ramp_s if ramp_s else float(users)


def check(texts: Texts, choices: Mapping[str, Iterable[str]]) -> tuple[Answers, dict[str, str]]:
    """Turn the texts of a form into values, and say by field what is wrong with those that cannot be.

    `choices` are the texts that a field of a list may have.
    """
    values, wrong = dict.fromkeys(BY_NAME), {}
    for field in FIELDS:
        text = texts.get(field.name, "").strip()
        if not field.asked(texts) or (not text and field.blank):
            continue
        try:
            values[field.name] = _value(field, text, choices.get(field.name))
        except (ValueError, ConfigError) as error:
            wrong[field.name] = str(error)
    return Answers(values), wrong


def _value(field: Field, text: str, choices: Iterable[str] | None) -> Any:
    if not text:
        raise ValueError(f"it is empty; give {field.unit or 'one of those below'}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"it is longer than {LONGEST_TEXT:,} letters")
    if choices is not None:
        options.one_of(*choices)(text)
    return field.parse(text)
