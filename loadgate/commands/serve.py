"""`loadgate serve`: the stand-in real-time service on this machine."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from loadgate import units
from loadgate.errors import ConfigError
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

Callback = Callable[[click.Context, click.Parameter, Any], Any]


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


def parsed(parse: Callable[[str], Any]) -> Callback:
    """A click callback that turns the text of an option, or each of them, into a value."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        try:
            return [parse(text) for text in value] if parameter.multiple else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None

    return callback


def credentials() -> tuple[str, str] | None:
    """The only right login, from the environment."""
    user, password = os.environ.get("LOADGATE_IAM_USER"), os.environ.get("LOADGATE_IAM_PASSWORD")
    if bool(user) != bool(password):
        raise ConfigError("set both LOADGATE_IAM_USER and LOADGATE_IAM_PASSWORD, or neither")
    return (user, password) if user and password else None


FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog=f"{EXAMPLES}\n\n{ENVIRONMENT}", short_help="The stand-in real-time service alone.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 is any free one.",
)
@click.option(
    "--service-time",
    "model_time",
    default="lognormal:100ms,0.5",
    show_default=True,
    metavar="NAME:MEAN[,SHAPE]",
    callback=parsed(service_time),
    help="How long the model takes: constant, exponential, lognormal (sigma) or gamma (shape), by its mean.",
)
@click.option("--instances", default=4, show_default=True, type=click.IntRange(1), help="Instances of the model.")
@click.option(
    "--concurrency",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="Requests an instance works on at once.",
)
@click.option(
    "--queue",
    default=100,
    show_default=True,
    type=click.IntRange(0),
    help="Requests that may wait; one more gets 503.",
)
@click.option(
    "--timeout",
    "timeout_s",
    default="40s",
    show_default=True,
    metavar="DURATION",
    callback=parsed(units.duration),
    help="The gateway's time limit (504).",
)
@click.option(
    "--body-limit",
    "body_limit_bytes",
    default="12MiB",
    show_default=True,
    metavar="SIZE",
    callback=parsed(units.size),
    help="The gateway's body limit (413).",
)
@click.option(
    "--rate-limit",
    "rate_limit_per_s",
    type=click.IntRange(1),
    help="Requests a second the gateway lets through (429); off by default.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME:SHARE",
    callback=parsed(fault),
    help="Share of requests with a fault, as in slow:2%; may be given several times.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of service times and faults.")
@click.option("--truth", type=FILE, help="CSV file of what became of every request.")
@click.option("--write-token", "token_file", type=FILE, help="File for a valid token, readable by its owner only.")
@click.option("--tls-cert", type=FILE, help="Certificate chain in PEM: serve https.")
@click.option("--tls-key", type=FILE, help="Its private key in PEM, unless it is in the same file.")
def serve(model_time: ServiceTime, faults: list[tuple[str, float]], **options: Any) -> None:
    """Run the stand-in: a real-time inference service behind a gateway with its limits.

    It prints `ready URL` once it listens and runs until SIGTERM or Ctrl-C. Any service id in the path is served.
    """
    if len(dict(faults)) < len(faults):
        raise ConfigError("a fault is given twice; give each --fault once")
    listen = Listen(**{name: options.pop(name) for name in LISTEN})
    try:
        settings = Settings(
            service_time=model_time,
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
