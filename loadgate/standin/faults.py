"""Faults to inject: what they are called, how often they come, and how they spoil an answer."""

import itertools
import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import replace

from .answers import Answer, Refusal
from .errors import (
    BACKEND_TIMEOUT,
    DOMAIN_TOKEN,
    ERRORS,
    EXPIRED_TOKEN,
    KEEPALIVE,
    REFUSED,
    SELF_PROTECTION,
    STOPPED,
    THROTTLED,
    UNAVAILABLE,
)

FAULTS = {
    "slow": "the model takes 1.5 times the gateway's limit (504)",
    "timeout_apig": "the same, and it is APIG that answers at the limit (504)",
    "model_error": "the model answers 500 with a body of its own",
    "unavailable": "the gateway finds no backend (503)",
    "refused": "the backend refuses the connection (503)",
    "keepalive": "the model has closed the connection the gateway reuses (504)",
    "circuit_breaker": "the dispatcher has cut the model off (503)",
    "stopped": "the service is not started (400)",
    "throttled": "the gateway's throttling policy strikes (429)",
    "expired": "the token has expired (401)",
    "domain": "the token is a domain's (401)",
    "hang": "no answer until the client leaves",
    "cut": "the connection is closed in the middle of the answer",
    "bad_answer": "200 with JSON that stops half way",
    "wrong_uuid": "200 with the uuid of some other request",
    "no_request_id": "an error of APIG without its request_id (502)",
    "error_wrapped": "an error with its code and message inside `error` (503)",
    "truncated_error": "an error with JSON that stops half way (503)",
    "html": "an error page of something in between (502)",
}
"""The faults with a name of their own. `wrong_uuid` touches only answers that carry a uuid."""

MODEL_ERROR_CODE = "MR.0105"
"""The built-in engines' code: another name of `model_error`."""

NAMES: Mapping[str, str] = {
    **FAULTS,
    MODEL_ERROR_CODE: FAULTS["model_error"],
    **{name: f"{error.status} {error.about().message}" for name, error in ERRORS.items()},
}
"""Every fault by name, with what it does."""

REFUSALS: Mapping[str, Refusal] = {
    **ERRORS,
    "unavailable": UNAVAILABLE,
    "refused": REFUSED,
    "keepalive": KEEPALIVE,
    "circuit_breaker": SELF_PROTECTION,
    "stopped": STOPPED,
    "throttled": THROTTLED,
    "expired": EXPIRED_TOKEN,
    "domain": DOMAIN_TOKEN,
    "no_request_id": replace(ERRORS["APIG.0201/502"], form="no_request_id"),
    "error_wrapped": replace(UNAVAILABLE, form="wrapped"),
    "truncated_error": replace(UNAVAILABLE, form="truncated"),
    "html": Refusal(502, "", "Bad Gateway", form="html"),
}
"""Faults that are an answer of the gateway, given at once."""

TIMEOUTS: Mapping[str, Refusal | None] = {"slow": None, "timeout_apig": BACKEND_TIMEOUT}
"""Faults that run into the time limit, and the answer then; None: the service's usual one."""

SLOW_FACTOR = 1.5

MODEL_ERROR = b'{"erno":"MR.0105","msg":"Recognition failed","words_result":{}}'


class Faults:
    """Draws a fault, or none, for each request."""

    def __init__(self, shares: Mapping[str, float], chance: random.Random) -> None:
        self._names = list(shares)
        self._bounds = list(itertools.accumulate(shares.values()))
        self._chance = chance

    def draw(self) -> str:
        """The next request's fault; empty: none."""
        if not self._bounds:
            return ""
        point = self._chance.random()
        for name, bound in zip(self._names, self._bounds, strict=True):
            if point < bound:
                return name
        return ""


def unknown(name: str) -> Refusal:
    """The answer to a request that asks for a fault that is none. It is ours: no vendor has words for it."""
    sentence = f"{name[:60]!r} is not a fault; `loadgate serve --list-faults` prints them all"
    return Refusal(400, "Standin.0001", sentence)


def spoil(fault: str, answer: Answer) -> Answer:
    """The model's good answer with `fault` in it; the same object where the fault does not apply."""
    if answer.status != 200:
        return answer
    match fault:
        case _ if fault in ("model_error", MODEL_ERROR_CODE):
            return replace(answer, status=500, body=MODEL_ERROR)
        case "bad_answer":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case "wrong_uuid" if answer.model == "json":
            content = json.loads(answer.body)
            content["meta"]["uuid"] = str(uuid.uuid4())
            return replace(answer, body=json.dumps(content).encode())
    return answer
