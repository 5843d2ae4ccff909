import asyncio
import json
from datetime import datetime

import pytest

from loadgate.standin.settings import Settings

PATH = "/v3/auth/tokens"


def body(*, scope=None, **changes):
    login = {"name": "me", "password": "pw", "domain": {"name": "account"}, **changes}
    auth = {"identity": {"methods": ["password"], "password": {"user": login}}}
    return {"auth": auth | ({"scope": scope} if scope else {})}


def ask(bench, content, *, path=PATH, use=False, **settings):
    """The answer to one token request, and the status of an inference with that token."""

    async def scenario(bed):
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        reply = await bed.call(sent, path=path, token=None)
        used = await bed.call(b"{", token=reply.headers["x-subject-token"]) if use else None
        assert len(bed.rows) == (1 if use else 0)
        return reply, used

    return bench(Settings(**settings), scenario)


@pytest.mark.parametrize("key", ["id", "name"])
def test_a_project_token_is_issued_and_good(bench, key):
    reply, used = ask(bench, body(scope={"project": {key: "ap-1"}}), use=True)
    assert reply.status == 201
    assert reply.headers["x-subject-token"].startswith("MIIS")
    assert len(reply.headers["x-request-id"]) == 32
    token = json.loads(reply.body)["token"]
    assert token["project"][key] == "ap-1"
    assert token["user"]["domain"]["name"] == "account"
    assert used.status == 400  # through the gateway, up to the body that is not JSON


@pytest.mark.parametrize(("settings", "life_s"), [({}, 24 * 3600), ({"token_validity_s": 90.0}, 90)])
def test_a_token_says_how_long_it_is_valid(bench, settings, life_s):
    token = json.loads(ask(bench, body(), **settings)[0].body)["token"]
    issued, expires = (datetime.strptime(token[key], "%Y-%m-%dT%H:%M:%S.%f%z") for key in ("issued_at", "expires_at"))
    assert (expires - issued).total_seconds() == life_s


@pytest.mark.parametrize("scope", [None, {"domain": {"name": "account"}}])
def test_without_a_project_it_is_a_domain_token(bench, scope):
    reply, used = ask(bench, body(scope=scope), use=True)
    assert "project" not in json.loads(reply.body)["token"]
    assert json.loads(used.body)["error_code"] == "ModelArts.0212"


def test_a_project_goes_before_a_domain(bench):
    scope = {"domain": {"name": "account"}, "project": {"name": "ap-1"}}
    assert ask(bench, body(scope=scope), use=True)[1].status == 400


def test_the_catalog_can_be_left_out(bench):
    assert json.loads(ask(bench, body())[0].body)["token"]["catalog"]
    reply, _ = ask(bench, body(), path=f"{PATH}?nocatalog=true")
    assert json.loads(reply.body)["token"]["catalog"] == []


@pytest.mark.parametrize(("user", "password", "status"), [("me", "pw", 201), ("me", "no", 401), ("you", "pw", 401)])
def test_with_credentials_set_only_these_are_right(bench, user, password, status):
    reply, _ = ask(bench, body(name=user, password=password), credentials=("me", "pw"))
    assert reply.status == status
    if status == 401:
        assert json.loads(reply.body)["error"]["message"] == "The username or password is wrong."


def test_without_credentials_an_empty_password_is_wrong(bench):
    assert ask(bench, body(password=""))[0].status == 401


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"{", "IAM.0011", "Request body is invalid."),
        (b"[]", "IAM.0011", "Request body is invalid."),
        (b"[" * 60_000, "IAM.0011", "Request body is invalid."),
        (b" " * 70_000, "IAM.0011", "Request body is invalid."),
        ({}, "IAM.0072", "'auth' is a required property."),
        ({"auth": {}}, "IAM.0072", "'identity' is a required property."),
        ({"auth": 1}, "IAM.0007", "Request parameter auth is invalid."),
        ({"auth": {"identity": {"methods": ["token"]}}}, "IAM.0073", "The value is '['token']'."),
        (body(domain=None), "IAM.0007", "Request parameter domain is invalid."),
        (body(password=7), "IAM.0007", "Request parameter password is invalid."),
        (body(name="\ud800"), "IAM.0007", "Request parameter name is invalid."),
        (body(scope={"project": {}}), "IAM.0072", "'name' is a required property."),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(bench, content, code, message):
    reply, _ = ask(bench, content)
    answer = json.loads(reply.body)
    assert (reply.status, answer["error_code"]) == (400, code)
    assert message in answer["error_msg"]


def test_a_client_that_leaves_before_the_end_of_its_request_is_no_error(bench):
    async def scenario(bed):
        leave = asyncio.Event()
        leave.set()
        await bed.call(b"{", path=PATH, stall=True, leave=leave)

    bench(Settings(), scenario)


def test_a_wrong_method_does_not_exist(bench):
    async def scenario(bed):
        reply = await bed.call(path=PATH, method="GET")
        assert (reply.status, json.loads(reply.body)["error_msg"]) == (404, "The API does not exist.")

    bench(Settings(), scenario)
