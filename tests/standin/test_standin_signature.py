"""Signatures against the vendor's published vectors, and against the signer of the vendor's own SDK."""

import hashlib
import string
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given
from hypothesis import strategies as st

from loadgate.standin.errors import AK_LOCKED, EXPIRED_SIGNATURE, WRONG_SIGNATURE
from loadgate.standin.head import Head
from loadgate.standin.signature import AccessKey, Signatures, canonical_request, payload_hash, signature

AK, SK = "AKIDEXAMPLE0000000000", "SECRETEXAMPLE00000000000000000000000000"
NOW = datetime(2024, 1, 1, tzinfo=UTC)
HOST = "modelarts-infers-1.example.com"
PATH = "/v1/infers/eb3e0c54-3dfa-4750-af0c-95c45e5d3e83"
BODY = b'{"data":{"req_data":[{"sepal_length":3,"sepal_width":1,"petal_length":2.2,"petal_width":4}]}}'


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def checker(*, token=None, now=NOW, clock=None):
    return Signatures(AccessKey(AK, SK, token), lock_s=300.0, clock=clock or Clock(), now=lambda: now)


def judged(signatures, head, body):
    return signatures.refusal(head) or signatures.body_refusal(head, payload_hash(body))


def by_the_sdk(body=BODY, *, path=PATH, query=(), headers=None, secret=SK):
    """A head as the vendor's SDK signs it and as it goes out."""
    sent = {"X-Sdk-Date": f"{NOW:%Y%m%dT%H%M%SZ}", **(headers or {})}
    request = SdkRequest(
        method="POST",
        schema="https",
        host=HOST,
        resource_path=path,
        uri=None,
        query_params=list(query),
        header_params=sent,
        body=body,
        stream=False,
        signing_algorithm=None,
    )
    signed = Signer(BasicCredentials(AK, secret)).sign(request)
    names = {name.lower().encode(): value.encode("latin-1") for name, value in signed.header_params.items()}
    return Head("POST", path, signed.uri[len(path) + 1 :].encode(), names)


def head(headers, *, method="POST", path=PATH, query=b""):
    return Head(method, path, query, headers)


def test_the_published_vector_of_a_get():
    request = canonical_request(
        head({b"x-sdk-date": b"20060102T150405Z"}, method="GET", path="/path", query=b"limit=1"),
        [b"x-sdk-date"],
        payload_hash(b""),
    )
    expected = b"5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624"
    assert signature("SecretKey", b"20060102T150405Z", request) == expected


def test_the_published_vector_of_a_post():
    request = canonical_request(
        head({b"x-sdk-date": b"20060102T150405Z"}, path="/path", query=b"key=value"),
        [b"x-sdk-date"],
        payload_hash(b'{"Name":"test","Id":1}\n'),
    )
    expected = b"cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59"
    assert signature("SecretKey", b"20060102T150405Z", request) == expected


