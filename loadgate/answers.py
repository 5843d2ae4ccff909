"""What an answer says: its outcome, and for a failure the service's own code and words."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from analysis.outcomes import Outcome
from analysis.wording import one_line
from loadgate.gateway import Gateway
from loadgate.payloads import Payload

# Error texts are short; only this much of one is looked at.
LONGEST_TEXT = 2000


class Answer(NamedTuple):
    """One HTTP answer. Header names in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Finding(NamedTuple):
    """What became of a request, and why."""

    outcome: Outcome
    code: str = ""
    message: str = ""

    def cleaned(self, redact: Callable[[str], str]) -> "Finding":
        """The finding as it may be stored and shown: on one line, cut, and without secrets."""
        return Finding(self.outcome, one_line(redact(self.code))[:60], one_line(redact(self.message))[:200])


OK = Finding(Outcome.OK)


def judge(answer: Answer, payload: Payload, uuid: bytes | None, gateway: Gateway) -> Finding:
    """Name the outcome of `answer` to a request with `payload`, sent with `uuid` in it (None: without)."""
    if 200 <= answer.status < 300:
        reason = wrong_with(answer, payload, uuid)
        return OK if reason is None else Finding(Outcome.BAD_ANSWER, "", reason)
    code, message = error_words(answer.body)
    return Finding(gateway.outcome(answer.status, code, message), code, message)


def wrong_with(answer: Answer, payload: Payload, uuid: bytes | None) -> str | None:
    """Why a 2xx answer is not a right one, or None.

    A body that calls itself JSON must be JSON; the request's UUID must come back; and a request with `req_data`
    must get as many `resp_data`. An answer of another type is the model's own affair.
    """
    if payload.inputs is None and uuid is None and not _calls_itself_json(answer):
        return None
    try:
        content = parsed(answer.body)
    except ValueError:
        return "the answer is not JSON"
    if uuid is not None and uuid.decode() != _at(_at(content, "meta"), "uuid"):
        return "the answer does not carry the request's uuid"
    if payload.inputs is not None:
        results = _at(_at(content, "data"), "resp_data") or _at(content, "resp_data")
        count = len(results) if isinstance(results, list) else 0
        if count != payload.inputs:
            return f"the answer has {count} resp_data for {payload.inputs} req_data"
    return None


def error_words(body: bytes) -> tuple[str, str]:
    """The error code and message in a failure's body: any of the forms in use, or the text as it is."""
    try:
        content = parsed(body)
    except ValueError:
        return "", _text(body)
    if isinstance(content, dict):
        inner = content["error"] if isinstance(content.get("error"), dict) else content
        code = _first(inner, "error_code", "code", "erno", "errno") or _first(content, "error_code")
        message = _first(inner, "error_msg", "message", "msg", "detail") or _first(content, "error_msg", "message")
        if code or message:
            return code, message
    return "", _text(body)


def _calls_itself_json(answer: Answer) -> bool:
    return b"json" in answer.headers.get(b"content-type", b"").lower()


def parsed(body: bytes) -> Any:
    """The body as JSON. Raises ValueError where it is none (NaN is not; RFC 8259)."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass  # it refuses what the RFC lets pass: half of a surrogate pair, a number over a double, a byte order mark
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _at(content: Any, key: str) -> Any:
    return content.get(key) if isinstance(content, dict) else None


def _first(fields: dict[str, Any], *keys: str) -> str:
    values = (fields.get(key) for key in keys)
    return next((str(value)[:LONGEST_TEXT] for value in values if isinstance(value, str | int) and value != ""), "")


def _text(body: bytes) -> str:
    return body[:LONGEST_TEXT].decode(errors="replace")
