"""`loadgate serve`: the stand-in real-time service on this machine."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from analysis import units
from loadgate import secret
from loadgate.click_options import with_options
from loadgate.errors import ConfigError
from loadgate.options import Option, count, one_of, positive_duration
from loadgate.standin.errors import TIME_OUT_AS
from loadgate.standin.faults import FAULTS, NAMES
from loadgate.standin.service_time import ServiceTime
from loadgate.standin.settings import Listen, Settings
from loadgate.standin.signature import AccessKey

EXAMPLES = """\
\b
Examples:
  loadgate serve
  loadgate serve --port 0 --service-time gamma:80ms,2 --instances 2 --concurrency 4
  loadgate serve --timeout 1s --body-limit 64KiB --fault slow:1% --fault cut:0.5%
  loadgate serve --throttle 100/1m --slow-start 30s --circuit-breaker 5/10s
  loadgate serve --truth truth.csv --write-token token.txt

\b
Faults, for --fault, or for one request in its header X-Standin-Fault:
"""
FAULT_LINES = "\n".join(f"  {name:16} {what}" for name, what in FAULTS.items())
EVERY_CODE = """
  APIG.0203 ...    every code of the vendor's tables, at once; --list-faults prints them all
"""

ENVIRONMENT = """\
\b
Environment:
  LOADGATE_TOKEN              a token that is accepted beside the issued ones
  LOADGATE_IAM_USER           with LOADGATE_IAM_PASSWORD: the only right login;
  LOADGATE_IAM_PASSWORD       without them any user and password is right
  LOADGATE_AK                 with LOADGATE_SK: the access key whose signatures are
  LOADGATE_SK                 right; without them there is none
  LOADGATE_SECURITY_TOKEN     what has to come with that key in X-Security-Token
  LOADGATE_APPCODE            the app code that is right in X-Apig-AppCode
"""


def service_time(text: str) -> ServiceTime:
    """The distribution in `text`, as in `gamma:100ms,2`. Raises ValueError."""
    name, colon, parameters = text.partition(":")
    mean, comma, shape = parameters.partition(",")
    if not colon:
        raise ValueError(
            f"{text!r} is not a service time; "
            "write constant:100ms, exponential:100ms, lognormal:100ms,0.5 or gamma:100ms,2"
        )
    try:
        return ServiceTime(name, units.duration(mean), float(shape) if comma else None)
    except ValueError as error:
        if comma and "could not convert" in str(error):
            raise ValueError(f"{shape!r} is not a number; write {name}:{mean},0.5") from None
        raise


def fault(text: str) -> tuple[str, float]:
    """Name and share in `text`, as in `slow:2%`. Raises ValueError."""
    name, _, share = text.partition(":")
    if not share:
        raise ValueError(f"{text!r} has no share; write {name}:2% or {name}:0.02")
    if name not in NAMES:
        raise ValueError(
            f"{name!r} is not a fault; it must be one of {', '.join(FAULTS)}, or a code that --list-faults prints"
        )
    try:
        return name, float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"{share!r} is not a share; write {name}:2% or {name}:0.02") from None


def number_and_duration(text: str) -> tuple[int, float]:
    """A number and the seconds that go with it in `text`, as in `100/1m`. Raises ValueError."""
    number, slash, duration = text.partition("/")
    if not slash:
        raise ValueError(f"{text!r} must be a number and a duration; write 5/1s or 100/1m")
    return count(number), positive_duration(duration)


def port(text: str) -> int:
    """A TCP port, or 0. Raises ValueError."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ValueError(f"{text!r} is not a port; it must be a number from 0 to 65535")
    return int(text)


def natural(text: str) -> int:
    """A whole number, 0 or more. Raises ValueError."""
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} must be a whole number, 0 or more")
    return int(text)