def test_the_published_vector_of_a_query():
    sent = quote("一 (&=?!#%.*)")
    query = f"test={sent}&path=/tmp/123&multi=3&multi=1&multi=2&limit=1&enable=true".encode()
    written = canonical_request(head({}, query=query), [], b"").split(b"\n")[2]
    assert written == (
        b"enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    )


@pytest.mark.parametrize(
    ("names", "headers", "canonical", "signed"),
    [
        (
            b"content-type;host;x-sdk-date",
            {b"content-type": b"application/json"},
            "8d50078c8a238fb0c37443887812d528e206897d09c329df477d654507a9cfe8",
            b"7be8b275a24550190e2427e78c1257c953aaded3e204fc1b33ebbebbea24ff21",
        ),
        (
            b"content-type;host;x-sdk-content-sha256;x-sdk-date",
            {b"content-type": b"multipart/form-data; boundary=x", b"x-sdk-content-sha256": b"UNSIGNED-PAYLOAD"},
            "ba96625f3d6d8837c4fb101303ca3717766ddbf918f02e6af5dd3c516b241186",
            b"f7ecaf0edd72e45154903f54c23d5e6f974ef67dafa608306c695fb0393648dc",
        ),
        (
            b"x-sdk-date",
            {},
            "c29fc1b040d19139ebd92482ffe1aae8a95e7e0ffd4b54a90917393dade3b86a",
            b"1aa09923511a285c1cb36fb7789aabd4fe35582b77d5cf74eaa7ee799fc4a4cf",
        ),
    ],
)
def test_vectors_of_inference_requests(names, headers, canonical, signed):
    sent = {b"host": HOST.encode(), b"x-sdk-date": b"20240101T000000Z", **headers}
    payload = headers.get(b"x-sdk-content-sha256", payload_hash(BODY))
    request = canonical_request(head(sent), names.split(b";"), payload)
    assert hashlib.sha256(request).hexdigest() == canonical
    assert signature(SK, b"20240101T000000Z", request) == signed
    for separator in (b", ", b","):  # clients write both
        parts = (b"SDK-HMAC-SHA256 Access=" + AK.encode(), b"SignedHeaders=" + names, b"Signature=" + signed)
        assert judged(checker(), head({**sent, b"authorization": separator.join(parts)}), BODY) is None


def test_signed_headers_are_in_their_order_whatever_the_clients():
    sent = {b"host": b" h ", b"x-sdk-date": b"20240101T000000Z"}
    lines = canonical_request(head(sent), [b"x-sdk-date", b"host"], b"hash").split(b"\n")
    assert lines[3:] == [b"host:h", b"x-sdk-date:20240101T000000Z", b"", b"host;x-sdk-date", b"hash"]


TEXT = st.text(string.printable + "äß一", max_size=12)
SEGMENT = TEXT.filter(lambda text: "/" not in text)


@given(
    segments=st.lists(SEGMENT.filter(lambda text: "%" not in text), max_size=3),
    query=st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=4),
    body=st.binary(min_size=1, max_size=40),
    kind=st.sampled_from(["application/json", "multipart/form-data; boundary=x"]),
)
def test_what_the_sdk_signs_is_right_and_with_another_secret_wrong(segments, query, body, kind):
    path = "/".join([PATH, *segments])
    args = {"path": path, "query": query, "headers": {"Content-Type": kind, "X-Project-Id": " p1 "}}
    assert judged(checker(), by_the_sdk(body, **args), body) is None
    refusal = judged(checker(), by_the_sdk(body, **args, secret="another"), body)
    assert refusal.message.startswith("Incorrect IAM authentication information: verify aksk signature fail, canonical")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": PATH + "/other"},
        {"query": b"limit=2"},
        {"headers": {b"host": b"elsewhere"}},
        {"headers": {b"x-sdk-date": b"20240101T000001Z"}},
    ],
)
def test_what_is_changed_after_signing_does_not_pass(change):
    signed = by_the_sdk(query=[("limit", "1")])
    fields = {"method": signed.method, "path": signed.path, "query": signed.query, **change}
    changed = Head(**fields | {"headers": {**signed.headers, **change.get("headers", {})}})
    assert judged(checker(), signed, BODY) is None
    assert judged(checker(), changed, BODY).status == 401
    assert judged(checker(), signed, BODY + b" ").status == 401


def test_the_refusal_shows_what_should_have_been_signed():
    signed = by_the_sdk(headers={"Host": "h"}, secret="another")
    hexadecimal = hashlib.sha256(BODY).hexdigest()
    words = f"canonicalRequest:POST|{PATH}/||host:h|x-sdk-date:20240101T000000Z||host;x-sdk-date|{hexadecimal}"
    assert judged(checker(), signed, BODY).message.endswith(words)


