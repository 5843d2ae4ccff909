"""When requests are due, in the open model: arrivals do not wait for answers.

Pure arithmetic, no clock inside. Arrival k is due when the expected number of arrivals so far, the integral of the
rate over time, reaches a mark of its own; the marks depend on the seed alone. So the same seed and the same rates
give the same plan whatever the service does, and a change of rate neither bunches arrivals nor skips any.
"""

import math
import random
from typing import Literal

Distribution = Literal["constant", "poisson"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("constant", "poisson")
# Locust starts a greenlet for each user; more of them would not make the load any smoother, and take their time.
MOST_USERS = 100


def shared(rate_per_s: float) -> tuple[int, float]:
    """Share a rate among Locust's users: how many, and requests/s of each. As far as that goes it is one."""
    users = min(math.ceil(rate_per_s), MOST_USERS)
    return users, rate_per_s / users


class Arrivals:
    """One stream of arrivals. Times in seconds since the start, rates in arrivals a second.

    `constant`: marks one apart, the first at `turn`, a share of one (else at a random one), so that streams interleave.
    `poisson`: marks an exponential variate of mean one apart (a Poisson process by the time-change theorem; see
    Lewis and Shedler 1979 on nonhomogeneous processes by time scale transformation).
    """

    def __init__(self, distribution: Distribution, seed: str, turn: float | None = None) -> None:
        self._random = random.Random(seed)
        self._poisson = distribution == "poisson"
        self._rate = 0.0
        self._since = 0.0  # when the rate last changed ...
        self._expected = 0.0  # ... and the expected number of arrivals by then
        self._mark = self._gap() if self._poisson else self._random.random() if turn is None else turn

    def set_rate(self, elapsed: float, rate: float) -> None:
        """Change the rate from `elapsed` on. Times must not go back."""
        self._expected += (elapsed - self._since) * self._rate
        self._since, self._rate = elapsed, rate

    @property
    def due(self) -> float:
        """When the next arrival is due; infinity while the rate is 0."""
        if self._rate <= 0.0:
            return math.inf
        return self._since + (self._mark - self._expected) / self._rate

    def advance(self) -> None:
        """Go on to the next arrival."""
        self._mark += self._gap() if self._poisson else 1.0

    def _gap(self) -> float:
        return self._random.expovariate(1.0)
