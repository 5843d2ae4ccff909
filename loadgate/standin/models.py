"""The models behind the gateway: which of them a request is for, and what it answers.

Nothing here raises. An input the model cannot use gets the model's own error, whatever was sent.
"""

import base64
import binascii
import json
from typing import Any, NoReturn

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from . import iris, picture
from .answers import Answer, Refusal
from .errors import MALFORMED

FILE_FIELD = "images"
BASE64_FIELD = "image"

HEAVY_BYTES = 32 * 1024


def is_heavy(content_type: bytes, body: bytes) -> bool:
    """Whether the answer takes long enough to compute that it would hold up the other requests."""
    return len(body) > HEAVY_BYTES or _is_multipart(content_type)


def answer(content_type: bytes, body: bytes) -> Answer | Refusal:
    """Compute the answer to one request."""
    if _is_multipart(content_type):
        return _file(content_type, body)
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return MALFORMED
    if isinstance(document, dict) and BASE64_FIELD in document:
        return _base64(document[BASE64_FIELD])
    return _json(document)


def _is_multipart(content_type: bytes) -> bool:
    return content_type[:10].lower() == b"multipart/"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _failed(why: str, model: str) -> Answer:
    content = {"erno": "MR.0105", "msg": f"Recognition failed: {why}", "words_result": {}}
    return Answer(400, json.dumps(content).encode(), model)


def _json(document: Any) -> Answer:
    if not isinstance(document, dict):
        return _failed("the input is not an object", "json")
    try:
        body, uuid = iris.predict(document)
    except RecursionError:
        return _failed("the input is nested too deeply", "json")
    except ValueError as error:
        return _failed(str(error), "json")
    return Answer(200, body, "json", uuid)


def _base64(text: object) -> Answer:
    if not isinstance(text, str):
        return _failed(f"{BASE64_FIELD} is not a string", "base64")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _failed(f"{BASE64_FIELD} is not base64", "base64")
    return _picture(content, "base64")


def _file(content_type: bytes, body: bytes) -> Answer:
    try:
        content = _form_file(content_type, body)
    except (FormParserError, ValueError, LookupError):
        # Lookup: a part without a name, a charset nobody knows.
        return _failed("the form cannot be read", "file")
    if content is None:
        return _failed(f"the form has no file {FILE_FIELD}", "file")
    return _picture(content, "file")


def _form_file(content_type: bytes, body: bytes) -> bytes | None:
    found: list[bytes] = []

    def on_file(file: File) -> None:
        if file.field_name == FILE_FIELD.encode():
            file.file_object.seek(0)
            found.append(file.file_object.read())

    def on_field(_field: Field) -> None:
        pass

    _, options = parse_options_header(content_type)
    in_memory = {"MAX_MEMORY_FILE_SIZE": len(body) + 1}
    form = FormParser("multipart/form-data", on_field, on_file, boundary=options.get(b"boundary"), config=in_memory)
    form.write(body)
    form.finalize()
    form.close()
    return found[0] if found else None


def _picture(content: bytes, model: str) -> Answer:
    try:
        return Answer(200, picture.classify(content), model)
    except ValueError as error:
        return _failed(str(error), model)
