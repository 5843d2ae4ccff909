"""The options of a load, declared once: for `loadgate run` and `send` (click) and for plain `locust` (argparse)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import units
from loadgate import profiles
from loadgate.arrivals import DISTRIBUTIONS
from loadgate.credential import WAYS

INVALID = "invalid"  # a run that lost a worker; else the share of that one is what REDISTRIBUTE says
LOAD_MODELS = ("open", "closed")
# More of either is a slip of the finger: it would take the machine down before the service.
LARGEST_COUNT, LARGEST_RATE = 1_000_000_000, 1_000_000
MOST_CLOSED_USERS = 100_000


def words(text: str) -> str:
    """A text that is not empty."""
    if not text:
        raise ValueError("it is empty; name something, or leave the option out")
    return text


def folder(text: str) -> str:
    """A folder that is there."""
    if not Path(text).is_dir():
        raise ValueError(f"{text!r} is no folder; name one that holds the files to send")
    return text


@dataclass(frozen=True)
class Option:
    """One option. `parse` raises ValueError with a sentence for the user; a flag has none."""

    flags: tuple[str, ...]
    name: str  # of the attribute
    help: str  # ends with the default, in brackets
    parse: Callable[[str], Any] | None = words
    default: Any = None
    metavar: str | None = None
    repeatable: bool = False


def positive(text: str) -> float:
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= LARGEST_RATE:
        raise ValueError(f"{text!r} must be a number above 0, up to {LARGEST_RATE:,}")
    return number


def count(text: str) -> int:
    """A whole number above 0, and not beyond any use."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= LARGEST_COUNT:
        raise ValueError(f"{text!r} must be a whole number from 1 to {LARGEST_COUNT:,}")
    return int(text)


def closed_users(text: str) -> int:
    """Users of the closed model: each is a connection, so a file of this system's."""
    number = count(text)
    if number > MOST_CLOSED_USERS:
        raise ValueError(f"{text!r} is more than a machine can hold; it must be at most {MOST_CLOSED_USERS:,}")
    return number


def positive_duration(text: str) -> float:
    """A duration above 0, in seconds."""
    seconds = units.duration(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} must be more than 0; write 250ms, 40s or 1m30s")
    return seconds


def positive_size(text: str) -> int:
    """A size above 0, in bytes."""
    size = units.size(text)
    if size <= 0:
        raise ValueError(f"{text!r} must be more than 0; write 2kB, 512KiB or 12MiB")
    return size


def checked_objective(text: str) -> str:
    """An objective, as a text still: Locust sends the options to its workers."""
    from analysis.objectives.objective import objective  # brings numpy, which the stand-in has no use for

    return objective(text).text


def checked_tolerance(text: str) -> str:
    """A tolerance, as a text still."""
    from analysis.choices import tolerance  # brings numpy too

    tolerance(text)
    return text


