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
from .answers import (
    NO_METHOD,
    NO_PATH,
    QUEUE_FULL,
    TIMED_OUT,
    TOO_LARGE,
    Answer,
    Refusal,
    excessive,
)
from .exchange import Exchange
from .instances import Instances, Job, Reply
from .settings import Settings
from .tokens import Tokens
from .truth import Truth

PREFIX = "/v1/infers"


class RateLimit:
    """So many requests in each second, counted from the first one."""

    def __init__(self, per_s: int | None) -> None:
        self._per_s = per_s
        self._second_s = float("-inf")
        self._count = 0

    def exceeded(self, now_s: float) -> bool:
        """Count one request; True: it is one too many."""
        if self._per_s is None:
            return False
        if now_s >= self._second_s + 1:
            self._second_s, self._count = now_s, 0
        self._count += 1
        return self._count > self._per_s


class Gateway:
    """Serves inference itself and hands all other paths on to `elsewhere`."""

    def __init__(
        self,
        settings: Settings,
        *,
        tokens: Tokens,
        instances: Instances,
        truth: Truth,
        elsewhere: ASGIApp,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._instances = instances
        self._truth = truth
        self._elsewhere = elsewhere
        self._loop = asyncio.get_running_loop()
        self._rate_limit = RateLimit(settings.rate_limit_per_s)
        self._faults = faults.Faults(settings.faults, random.Random(f"{settings.seed}/faults"))
        self._service_times = random.Random(f"{settings.seed}/service")
        self.new_request_id = request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: exactly one row of truth for each inference, however it ends."""
        path = scope["path"]
        if path != PREFIX and not path.startswith(PREFIX + "/"):
            await self._elsewhere(scope, receive, send)
            return
        exchange = Exchange(dict(scope["headers"]), self.new_request_id(), self._loop.time)
        try:
            refusal = self._refusal(exchange, scope["method"], path)
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

    def _refusal(self, exchange: Exchange, method: str, path: str) -> Refusal | None:
        service_id = path[len(PREFIX) + 1 :].partition("/")[0]
        if not service_id:
            return NO_PATH
        if method != "POST":
            return NO_METHOD
        refusal = self._tokens.refusal(exchange.headers.get(b"x-auth-token"))
        if refusal:
            return refusal
        if exchange.body_bytes > self._settings.body_limit_bytes:
            return TOO_LARGE
        if self._rate_limit.exceeded(exchange.arrival_s):
            return excessive(service_id)
        return None

    async def _infer(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        fault = self._faults.draw()
        if fault in faults.REFUSALS:
            exchange.fault = fault
            await exchange.refuse(faults.REFUSALS[fault], send)
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
                reply = await self._work(exchange, fault, body)
        except TimeoutError:
            reply = TIMED_OUT
        except bodies.BodyTooLarge as over:
            exchange.body_bytes, exchange.body_read = over.size, not over.more
            reply = TOO_LARGE
        if not exchange.body_read and isinstance(reply, Refusal):
            await exchange.refuse_unread(reply, receive, send)
        elif bodies.has_left(receive):
            return
        elif isinstance(reply, Refusal):
            await exchange.refuse(reply, send)
        elif fault == "cut":
            exchange.fault = fault
            await exchange.cut(reply, send)
        else:
            spoiled = faults.spoil(fault, reply)
            if spoiled is not reply:
                exchange.fault = fault
            await exchange.reply(spoiled, send)

    async def _work(self, exchange: Exchange, fault: str, body: bytes) -> Reply:
        """Have the model answer. Cancelled at the time limit, it leaves the job running."""
        service_s = self._settings.service_time.draw(self._service_times)
        if fault == "slow":
            service_s = faults.SLOW_FACTOR * self._settings.timeout_s
        done: asyncio.Future[Reply] = self._loop.create_future()
        content_type = exchange.headers.get(b"content-type", b"")
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
            return QUEUE_FULL
        if fault == "slow":
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
