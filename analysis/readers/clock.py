"""Whether the clock of a recording went back, seen in a file whose rows were written as requests ended."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_US = 2_000_000  # rows of concurrent requests may change places by less


@dataclass
class Clock:
    _latest_us: int | None = None
    _back_us: int = 0

    def watch(self, ended_us: NDArray[np.int64]) -> None:
        """Look at the next rows, in the order of the file."""
        if not len(ended_us):
            return
        first = int(ended_us[0]) if self._latest_us is None else self._latest_us
        latest = np.maximum(np.maximum.accumulate(ended_us), first)
        self._back_us = max(self._back_us, int((latest - ended_us).max()))
        self._latest_us = int(latest[-1])

    def note(self, file: str) -> str | None:
        """Say by how much the clock went back in *file*; None if it did not."""
        if self._back_us <= STEP_US:
            return None
        return (
            f"{file}: the time goes back by {self._back_us / 1e6:.1f} s between its rows. Either the clock was set"
            " while it was recorded, or files of several recordings were joined: do not trust seconds and rates."
        )
