"""Runs the service until it is told to stop: socket, TLS, files, signals."""

import asyncio
import gc
import logging
import resource
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from .service import MOST_THREADS, build, tokens_for
from .settings import Listen, Settings
from .tokens import Tokens
from .truth import Truth

SERVICE_ID = "eb3e0c54-3dfa-4750-af0c-95c45e5d3e83"
FLUSH_S = 0.1
KEEP_ALIVE_S = 75
"""nginx's keepalive_timeout."""


def run(settings: Settings, listen: Listen, on_token: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; print one line on stdout once it listens.

    `on_token` gets a valid token before. Raises ValueError or OSError with a sentence for the user for what cannot
    work.
    """
    _check_tls(listen)
    with _truth(listen.truth) as truth, _listener(listen) as listener:
        _raise_file_limit()
        tokens = tokens_for(settings, time.monotonic)
        if on_token is not None:
            on_token(tokens.issue(project=True))
        try:
            asyncio.run(_serve(settings, listen, truth, tokens, listener))
        finally:
            truth.flush()


async def _serve(settings: Settings, listen: Listen, truth: Truth, tokens: Tokens, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    threads = ThreadPoolExecutor(min(settings.slots, MOST_THREADS))
    server = uvicorn.Server(_config(build(settings, truth=truth, tokens=tokens, threads=threads), listen))
    serving = asyncio.create_task(server.serve([listener]))
    flushing = asyncio.create_task(_flush(truth))
    while not server.started:
        await asyncio.sleep(0.005)
    # What exists now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    print(f"ready {_url(listen, listener)}", flush=True)
    await asyncio.wait((asyncio.create_task(stop.wait()), flushing, serving), return_when="FIRST_COMPLETED")
    await _cut_off(server, serving)
    threads.shutdown(wait=False, cancel_futures=True)
    if flushing.done():
        flushing.result()


async def _flush(truth: Truth) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        truth.flush()


async def _cut_off(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """Stop at once: connections are cut, and the requests on them end without an answer."""
    server.should_exit = True
    for accepting in server.servers:
        accepting.close()
    # More than once: a connection accepted just before may come up only now.
    while not serving.done():
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        for task in list(server.server_state.tasks):
            task.cancel()
        await asyncio.wait((serving,), timeout=0.02)
    serving.result()


def _config(app: object, listen: Listen) -> uvicorn.Config:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own ASGI types are not Starlette's
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_certfile=listen.tls_cert,
        ssl_keyfile=listen.tls_key,
    )
    # The fault `cut` is just that: an answer that is not completed.
    unfinished = "ASGI callable returned without completing response."
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != unfinished)
    # A form that cannot be read is an answer (400), not a line on stderr.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    return config


def _check_tls(listen: Listen) -> None:
    if listen.tls_cert is None:
        if listen.tls_key is not None:
            raise ValueError("a TLS key needs its certificate, too")
        return
    for path in filter(None, (listen.tls_cert, listen.tls_key)):
        path.read_bytes()
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A password, if an empty one: otherwise OpenSSL asks for it at the terminal.
        context.load_cert_chain(listen.tls_cert, listen.tls_key, password="")
    except (ssl.SSLError, ValueError):
        raise ValueError(
            f"{listen.tls_cert} is not a certificate with its own unencrypted private key, both in PEM"
        ) from None


@contextmanager
def _truth(path: Path | None) -> Iterator[Truth]:
    if path is None:
        yield Truth(None)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        yield Truth(file)


def _listener(listen: Listen) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OSError(
            f"cannot listen on {listen.host} port {listen.port} ({reason}); "
            "choose another address or port, or port 0 for any free one"
        ) from None
    # Head and body are two writes. asyncio sets this only on sockets made with an explicit protocol; accepted
    # ones inherit it from here. Without it the body waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listen: Listen, listener: socket.socket) -> str:
    scheme = "https" if listen.tls_cert else "http"
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}/v1/infers/{SERVICE_ID}"


def _raise_file_limit() -> None:
    """Let every connection have its descriptor, as far as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
