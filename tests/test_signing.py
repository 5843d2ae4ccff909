import string
import time
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from urllib.parse import quote, quote_plus

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadgate.signing import (
    UNSIGNED,
    Signer,
    canonical_request,
    canonical_target,
    signature,
    string_to_sign,
    timestamp,
)

EMPTY_SHA256 = sha256(b"").hexdigest()

# ---- published examples

# API Signing Guide, "Constructing a Standard Request" and "Creating a To-Be-Signed String".
GUIDE_DATE = "20191115T033655Z"
GUIDE_REQUEST = """\
GET
/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/
limit=2&marker=13551d6b-755d-4757-b956-536f674975c0
content-type:application/json
host:service.region.example.com
x-sdk-date:20191115T033655Z

content-type;host;x-sdk-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"""
GUIDE_STRING = """\
SDK-HMAC-SHA256
20191115T033655Z
b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"""


def test_the_guides_request_is_laid_out_as_the_guide_does():
    target = canonical_target(
        "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?marker=13551d6b-755d-4757-b956-536f674975c0&limit=2"
    )
    headers = {"Host": "service.region.example.com", "X-Sdk-Date": GUIDE_DATE, "Content-Type": " application/json "}

    assert canonical_request("GET", target, headers, EMPTY_SHA256) == GUIDE_REQUEST


def test_the_guides_request_gives_the_guides_string():
    assert string_to_sign(GUIDE_DATE, GUIDE_REQUEST) == GUIDE_STRING


def test_the_guides_string_is_signed_as_huaweis_sdk_for_java_does():
    """Source: its TestAKSKSigner, which signs the guide's request with a key of its own."""
    expected = "1ce02ffed91dfc294aed8863aaf0fec29ccbf2f45ddcca7f120baabddba29782"

    assert signature(b"testSK", GUIDE_STRING) == expected


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/path?limit=1", b"", "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624"),
        (
            "POST",
            "/path?key=value",
            b'{"Name":"test","Id":1}\n',
            "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59",
        ),
    ],
)
def test_signatures_are_those_of_huaweis_sdk_for_go(method, path, body, expected):
    """Source: its signer_test.go."""
    date = "20060102T150405Z"
    request = canonical_request(method, canonical_target(path), {"X-Sdk-Date": date}, sha256(body).hexdigest())

    assert signature(b"SecretKey", string_to_sign(date, request)) == expected


