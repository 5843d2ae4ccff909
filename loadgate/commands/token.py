"""`loadgate token`: a login to IAM, and its token into a file that only its owner can read."""

import os
from pathlib import Path

import click

from analysis.wording import length_text
from loadgate import iam, secret
from loadgate.errors import ConfigError
from loadgate.tls import trust

EXAMPLES = """\
\b
Examples:
  export LOADGATE_IAM_ENDPOINT=https://iam.REGION.myhuaweicloud.com LOADGATE_IAM_DOMAIN=... LOADGATE_IAM_PROJECT=...
  export LOADGATE_IAM_USER=... LOADGATE_IAM_PASSWORD=...
  loadgate token token.txt
  loadgate run https://HOST/v1/infers/ID --token-file token.txt

\b
Environment (the API's words):
  LOADGATE_IAM_ENDPOINT   URL of IAM
  LOADGATE_IAM_DOMAIN     the account
  LOADGATE_IAM_USER       the IAM user
  LOADGATE_IAM_PASSWORD   the user's password
  LOADGATE_IAM_PROJECT    the project of the service: as a rule the region's name
"""


@click.command(epilog=EXAMPLES, short_help="A token of IAM into a file.")
@click.argument("file")
@click.option("--cacert", metavar="FILE", help="Certificates to trust besides the system's, PEM.")
def token(file: str, cacert: str | None) -> None:
    """Log in to IAM and write a project-scoped token to FILE, which only its owner can read.

    A FILE that is there is replaced. A load needs no such file: `loadgate run --auth iam` logs in by itself and renews
    the token in time.
    """
    path = Path(file)
    if not path.parent.is_dir():
        raise ConfigError(f"{str(path.parent)!r} is no folder; FILE is where the token goes")
    if path.is_dir():
        raise ConfigError(f"{file!r} is a folder; name a file in it")
    issued = iam.from_environment(os.environ).token(trust(cacert))
    secret.write(path, issued.text)
    click.echo(f"{file}: {len(issued.text):,} characters, good for {length_text(issued.validity_s)}", err=True)
