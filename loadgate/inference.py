"""One request of a user's own task, and what it brought."""

from collections.abc import Callable
from typing import Any, NamedTuple

from gevent.event import AsyncResult

from analysis.outcomes import Outcome
from loadgate.answers import Answer, Finding
from loadgate.exchange import Exchange
from loadgate.strict_json import parsed


class Inference(NamedTuple):
    """What `infer` returns. A failure is an outcome, never an exception."""

    outcome: Outcome
    message: str  # why it is not `ok`, without secrets; else empty
    status: int | None  # None: no answer
    headers: dict[bytes, bytes]  # names in lower case
    body: bytes
    service_s: float  # sent -> last byte

    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return parsed(self.body)


class Waiter:
    """Waits in a greenlet for one request."""

    def __init__(self) -> None:
        self._result: AsyncResult = AsyncResult()

    def on_done(self, exchange: Exchange, finding: Finding, answer: Answer | None) -> None:
        """Called on the loop."""
        self._result.set((exchange, finding, answer))

    def result(self) -> tuple[Exchange, Finding, Answer | None]:
        """What the request brought, as it came. Blocks its greenlet until it is there."""
        result: tuple[Exchange, Finding, Answer | None] = self._result.get()
        return result

    def inference(self, redact: Callable[[str], str]) -> Inference:
        """The same without secrets, for the user."""
        exchange, finding, answer = self.result()
        found = finding.cleaned(redact)
        message = " ".join(part for part in (found.code, found.message) if part)
        status, headers, body = answer or (None, {}, b"")
        service_s = exchange.done - exchange.sent  # type: ignore[operator] # it is done
        return Inference(found.outcome, message, status, headers, body, service_s)
