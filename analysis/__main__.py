"""`python -m analysis` is `loadgate report`."""

import sys

import click

from analysis.report.command import report


def main() -> None:
    """Run it as a program of its own. A wrong value is one line on stderr and exit code 2."""
    try:
        sys.exit(report.main(prog_name="python -m analysis", standalone_mode=False))
    except (click.ClickException, OSError) as error:
        words = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"Error: {' '.join(words.split())}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
