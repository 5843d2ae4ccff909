"""`loadgate serve`: the stand-in real-time service on this machine."""

import os
from pathlib import Path
from typing import Any

import click

from loadgate import units
from loadgate.click_options import with_options
from loadgate.errors import ConfigError
from loadgate.options import Option, count
from loadgate.standin.faults import FAULTS
from loadgate.standin.service_time import ServiceTime
from loadgate.standin.settings import Listen, Settings

EXAMPLES = """\
\b
Examples:
  loadgate serve
  loadgate serve --port 0 --service-time gamma:80ms,2 --instances 2 --concurrency 4
  loadgate serve --timeout 1s --body-limit 64KiB --fault slow:1% --fault cut:0.5%
  loadgate serve --truth truth.csv --write-token token.txt

\b
Faults:
""" + "\n".join(f"  {name:12} {what}" for name, what in FAULTS.items())

ENVIRONMENT = """\
\b
Environment:
  LOADGATE_TOKEN              a token that is accepted beside the issued ones
  LOADGATE_IAM_USER           with LOADGATE_IAM_PASSWORD: the only right login;
  LOADGATE_IAM_PASSWORD       without them any user and password is right
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
    if name not in FAULTS:
        raise ValueError(f"{name!r} is not a fault; it must be one of {', '.join(FAULTS)}")
    try:
        return name, float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"{share!r} is not a share; write {name}:2% or {name}:0.02") from None


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
    Option(("--rate-limit",), "rate_limit_per_s", "Requests a second it lets through (429). [all]", count, metavar="N"),
    Option(
        ("--fault",),
        "faults",
        "Share of requests with a fault, as in slow:2%; repeatable.",
        fault,
        metavar="NAME:SHARE",
        repeatable=True,
    ),
    Option(("--seed",), "seed", "Seed of service times and faults. [0]", natural, 0, "N"),
    Option(("--truth",), "truth", "CSV file of what became of every request.", Path, metavar="FILE"),
    Option(("--write-token",), "token_file", "File for a valid token, its owner's only.", Path, metavar="FILE"),
    Option(("--tls-cert",), "tls_cert", "Certificate chain in PEM: serve https.", Path, metavar="FILE"),
    Option(("--tls-key",), "tls_key", "Its private key in PEM. [in the same file]", Path, metavar="FILE"),
)


def credentials() -> tuple[str, str] | None:
    """The only right login, from the environment."""
    user, password = os.environ.get("LOADGATE_IAM_USER"), os.environ.get("LOADGATE_IAM_PASSWORD")
    if bool(user) != bool(password):
        raise ConfigError("set both LOADGATE_IAM_USER and LOADGATE_IAM_PASSWORD, or neither")
    return (user, password) if user and password else None


@click.command(epilog=f"{EXAMPLES}\n\n{ENVIRONMENT}", short_help="The stand-in real-time service alone.")
@with_options(*OPTIONS)
def serve(faults: list[tuple[str, float]], **options: Any) -> None:
    """Run the stand-in: a real-time inference service behind a gateway with its limits.

    It prints `ready URL` once it listens and runs until SIGTERM or Ctrl-C. Any service id in the path is served.
    """
    if len(dict(faults)) < len(faults):
        raise ConfigError("a fault is given twice; give each --fault once")
    listen = Listen(**{name: options.pop(name) for name in LISTEN})
    try:
        settings = Settings(
            faults=dict(faults),
            credentials=credentials(),
            accepted_token=os.environ.get("LOADGATE_TOKEN", "").strip() or None,
            **options,
        )
        # Here, not above: the other commands need no web server.
        from loadgate.standin import server

        server.run(settings, listen)
    except OSError as error:
        raise ConfigError(_sentence(error)) from error
    except ValueError as error:
        raise ConfigError(str(error)) from error


LISTEN = tuple(Listen.__dataclass_fields__)


def _sentence(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
