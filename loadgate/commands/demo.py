"""`loadgate demo`: the whole job on this machine, from the token to the report."""

import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from loadgate import iam, options
from loadgate import target as targets
from loadgate.click_options import checked
from loadgate.credential import TOKEN_VARIABLE
from loadgate.errors import ConfigError

TIMEOUT, BODY_LIMIT, BODY_LIMIT_BYTES = "2s", "1MiB", 1024**2
RATE = 40
START_S = 20.0


@click.command(short_help="Stand-in, load and report in half a minute.")
@click.option(
    "--duration",
    metavar="T",
    default="20s",
    callback=checked(options.positive_duration),
    help="How long to send. [20s]",
)
@click.option("--out", metavar="DIR", help="Run directory. [reports/<time>-json-file]")
@click.pass_context
def demo(context: click.Context, duration: float, out: str | None) -> None:
    """Start the stand-in service, send it a load, and write the report: nothing to configure.

    The stand-in's gateway has short limits (2 s, 1 MiB), and the load has a few files over the one and a few answers
    over the other, so that the report shows what those look like.
    """
    with tempfile.TemporaryDirectory(prefix="loadgate-demo-") as folder, standing_in() as (url, user, password):
        click.echo(f"stand-in service: {url}", err=True)
        token = iam.Login(targets.parse(url), user, password, "demo", "demo").token().text
        click.echo(f"token from its IAM: {len(token):,} characters", err=True)
        oversize = Path(folder) / "oversize.png"
        oversize.write_bytes(bytes(BODY_LIMIT_BYTES))
        load = (
            f"--host={url} --users={RATE} --spawn-rate={RATE} --timeout={TIMEOUT} --grace=1s --body-limit={BODY_LIMIT}"
        )
        arguments = [*load.split(), f"--duration={duration!r}", *([f"--out={out}"] if out else [])]
        environment = os.environ | {TOKEN_VARIABLE: token, "LOADGATE_DEMO_OVERSIZE": str(oversize)}
        code = _call([*PYTHON, "-c", LAUNCH, *arguments], environment)
    context.exit(code)


PYTHON = [sys.executable, "-P"]
# In a process of its own, because Locust patches the one it runs in.
LAUNCH = "import sys; from loadgate.commands.run import launch; launch('demo_requests', sys.argv[1:])"
SERVE = f"""
    -m loadgate serve --port 0 --timeout {TIMEOUT} --body-limit {BODY_LIMIT}
    --service-time lognormal:80ms,0.4 --instances 8 --concurrency 2 --fault slow:2% --seed 1
"""


def _call(command: list[str], environment: dict[str, str]) -> int:
    """The exit code of `command`. It is told of a Ctrl-C or SIGTERM, and ends in its own time, with its report."""
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, process_group=0) as process:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda told, _: process.send_signal(told))
        return process.wait()


@contextmanager
def standing_in() -> Iterator[tuple[str, str, str]]:
    """A stand-in service on a free port: its URL, and the user and password that its IAM takes."""
    user, password = "demo", secrets.token_urlsafe(16)
    environment = os.environ | {"LOADGATE_IAM_USER": user, "LOADGATE_IAM_PASSWORD": password}
    command = [*PYTHON, *SERVE.split()]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, process_group=0) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], START_S)
            word, _, url = process.stdout.readline().strip().partition(" ") if ready else ("", "", "")
            if word != "ready":
                raise ConfigError("the stand-in service did not start; try `loadgate serve --port 0` for its reason")
            yield url, user, password
        finally:
            process.terminate()