def test_a_body_that_is_not_signed_may_be_any():
    signed = by_the_sdk(headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert signed.headers[b"x-sdk-content-sha256"] == b"UNSIGNED-PAYLOAD"
    assert judged(checker(), signed, b"another body") is None


def test_a_claimed_hash_must_be_the_bodys():
    claimed = hashlib.sha256(BODY).hexdigest()
    signed = by_the_sdk(headers={"X-Sdk-Content-Sha256": claimed})
    assert judged(checker(), signed, BODY) is None
    assert judged(checker(), signed, b"another body") is WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("off", "refusal"),
    [
        (timedelta(minutes=15), None),
        (timedelta(minutes=-15), None),
        (timedelta(minutes=15, seconds=1), EXPIRED_SIGNATURE),
        (timedelta(minutes=-15, seconds=-1), EXPIRED_SIGNATURE),
    ],
)
def test_a_signature_is_good_for_a_quarter_of_an_hour(off, refusal):
    assert judged(checker(now=NOW + off), by_the_sdk(), BODY) is refusal


@pytest.mark.parametrize(
    "authorization",
    [
        b"SDK-HMAC-SHA256",
        b"SDK-HMAC-SHA256 Access=a",
        b"SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=short",
        b"SDK-HMAC-SHA256 Access=%b, SignedHeaders=host, Signature=%b" % (AK.encode(), b"0" * 64),
        b"SDK-HMAC-SHA256 Access=%b, SignedHeaders=x-sdk-date;x-absent, Signature=%b" % (AK.encode(), b"0" * 64),
    ],
)
def test_without_a_signed_date_or_whole_header_it_is_wrong(authorization):
    sent = {b"host": HOST.encode(), b"x-sdk-date": b"20240101T000000Z", b"authorization": authorization}
    assert judged(checker(), head(sent), BODY) is WRONG_SIGNATURE


@pytest.mark.parametrize("date", [b"", b"yesterday", b"2024-01-01T00:00:00Z", b"\xff"])
def test_a_date_that_is_none_is_wrong(date):
    signed = by_the_sdk()
    assert judged(checker(), head({**signed.headers, b"x-sdk-date": date}), BODY) is WRONG_SIGNATURE


def test_another_key_does_not_exist():
    stranger = by_the_sdk().headers[b"authorization"].replace(AK.encode(), b"STRANGER{ak}")
    for signatures in (checker(), Signatures(None, lock_s=1.0, clock=Clock())):
        refusal = judged(signatures, head({**by_the_sdk().headers, b"authorization": stranger}), BODY)
        assert refusal.message.endswith("Get secretKey failed,ak:STRANGER{ak},err:ak not exist")


@pytest.mark.parametrize(("sent", "good"), [({"X-Security-Token": "temporary"}, True), ({}, False)])
def test_a_temporary_key_exists_only_with_its_token(sent, good):
    refusal = judged(checker(token="temporary"), by_the_sdk(headers=sent), BODY)
    assert (refusal is None) == good


def test_six_wrong_signatures_in_a_row_lock_the_key():
    clock = Clock()
    signatures = checker(clock=clock)
    right, wrong = by_the_sdk(), by_the_sdk(secret="another")
    for _ in range(5):
        assert judged(signatures, wrong, BODY) is not AK_LOCKED
    assert judged(signatures, right, BODY) is None  # five are not too many, and a right one starts the count again
    for _ in range(6):
        assert judged(signatures, wrong, BODY) is not AK_LOCKED
    clock.now_s = 299.9
    assert judged(signatures, right, BODY) is AK_LOCKED
    clock.now_s = 300.0
    assert judged(signatures, right, BODY) is None


def test_wrong_bodies_lock_the_key_too():
    signatures = checker()
    signed = by_the_sdk(headers={"X-Sdk-Content-Sha256": hashlib.sha256(BODY).hexdigest()})
    for _ in range(6):
        assert judged(signatures, signed, b"another body") is WRONG_SIGNATURE
    assert judged(signatures, signed, BODY) is AK_LOCKED


def test_the_secret_does_not_show():
    assert SK not in repr(AccessKey(AK, SK))
