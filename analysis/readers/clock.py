"""Whether the clock of a recording went back, seen in a file whose rows are in the order of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.run import CLOCK_STEP_S


@dataclass
class Clock:
    _latest_us: int | None = None
    _back_us: int = 0

    def watch(self, moments_us: NDArray[np.int64]) -> None:
        """Look at the next rows, in the order of the file."""
        if not len(moments_us):
            return
        first = int(moments_us[0]) if self._latest_us is None else self._latest_us
        latest = np.maximum(np.maximum.accumulate(moments_us), first)
        self._back_us = max(self._back_us, int((latest - moments_us).max()))
        self._latest_us = int(latest[-1])

    @property
    def step_s(self) -> float:
        """By how much the clock went back; 0 if by no more than rows may change places."""
        back_s = self._back_us / 1e6
        return back_s if back_s > CLOCK_STEP_S else 0.0

    def note(self, file: str) -> str | None:
        """Say by how much the clock went back in *file*; None if it did not."""
        if not self.step_s:
            return None
        return (
            f"{file}: the time goes back by {self.step_s:.1f} s between its rows. Unless they were sorted by something"
            " else, the clock was set while it was recorded, or files of several recordings were joined: do not trust"
            " seconds and rates."
        )
