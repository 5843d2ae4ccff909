"""A failure's body: its code, its message and the request's id, in whatever form they come."""

import html
import re
from typing import Any

import orjson

from loadgate.strict_json import parsed

# Error texts are short; only this much of one is looked at.
LONGEST_TEXT = 2000
LARGEST_PARSED = 65_536  # bytes of JSON: what is longer is no error, and would take its time

# The names in use for a failure's code and message, the surest first.
CODES = ("error_code", "ErrorCode", "code", "erno", "errno")
MESSAGES = ("error_msg", "message", "Message", "msg", "detail", "error_description", "OriginalMessage")

# The same in JSON that was cut off, with or without their last quote.
_CODE = re.compile(rf'"(?:{"|".join(CODES)}|__type)"\s*:\s*(?:"((?:[^"\\]|\\.)*)|(-?\d+))')
_MESSAGE = re.compile(rf'"(?:{"|".join(MESSAGES)})"\s*:\s*"((?:[^"\\]|\\.)*)')
_REQUEST_ID = re.compile(rb'"request_?id"\s*:\s*"([^"\\]{1,100})', re.IGNORECASE)

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_SIGNED = re.compile(r"<hr><center>([^<>]{1,60})</center>")  # by nginx, and by what is made of it


def error_words(body: bytes) -> tuple[str, str]:
    """The error code and message in a failure's body: any of the forms in use, or the text as it is.

    JSON that was cut off, or is long, is read as far as it goes; of a page of HTML the title is taken, with its
    signature.
    """
    if len(body) > LARGEST_PARSED:
        return _words_of_text(_text(body))
    try:
        content = parsed(body)
    except ValueError:
        return _words_of_text(_text(body))
    code, message = _words_of_table(content) if isinstance(content, dict) else ("", "")
    return (code, message) if code or message else ("", _text(body))


def request_id_in(body: bytes) -> str:
    """The `request_id` in a body, cut off or not; empty where there is none."""
    said = _REQUEST_ID.search(body[:LONGEST_TEXT])
    return said[1].decode(errors="replace") if said else ""


def _words_of_table(content: dict[str, Any]) -> tuple[str, str]:
    """Flat, in `error`, or both at once: then the flat `error_code` is the gateway's and the rest is inside."""
    inner = content["error"] if isinstance(content.get("error"), dict) else {}
    code = _first(content, "error_code") or _status_word(inner) or _first(inner, *CODES) or _first(content, *CODES)
    message = _first(content, "error_msg") or _first(inner, *MESSAGES) or _first(content, *MESSAGES, "error")
    return code or _short_type(_first(content, "__type")), message or _complaint(content.get("detail"))


def _words_of_text(text: str) -> tuple[str, str]:
    start = text.lstrip()[:1]
    if start == "{":
        code, message = _CODE.search(text), _MESSAGE.search(text)
        if code or message:
            return _short_type(_unescaped((code[1] or code[2] or "") if code else "")), _unescaped(
                message[1] if message else ""
            )
    if start == "<" and (title := _TITLE.search(text)):
        signed = _SIGNED.search(text)
        words = " ".join(html.unescape(title[1]).split())
        return "", (f"{words} ({signed[1]})" if signed else words) or text
    return "", text


def _status_word(error: dict[str, Any]) -> str:
    """Google's `RESOURCE_EXHAUSTED` beside `"code": 429`, which only says the HTTP status again."""
    status = error.get("status")
    return status[:LONGEST_TEXT] if isinstance(status, str) and status.isupper() else ""


def _short_type(code: str) -> str:
    """AWS writes `namespace#Type` and `Type:http://...`."""
    return code.rpartition("#")[2].partition(":http")[0]


def _complaint(detail: Any) -> str:
    """FastAPI's first complaint about a request's fields."""
    first = detail[0] if isinstance(detail, list) and detail else None
    if not isinstance(first, dict):
        return ""
    place, said = first.get("loc"), _first(first, "msg")
    where = ".".join(str(part) for part in place[:10] if _is_word(part)) if isinstance(place, list) else ""
    return ": ".join(part for part in (where, said) if part)[:LONGEST_TEXT] if said else ""


def _unescaped(text: str) -> str:
    """The text of a JSON string without its quotes, which may have been cut inside an escape."""
    try:
        return str(orjson.loads(f'"{text}"'))
    except ValueError:
        return text


def _first(fields: dict[str, Any], *keys: str) -> str:
    values = (fields.get(key) for key in keys)
    return next((str(value)[:LONGEST_TEXT] for value in values if _is_word(value)), "")


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _text(body: bytes) -> str:
    return body[:LONGEST_TEXT].decode(errors="replace")
