"""What the generator did in each second. Each worker process writes its own row; rows of one second are
merged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.run_format import TIMELINE_COLUMNS

WORST = ("cpu_share", "lateness_ms", "loop_lag_ms", "gc_pause_ms")  # of which the highest is kept; the rest is added up
NUMBERS = ("target_per_s", *WORST)

Whole = NDArray[np.int64]
Number = NDArray[np.float64]


@dataclass(frozen=True)
class Timeline:
    second: Whole  # ascending, each once; a second in which nothing was written is absent
    users: Whole
    target_per_s: Number
    planned: Whole
    sent: Whole
    finished: Whole
    dropped: Whole
    resent: Whole
    in_flight: Whole
    cpu_share: Number  # of the busiest process; NaN where it was not measured
    lateness_ms: Number  # of the latest request sent in this second; these are of the slowest process
    loop_lag_ms: Number  # the longest that the event loop kept an event waiting
    gc_pause_ms: Number  # the longest stop of the garbage collector


def merged(rows: Mapping[str, NDArray[Any]]) -> Timeline:
    """Add up the rows of each second; of CPU share and loop lag keep the worst."""
    second, at = np.unique(rows["second"], return_inverse=True)
    columns: dict[str, NDArray[Any]] = {}
    for name in TIMELINE_COLUMNS:
        if name in WORST:
            columns[name] = np.full(len(second), np.nan)
            np.fmax.at(columns[name], at, rows[name])
        else:
            columns[name] = np.zeros(len(second), rows[name].dtype)
            np.add.at(columns[name], at, np.nan_to_num(rows[name]))
    return Timeline(**(columns | {"second": second}))
