"""`loadgate worker`: sends a part of the load of a master on another machine."""

import signal
import sys

import click

from loadgate import options, sharing
from loadgate.click_options import checked
from loadgate.commands.run import launch
from loadgate.errors import INTERRUPTED, ConfigError

NOT_CONNECTED = -1  # how Locust ends where no master answers for minutes

EXAMPLES = """\
\b
Examples:
  export LOADGATE_TOKEN=...
  loadgate worker 10.0.0.5
  loadgate worker 10.0.0.5:5557 --processes 4
and on 10.0.0.5, which waits for them:
  loadgate run https://HOST/v1/infers/ID --rate 20000 --workers 4 --listen 10.0.0.5
"""


@click.command(epilog=EXAMPLES, short_help="Send a part of the load of a master on another machine.")
@click.argument("master", metavar="HOST[:PORT]")
@click.option("--processes", metavar="N", callback=checked(options.count), help="Be N workers, one for each core. [1]")
def worker(master: str, processes: int | None) -> None:
    """Send what the master at HOST says: `loadgate run`, `capacity` or `ui` with --workers.

    Everything else comes from there, but for secrets: the credential is of this machine's environment, or of the file
    that --token-file names there. Bodies are files of this machine, under the same names, and must be the same bytes.
    It ends with the master. It waits some minutes for a master that is not there yet.
    """
    host, port = sharing.master(master)
    click.echo(f"worker of {host}:{port}", err=True)
    if not processes:  # else it is Locust's to wait for them
        signal.signal(signal.SIGINT, lambda *_: sys.exit(INTERRUPTED))  # until the worker has its own: it is no crash
    where = ["--worker", f"--master-host={host}", f"--master-port={port}"]
    try:
        launch("run_requests", [*where, *([f"--processes={processes}"] if processes else [])], ["--loglevel=WARNING"])
    except SystemExit as end:
        if end.code == NOT_CONNECTED:
            raise ConfigError(f"no master answered at {host}:{port}; is it there, and the address right?") from None
        raise
