"""The run cut into equal steps of whole seconds, as few as a picture has room for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.samples import Array

MOST_STEPS = 150  # across a picture
# Widths that people count in; the longest run is a matter of whole days.
WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
DAY_S = 86_400

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    width_s: int
    seconds: int  # in all; the last step may be shorter than the others

    @property
    def edges_s(self) -> Numbers:
        return np.append(np.arange(0, self.seconds, self.width_s), self.seconds).astype(np.float64)

    @property
    def middles_s(self) -> Numbers:
        edges = self.edges_s
        return (edges[:-1] + edges[1:]) / 2

    @property
    def lengths_s(self) -> Numbers:
        return np.diff(self.edges_s)

    def __len__(self) -> int:
        return -(-self.seconds // self.width_s)

    def of(self, second: Array) -> Array:
        """Number the step that each *second* lies in."""
        return second // self.width_s if self.width_s > 1 else second

    @property
    def text(self) -> str:
        return f", in steps of {self.width_s:,} s" if self.width_s > 1 else ""


def steps_of(seconds: int, at_least_s: float = 1) -> Steps:
    """Cut *seconds* into at most `MOST_STEPS` steps of *at_least_s* or more."""
    smallest = max(at_least_s, seconds / MOST_STEPS)
    wide_enough = [width for width in WIDTHS_S if width >= smallest]
    return Steps(wide_enough[0] if wide_enough else int(-(-smallest // DAY_S)) * DAY_S, max(1, seconds))
