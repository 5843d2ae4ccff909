"""One HTTP/1.1 connection: a state machine on gevent's event loop, without a greenlet.

    connecting --> (handshake) --> idle <--> busy --> closed

It runs inside the loop's callbacks, so nothing here may block, switch greenlets or raise: what goes wrong is said
to the owner. An answer may come before the body is sent; a reset while sending is not the end of the story either,
because the answer that explains it can be there to read.
"""

import errno
import os
import socket
import ssl
import time
from typing import Any, Protocol

from gevent import monkey

from loadgate.answer_parser import AnswerParser, NotHttpError
from loadgate.answers import Answer
from loadgate.exchange import Exchange
from loadgate.target import Address
from loadgate.tls import Tls

# Locust makes `socket.socket` cooperative when it is imported; this one stays as the system made it.
Socket: Any = monkey.get_original("socket", "socket")

READ, WRITE = 1, 2
READ_BYTES = 65536

clock = time.monotonic


class Owner(Protocol):
    """Who is told what became of a connection's exchanges."""

    turn_at: float  # when this turn of the loop began: the data that woke it was there then

    def answered(self, connection: "Connection", exchange: Exchange, answer: Answer) -> None: ...

    def broke(self, connection: "Connection", exchange: Exchange | None, reason: str) -> None: ...


