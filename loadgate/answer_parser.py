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

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
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
            if not self._complete:
                raise NotHttpError(f"the answer is not HTTP/1.1 ({str(error)[:80]})") from None
            self.keep_alive = False  # what is wrong came behind the answer
        if self._head_bytes > LARGEST_HEAD_BYTES:
            raise NotHttpError(f"the answer's header is larger than {LARGEST_HEAD_BYTES} bytes")
        return self._complete

    @property
    def ends_with_connection(self) -> bool:
        """Whether the answer so far has no length of its own, so that the connection's end completes it."""
        coding = self._headers.get(b"transfer-encoding", b"").lower()
        return self._headed and b"content-length" not in self._headers and not coding.rstrip().endswith(b"chunked")

    def take(self) -> Answer:
        """The answer, and make ready for the next."""
        answer = Answer(self._status, self._headers, bytes(self._body))
        self._clear()
        return answer

    def close(self) -> None:
        """Let go of httptools' parser, which holds this one: else both wait for the garbage collector."""
        self._parser = None

    def _clear(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._head_bytes = 0  # since the last piece of a body: of the header, or of trailers
        self._status = 0
        self._headed = False
        self._complete = False

    def on_message_begin(self) -> None:
        if self._complete:  # bytes behind the answer: whatever they are, the connection cannot be trusted again
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if not self._complete:
            self._status = self._parser.get_status_code()
            self._headed = True
            self._head_bytes = 0

    def on_body(self, chunk: bytes) -> None:
        self._head_bytes = 0
        if not self._complete and len(self._body) < LARGEST_KEPT_BYTES:
            self._body += chunk

    def on_message_complete(self) -> None:
        if self._complete:
            return
        if 100 <= self._status < 200:
            self._clear()  # an interim answer; the real one follows
            return
        self.keep_alive = self._parser.should_keep_alive()
        self._complete = True
