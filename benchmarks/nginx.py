"""The service: a real nginx of one process on one core, which keeps a line for every request it answered."""

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cores import SERVICE, on_core
from works import ANSWER, Work

START_TIMEOUT_S = 10.0

# The log is written every 10 ms: that is how exactly the requests of a moment are known. $request_length holds the
# head and what was read of the body, so a tool that left out the token or sent another body is found out.
CONFIG = """\
daemon off;
master_process off;
error_log error.log warn;
pid nginx.pid;
events { worker_connections 16384; }
http {
  map $connection_requests $new { 1 new; default old; }
  log_format seen "$status $new $content_length $request_length";
  access_log requests.log seen buffer=64k flush=10ms;
  client_header_buffer_size 16k;
  large_client_header_buffers 4 16k;
  client_max_body_size 12m;
  client_body_buffer_size 16m;
  keepalive_requests 1000000000;
  keepalive_time 1h;
  ssl_certificate server.pem;
  ssl_certificate_key server.pem;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  default_type application/json;
  upstream model {
    server unix:model.sock;
    keepalive 64;
    keepalive_requests 1000000000;
    keepalive_time 1h;
  }
  server {
    listen unix:model.sock;
    access_log off;
    location / { return 200 '@answer@'; }
  }
  server {
    listen 127.0.0.1:@port@ backlog=16384 @ssl@;
    location / { @action@ }
  }
}
"""
# `return` answers before the body is here. The proxy reads all of it first, into memory, and then passes nothing on.
ANSWER_AT_ONCE = f"return 200 '{ANSWER}';"
ANSWER_AFTER_BODY = """
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_pass_request_headers off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
"""


@dataclass(frozen=True)
class Answered:
    """What nginx says about all requests of a run."""

    requests: int
    failed: int  # with another status than 200
    connections: int
    wrong: int  # 200, but another body's length than the work's, or without its token


class Nginx:
    """A running nginx with its files in `folder`."""

    def __init__(self, folder: Path, work: Work, port: int, pid: int) -> None:
        self.url = f"{'https' if work.tls else 'http'}://127.0.0.1:{port}/v1/infers/peer"
        self.certificates = folder / "ca.pem"
        self.pid = pid
        self._work = work
        self._log = (folder / "requests.log").open("rb")
        self._lines: list[bytes] = []
        self._requests = 0

    @property
    def requests(self) -> int:
        """Requests answered so far."""
        new = self._log.read()
        self._lines.append(new)
        self._requests += new.count(b"\n")
        return self._requests

    def answered(self) -> Answered:
        """All requests, once the tool has ended."""
        time.sleep(0.1)  # the log's last lines
        requests = self.requests
        counts = Counter(b"".join(self._lines).splitlines())
        failed = connections = wrong = 0
        length = len(self._work.payload)
        least = len(self._work.token) + (length if self._work.upload else 0)
        for line, count in counts.items():
            status, new, body_bytes, read_bytes = line.decode().split()
            failed += count if status != "200" else 0
            connections += count if new == "new" else 0
            wrong += count if status == "200" and (body_bytes != str(length) or int(read_bytes) < least) else 0
        return Answered(requests, failed, connections, wrong)


@contextmanager
def serving(binary: str, folder: Path, work: Work, action: str | None = None) -> Iterator[Nginx]:
    """An nginx for `work`, until the end of the block. It does `action` instead of the work's own, if there is one."""
    port = free_port()
    _write_certificates(folder)
    settings = {
        "answer": ANSWER,
        "port": str(port),
        "ssl": "ssl" if work.tls else "",
        "action": action or (ANSWER_AFTER_BODY if work.upload else ANSWER_AT_ONCE),
    }
    config = CONFIG
    for name, value in settings.items():
        config = config.replace(f"@{name}@", value)
    (folder / "nginx.conf").write_text(config)
    command = [binary, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"]
    with on_core(SERVICE):
        # There, because a unix socket is relative to the working folder.
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(process, port, folder / "error.log")
        yield Nginx(folder, work, port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _await(process: subprocess.Popen[bytes], port: int, errors: Path) -> None:
    give_up_at = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            # Closed without a request, so that it is in no count.
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    said = errors.read_text() if errors.exists() else ""
    raise RuntimeError(f"nginx did not start: {said}")


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _write_certificates(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
