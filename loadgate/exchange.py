"""One request and what is known of it, from its plan to its outcome."""

import math
from typing import Any

from analysis.outcomes import Outcome
from loadgate.request import Request

NOT_SAID = (math.nan, math.nan)  # the gateway's own part of the time, and its backend's


class Exchange:
    """One request in flight, with its moments in seconds of the monotonic clock (None: not reached)."""

    __slots__ = (
        "answer_bytes",
        "connect_s",
        "done",
        "first_byte",
        "gateway_times_s",
        "outcome",
        "planned",
        "request",
        "sent",
        "uploaded",
        "user",
        "uuid",
    )

    def __init__(self, request: Request, planned: float, sent: float, uuid: bytes, user: Any = None) -> None:
        self.request = request
        self.user = user  # who waits for the answer; None in the open model
        self.planned = planned
        self.sent = sent  # handed to the transport: connecting, where needed, comes after
        self.uuid = uuid
        self.connect_s: float | None = None
        self.uploaded: float | None = None
        self.first_byte: float | None = None
        self.done: float | None = None
        self.outcome: Outcome | None = None
        self.answer_bytes = 0  # of its body
        self.gateway_times_s = NOT_SAID
