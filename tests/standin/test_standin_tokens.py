import pytest

from loadgate.standin.errors import DOMAIN_TOKEN, EXPIRED_TOKEN, UNKNOWN_TOKEN
from loadgate.standin.tokens import Tokens


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(clock):
    return Tokens(validity_s=100, clock=clock, most=3)


def test_a_token_looks_like_a_real_one(tokens):
    token = tokens.issue(project=True)
    assert token.startswith("MIIS")
    assert len(token) == 6344


def test_a_project_token_is_good(tokens):
    assert tokens.refusal(tokens.issue(project=True).encode()) is None


def test_a_domain_token_is_refused(tokens):
    assert tokens.refusal(tokens.issue(project=False).encode()) is DOMAIN_TOKEN


def test_a_token_that_nobody_issued_is_unknown(tokens):
    assert tokens.refusal(b"MIISwrong") is UNKNOWN_TOKEN


def test_a_token_expires_when_its_time_is_over(tokens, clock):
    token = tokens.issue(project=True).encode()
    clock.now_s = 99.9
    assert tokens.refusal(token) is None
    clock.now_s = 100.0
    assert tokens.refusal(token) is EXPIRED_TOKEN


def test_a_new_token_leaves_the_old_one_valid_until_there_are_too_many(tokens):
    first, *others = [tokens.issue(project=True).encode() for _ in range(4)]
    assert tokens.refusal(first) is UNKNOWN_TOKEN
    assert [tokens.refusal(token) for token in others] == [None, None, None]


def test_an_accepted_token_never_expires(tokens, clock):
    tokens.accept("sesame")
    clock.now_s = 1e9
    assert tokens.refusal(b"sesame") is None
