import pytest

from loadgate.standin.credentials import Credentials
from loadgate.standin.errors import NO_APP_CODE, NO_TOKEN, UNKNOWN_TOKEN, WRONG_SIGNATURE
from loadgate.standin.head import Head
from loadgate.standin.signature import Signatures
from loadgate.standin.tokens import Tokens


@pytest.fixture
def credentials():
    def made(app_code="open-up"):
        tokens = Tokens(validity_s=100, clock=lambda: 0.0)
        tokens.accept("sesame")
        return Credentials(tokens, Signatures(None, lock_s=1.0, clock=lambda: 0.0), app_code)

    return made


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, NO_TOKEN),
        ({b"x-auth-token": b""}, NO_TOKEN),
        ({b"x-auth-token": b"sesame"}, None),
        ({b"x-auth-token": b"wrong"}, UNKNOWN_TOKEN),
        ({b"x-apig-appcode": b"open-up"}, None),
        ({b"x-apig-appcode": b"open-upp"}, NO_APP_CODE),
        ({b"x-apig-appcode": b""}, NO_APP_CODE),
        ({b"authorization": b"Bearer sesame"}, UNKNOWN_TOKEN),
        ({b"authorization": b"SDK-HMAC-SHA256 x"}, WRONG_SIGNATURE),
        ({b"authorization": b"SDK-HMAC-SHA256 x", b"x-auth-token": b"sesame"}, None),
        ({b"x-apig-appcode": b"wrong", b"x-auth-token": b"sesame"}, None),
    ],
)
def test_each_kind_of_credential_has_its_own_refusal(credentials, headers, refusal):
    head = Head("POST", "/v1/infers/x", b"", headers)
    assert credentials().refusal(head) is refusal
    assert credentials().needs_body(head) == (refusal is WRONG_SIGNATURE)


@pytest.mark.parametrize("sent", [b"", b"anything"])
def test_without_an_app_code_none_is_right(credentials, sent):
    head = Head("POST", "/v1/infers/x", b"", {b"x-apig-appcode": sent})
    assert credentials(None).refusal(head) is NO_APP_CODE
