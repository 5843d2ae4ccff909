"""A run of what another tool recorded one request at a time."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from analysis.readers.manifest import recorded_manifest
from analysis.readers.recording import Recording
from analysis.run import Run, Source
from analysis.samples import Samples

EPOCH_US = 1_000_000_000_000_000  # what is later is a date (from 2001 on); what is earlier counts from a start
NO_PLAN = (
    "When requests were planned is not recorded, so there is no response time, only service time, which starts with"
    " the sending: a request that waited for its turn in the generator looks faster than it was."
)
STATUS_ALONE = "A status is taken at its word: who answered, and why, is not recorded."

ReadFile = Callable[[Path, Recording], None]


def read_recorded(
    paths: Sequence[Path], kind: str, read_file: ReadFile, notes: Sequence[str], timeout_s: float | None
) -> Run:
    """Read *paths*, in the order of their names, as one run."""
    recording, samples = _recording(paths, read_file, None)
    if recording.came_earlier:
        recording, samples = _recording(paths, read_file, recording.earliest_us)
    started_at, ended_at = moment_text(recording.earliest_us), moment_text(recording.latest_us) or None
    manifest = recorded_manifest(kind, paths, timeout_s, started_at=started_at, ended_at=ended_at)
    return Run(
        manifest,
        samples,
        recording.seconds.timeline(),
        notable=[],
        failures=recording.failures.failures(),
        cut=tuple(recording.cut),
        source=Source(
            kind,
            tuple(map(str, paths)),
            (*notes, *_untimed(recording), *recording.notes),
            clock_step_s=recording.clock_step_s,
        ),
    )


def moment_text(moment_us: int | None) -> str:
    """Write a moment as ISO 8601; empty for one that is not known, or counts from an unknown start."""
    if moment_us is None or moment_us < EPOCH_US:
        return ""
    return datetime.fromtimestamp(moment_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _recording(paths: Sequence[Path], read_file: ReadFile, origin_us: int | None) -> tuple[Recording, Samples]:
    recording = Recording(origin_us)
    for path in paths:
        read_file(path, recording)
    return recording, recording.samples()


def _untimed(recording: Recording) -> list[str]:
    notes = []
    if recording.untimed:
        notes.append(f"{recording.untimed:,} requests have no time: they are counted, and in no percentile.")
    if recording.unbounded:
        notes.append(
            f"{recording.unbounded:,} requests that waited in vain have no time: percentiles count them with a lower"
            " bound that is not their own."
        )
    return notes
