"""The identity service: hands out tokens for a user and a password, as IAM's API version 3 does."""

import hmac
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from .tokens import Tokens

PATH = "/v3/auth/tokens"
BODY_LIMIT_BYTES = 64 * 1024

WRONG_PASSWORD = {"error": {"message": "The username or password is wrong.", "code": 401, "title": "Unauthorized"}}


class BadRequest(Exception):  # noqa: N818  it names the answer
    """A request that IAM refuses, with IAM's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"error_code": code, "error_msg": message}


class Iam:
    """Issues tokens into `tokens`."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        credentials: tuple[str, str] | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens = tokens
        self._credentials = credentials
        self._now = now

    async def issue(self, request: Request) -> Response:
        """Answer `POST /v3/auth/tokens`."""
        try:
            auth = _member(_document(await _body(request)), "auth")
            name, password, domain = _login(auth)
            scope = _scope(auth)
        except BadRequest as refused:
            return JSONResponse(refused.body, 400)
        except ClientDisconnect:
            return Response(status_code=400)
        if not self._right(name, password):
            return JSONResponse(WRONG_PASSWORD, 401)
        token = self._tokens.issue(project="project" in scope)
        catalog = [] if "nocatalog" in request.query_params else [CATALOG]
        content = self._description(name, domain, scope) | {"catalog": catalog}
        return JSONResponse({"token": content}, 201, {"X-Subject-Token": token})

    def _right(self, name: str, password: str) -> bool:
        if self._credentials is None:
            return bool(name and password)
        right_name, right_password = (text.encode() for text in self._credentials)
        return hmac.compare_digest(name.encode(), right_name) & hmac.compare_digest(password.encode(), right_password)

    def _description(self, name: str, domain: str, scope: dict[str, Any]) -> dict[str, Any]:
        issued = self._now()
        expires = issued + timedelta(seconds=self._tokens.validity_s)
        account = {"name": domain, "id": _id(domain)}
        kind, target = next(iter(scope.items()))
        scoped = {"name": target.get("name", domain), "id": target.get("id", _id(str(target.get("name"))))}
        return {
            "methods": ["password"],
            "issued_at": _timestamp(issued),
            "expires_at": _timestamp(expires),
            "user": {"name": name, "id": _id(name), "password_expires_at": "", "domain": account},
            kind: scoped | ({"domain": account} if kind == "project" else {}),
            "roles": [{"name": "te_admin", "id": "0"}],
        }


CATALOG = {
    "type": "modelarts",
    "id": uuid.uuid5(uuid.NAMESPACE_DNS, "modelarts").hex,
    "name": "modelarts",
    "endpoints": [],
}


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise BadRequest("IAM.0011", "Request body is invalid.")
    return body


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadRequest("IAM.0011", "Request body is invalid.")
    return document


def _login(auth: dict[str, Any]) -> tuple[str, str, str]:
    identity = _member(auth, "identity")
    methods = identity.get("methods")
    if not isinstance(methods, list) or "password" not in methods:
        raise _invalid("methods", methods)
    user = _member(_member(identity, "password"), "user")
    return _text(user, "name"), _text(user, "password"), _text(_member(user, "domain"), "name")


def _scope(auth: dict[str, Any]) -> dict[str, Any]:
    """The scope as {kind: target}: a project goes before a domain, no scope at all is a domain's."""
    scope = _member(auth, "scope") if "scope" in auth else {}
    for kind in ("project", "domain"):
        if kind in scope:
            target = _member(scope, kind)
            key = "id" if "id" in target else "name"
            return {kind: {key: _text(target, key)}}
    return {"domain": {}}


def _member(parent: dict[str, Any], key: str) -> dict[str, Any]:
    if key not in parent:
        raise _required(key)
    if not isinstance(parent[key], dict):
        raise BadRequest("IAM.0007", f"Request parameter {key} is invalid.")
    child: dict[str, Any] = parent[key]
    return child


def _text(parent: dict[str, Any], key: str) -> str:
    if key not in parent:
        raise _required(key)
    # The value is not repeated: it may be a password.
    if not isinstance(parent[key], str) or not parent[key].isprintable():
        raise BadRequest("IAM.0007", f"Request parameter {key} is invalid.")
    return str(parent[key])


def _required(key: str) -> BadRequest:
    return BadRequest("IAM.0072", f"'{key}' is a required property.")


def _invalid(key: str, value: object) -> BadRequest:
    return BadRequest("IAM.0073", f"Invalid input for field '{key}'. The value is '{str(value)[:200]}'.")


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_DNS, name).hex


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
