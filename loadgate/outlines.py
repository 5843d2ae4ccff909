"""How many users a load has at each moment, from nothing but its peak and its length."""

from dataclasses import dataclass

STEPS = 5
SPIKE_FROM, SPIKE_TO = 0.4, 0.6  # of the time
SOAK_RAMP, LONGEST_SOAK_RAMP_S = 0.05, 60.0  # of the time


@dataclass(frozen=True)
class Outline:
    """What a run keeps of the load shape that made its load."""

    shape: str  # the name of its class
    users: int | None = None  # at its peak; None: it does not say
    ramp_s: float = 0.0  # until the load is what most of the run has


def ramp(at_s: float, users: int, duration_s: float) -> int:
    """Evenly from nobody to all `users` (1 or more) at the end, but never fewer than one."""
    return _some(users, at_s / duration_s)


def steps(at_s: float, users: int, duration_s: float) -> int:
    """Five equal steps, each as long, up to all `users`."""
    return _some(users, (int(STEPS * at_s / duration_s) + 1) / STEPS)


def spike(at_s: float, users: int, duration_s: float) -> int:
    """A tenth of the `users`, all of them for a fifth of the time after 40 % of it, and a tenth again."""
    return users if SPIKE_FROM <= at_s / duration_s < SPIKE_TO else _some(users, 0.1)


def soak(at_s: float, users: int, duration_s: float) -> int:
    """A short ramp, and then all `users` to the end."""
    return ramp(at_s, users, soak_ramp_s(duration_s))


def soak_ramp_s(duration_s: float) -> float:
    """How long the ramp of a soak takes: a twentieth of the time, and a minute at most."""
    return min(SOAK_RAMP * duration_s, LONGEST_SOAK_RAMP_S)


def _some(users: int, share: float) -> int:
    return max(1, round(users * min(share, 1.0)))
