"""A limit on requests per time: the gateway's throttling policy, the service's traffic limit."""

import math

UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


class Throttle:
    """So many requests in each period, counted from the period's first one."""

    def __init__(self, limit: int, period_s: float) -> None:
        self.limit = limit
        self.time = time_words(period_s)
        self._period_s = period_s
        self._since_s = -math.inf
        self._count = 0

    def exceeded(self, now_s: float) -> bool:
        """Count one request; True: it is one too many."""
        if now_s >= self._since_s + self._period_s:
            self._since_s, self._count = now_s, 0
        self._count += 1
        return self._count > self.limit

    def words(self) -> str:
        """How things stand, as the gateway's debug headers put it."""
        return f"remain:{max(0, self.limit - self._count)},limit:{self.limit},time:{self.time}"


def time_words(period_s: float) -> str:
    """A period as the gateway writes it: `1 minute`, `10 second`."""
    for seconds, unit in UNITS:
        if period_s >= seconds and period_s % seconds == 0:
            return f"{period_s / seconds:g} {unit}"
    return f"{period_s:g} second"
