"""The `loadgate` command. Each subcommand is a module here, imported when it is called."""

import sys
import traceback
from importlib import import_module

import click

from analysis.wording import one_line
from loadgate.errors import INTERRUPTED, ConfigError

COMMANDS = {
    "demo": "Stand-in, load and report in half a minute: nothing to configure.",
    "serve": "The stand-in service alone.",
    "send": "One request, its answer printed: is the URL, token and body right?",
    "run": "Send a load and write its report.",
    "ui": "A load test on Locust's page, to watch.",
    "capacity": "How much it carries, and how many instances are needed.",
    "worker": "A part of the load of a master on another machine.",
    "token": "A token of IAM into a file that only its owner can read.",
    "report": "The report of a run, or of another tool's CSV.",
    "compare": "Compare runs with a baseline: what is slower, and is it sure?",
}


class Commands(click.Group):
    """Imports a command only when it is called: `run` brings Locust, which patches the process."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"loadgate.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EXAMPLES = """\
\b
Examples:
  loadgate demo
  loadgate send https://HOST/v1/infers/ID --json body.json
  loadgate run https://HOST/v1/infers/ID --file cat.png --rate 50 --duration 1m
"""


@click.command(cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loadgate")
def loadgate() -> None:
    """Load and latency benchmark for inference services behind an API gateway."""


def main() -> None:
    """Run the command line. A wrong value is one line on stderr and exit code 2; a traceback is a bug."""
    try:
        sys.exit(loadgate.main(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except (click.ClickException, ConfigError) as error:
        words = error.format_message() if isinstance(error, click.ClickException) else str(error)
        hint = f" (see {error.ctx.command_path} --help)" if isinstance(error, click.UsageError) and error.ctx else ""
        click.echo(f"Error: {one_line(words)}{hint}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"Error: {one_line(error)}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except Exception:
        traceback.print_exc()  # not exit code 1, which says that an objective was missed
        sys.exit(2)
