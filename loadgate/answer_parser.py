"""Bytes from the service -> whole answers. Bounded: a hostile answer cannot fill our memory."""

from typing import Any

import httptools

from loadgate.answers import Answer

# Longer bodies are read to their end, but only this much is kept to be checked.
LARGEST_KEPT_BYTES = 64 * 1024 * 1024
LARGEST_HEAD_BYTES = 1024 * 1024


class NotHttpError(Exception):
    """The bytes are no HTTP/1.1 answer."""


class AnswerParser:
    """Parses the answers of one connection, one after the other. The `on_` methods are httptools' names."""

    __slots__ = ("_answer", "_body", "_head_bytes", "_headers", "_parser", "_status", "keep_alive")

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._answer: Answer | None = None
        self.keep_alive = False
        self._clear()

    def feed(self, received: bytes) -> bool:
        """Parse on. True when the answer is whole. Raises NotHttpError."""
        self._head_bytes += len(received)
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserUpgrade:
            raise NotHttpError("the server switched to another protocol") from None
        except httptools.HttpParserError as error:
            if self._answer is None:
                raise NotHttpError(f"the answer is not HTTP/1.1 ({str(error)[:80]})") from None
            self.keep_alive = False  # what is wrong came behind the answer
        if self._head_bytes > LARGEST_HEAD_BYTES:
            raise NotHttpError(f"the answer's header is larger than {LARGEST_HEAD_BYTES} bytes")
        return self._answer is not None

    @property
    def ends_with_connection(self) -> bool:
        """Whether the answer so far has no length of its own, so that the connection's end completes it."""
        coding = self._headers.get(b"transfer-encoding", b"").lower()
        headed = self._status is not None
        return headed and b"content-length" not in self._headers and not coding.rstrip().endswith(b"chunked")

    @property
    def failed(self) -> bool:
        """Whether a status is here that says all that matters: of such an answer a part of the body will do."""
        return self._status is not None and self._status >= 300

    def take(self) -> Answer:
        """The answer, and make ready for the next. One that the connection's end completed is what came so far."""
        answer = self._answer or self._whole()
        self._answer = None
        return answer

    def close(self) -> None:
        """Let go of httptools' parser, which holds this one: else both wait for the garbage collector."""
        self._parser = None

    def _whole(self) -> Answer:
        answer = Answer(self._status or 0, self._headers, bytes(self._body))
        self._clear()
        return answer

    def _clear(self) -> None:
        self._status: int | None = None  # None: its header is not complete
        self._headers: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._head_bytes = 0  # since the last piece of a body: of the header, or of trailers

    def on_message_begin(self) -> None:
        if self._answer is not None:  # bytes behind the answer: whatever they are, the connection cannot be trusted
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._head_bytes = 0

    def on_body(self, chunk: bytes) -> None:
        self._head_bytes = 0
        if not self._body:
            self._body = chunk  # nearly always all of it, and then it is not copied
        elif len(self._body) < LARGEST_KEPT_BYTES:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += chunk

    def on_message_complete(self) -> None:
        if self._answer is not None:
            return
        if 100 <= self._status < 200:  # type: ignore[operator] # its header came before
            self._clear()  # an interim answer; the real one follows
            return
        self.keep_alive = self._parser.should_keep_alive()
        self._answer = self._whole()
