"""The dispatcher between gateway and model: what it keeps from the model, and why."""

from collections.abc import Callable

from .answers import Answer, Refusal
from .breaker import Breaker
from .errors import SELF_PROTECTION, TOO_MANY, UNAVAILABLE
from .settings import Settings
from .throttle import Throttle


class Dispatcher:
    """Holds the service's traffic limit, its start and its circuit breaker."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        limit = settings.rate_limit_per_s
        self._clock = clock
        self._ready_s = clock() + settings.slow_start_s
        self._traffic = Throttle(limit, 1.0) if limit else None
        self._breaker = Breaker(*settings.circuit_breaker) if settings.circuit_breaker else None

    def refusal(self, service_id: str) -> Refusal | None:
        """Why a request does not reach the model. None: it does, and is counted."""
        now_s = self._clock()
        if self._traffic and self._traffic.exceeded(now_s):
            return TOO_MANY.about(service=service_id)
        if now_s < self._ready_s:
            return UNAVAILABLE
        return SELF_PROTECTION if self._breaker and self._breaker.is_open(now_s) else None

    def note(self, answer: Answer) -> None:
        """Take note of an answer of the model."""
        if self._breaker:
            self._breaker.note(answer.status, self._clock())
