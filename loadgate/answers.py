"""What an answer says: its outcome, and for a failure who gave it, why, and the service's own code and words."""

from collections.abc import Callable
from typing import Any, NamedTuple

from analysis.outcomes import ADVICE, AnsweredBy, Outcome
from analysis.wording import one_line
from loadgate.error_words import error_words, request_id_in
from loadgate.gateway import Gateway
from loadgate.payloads import Payload
from loadgate.strict_json import parsed


class Answer(NamedTuple):
    """One HTTP answer. Header names in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Finding(NamedTuple):
    """What became of a request, and why. Code and message are the service's own words, the reason the profile's."""

    outcome: Outcome
    code: str = ""
    message: str = ""
    by: AnsweredBy = AnsweredBy.NOBODY
    reason: str = ""

    def cleaned(self, redact: Callable[[str], str]) -> "Finding":
        """The finding as it may be stored and shown: on one line, cut, and without secrets."""
        code, message = one_line(redact(self.code))[:60], one_line(redact(self.message))[:200]
        return Finding(self.outcome, code, message, self.by, self.reason)


OK = Finding(Outcome.OK)


def judge(answer: Answer, payload: Payload, uuid: bytes | None, gateway: Gateway) -> Finding:
    """Name the outcome of `answer` to a request with `payload`, sent with `uuid` in it (None: without)."""
    if 200 <= answer.status < 300:
        wrong = wrong_with(answer, payload, uuid)
        return OK if wrong is None else Finding(Outcome.BAD_ANSWER, "", wrong, AnsweredBy.MODEL)
    code, message = error_words(answer.body)
    outcome, by, reason = gateway.explain(answer.status, code, message, answer.headers)
    return Finding(outcome, code, message, by, reason)


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


def request_id(answer: Answer, header: str) -> str:
    """The id that the service gave the request: in `header`, else as `request_id` in the body; else empty."""
    return answer.headers.get(header.lower().encode(), b"").decode(errors="replace") or request_id_in(answer.body)


def advice(finding: Finding, gateway: Gateway) -> str:
    """What to do about a failure: what the gateway's profile says of its reason, else what its outcome suggests."""
    return gateway.advice.get(finding.reason) or ADVICE[finding.outcome]


def _calls_itself_json(answer: Answer) -> bool:
    return b"json" in answer.headers.get(b"content-type", b"").lower()


def _at(content: Any, key: str) -> Any:
    return content.get(key) if isinstance(content, dict) else None
