"""The options of a load, declared once: for `loadgate run` and `send` (click) and for plain `locust` (argparse)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loadgate import gateway, units
from loadgate.arrivals import DISTRIBUTIONS

LOAD_MODELS = ("open", "closed")


@dataclass(frozen=True)
class Option:
    """One option. `parse` raises ValueError with a sentence for the user; a flag has none."""

    flags: tuple[str, ...]
    name: str  # of the attribute
    help: str
    parse: Callable[[str], Any] | None = str
    default: Any = None
    metavar: str | None = None
    repeatable: bool = False


def positive(text: str) -> float:
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{text!r} must be a number above 0")
    return number


def count(text: str) -> int:
    """A whole number above 0."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


def positive_duration(text: str) -> float:
    """A duration above 0, in seconds."""
    seconds = units.duration(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} must be more than 0; write 250ms, 40s or 1m30s")
    return seconds


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser that takes these words only."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is not known; choose one of {', '.join(choices)}")
        return text

    return parse


WHAT = (
    Option(("--json",), "json_paths", "JSON bodies: .json, or .jsonl with one a line", metavar="PATH", repeatable=True),
    Option(("--file",), "file_paths", "files to send as multipart/form-data", metavar="PATH", repeatable=True),
    Option(("--base64",), "base64_paths", "files to send as base64 inside JSON", metavar="PATH", repeatable=True),
    Option(("--field",), "field", "the model's input for files", default="images", metavar="NAME"),
    Option(("--base64-field",), "base64_field", "the model's input for base64", default="image", metavar="NAME"),
)
LIMITS = (
    Option(("--gateway",), "gateway", f"profile: {', '.join(gateway.names())}", default="modelarts", metavar="NAME"),
    Option(("--timeout",), "timeout_s", "the gateway's time limit", parse=positive_duration, metavar="40s"),
    Option(("--grace",), "grace_s", "wait this much longer for it", parse=units.duration, default=5.0, metavar="5s"),
    Option(("--body-limit",), "body_limit_bytes", "the gateway's body limit", parse=units.size, metavar="12MiB"),
    Option(("--token-file",), "token_file", "the token; else LOADGATE_TOKEN is read", metavar="FILE"),
    Option(("-k", "--insecure"), "insecure", "do not verify the TLS certificate", parse=None, default=False),
    Option(("--cacert",), "cacert", "certificates to trust (PEM)", metavar="FILE"),
)
HOW = (
    Option(("--arrivals",), "arrivals", "constant or poisson", one_of(*DISTRIBUTIONS), "constant", "WORD"),
    Option(("--think-time",), "think_time_s", "closed model: pause after an answer", units.duration, 0.0, "0s"),
    Option(("--seed",), "seed", "same seed, same plan", parse=count, default=1, metavar="N"),
    Option(("--max-in-flight",), "max_in_flight", "drop arrivals over this, in each process [10000]", count, None, "N"),
    Option(("--out",), "out", "run directory [reports/<time>-<name>]", metavar="DIR"),
    Option(("--no-plots",), "no_plots", "tables only in the report", parse=None, default=False),
)
# `loadgate run` says these in its own words: --rate, --users and --duration.
LOCUST_ONLY = (
    Option(("--load-model",), "load_model", "open or closed", one_of(*LOAD_MODELS), "open", "WORD"),
    Option(("--rate-per-user",), "rate_per_user", "open model: requests/s of each user", positive, 1.0, "R"),
    Option(("--duration",), "duration_s", "like --run-time, fractions too", positive_duration, metavar="20s"),
)
