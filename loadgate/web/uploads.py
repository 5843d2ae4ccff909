"""Files that the start form's user sends along: kept in the folder of the run that they are for, and nowhere else.

They may be private, so the folder is its owner's only, whatever the run's is.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from analysis.wording import size_text

FOLDER = "uploads"
LARGEST_BYTES = 64 << 20  # of a whole form: five bodies at the usual gateway's limit
MOST_FILES = 1_000
TOO_LARGE = (
    f"together they are more than {size_text(LARGEST_BYTES)}, or more than {MOST_FILES:,} files; put them into the"
    " folder that --payloads names"
)


def keep(files: Sequence[FileStorage], run: Path) -> list[Path]:
    """Write the files into the folder of the `run` to come, under names that lead nowhere else. Returns their paths."""
    folder = run / FOLDER
    if files:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    paths: list[Path] = []
    for number, file in enumerate(files, 1):
        paths.append(_unused(folder, secure_filename(file.filename or "") or f"upload-{number}"))
        file.save(paths[-1])
    return paths


def discard(kept: Sequence[Path]) -> None:
    """Remove what was kept for a run that did not begin, and the folders that are empty then."""
    for path in kept:
        path.unlink(missing_ok=True)
    if kept:
        with suppress(OSError):  # somebody else's files are there, too
            kept[0].parent.rmdir()
            kept[0].parent.parent.rmdir()


def _unused(folder: Path, name: str) -> Path:
    path, number = folder / name, 1
    while path.exists() or path.is_symlink():
        number += 1
        path = folder / f"{number}-{name}"
    return path