OPTIONS = (
    Option(("--host",), "host", "Address to listen on. [127.0.0.1]", default="127.0.0.1", metavar="ADDRESS"),
    Option(("--port",), "port", "Port to listen on; 0 is any free one. [8080]", port, 8080, "N"),
    Option(
        ("--service-time",),
        "service_time",
        "How long the model takes: constant, exponential, lognormal (sigma) or gamma (shape), by its mean."
        " [lognormal:100ms,0.5]",
        service_time,
        ServiceTime("lognormal", 0.1, 0.5),
        "NAME:MEAN[,SHAPE]",
    ),
    Option(("--instances",), "instances", "Instances of the model. [4]", count, 4, "N"),
    Option(("--concurrency",), "concurrency", "Requests an instance works on at once. [2]", count, 2, "N"),
    Option(("--queue",), "queue", "Requests that may wait; one more gets 503. [100]", natural, 100, "N"),
    Option(("--timeout",), "timeout_s", "The gateway's time limit (504). [40s]", units.duration, 40.0, "T"),
    Option(
        ("--body-limit",), "body_limit_bytes", "The gateway's body limit (413). [12MiB]", units.size, 12 * 2**20, "SIZE"
    ),
    Option(
        ("--time-out-as",),
        "time_out_as",
        f"How the time limit shows: {', '.join(TIME_OUT_AS)}. [4503]",
        one_of(*TIME_OUT_AS),
        "4503",
        "CODE",
    ),
    Option(
        ("--rate-limit",), "rate_limit_per_s", "Requests a second the service takes (429). [all]", count, metavar="N"
    ),
    Option(
        ("--throttle",),
        "throttle",
        "The gateway's own limit, as in 100/1m (429). [none]",
        number_and_duration,
        metavar="N/PERIOD",
    ),
    Option(
        ("--token-life",),
        "token_validity_s",
        "How long an issued token lives, the written one, too. [24h]",
        positive_duration,
        86400.0,
        "T",
    ),
    Option(
        ("--ak-lock",),
        "ak_lock_s",
        "How long 6 wrong signatures lock the access key. [5m]",
        positive_duration,
        300.0,
        "T",
    ),
    Option(("--slow-start",), "slow_start_s", "No instance is ready so long (503). [0s]", units.duration, 0.0, "T"),
    Option(
        ("--circuit-breaker",),
        "circuit_breaker",
        "Model errors (5xx) in a row that cut the model off, and how long (503). [never]",
        number_and_duration,
        metavar="N/T",
    ),
    Option(
        ("--fault",),
        "faults",
        "Share of requests with a fault, as in slow:2%; repeatable.",
        fault,
        metavar="NAME:SHARE",
        repeatable=True,
    ),
    Option(("--list-faults",), "list_faults", "Print every fault there is, and end.", parse=None, default=False),
    Option(("--seed",), "seed", "Seed of service times and faults. [0]", natural, 0, "N"),
    Option(("--truth",), "truth", "CSV file of what became of every request.", Path, metavar="FILE"),
    Option(
        ("--write-token",), "token_file", "File for a valid token, its owner's only; replaced.", Path, metavar="FILE"
    ),
    Option(("--tls-cert",), "tls_cert", "Certificate chain in PEM: serve https.", Path, metavar="FILE"),
    Option(("--tls-key",), "tls_key", "Its private key in PEM. [in the same file]", Path, metavar="FILE"),
)


def given(variable: str) -> str:
    """A variable of the environment, without its line end; empty where it is not set."""
    return os.environ.get(variable, "").strip("\r\n")


def only(variable: str) -> str | None:
    """A secret of the environment that can stand in a header; None: it is not set."""
    text = given(variable).strip()
    return secret.checked(text, variable) if text else None


def pair(one: str | None, other: str | None, names: str) -> tuple[str, str] | None:
    """Two that go together; None: neither is set."""
    if bool(one) != bool(other):
        raise ConfigError(f"set both {names}, or neither")
    return (one, other) if one and other else None


def login() -> tuple[str, str] | None:
    """The only right login to IAM, from the environment."""
    user, password = "LOADGATE_IAM_USER", "LOADGATE_IAM_PASSWORD"
    return pair(given(user), given(password), f"{user} and {password}")


def access_key() -> AccessKey | None:
    """The only access key, from the environment."""
    key = pair(only("LOADGATE_AK"), only("LOADGATE_SK"), "LOADGATE_AK and LOADGATE_SK")
    token = only("LOADGATE_SECURITY_TOKEN")
    if token and not key:
        raise ConfigError("LOADGATE_SECURITY_TOKEN goes with an access key; set LOADGATE_AK and LOADGATE_SK, too")
    return AccessKey(*key, token) if key else None


@click.command(
    epilog=f"{EXAMPLES}{FAULT_LINES}{EVERY_CODE}\n{ENVIRONMENT}", short_help="The stand-in real-time service alone."
)
@with_options(*OPTIONS)
def serve(faults: list[tuple[str, float]], list_faults: bool, token_file: Path | None, **options: Any) -> None:
    """Run the stand-in: a real-time inference service behind a gateway with its limits.

    It prints `ready URL` once it listens and runs until SIGTERM or Ctrl-C. Any service id in the path is served.
    """
    if list_faults:
        click.echo("\n".join(f"{name:35} {what}" for name, what in NAMES.items()))
        return
    if len(dict(faults)) < len(faults):
        raise ConfigError("a fault is given twice; give each --fault once")
    listen = Listen(**{name: options.pop(name) for name in LISTEN})
    try:
        settings = Settings(
            faults=dict(faults),
            credentials=login(),
            accepted_token=only("LOADGATE_TOKEN"),
            access_key=access_key(),
            app_code=only("LOADGATE_APPCODE"),
            **options,
        )
        # Here, not above: the other commands need no web server.
        from loadgate.standin import server

        server.run(settings, listen, partial(secret.write, token_file) if token_file else None)
    except OSError as error:
        raise ConfigError(_sentence(error)) from error
    except ValueError as error:
        raise ConfigError(str(error)) from error


LISTEN = tuple(Listen.__dataclass_fields__)


def _sentence(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
