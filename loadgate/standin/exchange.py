"""One request and its answer at the gateway: what is known about it, and how its answer goes out."""

from collections.abc import Callable

from starlette.types import Receive, Send

from . import bodies
from .answers import Answer, Refusal
from .head import Head
from .truth import Row

MODEL = b"ModelArts"
JSON = b"application/json"
CLOSE = (b"connection", b"close")


class Exchange:
    """Fills up while the request is served; becomes one row of the truth."""

    def __init__(self, head: Head, request_id: str, clock: Callable[[], float]) -> None:
        self.arrival_s = clock()
        self.head = head
        self.fault = ""
        self.body_bytes = int(head.headers.get(b"content-length", b"0"))
        self.body_read = False
        self.forwarded_s: float | None = None
        self.throttle = ""
        self.start_s: float | None = None
        self._clock = clock
        self._request_id = request_id
        self._end_s: float | None = None
        self._status: int | None = None
        self._code = ""
        self._model = ""
        self._uuid = ""

    def note(self, answer: Answer) -> None:
        """Remember which model read the request, and its uuid."""
        self._model = answer.model
        self._uuid = "".join(filter(str.isprintable, answer.uuid))[:64]

    async def refuse(self, refusal: Refusal, send: Send) -> None:
        """Send an answer of the gateway; the connection stays open, and the server skips an unread body."""
        body = refusal.body(self._request_id)
        await self._start(refusal.status, len(body), send, refusal.server, refusal.content_type)
        await self._finish(body, send)
        self._code = refusal.sent_code

    async def refuse_unread(self, refusal: Refusal, receive: Receive, send: Send) -> None:
        """Send an answer of the gateway while the body is still coming, then close without a reset."""
        body = refusal.body(self._request_id)
        await self._start(refusal.status, len(body), send, refusal.server, refusal.content_type, CLOSE)
        await self._finish(body, send, more_body=True)
        self._code = refusal.sent_code
        await bodies.let_run_out(receive)
        await send({"type": "http.response.body"})

    async def reply(self, answer: Answer, send: Send) -> None:
        """Send an answer of the model."""
        await self._start(answer.status, len(answer.body), send, MODEL, JSON)
        await self._finish(answer.body, send)

    async def cut(self, answer: Answer, send: Send) -> None:
        """Send the first half of an answer; the server closes when no more comes."""
        await self._start(answer.status, len(answer.body), send, MODEL, JSON)
        await self._finish(answer.body[: len(answer.body) // 2], send, more_body=True)

    def row(self) -> Row:
        """What became of the request, in the order of truth.COLUMNS."""
        return (
            f"{self.arrival_s:.6f}",
            "" if self.start_s is None else f"{self.start_s:.6f}",
            f"{self._clock() if self._end_s is None else self._end_s:.6f}",
            self._status,
            self._code,
            self.body_bytes,
            self._model,
            self.fault,
            self._uuid,
            self._request_id,
        )

    async def _start(
        self, status: int, size: int, send: Send, server: bytes, content_type: bytes, *extra: tuple[bytes, bytes]
    ) -> None:
        headers = [
            (b"content-type", content_type),
            (b"content-length", b"%d" % size),
            (b"server", server),
            (b"x-request-id", self._request_id.encode()),
            *extra,
        ]
        if self.head.headers.get(b"x-apig-mode") == b"debug":
            headers += self._debugging()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        self._status = status

    async def _finish(self, body: bytes, send: Send, *, more_body: bool = False) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": more_body})
        self._end_s = self._clock()

    def _debugging(self) -> list[tuple[bytes, bytes]]:
        now_s = self._clock()
        headers = [(b"x-apig-latency", _ms(now_s - self.arrival_s))]
        if self.forwarded_s is not None:
            headers.append((b"x-apig-upstream-latency", _ms(now_s - self.forwarded_s)))
        if self.throttle:
            headers.append((b"x-apig-ratelimit-user", self.throttle.encode()))
        return headers


def _ms(seconds: float) -> bytes:
    return b"%d" % round(seconds * 1000)
