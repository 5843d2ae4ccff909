"""Whether a load can be compared with its baseline, asked before it is sent."""

from typing import Any

from analysis.choices import Baseline
from loadgate.errors import ConfigError


def check(baseline: Baseline, description: dict[str, Any]) -> None:
    """Raise ConfigError where the run with this manifest could not be compared with its baseline."""
    # Their packages bring what a load without a baseline has no use for.
    from analysis.comparison.comparable import TARGET, difference_text, preventing
    from analysis.errors import BadRun
    from analysis.readers.detection import kind_of
    from analysis.readers.manifest import directory_of, read_manifest
    from analysis.run import LATENCY_FILE
    from analysis.run_format import LATENCY

    try:
        run_dir = directory_of(baseline.path)
        found = read_manifest(run_dir)
        if not (run_dir / LATENCY).is_file() or kind_of(run_dir / LATENCY) != LATENCY_FILE:
            raise BadRun(f"it has no {LATENCY} with a run's times")
    except (BadRun, OSError) as error:
        raise ConfigError(f"--baseline {str(baseline.path)!r} cannot be read: {error}") from None
    different = difference_text(preventing(found, description), but=TARGET)
    if different:
        raise ConfigError(
            f"--baseline {str(baseline.path)!r} is a run that this one cannot be compared with: {different}"
        )