def test_a_query_is_sorted_and_encoded_as_in_huaweis_sdk_for_go():
    """Source: its signer_test.go."""
    sent = "test=一+(%26%3D?!%23%25.*)&path=/tmp/123&multi=3&multi=1&multi=2&limit=1&enable=true"
    signed = (
        "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    )

    assert canonical_target(f"/path?{sent}") == f"/path/\n{signed}"


def test_headers_are_sorted_by_name():
    """`-` comes before `:`, so sorted lines would be in another order."""
    request = canonical_request("GET", canonical_target("/"), {"X-A-B": "2", "X-A": "1"}, EMPTY_SHA256)

    assert request == f"GET\n/\n\nx-a:1\nx-a-b:2\n\nx-a;x-a-b\n{EMPTY_SHA256}"


# ---- requests to an inference service

INFERENCE = {
    "path": "/v1/infers/eb3e0c54-3dfa-4750-af0c-95c45e5d3e83",
    "host": "modelarts-infers-1.example.com",
}
BODY_SHA256 = "9ab192e3302bc69afc9c00f580d9050e3e416679c126c8f563d1ccb0519b1c04"
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def signer():
    return Signer("AKIDEXAMPLE0000000000", "SECRETEXAMPLE00000000000000000000000000", **INFERENCE)


def test_a_signed_body_needs_a_date_and_an_authorization(signer):
    assert signer.headers("application/json", BODY_SHA256, NEW_YEAR) == {
        "X-Sdk-Date": "20240101T000000Z",
        "Authorization": "SDK-HMAC-SHA256 Access=AKIDEXAMPLE0000000000, SignedHeaders=content-type;host;x-sdk-date, "
        "Signature=7be8b275a24550190e2427e78c1257c953aaded3e204fc1b33ebbebbea24ff21",
    }


def test_an_unsigned_body_is_declared_in_a_signed_header(signer):
    assert signer.headers("multipart/form-data; boundary=x", UNSIGNED, NEW_YEAR) == {
        "X-Sdk-Date": "20240101T000000Z",
        "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD",
        "Authorization": "SDK-HMAC-SHA256 Access=AKIDEXAMPLE0000000000, "
        "SignedHeaders=content-type;host;x-sdk-content-sha256;x-sdk-date, "
        "Signature=f7ecaf0edd72e45154903f54c23d5e6f974ef67dafa608306c695fb0393648dc",
    }


def test_a_security_token_is_sent_and_signed():
    made = Signer("AK", "SK", **INFERENCE, security_token="gQpjbi1ub3J0aC00=").headers("text/plain", UNSIGNED, NEW_YEAR)

    assert made["X-Security-Token"] == "gQpjbi1ub3J0aC00="
    assert ";x-sdk-date;x-security-token," in made["Authorization"]


@pytest.fixture
def in_shanghai(monkeypatch):
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_shanghai")
@pytest.mark.parametrize(
    "at",
    [
        datetime(2006, 1, 2, 15, 4, 5, 999_999, tzinfo=UTC),
        datetime(2006, 1, 2, 16, 4, 5, tzinfo=timezone(timedelta(hours=1))),
        datetime(2006, 1, 2, 23, 4, 5),  # noqa: DTZ001 - local time
        1136214245,
        1136214245.9,
    ],
)
def test_the_date_is_utc_in_whole_seconds(at):
    assert timestamp(at) == "20060102T150405Z"


def test_no_key_or_token_shows_in_a_representation():
    shown = repr([Signer("the-access", "the-secret", path="/?code=the-code", host="h", security_token="the-token")])

    assert shown == "[Signer('h', ...)]"


# ---- huaweicloudsdkcore signs the same

# What a request line can hold: no space, nothing but ASCII; `?` and `#` end a path.
IN_A_PATH = "".join(sorted(set(string.printable) - set(string.whitespace) - set("?#")))
PATHS = st.lists(st.text(IN_A_PATH, max_size=8) | st.text(max_size=4).map(quote), max_size=4).map("/".join)
QUERY_ENCODINGS = st.sampled_from(
    [
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="/?:@!$'()*,;"),  # what may stand in a query as it is
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    ]
)
NAMES = st.sampled_from(["a", "A", "aa", "a-b", "a/b", "é"]) | st.text(max_size=4)  # some come again
PAIRS = st.lists(st.tuples(NAMES, st.just("") | st.text(max_size=6)), max_size=5)
SIGNED_BODIES = st.tuples(st.sampled_from(["application/json", "application/json;charset=utf8"]), st.binary())
UNSIGNED_BODIES = st.tuples(
    st.from_regex(r"multipart/form-data; boundary=[0-9a-zA-Z'()+_,./:=?-]{1,20}", fullmatch=True), st.binary(min_size=1)
)
HOSTS = st.sampled_from(["service.example.com", "service.example.com:8443", "[::1]:8080"])
KEYS = st.text(string.ascii_letters + string.digits + "+/=", min_size=1)
DATES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def queries(draw):
    """A query as it is sent, and its names and values."""
    pairs, encode = draw(PAIRS), draw(QUERY_ENCODINGS)
    return "&".join(_parameter(encode(name), encode(value), draw(st.booleans())) for name, value in pairs), pairs


def _parameter(name, value, short):
    return name if name and not value and short else f"{name}={value}"


def sign_with_the_sdk(keys, token, host, path, pairs, content_type, body, date):
    """The headers after huaweicloudsdkcore has signed them. It keeps a date that is there."""
    credentials = BasicCredentials(*keys)
    if token:
        credentials.with_security_token(token)
    headers = {"Content-Type": content_type, "X-Sdk-Date": date}
    request = SdkRequest("POST", "https", host, path, query_params=pairs, header_params=headers, body=body)
    return credentials.sign_request(request).header_params


@settings(max_examples=200)
@given(st.tuples(KEYS, KEYS), st.just("") | KEYS, HOSTS, PATHS, queries(), SIGNED_BODIES | UNSIGNED_BODIES, DATES)
@example(
    ("AK", "SK"),
    "",
    "h",
    "a%2fb%2Fc%",
    ("A=1&a=&b&b=+%2B&c/d", [("A", "1"), ("a", ""), ("b", ""), ("b", " +"), ("c/d", "")]),
    ("application/json", b""),
    NEW_YEAR,
)
def test_every_request_is_signed_as_huaweis_sdk_for_python_does(keys, token, host, path, query, content, at):
    sent, pairs = query
    content_type, body = content
    target = f"/{path}?{sent}" if sent else f"/{path}"
    body_sha256 = UNSIGNED if content_type.startswith("multipart/") else sha256(body).hexdigest()
    ours = Signer(*keys, path=target, host=host, security_token=token).headers(content_type, body_sha256, at)
    theirs = sign_with_the_sdk(keys, token, host, f"/{path}", pairs, content_type, body, f"{at:%Y%m%dT%H%M%SZ}")

    assert {"Host": host, "Content-Type": content_type, **ours} == theirs
