"""A real file system that is small enough to be filled: a tmpfs, which root may mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

NEEDED = "LOADGATE_NEEDS_MOUNT"
BLOCK = 4096


class SmallDisk:
    """A mounted file system, and a file on it that leaves as much room as is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def leave(self, free_bytes: int) -> None:
        """Fill it, but for so much."""
        with self._filler.open("ab", buffering=0) as file, suppress(OSError):
            while (more := self.free_bytes - free_bytes) >= BLOCK:
                file.write(bytes(min(more, 1 << 20)))

    def fill(self) -> None:
        self.leave(0)


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Mount one on *folder*. Where that is not allowed the test is skipped, or fails where it is needed."""
    folder.mkdir()
    mounted = subprocess.run(
        [_found("mount"), "-t", "tmpfs", "-o", f"size={size_bytes}", "loadgate-test", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        missing = f"no file system can be mounted, which root may: {mounted.stderr.strip()}"
        if os.geteuid() == 0 or os.environ.get(NEEDED) == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([_found("umount"), "--lazy", str(folder)], check=True)


def _found(program: str) -> str:
    return shutil.which(program) or program
