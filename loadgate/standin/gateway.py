"""The gateway: an ASGI app in front of the model that decides who gets through and how long it may take.

It cancels nothing behind it. When the time limit strikes, the client gets its 504 and the model works on.
"""

import asyncio
import itertools
import random
import secrets
from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from . import bodies, faults, models
from .answers import Answer, Refusal
from .credentials import Credentials
from .dispatcher import Dispatcher
from .errors import NO_METHOD, NO_PATH, REFUSED, THROTTLED, TIME_OUT_AS, TOO_LARGE
from .exchange import Exchange
from .head import PREFIX, head_of
from .instances import Instances, Job, Reply
from .settings import Settings
from .signature import payload_hash
from .throttle import Throttle
from .truth import Truth

FAULT = b"x-standin-fault"


class Gateway:
    """Serves inference itself and hands all other paths on to `elsewhere`."""

    def __init__(
        self,
        settings: Settings,
        *,
        credentials: Credentials,
        instances: Instances,
        truth: Truth,
        elsewhere: ASGIApp,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._instances = instances
        self._truth = truth
        self._elsewhere = elsewhere
        self._loop = asyncio.get_running_loop()
        self._throttle = Throttle(*settings.throttle) if settings.throttle else None
        self._dispatcher = Dispatcher(settings, self._loop.time)
        self._faults = faults.Faults(settings.faults, random.Random(f"{settings.seed}/faults"))
        self._service_times = random.Random(f"{settings.seed}/service")
        self.new_request_id = request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: exactly one row of truth for each inference, however it ends."""
        path = scope["path"]
        if path != PREFIX and not path.startswith(PREFIX + "/"):
            await self._elsewhere(scope, receive, send)
            return
        exchange = Exchange(head_of(scope), self.new_request_id(), self._loop.time)
        try:
            refusal = self._refusal(exchange)
            if refusal is TOO_LARGE:
                await exchange.refuse_unread(refusal, receive, send)
            elif refusal:
                await exchange.refuse(refusal, send)
            else:
                await self._infer(exchange, receive, send)
        except (asyncio.CancelledError, bodies.ClientLeft):
            # Only the server's own stop cancels: it has cut the connection, nobody waits for an answer.
            pass
        finally:
            self._truth.add(exchange.row())

    def _refusal(self, exchange: Exchange) -> Refusal | None:
        if not exchange.head.service_id:
            return NO_PATH
        if exchange.head.method != "POST":
            return NO_METHOD
        refusal = self._credentials.refusal(exchange.head)
        if refusal:
            return refusal
        if exchange.body_bytes > self._settings.body_limit_bytes:
            return TOO_LARGE
        return self._throttled(exchange) or self._dispatcher.refusal(exchange.head.service_id)

    def _throttled(self, exchange: Exchange) -> Refusal | None:
        if self._throttle is None:
            return None
        exceeded = self._throttle.exceeded(exchange.arrival_s)
        exchange.throttle = self._throttle.words()
        return THROTTLED.about(limit=str(self._throttle.limit), time=self._throttle.time) if exceeded else None

    async def _infer(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        wanted = exchange.head.headers.get(FAULT)
        fault = self._faults.draw() if wanted is None else wanted.decode("latin-1")
        if fault and fault not in faults.NAMES:
            await exchange.refuse(faults.unknown(fault), send)
        elif fault in faults.REFUSALS:
            exchange.fault = fault
            await exchange.refuse(faults.REFUSALS[fault].about(service=exchange.head.service_id), send)
        elif fault == "hang":
            exchange.fault = fault
            await bodies.departure(receive)
        else:
            await self._forward(exchange, fault, receive, send)

    async def _forward(self, exchange: Exchange, fault: str, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout_at(exchange.arrival_s + self._settings.timeout_s):
                body = await bodies.read(receive, self._settings.body_limit_bytes)
                exchange.body_bytes, exchange.body_read = len(body), True
                reply = await self._credited(exchange, body) or await self._work(exchange, fault, body)
        except TimeoutError:
            reply = faults.TIMEOUTS.get(exchange.fault) or TIME_OUT_AS[self._settings.time_out_as]
        except bodies.BodyTooLarge as over:
            exchange.body_bytes, exchange.body_read = over.size, not over.more
            reply = TOO_LARGE
        if not exchange.body_read and isinstance(reply, Refusal):
            await exchange.refuse_unread(reply, receive, send)
        elif bodies.has_left(receive):
            return
        elif isinstance(reply, Refusal):
            await exchange.refuse(reply, send)
        else:
            spoiled = faults.spoil(fault, reply)
            self._dispatcher.note(spoiled)
            if fault == "cut" or spoiled is not reply:
                exchange.fault = fault
            await (exchange.cut if fault == "cut" else exchange.reply)(spoiled, send)

    async def _credited(self, exchange: Exchange, body: bytes) -> Refusal | None:
        """Why the credential does not fit the body."""
        if not self._credentials.needs_body(exchange.head):
            return None
        # The hash of a large body would hold up the other requests.
        heavy = len(body) > models.HEAVY_BYTES
        digest = await asyncio.to_thread(payload_hash, body) if heavy else payload_hash(body)
        return self._credentials.body_refusal(exchange.head, digest)

    async def _work(self, exchange: Exchange, fault: str, body: bytes) -> Reply:
        """Have the model answer. Cancelled at the time limit, it leaves the job running."""
        service_s = self._settings.service_time.draw(self._service_times)
        if fault in faults.TIMEOUTS:
            service_s = faults.SLOW_FACTOR * self._settings.timeout_s
        done: asyncio.Future[Reply] = self._loop.create_future()
        content_type = exchange.head.headers.get(b"content-type", b"")
        exchange.forwarded_s = self._loop.time()
        job = Job(
            work=partial(_observed, exchange, content_type, body),
            service_s=service_s,
            queued_s=exchange.forwarded_s,
            started=partial(setattr, exchange, "start_s"),
            finished=partial(_resolve, done),
            heavy=models.is_heavy(content_type, body),
        )
        if not self._instances.submit(job):
            return REFUSED
        if fault in faults.TIMEOUTS:
            exchange.fault = fault
        return await done


def request_ids() -> Callable[[], str]:
    """A source of request ids: 32 hexadecimal digits, never the same twice."""
    prefix = secrets.token_hex(8)
    numbers = itertools.count(secrets.randbits(48))
    return lambda: f"{prefix}{next(numbers):016x}"


def _observed(exchange: Exchange, content_type: bytes, body: bytes) -> Reply:
    reply = models.answer(content_type, body)
    if isinstance(reply, Answer):
        exchange.note(reply)
    return reply


def _resolve(done: asyncio.Future[Reply], reply: Reply) -> None:
    if not done.done():
        done.set_result(reply)
