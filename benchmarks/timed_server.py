"""A small HTTP/1.1 server that notes when each request arrived: the benchmark's second clock.

The time of arrival is the kernel's (SO_TIMESTAMPNS): taken where the packet enters the TCP stack, so a server that is
busy, or asleep, does not move it. Of a request in several packets it is that of the last one. Linux gives it for TCP;
where it is missing, the clock read right after epoll returned takes its place.

One thread, no pipelining, and `Content-Length` in just this spelling: enough for the tools that are measured with it.
"""

import gc
import math
import re
import resource
import select
import signal
import socket
import struct
import sys
import time
from array import array
from collections import deque
from pathlib import Path

import click

from analysis.units import duration
from loadgate.click_options import checked

SO_TIMESTAMPNS = 35  # Python does not name it; the control message has the same number
TIMESPEC = struct.Struct("qq")  # seconds and nanoseconds
CONTROL_BYTES = socket.CMSG_SPACE(TIMESPEC.size)
READ_BYTES = 16384
BACKLOG = 4096

LENGTH = re.compile(rb"Content-Length: *(\d+)")
BODY = b'{"data": {"resp_data": [1]}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)

clock = time.monotonic


class Connection:
    """A client's connection, and the bytes of a request that is not whole yet."""

    __slots__ = ("part", "socket")

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self.part = b""


class TimedServer:
    """Answers each request `answer_after_s` seconds after it was read, and sleeps once if told to."""

    def __init__(self, listener: socket.socket, answer_after_s: float, stall_at_s: float, stall_for_s: float) -> None:
        self.stalled: tuple[float, float] | None = None
        self._arrived, self._answered = array("d"), array("d")
        self._answer_after_s, self._stall_at_s, self._stall_for_s = answer_after_s, stall_at_s, stall_for_s
        self._stall_due = math.inf
        self._to_monotonic_s = clock() - time.time()
        self._queue: deque[tuple[float, float, Connection]] = deque()  # due, arrived, whom to answer
        self._connections: dict[int, Connection] = {}
        self._listener = listener
        self._poll = select.epoll()
        self._poll.register(listener, select.EPOLLIN)

    def serve(self) -> None:
        """Serve until an exception ends it."""
        while True:
            ready = self._wait()
            now = clock()
            if now >= self._stall_due:
                self._stall()
                now = clock()
            for file, _ in ready:
                if file in self._connections:
                    self._read(file, now)
                else:
                    self._accept()
            self._answer_due()

    def write_log(self, path: Path) -> None:
        """One row for each request; `answered` is nan for what was not."""
        waiting = [(arrived, math.nan) for _, arrived, _ in self._queue]
        rows = [*zip(self._arrived, self._answered, strict=True), *waiting]
        lines = [f"{arrived:.6f},{answered:.6f}\n" for arrived, answered in rows]
        path.write_text("".join(["arrived,answered\n", *lines]), encoding="utf-8")

    def _wait(self) -> list[tuple[int, int]]:
        if not self._queue:
            return self._poll.poll()
        # epoll's own timeout is in whole milliseconds.
        select.select([self._poll], [], [], max(self._queue[0][0] - clock(), 0.0))
        return self._poll.poll(0)

    def _stall(self) -> None:
        began = clock()
        time.sleep(self._stall_for_s)
        self.stalled = (began, clock())
        self._stall_due = math.inf

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except BlockingIOError:
                return
            accepted.setblocking(False)
            self._connections[accepted.fileno()] = Connection(accepted)
            self._poll.register(accepted, select.EPOLLIN)

    def _read(self, file: int, now: float) -> None:
        connection = self._connections[file]
        try:
            data, control, _, _ = connection.socket.recvmsg(READ_BYTES, CONTROL_BYTES)
        except OSError:
            data = b""
        if not data:
            del self._connections[file]
            connection.socket.close()
            return
        connection.part += data
        if not _is_whole(connection.part):
            return
        connection.part = b""
        if not self._queue and not self._arrived:
            self._stall_due = now + self._stall_at_s
        arrived = self._stamp(control[0][2]) if control else now
        self._queue.append((now + self._answer_after_s, arrived, connection))

    def _stamp(self, timespec: bytes) -> float:
        seconds, nanoseconds = TIMESPEC.unpack(timespec)
        return seconds + self._to_monotonic_s + nanoseconds / 1e9

    def _answer_due(self) -> None:
        while self._queue and self._queue[0][0] <= clock():
            _, arrived, connection = self._queue.popleft()
            self._arrived.append(arrived)
            try:
                connection.socket.send(ANSWER)
                self._answered.append(clock())
            except OSError:  # the client has left
                self._answered.append(math.nan)


def _is_whole(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = LENGTH.search(data, 0, end)
    return len(data) >= end + 4 + (int(length[1]) if length else 0)


def listening(port: int) -> socket.socket:
    """A listener whose connections have their arrivals stamped."""
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return listener


@click.command()
@click.option("--port", type=int, default=0, metavar="N", help="Port to listen on; 0 is any free one. [0]")
@click.option("--answer-after", default="0s", metavar="T", callback=checked(duration), help="Delay of answers. [0s]")
@click.option(
    "--stall-at", metavar="T", callback=checked(duration), help="Sleep once, so long after the first request."
)
@click.option("--stall-for", default="1s", metavar="T", callback=checked(duration), help="How long to sleep. [1s]")
@click.option(
    "--log", type=click.Path(path_type=Path), metavar="FILE", help="CSV file: arrived, answered; monotonic s."
)
def main(port: int, answer_after: float, stall_at: float | None, stall_for: float, log: Path | None) -> None:
    """Answer every request with 200 and note when it came, until SIGTERM.

    It prints `ready URL` once it listens, and at its end `stalled FROM TO` if it slept.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.disable()  # nothing here is in a cycle, and a pause would be the server's own
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    listener = listening(port)
    server = TimedServer(listener, answer_after, math.inf if stall_at is None else stall_at, stall_for)
    click.echo(f"ready http://127.0.0.1:{listener.getsockname()[1]}/v1/infers/x")
    try:
        server.serve()
    finally:
        if server.stalled:
            click.echo("stalled {:.6f} {:.6f}".format(*server.stalled))
        if log is not None:
            server.write_log(log)


if __name__ == "__main__":
    main()
