import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.redaction import SECRETS_KEPT, SHORTEST_PIECE, Redaction

TOKEN_CHARACTERS = string.ascii_letters + string.digits + "+/=_.-"
TOKENS = st.text(TOKEN_CHARACTERS, min_size=1, max_size=80)
TOKEN = "MIIFHwYJKoZIhvcNAQcCoIIFEDCCBQ+/abc="


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("no secret here: authentication information", "no secret here: authentication information"),
        (TOKEN, "***"),
        (f"{TOKEN} and {TOKEN}", "*** and ***"),
        (f"bad token {TOKEN[:20]}", "bad token ***"),
        (f"bad token {TOKEN[-15:]}!", "bad token ***!"),
        (f"X-Auth-Token={TOKEN[5:25]}", "X-Auth-Token=***"),
        (f"x{TOKEN[:12]}y", "x***y"),
        (TOKEN[:11], TOKEN[:11]),
    ],
)
def test_the_token_and_its_longer_pieces_are_replaced(text, shown):
    assert Redaction(TOKEN)(text) == shown


@given(st.text(TOKEN_CHARACTERS, min_size=12, max_size=80), st.data())
def test_no_piece_of_twelve_token_characters_is_left_whatever_stands_around_it(token, data):
    around = st.text(max_size=5) | st.text(TOKEN_CHARACTERS, max_size=5)
    words = [data.draw(around)]
    for start in data.draw(st.lists(st.integers(0, len(token) - 12), min_size=1, max_size=3)):
        words += [token[start : data.draw(st.integers(start + 12, len(token)))], data.draw(around)]
    shown = Redaction(token)("".join(words))

    assert not any(token[at : at + 12] in shown for at in range(len(token) - 11))


@given(TOKENS, st.text(max_size=40))
def test_a_text_without_the_token_stays_as_it_is(token, text):
    length = min(SHORTEST_PIECE, len(token))
    has_a_piece = any(token[at : at + length] in text for at in range(len(token) - length + 1))

    assert has_a_piece or Redaction(token)(text) == text


def test_a_token_of_other_characters_is_redacted_in_pieces_too():
    assert Redaction("abc:def:ghi:jkl!")("(def:ghi:jkl!)") == "(***)"


def test_without_a_token_nothing_is_redacted():
    assert Redaction("")("as it is") == "as it is"


def test_every_secret_is_redacted_however_long():
    redact = Redaction(TOKEN, "pw")
    redact.add("another-secret-key")

    assert redact(f"{TOKEN[3:20]} pw another-secret-key") == "*** *** ***"


@pytest.mark.parametrize("before", ["Signature=", "signature: ", 'Signature":"'])
def test_a_signature_is_redacted_whole_or_cut(before):
    signature = "7be8b275a24550190e2427e78c1257c953aaded3e204fc1b33ebbebbea24ff21"

    assert Redaction()(f"SignedHeaders=a;b, {before}{signature} end") == f"SignedHeaders=a;b, {before}*** end"
    assert Redaction()(f"{before}{signature[:20]}") == f"{before}***"


def test_the_latest_secrets_are_kept():
    secrets = [f"{number}" * 20 for number in range(SECRETS_KEPT + 1)]
    redact = Redaction(*secrets)

    assert [redact(secret) for secret in secrets] == [secrets[0], *["***"] * SECRETS_KEPT]


def test_a_secret_shows_in_no_representation():
    assert TOKEN not in repr(Redaction(TOKEN))
