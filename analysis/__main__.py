"""`python -m analysis` is `loadgate report`."""

import gc
import os
import sys
import traceback

import click

from analysis.wording import one_line

CANNOT = 2


def main() -> None:
    """Run it as a program of its own. A wrong value is one line on stderr and exit code 2."""
    gc.disable()  # what a report is made of lives until it is written: the collector would look through it in vain
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's algebra has no work here; its threads would spin
    from analysis.report.command import report

    try:
        sys.exit(report.main(prog_name="python -m analysis", standalone_mode=False))
    except (click.ClickException, OSError) as error:
        words = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"Error: {one_line(words)}", err=True)
    except Exception:
        traceback.print_exc()  # not exit code 1, which says that an objective was missed
    finally:
        gc.freeze()  # disabled or not, it would look through all of it as Python ends
    sys.exit(CANNOT)


if __name__ == "__main__":
    main()
