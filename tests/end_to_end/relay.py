"""A TCP relay between workers and their master. It can stop forwarding or be late, and knows what came through it."""

import contextlib
import select
import socket
import threading
import time
from collections import deque

CHUNK_BYTES = 1 << 16
POLL_S = 0.01


class Relay:
    """Forwards what comes to `port` to the master's, both ways, `delay_s` later; nothing while it is `cut`.

    While it is `muted` nothing comes from the master.
    """

    def __init__(self, master_port: int, delay_s: float = 0.0) -> None:
        self.cut = self.muted = False
        self.from_workers: list[bytearray] = []  # all that came, by connection
        self.from_master: list[bytearray] = []
        self._to, self._delay_s = ("127.0.0.1", master_port), delay_s
        self._pipes: dict[socket.socket, socket.socket] = {}
        self._streams: dict[socket.socket, bytearray] = {}  # by where they come from
        self._near: set[socket.socket] = set()  # to workers
        self._held: dict[socket.socket, deque[tuple[float, bytes]]] = {}  # by where they go
        self._stopped = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._forward)
        self._thread.start()

    def close(self) -> None:
        self._stopped = True
        self._thread.join()

    def _forward(self) -> None:
        while not self._stopped:
            if self.cut:
                time.sleep(POLL_S)  # what arrives waits in the kernel, as far as there is room
                continue
            readable, _, _ = select.select([self._listener, *self._pipes], [], [], POLL_S)
            for end in readable:
                if end is self._listener:
                    self._accept()
                elif end in self._pipes:
                    self._take(end)
            self._pass_on()
        for end in [self._listener, *self._pipes]:
            end.close()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(self._to)
        except OSError:
            near.close()  # the master is not there
            return
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pipes[one], self._held[one], self._streams[one] = other, deque(), bytearray()
        self._near.add(near)
        self.from_workers.append(self._streams[near])
        self.from_master.append(self._streams[far])

    def _take(self, end: socket.socket) -> None:
        try:
            data = end.recv(CHUNK_BYTES)
        except OSError:
            data = b""
        self._streams[end] += data
        self._held[self._pipes[end]].append((time.monotonic() + self._delay_s, data))
        if not data:
            # Nothing more will come from there; what is held for the other end still goes.
            self._pipes.pop(end)
            end.close()

    def _pass_on(self) -> None:
        now = time.monotonic()
        for end, held in self._held.items():
            if self.muted and end in self._near:
                continue
            while held and held[0][0] <= now:
                _, data = held.popleft()
                with contextlib.suppress(OSError):
                    if data:
                        end.sendall(data)
                    else:
                        end.shutdown(socket.SHUT_RDWR)