def share_free(text: str) -> float:
    """A share from 0 % and below 100 %; `20%` or `0.2`."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise ValueError(f"{text!r} must be from 0% and below 100%; write 20%")
    return share


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser that takes these words only."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is not known; choose one of {', '.join(choices)}")
        return text

    return parse


WHAT = (
    Option(
        ("--json",), "json_paths", "JSON bodies: .json, or .jsonl with one a line.", metavar="PATH", repeatable=True
    ),
    Option(("--file",), "file_paths", "Files to send as multipart/form-data.", metavar="PATH", repeatable=True),
    Option(("--base64",), "base64_paths", "Files to send as base64 in JSON.", metavar="PATH", repeatable=True),
    Option(("--field",), "field", "The model's input for files. [images]", default="images", metavar="NAME"),
    Option(
        ("--base64-field",), "base64_field", "The model's input for base64. [image]", default="image", metavar="NAME"
    ),
)
HOW = (
    Option(("--arrivals",), "arrivals", "constant or poisson. [constant]", one_of(*DISTRIBUTIONS), "constant", "WORD"),
    Option(("--think-time",), "think_time_s", "Closed: pause after an answer. [0s]", units.duration, 0.0, "T"),
    Option(("--seed",), "seed", "The same seed gives the same plan. [1]", count, 1, "N"),
    Option(("--max-in-flight",), "max_in_flight", "Drop arrivals over N, per process. [10000]", count, None, "N"),
    Option(
        ("--skip-oversize",),
        "skip_oversize",
        "Leave out bodies over the gateway's limit.",
        parse=None,
        default=False,
    ),
    Option(
        ("--slo",),
        "slo",
        "An objective, as 'p99<800ms' or 'errors<1%'. [those of pyproject.toml]",
        checked_objective,
        metavar="OBJECTIVE",
        repeatable=True,
    ),
    Option(
        ("--baseline",), "baseline", "A run that this one must not be worse than: its directory. [none]", metavar="RUN"
    ),
    Option(
        ("--tolerance",),
        "tolerance",
        "Differences from the baseline that do not matter. [5%]",
        checked_tolerance,
        metavar="P",
    ),
    Option(("--out",), "out", "Run directory. [reports/<time>-<kinds>]", metavar="DIR"),
    Option(("--no-plots",), "no_plots", "Leave the pictures out of the report.", parse=None, default=False),
)
LIMITS = (
    Option(
        ("--gateway",),
        "gateway",
        f"What stands before the model: {', '.join(profiles.names())}; or a profile of your own. [modelarts]",
        default="modelarts",
        metavar="NAME|FILE",
    ),
    Option(("--timeout",), "timeout_s", "The gateway's time limit. [the profile's]", positive_duration, metavar="T"),
    Option(("--grace",), "grace_s", "Wait this much longer for its answer. [5s]", units.duration, 5.0, "T"),
    Option(
        ("--body-limit",),
        "body_limit_bytes",
        "The gateway's body limit. [the profile's]",
        positive_size,
        metavar="SIZE",
    ),
    Option(
        ("--gateway-latency",),
        "gateway_latency",
        "Have the gateway say its own part of the time and the model's.",
        parse=None,
        default=False,
    ),
    Option(
        ("--auth",),
        "auth",
        f"{', '.join(WAYS)}. [what is set in the environment, if the gateway asks for any]",
        one_of(*WAYS),
        metavar="WAY",
    ),
    Option(("--token-file",), "token_file", "File with the token, read again when it changes.", metavar="FILE"),
    Option(("-k", "--insecure"), "insecure", "Do not verify the TLS certificate.", parse=None, default=False),
    Option(("--cacert",), "cacert", "Certificates to trust, PEM. [the system's]", metavar="FILE"),
    Option(("--cert",), "cert", "Our certificate, where the service asks for one, PEM.", metavar="FILE"),
    Option(("--key",), "key", "Its key, PEM. [in --cert's file]", metavar="FILE"),
)


SEARCH = (
    Option(("--from",), "from_per_s", "Lowest rate to try, requests/s. [1]", positive, 1.0, "R"),
    Option(("--to",), "to_per_s", "Highest rate to try, requests/s. [10000]", positive, 10_000.0, "R"),
    Option(("--budget",), "budget_s", "About how long the search may take. [15m]", positive_duration, 900.0, "T"),
    Option(("--target-rate",), "target_per_s", "Traffic to plan for, requests/s. [none]", positive, None, "R"),
    Option(("--instances",), "instances", "Instances that the service has now. [1]", count, 1, "N"),
    Option(("--headroom",), "headroom", "Share of their capacity to keep free. [20%]", share_free, 0.2, "P"),
    Option(("--resume",), "resume", "Go on with the search of this run, which had no end. [none]", metavar="RUN"),
)
PAYLOADS = Option(
    ("--payloads",), "payloads", "Folder whose files the page offers to send. [none]", folder, metavar="DIR"
)
# `loadgate run` says these in its own words: --rate, --users and --duration.
LOCUST_ONLY = (
    Option(("--load-model",), "load_model", "open or closed. [open]", one_of(*LOAD_MODELS), "open", "WORD"),
    Option(("--rate-per-user",), "rate_per_user", "Open: requests/s of each user. [1]", positive, 1.0, "R"),
    Option(("--duration",), "duration_s", "Like --run-time, fractions too.", positive_duration, metavar="T"),
    PAYLOADS,
    Option(
        ("--i-know-this-is-open",),
        "known_open",
        "Serve the page to anybody who reaches it, without a login.",
        parse=None,
        default=False,
    ),
)
# What those who send have to know; the rest is of the process that collects.
OF_COLLECTORS = ("baseline", "tolerance", "out", "no_plots", "payloads", "known_open")
OF_SENDERS = tuple(option for option in (*WHAT, *HOW, *LIMITS, *LOCUST_ONLY) if option.name not in OF_COLLECTORS)
