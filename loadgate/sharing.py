"""Who sends: this process, several of this machine, or workers on other machines. Options, and what Locust needs."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import click

from analysis.run_format import REDISTRIBUTE
from loadgate import options
from loadgate.click_options import checked
from loadgate.errors import ConfigError
from loadgate.options import INVALID

PORT = 5557  # Locust's own
LOOPBACK = "127.0.0.1"
OPTIONS = (
    click.option(
        "--processes", metavar="N", callback=checked(options.count), help="Share the load among N processes. [1]"
    ),
    click.option(
        "--workers",
        metavar="N",
        callback=checked(options.count),
        help="Share it among N workers on other machines: `loadgate worker`. [none]",
    ),
    click.option("--listen", metavar="IP[:PORT]", help=f"Where workers find this process. [{LOOPBACK}:{PORT}]"),
    click.option(
        "--lost-worker",
        metavar="WORD",
        callback=checked(options.one_of(INVALID, REDISTRIBUTE)),
        help=f"If one is lost, the run is {INVALID}, or others take its share: {REDISTRIBUTE}. [{INVALID}]",
    ),
)


def with_sharing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def arguments(processes: int | None, workers: int | None, listen: str | None, lost_worker: str | None) -> list[str]:
    """Locust's options for that. Raises UsageError, and ConfigError where nobody can listen."""
    if processes and workers:
        raise click.UsageError("give --processes (of this machine) or --workers (on others), not both")
    if listen is not None and not workers:
        raise click.UsageError("--listen is for workers on other machines; say how many with --workers")
    if not processes and not workers:
        if lost_worker:
            raise click.UsageError("--lost-worker is for a load with --workers or --processes")
        return []
    host, port = address(LOOPBACK if listen is None else listen) if workers else (LOOPBACK, 0)
    port = _free(host, port)
    return [
        f"--master-bind-host={host}",
        f"--master-bind-port={port}",
        *(["--enable-rebalancing"] if lost_worker == REDISTRIBUTE else []),
        *(
            ["--master", f"--expect-workers={workers}"]
            if workers
            else [f"--processes={processes}", f"--master-host={host}", f"--master-port={port}"]
        ),
    ]


def address(text: str) -> tuple[str, int]:
    """Read IP[:PORT]. Raises UsageError."""
    host, colon, port = text.partition(":")
    try:
        return str(ipaddress.IPv4Address(host)), _port(port) if colon else PORT
    except ValueError:
        raise click.UsageError(
            f"--listen {text!r} is no IPv4 address; write one of this machine's, as 10.0.0.5 or 0.0.0.0:{PORT}"
        ) from None


def master(text: str) -> tuple[str, int]:
    """Read HOST[:PORT]. Raises UsageError."""
    host, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
    try:
        if not host or any(character in "/@[]: " for character in host):
            raise ValueError(host)
        return host, _port(port) if colon else PORT
    except ValueError:
        raise click.UsageError(
            f"{text!r} is no address of a master; write its host, as 10.0.0.5 or HOST:{PORT}"
        ) from None


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port <= 65_535:
        raise ValueError(text)
    return port


def _free(host: str, port: int) -> int:
    """The port, if somebody can listen there; 0: any that is free."""
    with socket.socket() as chosen:
        chosen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            chosen.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"--listen {host}:{port}: {error.strerror}; name an address of this machine, and a free port"
            ) from None
        return int(chosen.getsockname()[1])
