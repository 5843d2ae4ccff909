"""The analysis of a run, in a process of its own, where nothing is patched."""

import os
import subprocess
import sys
from pathlib import Path

from loadgate.secret import without_secrets


def analyse(path: Path, plots: bool) -> int:
    """Write the report of the run at `path` and print its table. Returns the exit code."""
    command = [sys.executable, "-P", "-m", "analysis", str(path)]
    # In a process group of its own, so that the Ctrl-C that ended the run does not end its report.
    done = subprocess.run(
        command if plots else [*command, "--no-plots"],
        stdout=subprocess.PIPE,
        check=False,
        process_group=0,
        env=without_secrets(os.environ),
    )
    print(done.stdout.decode(errors="replace"), end="", flush=True)
    return done.returncode
