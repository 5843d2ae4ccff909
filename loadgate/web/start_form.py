"""What the start form asks, in its user's words, and how each text becomes a value or a sentence beside its field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis import units
from analysis.run_format import LONGEST_RUN_S
from loadgate import options, profiles, target
from loadgate.arrivals import shared
from loadgate.errors import ConfigError

STEADY, SEARCH = "Steady", "CapacitySearch"
OPEN, CLOSED = options.LOAD_MODELS
AS_STARTED = "as started"  # what to send: what the command line and the locustfile say
LONGEST_TEXT = 4_000

Texts = Mapping[str, str]


# When a question is asked, by the answers to others. The page hides by the same words what is not.
ASKED: dict[str, Callable[[Texts], bool]] = {
    "always": lambda _: True,
    "when-file": lambda texts: texts.get("kind") == "file",
    "when-base64": lambda texts: texts.get("kind") == "base64",
    "when-steady": lambda texts: texts.get("shape") == STEADY,
    "when-search": lambda texts: texts.get("shape") == SEARCH,
    "unless-search": lambda texts: texts.get("shape") != SEARCH,
    "when-open": lambda texts: texts.get("load_model") == OPEN and texts.get("shape") != SEARCH,
    "when-closed": lambda texts: texts.get("load_model") == CLOSED and texts.get("shape") != SEARCH,
    "unless-closed": lambda texts: texts.get("load_model") != CLOSED or texts.get("shape") == SEARCH,
}


@dataclass(frozen=True)
class Field:
    """One question. `unit` says what the text is."""

    name: str
    label: str
    unit: str
    parse: Callable[[str], Any]
    when: str = "always"
    blank: str = ""  # what no text means; without that there must be one


def _url(text: str) -> str:
    target.parse(text)
    return text


def _profile(text: str) -> str:
    profiles.load(text, timeout_s=1)  # whether it needs a time limit is the plan's question
    return text


def _seconds(text: str) -> float:
    seconds = options.positive_duration(text)
    if seconds % 1 or seconds > LONGEST_RUN_S:
        raise ValueError(f"{text!r} must be whole seconds, {LONGEST_RUN_S:,} at most; write 90s or 5m")
    return seconds


def _objectives(text: str) -> list[str]:
    return [options.checked_objective(line.strip()) for line in text.splitlines() if line.strip()]


FIELDS = (
    Field("host", "Service URL", target.EXAMPLE, _url),
    Field("kind", "Request", "", options.words),
    Field("field", "Model's input for files", "name", options.words, "when-file"),
    Field("base64_field", "Model's input for base64", "name", options.words, "when-base64"),
    Field("shape", "Load over time", "", options.words),
    Field("load_model", "Arrivals", "", options.words, "unless-search"),
    Field("rate", "Rate", "requests/s", options.positive, "when-open"),
    Field("users", "Users", "users at once", options.closed_users, "when-closed"),
    Field("think_time_s", "Think time", "such as 500ms; after each answer", units.duration, "when-closed"),
    Field("arrivals", "Spacing", "", options.words, "unless-closed"),
    Field("duration", "Duration", "such as 5m", _seconds, "unless-search", blank="until stopped; a shape: 10m"),
    Field("ramp", "Ramp", "such as 30s, to the full load", options.positive_duration, "when-steady", blank="at once"),
    Field("from_per_s", "Lowest rate", "requests/s", options.positive, "when-search"),
    Field("to_per_s", "Highest rate", "requests/s", options.positive, "when-search"),
    Field("budget_s", "Budget", "such as 15m", options.positive_duration, "when-search"),
    Field("target_per_s", "Traffic to plan for", "requests/s", options.positive, "when-search", blank="no plan"),
    Field("instances", "Instances now", "instances", options.count, "when-search"),
    Field("headroom", "Capacity to keep free", "%", options.share_free, "when-search"),
    Field("gateway", "Gateway", "profile", _profile),
    Field("timeout_s", "Time limit", "such as 40s", options.positive_duration, blank="the profile's"),
    Field("body_limit_bytes", "Body limit", "such as 12MiB", options.positive_size, blank="the profile's"),
    Field("slo", "Objectives", "one a line", _objectives, blank="none, or those of pyproject.toml"),
)
BY_NAME = {field.name: field for field in FIELDS}


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
        if not ASKED[field.when](texts) or (not text and field.blank):
            continue
        try:
            values[field.name] = _value(field, text, choices.get(field.name))
        except (ValueError, ConfigError) as error:
            wrong[field.name] = str(error)
    if values["ramp"] and values["duration"] and values["ramp"] >= values["duration"]:
        wrong["ramp"] = f"{texts['ramp']!r} must be shorter than the duration"
    return Answers(values), wrong


def _value(field: Field, text: str, choices: Iterable[str] | None) -> Any:
    if not text:
        raise ValueError(f"it is empty; give {field.unit or 'one of those below'}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"it is longer than {LONGEST_TEXT:,} letters")
    if choices is not None:
        options.one_of(*choices)(text)
    return field.parse(text)