class Connection:
    """A connection to one address."""

    def __init__(self, owner: Owner, loop: Any, address: Address, tls: ssl.SSLContext | None, host: str) -> None:
        self.exchange: Exchange | None = None
        self.reusable = False  # can it take another request?
        self.served = False  # did it bring an answer yet?
        self.established = False  # TCP and TLS are up
        self._opened = 0.0
        self._owner, self._loop, self._address = owner, loop, address
        self._tls = Tls(tls, host) if tls else None
        self._socket: Any = None
        self._reader: Any = None
        self._writer: Any = None
        self._outbox: bytes | memoryview = b""  # what the kernel is given next ...
        self._rest = b""  # ... and after it
        self._uploading = False
        self._write_error = ""
        self._parser = AnswerParser()

    # ---- life

    def open(self, exchange: Exchange) -> None:
        """Connect, then send `exchange`."""
        self.exchange = exchange
        self._opened = clock()
        family, address = self._address
        try:
            self._socket = Socket(family, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            # The tail of a body must not wait for an acknowledgement.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = self._socket.connect_ex(address)
        except OSError as error:
            code = error.errno or errno.EIO
        if code not in (0, errno.EINPROGRESS):
            # Told in a later callback: an owner that sends again at once would otherwise recurse.
            self._loop.run_callback(self._break, os.strerror(code))
            return
        self._writer = self._loop.io(self._socket.fileno(), WRITE)
        self._writer.start(self._on_connected)

    def send(self, exchange: Exchange) -> None:
        """Send on an idle connection."""
        self.exchange = exchange
        self.reusable = False
        self._transmit()

    def close(self) -> None:
        """End the connection; nobody is told."""
        self.reusable = False
        self.exchange = None
        for watcher in (self._reader, self._writer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._reader = self._writer = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._parser.close()

    def _break(self, reason: str) -> None:
        exchange = self.exchange
        self.close()
        self._owner.broke(self, exchange, reason)

    # ---- connecting

    def _on_connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._break(os.strerror(code))
            return
        self._writer.stop()
        self._writer.close()
        self._writer = None
        self._reader = self._loop.io(self._socket.fileno(), READ)
        self._reader.start(self._on_readable)
        if self._tls is None:
            self._on_established()
        else:
            self._shake_hands()

    def _shake_hands(self) -> None:
        try:
            self._tls.session.do_handshake()  # type: ignore[union-attr]
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self._flush()
            self._break(f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}")
            return
        self._on_established()

    def _on_established(self) -> None:
        self.established = True
        self.exchange.connect_s = clock() - self._opened  # type: ignore[union-attr]
        self._transmit()

    # ---- sending

    def _transmit(self) -> None:
        exchange = self.exchange
        first, rest = exchange.request.wire(exchange.uuid)  # type: ignore[union-attr]
        if self._tls is None:
            self._outbox, self._rest = first, rest
        else:
            self._tls.unsent = [memoryview(first), memoryview(rest)]
        self._uploading = True
        self._flush()

    def _flush(self) -> None:
        """Give the kernel what it takes; watch for room only while it is full."""
        try:
            while self._outbox or self._tls is not None:
                if not self._outbox:
                    self._outbox = self._tls.encrypted()  # type: ignore[union-attr]
                    if not self._outbox:
                        break
                if self._rest:
                    taken = self._socket.sendmsg((self._outbox, self._rest))
                    if taken >= len(self._outbox):
                        taken -= len(self._outbox)
                        self._outbox, self._rest = self._rest, b""
                else:
                    taken = self._socket.send(self._outbox)
                self._outbox = memoryview(self._outbox)[taken:] if taken < len(self._outbox) else b""
        except BlockingIOError:
            self._watch_room()
            return
        except (OSError, ssl.SSLError) as error:
            # The answer that explains the reset may be there to read: the reader goes on and finds it, or the end.
            self._write_error = _words(error)
            self._uploading, self._outbox, self._rest = False, b"", b""
            if self._tls is not None:
                self._tls.unsent.clear()
        if self._uploading:
            self._uploading = False
            self.exchange.uploaded = clock()  # type: ignore[union-attr]
        if self._writer is not None:
            self._writer.stop()

    def _watch_room(self) -> None:
        if self._writer is None:
            self._writer = self._loop.io(self._socket.fileno(), WRITE)
        self._writer.start(self._flush)

    # ---- receiving

    def _on_readable(self) -> None:
        try:
            received = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._on_end(_words(error))
            return
        if self._tls is None:
            if received:
                self._feed(received)
            else:
                self._on_end("")
        else:
            self._on_ciphertext(received)

    def _on_ciphertext(self, received: bytes) -> None:
        tls = self._tls
        assert tls is not None
        tls.take(received)
        if not self.established:
            self._shake_hands() if received else self._on_end("TLS: the server closed the connection in the handshake")
        # One event may stand for many records, and a buffered one fires none of its own.
        while self.established and self._socket is not None and tls.readable:
            try:
                plain = tls.session.read(READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                self._on_end("" if isinstance(error, ssl.SSLEOFError) else f"TLS: {error.reason or error}")
                return
            if not plain:
                self._on_end("")
                return
            self._feed(plain)
        if tls.outgoing.pending and self._socket is not None:
            self._flush()

    def _feed(self, received: bytes) -> None:
        exchange = self.exchange
        if exchange is None or exchange.sent > self._owner.turn_at:  # the bytes were there before the request was
            self._break("the server sent bytes that nobody asked for")
            return
        if exchange.first_byte is None:
            exchange.first_byte = self._owner.turn_at
        try:
            complete = self._parser.feed(received)
        except NotHttpError as error:
            self._break(str(error))
            return
        if complete:
            self._finish(self._parser.keep_alive)

    def _on_end(self, reason: str) -> None:
        """The server closed (`reason` empty) or the connection broke."""
        parser = self._parser
        if self.exchange is not None and (parser.failed or (not reason and parser.ends_with_connection)):
            self._finish(keep_alive=False)
            return
        self._break(reason or self._write_error or "the server closed the connection")

    def _finish(self, keep_alive: bool) -> None:
        exchange = self.exchange
        assert exchange is not None
        answer = self._parser.take()
        self.reusable = keep_alive and exchange.uploaded is not None
        self.exchange = None
        self.served = True
        if not self.reusable:
            self.close()
        self._owner.answered(self, exchange, answer)


def _words(error: OSError) -> str:
    return error.strerror or str(error)
