"""The part of a run that its latencies are about: without its ramp and its warm-up."""

import math
from dataclasses import dataclass
from typing import Any

from analysis.choices import Choices
from analysis.run import Run


@dataclass(frozen=True)
class Cut:
    from_s: int
    to_s: int
    why: str  # "ramp", "warm-up" (by rule) or "chosen"


@dataclass(frozen=True)
class Drift:
    share: float  # of the median response: how much it changed from the beginning of the window to its end
    p_value: float  # how often a run without a trend would show one as clear


@dataclass(frozen=True)
class Window:
    """Whole seconds from *from_s* on and before *to_s*, of the planned time."""

    from_s: int
    to_s: int
    cut: tuple[Cut, ...] = ()
    steady: bool | None = None  # None: too short to tell
    drift: Drift | None = None  # None: too short to tell

    def as_json(self) -> dict[str, Any]:
        return {
            "from_s": self.from_s,
            "to_s": self.to_s,
            "cut": [vars(cut) for cut in self.cut],
            "steady": self.steady,
            "drift": vars(self.drift) if self.drift else None,
        }


def window_of(run: Run, choices: Choices) -> Window:
    """Choose the window: as *choices* say, or without the ramp and the warm-up by rule."""
    end_s = math.ceil(run.duration_s or 0)
    return Window(0, end_s)
