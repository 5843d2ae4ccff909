"""The works: what every tool sends, over how many connections."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from loadgate.payloads import Payload, file_payload, json_payload

# As long as a project-scoped token of the cloud's IAM service.
LONG_TOKEN, SHORT_TOKEN = "t" * 6344, "t" * 16
JSON_BODY = b'{"req_data": [1]}'
ANSWER = '{"data": {"resp_data": [1]}}'


@dataclass(frozen=True)
class Work:
    """One work. `content` makes what a user has on disk: a JSON body, or the file to be uploaded."""

    name: str
    connections: int
    content: Callable[[], bytes]
    token: str = LONG_TOKEN
    tls: bool = False
    upload: bool = False

    @cached_property
    def payload(self) -> Payload:
        """The body as it goes over the wire, encoded once: the peers are given these bytes."""
        if self.upload:
            return file_payload(self.name, "photo.png", self.content(), "images")
        return json_payload(self.name, self.content(), self.name)


def _json() -> bytes:
    return JSON_BODY


def _file(size_bytes: int) -> Callable[[], bytes]:
    return lambda: random.Random(1).randbytes(size_bytes)


WORKS = {
    work.name: work
    for work in (
        Work("json-http", 32, _json),
        Work("json-tls", 32, _json, tls=True),
        Work("json-http-no-token", 32, _json, token=SHORT_TOKEN),
        Work("file-1mb", 8, _file(1_000_000), upload=True),
        Work("file-11mb", 8, _file(11_000_000), upload=True),
    )
}
