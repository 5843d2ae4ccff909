"""The dispatcher's circuit breaker: too many model errors, and the model is left alone for a while."""

import math


class Breaker:
    """Opens for `open_s` after `failures` errors of the model in a row; then it counts from 0 again.

    The vendor documents what an open one answers, not when it opens: that rule is ours.
    """

    def __init__(self, failures: int, open_s: float) -> None:
        self._most = failures
        self._open_s = open_s
        self._failures = 0
        self._closes_s = -math.inf

    def is_open(self, now_s: float) -> bool:
        """Whether requests are kept from the model."""
        return now_s < self._closes_s

    def note(self, status: int, now_s: float) -> None:
        """Count an answer of the model. Those to requests sent before it opened change nothing."""
        if self.is_open(now_s):
            return
        self._failures = self._failures + 1 if status >= 500 else 0
        if self._failures >= self._most:
            self._failures, self._closes_s = 0, now_s + self._open_s
