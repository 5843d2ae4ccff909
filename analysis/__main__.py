"""`python -m analysis RUN`: write the report of a run directory and print where it is."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import BadRun
from analysis.report import REPORT_HTML, exit_code, text_table, write_report


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, 2 if there is no run to read, 3 if the run is invalid."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description="Write the report of a run.")
    parser.add_argument("run", type=Path, help="the run directory")
    parser.add_argument("--no-plots", action="store_true", help="leave the pictures out (faster)")
    options = parser.parse_args(arguments)
    try:
        summary = write_report(options.run, plots=not options.no_plots)
    except (BadRun, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(f"{options.run / REPORT_HTML}\n{text_table(summary)}")
    return exit_code(summary)


if __name__ == "__main__":
    sys.exit(main())
