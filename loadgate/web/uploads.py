"""Files that the start form's user sends along: kept in the folder of the run that they are for, and nowhere else."""

import shutil
from collections.abc import Sequence
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


def keep(files: Sequence[FileStorage], run: Path) -> list[str]:
    """Write the files into the folder of the `run` to come, under names that lead nowhere else. Returns their paths."""
    folder = run / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for number, file in enumerate(files, 1):
        path = _unused(folder, secure_filename(file.filename or "") or f"upload-{number}")
        file.save(path)
        paths.append(path)
    return [str(path) for path in paths]


def discard(run: Path) -> None:
    """Remove what was kept for a run that did not begin."""
    shutil.rmtree(run / FOLDER, ignore_errors=True)
    if run.is_dir() and not any(run.iterdir()):
        run.rmdir()


def _unused(folder: Path, name: str) -> Path:
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{number}-{name}"
    return path
