"""Request bodies on their way in: read up to a limit, or let run out before the connection closes."""

import asyncio
from contextlib import suppress

from starlette.types import Receive

LINGER_S = 30.0
LINGER_IDLE_S = 5.0
"""Both as nginx: lingering_time and lingering_timeout."""
LINGER_BYTES = 256 * 1024 * 1024


class ClientLeft(Exception):  # noqa: N818  not an error: it is what happened
    """The connection was closed by the client."""


class BodyTooLarge(Exception):  # noqa: N818  as above
    """The body is over the limit; `size` bytes of it have come, and `more` tells whether that was not all."""

    def __init__(self, size: int, *, more: bool) -> None:
        super().__init__(size)
        self.size = size
        self.more = more


async def read(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it is over the limit, ClientLeft."""
    chunks = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > limit_bytes:
            raise BodyTooLarge(size, more=more)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def let_run_out(receive: Receive) -> None:
    """Take what the client still sends, within bounds, and throw it away.

    Closing a socket with unread bytes resets the connection, and the client would lose the answer already sent.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + LINGER_S
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_IDLE_S) as limit:
            while size < LINGER_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                size += len(message.get("body", b""))
                limit.reschedule(min(end_s, clock() + LINGER_IDLE_S))


async def departure(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def has_left(receive: Receive) -> bool:
    """Whether the client has left, asked without waiting. Only once the body has been read.

    Subtleness ahead: the server drops what is sent to a client that is gone and says nothing. One step of
    `receive` tells: it returns at once if the client has left, and wants to wait otherwise.
    """
    step = receive().__await__()
    try:
        next(step)
    except StopIteration as stop:
        return bool(stop.value["type"] == "http.disconnect")
    close = getattr(step, "close", None)
    if close:
        close()
    return False
