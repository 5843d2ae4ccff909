"""The credential of a request: a token, an app code or a signature, whichever it carries."""

import hmac

from .answers import Refusal
from .errors import NO_APP_CODE, NO_TOKEN, UNKNOWN_TOKEN
from .head import Head
from .signature import Signatures, is_signed
from .tokens import Tokens

TOKEN = b"x-auth-token"
APP_CODE = b"x-apig-appcode"


class Credentials:
    """What lets a request in. Of several, the token counts, then the app code."""

    def __init__(self, tokens: Tokens, signatures: Signatures, app_code: str | None) -> None:
        self._tokens = tokens
        self._signatures = signatures
        self._app_code = (app_code or "").encode()

    def refusal(self, head: Head) -> Refusal | None:
        """Why the request may not pass, as far as its head tells."""
        if head.headers.get(TOKEN):
            return self._tokens.refusal(head.headers[TOKEN])
        if APP_CODE in head.headers:
            return None if self._is_app_code(head.headers[APP_CODE]) else NO_APP_CODE
        if is_signed(head):
            return self._signatures.refusal(head)
        return UNKNOWN_TOKEN if b"authorization" in head.headers else NO_TOKEN

    def needs_body(self, head: Head) -> bool:
        """Whether the body can still make the credential a wrong one."""
        return is_signed(head) and not head.headers.get(TOKEN) and APP_CODE not in head.headers

    def body_refusal(self, head: Head, payload_hash: bytes) -> Refusal | None:
        """Why a request that `needs_body` may not pass, now that its body is here."""
        return self._signatures.body_refusal(head, payload_hash)

    def _is_app_code(self, given: bytes) -> bool:
        return bool(self._app_code) and hmac.compare_digest(given, self._app_code)
