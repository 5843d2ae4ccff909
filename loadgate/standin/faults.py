"""Faults to inject: what they are called, how often they come, and how they spoil an answer."""

import itertools
import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import replace

from .answers import THROTTLED, UNAVAILABLE, Answer, Refusal

FAULTS = {
    "slow": "the model takes 1.5 times the gateway's limit (504)",
    "model_error": "the model answers 500 with a body of its own",
    "unavailable": "the gateway finds no backend (503)",
    "throttled": "the gateway's throttling policy strikes (429)",
    "hang": "no answer until the client leaves",
    "cut": "the connection is closed in the middle of the answer",
    "bad_answer": "200 with JSON that stops half way",
    "wrong_uuid": "200 with the uuid of some other request",
}
"""Every fault by name. `wrong_uuid` touches only answers that carry a uuid."""

REFUSALS: Mapping[str, Refusal] = {"unavailable": UNAVAILABLE, "throttled": THROTTLED}
"""Faults that are an answer of the gateway."""

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


def spoil(fault: str, answer: Answer) -> Answer:
    """The model's good answer with `fault` in it; the same object where the fault does not apply."""
    if answer.status != 200:
        return answer
    match fault:
        case "model_error":
            return replace(answer, status=500, body=MODEL_ERROR)
        case "bad_answer":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case "wrong_uuid" if answer.model == "json":
            content = json.loads(answer.body)
            content["meta"]["uuid"] = str(uuid.uuid4())
            return replace(answer, body=json.dumps(content).encode())
    return answer
