"""The same request by Locust's own two users. The body is read, and the headers are made, once."""

import os
from pathlib import Path

from locust import FastHttpUser, HttpUser, task

URL = os.environ["PEER_URL"]
BODY = Path(os.environ["PEER_BODY"]).read_bytes()
HEADERS = {"X-Auth-Token": os.environ["PEER_TOKEN"], "Content-Type": os.environ["PEER_CONTENT_TYPE"]}


class HttpPeer(HttpUser):
    def on_start(self) -> None:
        self.client.verify = False

    @task
    def post(self) -> None:
        self.client.post(URL, data=BODY, headers=HEADERS)


class FastHttpPeer(FastHttpUser):
    @task
    def post(self) -> None:
        self.client.post(URL, data=BODY, headers=HEADERS)  # type: ignore[arg-type] # it takes bytes too
