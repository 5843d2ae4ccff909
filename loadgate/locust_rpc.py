"""Keeps Locust's master listening whatever comes in: whoever reaches its port can send anything.

Importing this patches Locust's sockets, which have no hook for it: see the end of the file. Messages are msgpack, which
makes plain values only; nothing that comes in is ever executed.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import zmq
from locust.exception import RPCReceiveError
from locust.rpc import zmqrpc
from msgpack.exceptions import UnpackException

LARGEST_BYTES = 64 * 2**20  # of a message: a worker's reports of a minute at 10,000 requests/s take a third of it

# A cut network is noticed, and tried anew: TCP itself would come back half a minute after the network did.
SOCKET_OPTIONS = {
    zmq.MAXMSGSIZE: LARGEST_BYTES,
    zmq.HEARTBEAT_IVL: 1000,
    zmq.HEARTBEAT_TIMEOUT: 5000,
    zmq.CONNECT_TIMEOUT: 2000,
}
NONSENSE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, UnpackException)

log = logging.getLogger("loadgate")


def guard(runner: Any, is_strange: Callable[[str], bool]) -> None:
    """Have a master drop messages that make no sense, or speak for another worker; Locust's would stop listening.

    And have it give no users to a strange worker that comes to a load which is on: Locust's does so at once.
    """
    handle, listeners = _tolerant(runner.handle_message), runner.environment.events.worker_report._handlers
    listeners[:] = [_tolerant(each) if each.__module__.startswith("locust.") else each for each in listeners]

    def handle_own(client_id: str, msg: Any) -> None:
        if not isinstance(msg.type, str) or msg.node_id != client_id:
            _say("dropped a message that is not of the worker who sent it")
        elif msg.type == "client_ready" and is_strange(client_id):
            with _unshared(runner):
                handle(client_id, msg)
        else:
            handle(client_id, msg)

    runner.handle_message = handle_own


@contextmanager
def _unshared(runner: Any) -> Iterator[None]:
    """Have Locust know nobody to share users among."""
    shared = runner._users_dispatcher, runner.spawning_completed
    runner._users_dispatcher, runner.spawning_completed = None, False
    try:
        yield
    finally:
        runner._users_dispatcher, runner.spawning_completed = shared


def share_with(runner: Any, worker: str) -> None:
    """Have Locust share its users with one more worker, whom it had not given any."""
    dispatcher, node = runner._users_dispatcher, runner.clients[worker]
    if dispatcher is not None and node not in dispatcher._worker_nodes:
        dispatcher.add_worker(node)


def _tolerant(listener: Callable[..., None]) -> Callable[..., None]:
    def listen(*arguments: Any, **named: Any) -> None:
        try:
            listener(*arguments, **named)
        except NONSENSE as error:
            _say(f"dropped a message of a worker that makes no sense: {type(error).__name__}")

    return listen


@cache
def _say(text: str) -> None:
    log.error(text)  # once, however many there are


def _bounded(make: Callable[..., None]) -> Callable[..., None]:
    def make_bounded(self: Any, *arguments: Any) -> None:
        make(self, *arguments)
        for option, value in SOCKET_OPTIONS.items():
            self.socket.setsockopt(option, value)
        if self.socket.type == zmq.ROUTER:
            self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)  # a worker that connects anew is no stranger

    return make_bounded


def _understood(receive: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def receive_safely(self: Any) -> Any:
        try:
            return receive(self)
        except NONSENSE as error:
            raise RPCReceiveError(f"no message of Locust's ({type(error).__name__})") from None

    return receive_safely


zmqrpc.BaseSocket.__init__ = _bounded(zmqrpc.BaseSocket.__init__)  # type: ignore[method-assign]
zmqrpc.BaseSocket.recv_from_client = _understood(zmqrpc.BaseSocket.recv_from_client)  # type: ignore[method-assign]
