"""A scripted server on raw sockets, in plain threads: apart from the event loop that the tests drive.

What each connection does is a list of steps: bytes are sent, functions are called with the connection; at the end of
the list it is closed.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

PATIENCE_S = 10.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Step = bytes | Callable[["Peer"], None]


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: "Server", end: Any) -> None:
        self.server, self.end = server, end
        self._received = b""

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        return head

    def read_request(self) -> bytes:
        """One whole request's body."""
        head = self.read_head()
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        self.server.bodies.append(body)
        return body

    def reset(self) -> None:
        """Close with an RST at once."""
        self.end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end.close()

    def _receive(self) -> None:
        received = self.end.recv(1 << 20)
        if not received:
            raise ConnectionError("the client closed")
        self._received += received


def read(peer: Peer) -> None:
    peer.read_request()


def read_head(peer: Peer) -> None:
    peer.read_head()


def reset(peer: Peer) -> None:
    peer.reset()


def hold(peer: Peer) -> None:
    """Neither answer nor close."""
    peer.server.stopped.wait(PATIENCE_S)


def serve_on(peer: Peer) -> None:
    """Answer every request."""
    while True:
        peer.read_request()
        peer.end.sendall(OK)


class Gate:
    """A step that waits for the test, and then a step that tells it: between them the server does its part."""

    def __init__(self) -> None:
        self._opened, self._passed = threading.Event(), threading.Event()

    def wait(self, _: Peer) -> None:
        assert self._opened.wait(PATIENCE_S)

    def passed(self, _: Peer) -> None:
        self._passed.set()

    def open(self) -> None:
        self._opened.set()

    def open_and_wait(self) -> None:
        """Let the server go on, while this thread and its loop stand still."""
        self._opened.set()
        assert self._passed.wait(PATIENCE_S)


def bytewise(answer: bytes) -> Step:
    def send(peer: Peer) -> None:
        for index in range(len(answer)):
            peer.end.sendall(answer[index : index + 1])

    return send


class Server:
    """Plays a script on each connection: the first on the first, the last on every further one."""

    def __init__(
        self, scripts: Sequence[Sequence[Step]], tls: ssl.SSLContext | None, host: str, receive_bytes: int | None
    ) -> None:
        self.bodies: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self.failures: list[BaseException] = []
        self._scripts, self._tls = scripts, tls
        self._ends: list[Any] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        if receive_bytes is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._listener.bind((host, 0))
        self._listener.listen(512)
        self.address = (family, self._listener.getsockname())
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return self.address[1][1]

    def stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        self.stopped.set()
        self.stop_listening()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        assert self.failures == []

    def _accept(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            # As servers do: what waits for an acknowledgement is late, and lost in a reset.
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends.append(end)
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(script, end))
            self._threads.append(thread)
            thread.start()

    def _play(self, script: Sequence[Step], end: Any) -> None:
        try:
            if self._tls is not None:
                end = self._tls.wrap_socket(end, server_side=True)
                self._ends.append(end)
            peer = Peer(self, end)
            for step in script:
                if isinstance(step, bytes):
                    end.sendall(step)
                else:
                    step(peer)
        except OSError:
            pass  # the client went, or the test is over
        except BaseException as error:
            self.failures.append(error)
        finally:
            end.close()
