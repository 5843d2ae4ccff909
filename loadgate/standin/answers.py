"""What is sent back: an answer of the gateway itself, or one of the model."""

import json
from dataclasses import dataclass, replace

EXAMPLES = {
    "service": "eb3e0c54-3dfa-4750-af0c-95c45e5d3e83",
    "ak": "AKIDEXAMPLE0000000000",
    "appkey": "01177c425f71487ea362ba84dc4abe5e",
    "request": "POST|/v1/infers/x/||x-sdk-date:20240101T000000Z||x-sdk-date|UNSIGNED-PAYLOAD",
    "limit": "100",
    "time": "1 minute",
}
"""What fills a message's blanks where nothing of the request does."""

HTML = (
    "<html>\r\n<head><title>{reason}</title></head>\r\n<body>\r\n<center><h1>{reason}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
"""nginx's own error page (ngx_http_special_response.c)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the gateway itself, or of the dispatcher behind it."""

    status: int
    """HTTP status."""
    code: str
    """`APIG.*` or `ModelArts.*`; only together with status and message does it mean one thing."""
    message: str
    """The vendor's sentence, its dots and spaces included; may have blanks, as in `{service}`."""
    form: str = ""
    """How the body is written; empty: as the layer does that the code is of. See FORMS."""

    @property
    def server(self) -> bytes:
        """The Server header: the gateway's, but what came from behind it says so."""
        if self.form == "html":
            return b"nginx"
        return b"ModelArts" if self.code.startswith("ModelArts.") else b"api-gateway"

    @property
    def content_type(self) -> bytes:
        """The Content-Type header."""
        return b"text/html" if self.form == "html" else b"application/json"

    @property
    def sent_code(self) -> str:
        """The code that the body carries; empty: none."""
        return "" if self.form == "html" else self.code

    def about(self, **blanks: str) -> "Refusal":
        """The same with its blanks filled, with an example where none is given."""
        return replace(self, message=self.message.format_map(EXAMPLES | blanks))

    def body(self, request_id: str) -> bytes:
        """The body: the gateway's default response template, or the two keys of the dispatcher."""
        fields = {"error_code": self.code, "error_msg": self.message}
        match self.form:
            case "html":
                return HTML.format(reason=f"{self.status} {self.message}").encode()
            case "wrapped":
                return _json({"error": {"code": self.code, "message": self.message}})
            case "truncated":
                whole = _json(fields)
                return whole[: len(whole) * 2 // 3]
        # The vendor's pages show request_id in bodies of APIG alone.
        named = not self.form and not self.code.startswith("ModelArts.")
        return _json(fields | ({"request_id": request_id} if named else {}))


FORMS = ("", "no_request_id", "wrapped", "html", "truncated")


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the model, good or bad."""

    status: int
    """HTTP status."""
    body: bytes
    """JSON."""
    model: str = ""
    """Which model answered: json, file or base64."""
    uuid: str = ""
    """The request's own id, if it had one."""
