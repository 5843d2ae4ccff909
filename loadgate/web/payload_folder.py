"""The folder whose files the start form offers to send."""

from dataclasses import dataclass
from pathlib import Path

from analysis.wording import size_text

WHOLE = "."
MOST_OFFERED = 200  # files by name; the folder as a whole has them all


@dataclass(frozen=True)
class Offer:
    """What may be sent: its path in the folder, and a word about it."""

    name: str
    note: str


def offers(folder: str | None) -> list[Offer]:
    """The files in `folder`, and itself as a whole; nothing where there is no such folder. Hidden files are not."""
    found = Path(folder).iterdir() if folder and Path(folder).is_dir() else ()
    files = sorted(path for path in found if path.is_file() and _may_be_offered(path.name))
    whole = [Offer(WHOLE, f"all of them ({len(files):,})")] if files else []
    return whole + [Offer(path.name, size_text(path.stat().st_size)) for path in files[:MOST_OFFERED]]


def _may_be_offered(name: str) -> bool:
    return name.isprintable() and not name.startswith(".")
