"""The whole service as one ASGI app: the gateway in front, the models behind it, IAM beside it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import iam
from .credentials import Credentials
from .errors import NO_METHOD, NO_PATH
from .gateway import Gateway, request_ids
from .instances import Instances, Reply
from .settings import Settings
from .signature import Signatures
from .tokens import Tokens
from .truth import Truth

MOST_THREADS = 4
"""Each may hold a decoded picture of picture.MOST_PIXELS."""


def build(settings: Settings, *, truth: Truth, tokens: Tokens, threads: ThreadPoolExecutor) -> Gateway:
    """Assemble the service for the running event loop."""
    loop = asyncio.get_running_loop()
    instances = Instances(
        settings.slots,
        settings.queue,
        clock=loop.time,
        call_at=loop.call_at,
        offload=_offload(loop, threads),
    )
    beside = _beside(iam.Iam(tokens, credentials=settings.credentials))
    signatures = Signatures(settings.access_key, lock_s=settings.ak_lock_s, clock=loop.time)
    credentials = Credentials(tokens, signatures, settings.app_code)
    return Gateway(settings, credentials=credentials, instances=instances, truth=truth, elsewhere=beside)


def tokens_for(settings: Settings, clock: Callable[[], float]) -> Tokens:
    """The tokens of a service that has issued none yet."""
    tokens = Tokens(validity_s=settings.token_validity_s, clock=clock)
    if settings.accepted_token:
        tokens.accept(settings.accepted_token)
    return tokens


def _offload(
    loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor
) -> Callable[[Callable[[], Reply], Callable[[Reply], None]], None]:
    def offload(work: Callable[[], Reply], done: Callable[[Reply], None]) -> None:
        loop.run_in_executor(threads, work).add_done_callback(
            lambda future: None if future.cancelled() else done(future.result())
        )

    return offload


def _beside(identity: iam.Iam) -> ASGIApp:
    new_request_id = request_ids()

    def unknown(_request: Request, error: Exception) -> Response:
        refusal = NO_METHOD if getattr(error, "status_code", 404) == 405 else NO_PATH
        request_id = new_request_id()
        content = refusal.body(request_id)
        return Response(content, 404, {"X-Request-Id": request_id}, "application/json")

    app = Starlette(
        routes=[Route(iam.PATH, identity.issue, methods=["POST"])],
        exception_handlers={404: unknown, 405: unknown},
    )

    async def labelled(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Server"] = "api-gateway"
                headers.setdefault("X-Request-Id", new_request_id())
            await send(message)

        await app(scope, receive, send_labelled)

    return labelled
