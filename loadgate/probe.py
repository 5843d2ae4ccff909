"""One request and its answer: is the URL, the token and the body right?"""

from typing import NamedTuple

import gevent

from analysis.outcomes import Outcome
from loadgate.answers import Answer, Finding
from loadgate.connection import clock
from loadgate.engine import Engine
from loadgate.inference import Waiter
from loadgate.plan import Sending
from loadgate.request import Request

# Failures that the first request shows and every other would share. The rest is what a load is there to measure.
HOPELESS_STATUS = frozenset({404, 405})  # no such API: the URL is wrong


class Probe(NamedTuple):
    """What one request brought. `finding` is clean; `answer` is as it came."""

    finding: Finding
    answer: Answer | None
    service_s: float
    connected: bool

    @property
    def hopeless(self) -> bool:
        """Whether a load of such requests would say nothing."""
        status = self.answer.status if self.answer else 0
        refused = self.finding.outcome is Outcome.UNAUTHORIZED or status in HOPELESS_STATUS
        return refused or not self.connected

    @property
    def words(self) -> str:
        """Status, code and message of a failure."""
        status = self.answer.status if self.answer else None
        return " ".join(str(part) for part in (status, self.finding.code, self.finding.message) if part)

    def as_dict(self) -> dict[str, object]:
        """For the manifest."""
        status = self.answer.status if self.answer else None
        return {"outcome": self.finding.outcome, "status": status, "service_s": round(self.service_s, 6)}


def probe(sending: Sending, request: Request) -> Probe:
    """Send one request and wait for what becomes of it. Blocks its greenlet up to the deadline."""
    waiter = Waiter()
    loop = gevent.get_hub().loop
    engine = Engine(loop, sending.target, sending.addresses, sending.limits, tls=sending.tls, on_done=waiter.on_done)
    try:
        engine.start(request, clock())
        exchange, finding, answer = waiter.result()
    finally:
        engine.close()
    return Probe(
        finding.cleaned(sending.credential.redact),
        answer,
        exchange.done - exchange.sent,  # type: ignore[operator] # it is done
        exchange.connect_s is not None,
    )
