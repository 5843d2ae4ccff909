"""What a load does about its token and its key pair while it is on."""

import gevent
import gevent.event
import pytest
from awaited_client import run_until

from analysis.outcomes import AnsweredBy, Outcome
from loadgate import access as accesses
from loadgate import profiles
from loadgate import target as targets
from loadgate.access import REFUSALS, Access
from loadgate.answers import Answer, judge
from loadgate.connection import clock
from loadgate.credential import Bearer, Credential, KeyPair
from loadgate.errors import ConfigError
from loadgate.exchange import Exchange
from loadgate.payloads import Payload
from loadgate.request import encode

TARGET = targets.parse("http://127.0.0.1/v1")
GATEWAY = profiles.load("modelarts")
PAYLOAD = Payload("a", "json", "application/json", b"{}")


class Tokens:
    """A source whose tokens are given; it is due when told, or when a token was refused."""

    def __init__(self, *tokens):
        self.tokens, self.due, self.asked = list(tokens), float("inf"), []

    def wait_s(self):
        return self.due

    def token(self, refused=False):
        self.asked.append(refused)
        self.due = float("inf")
        answer = self.tokens.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refuse(access, found, ended=1, status=401, exchange=None):
    access.on_failure(exchange or sent(), found, status, ended)


def finding(status, code, message="whatever"):
    body = b'{"error_code":"%b","error_msg":"%b"}' % (code.encode(), message.encode())
    return judge(Answer(status, {}, body), PAYLOAD, None, GATEWAY)


EXPIRED = finding(401, "APIG.0307", "The token must be updated.")
EXPIRED_AT_MODELARTS = finding(401, "ModelArts.0202", "Invalid token header because the token has expired.")
UNSIGNED = finding(401, "APIG.0301", "Incorrect IAM authentication information: verify aksk signature fail")


def sent(credential=None):
    """A request that is sent now."""
    return Exchange(encode(PAYLOAD, TARGET, credential or Credential(), "1"), clock(), clock(), b"")


@pytest.fixture
def access_of(loop):
    """The access of a credential, and what it was locked for."""
    made, locked = [], []

    def make(credential):
        made.append(Access(credential, GATEWAY, locked.append))
        return made[-1], locked

    yield make
    for access in made:
        access.close()


def bearer(source):
    return Bearer("iam", "X-Auth-Token", "", "first", source)


@pytest.mark.parametrize("refusal", [EXPIRED, EXPIRED_AT_MODELARTS])
def test_however_many_requests_are_refused_one_token_is_fetched(access_of, refusal):
    source = Tokens("second")
    credential = bearer(source)
    access, _ = access_of(credential)
    refused = [sent() for _ in range(100)]
    for number, exchange in enumerate(refused[:50]):
        refuse(access, refusal, number, exchange=exchange)
    run_until(lambda: access.renewed)
    for number, exchange in enumerate(refused[50:]):  # they had left before the new token came
        refuse(access, refusal, 50 + number, exchange=exchange)
    gevent.sleep(0.02)

    assert credential.headers("", str) == {"X-Auth-Token": "second"}
    assert (access.renewed, source.asked) == (1, [True])


def test_a_new_token_that_is_refused_too_does_not_make_a_storm_of_logins(access_of, monkeypatch):
    source = Tokens("second", "third")
    access, _ = access_of(bearer(source))
    refuse(access, EXPIRED, 1)
    run_until(lambda: access.renewed)
    for number in range(20):
        refuse(access, EXPIRED, number)
        gevent.sleep(0.001)
    assert source.asked == [True]

    monkeypatch.setattr(accesses, "SPACING_S", 0.0)
    refuse(access, EXPIRED, 1)
    run_until(lambda: access.renewed == 2)


@pytest.mark.parametrize(
    "other", [UNSIGNED, finding(429, "APIG.0308"), finding(403, "APIG.0302"), finding(504, "APIG.0203")]
)
def test_what_a_new_token_would_not_help_fetches_none(access_of, other):
    source = Tokens("second")
    access, _ = access_of(bearer(source))
    refuse(access, other, 1)
    gevent.sleep(0.01)

    assert source.asked == []


def test_a_token_is_renewed_when_its_source_says_so_and_every_request_has_it(access_of):
    source = Tokens("second", None, "third")
    source.due = 0.0
    credential = bearer(source)
    request = encode(PAYLOAD, TARGET, credential, "1")
    assert b"X-Auth-Token: first\r\n" in request.wire(b"")[0]
    access, _ = access_of(credential)
    run_until(lambda: access.renewed)

    assert source.asked == [False]
    assert b"X-Auth-Token: second\r\n" in request.wire(b"")[0]
    assert b"first" not in request.wire(b"")[0]
    assert credential.redact("first and second") == "*** and ***"


def test_a_renewal_that_fails_keeps_the_old_token_and_says_why(access_of, caplog):
    source = Tokens(ConfigError("IAM does not answer"), "second")
    source.due = 0.0
    credential = bearer(source)
    access, _ = access_of(credential)
    run_until(lambda: source.asked)

    assert credential.headers("", str) == {"X-Auth-Token": "first"}
    assert "the token was not renewed: IAM does not answer" in caplog.text
    refuse(access, EXPIRED, 1)
    run_until(lambda: access.renewed)


def test_a_token_of_the_environment_is_all_there_is(access_of):
    access, locked = access_of(Bearer("token", "X-Auth-Token", "", "first"))
    for number in range(20):
        refuse(access, EXPIRED, number)

    assert (access.renewed, locked) == (0, [])


# ---- a key pair


def key_pair():
    return KeyPair("the-access-key", "the-secret-key", "", TARGET)


def test_a_signature_refused_in_a_row_ends_the_load_before_the_fifth_time(access_of):
    access, locked = access_of(key_pair())
    for number in range(1, REFUSALS):
        refuse(access, UNSIGNED, number)
    assert locked == []
    for number in range(REFUSALS, 3 * REFUSALS):
        refuse(access, UNSIGNED, number)

    assert REFUSALS < 5
    assert [str(error) for error in locked] == [
        "the gateway refused the signature 4 times in a row, so the load was ended before it locks the key pair: "
        "APIG.0301 Incorrect IAM authentication information: verify aksk signature fail"
    ]


def test_refusals_between_good_answers_do_not_end_the_load(access_of):
    access, locked = access_of(key_pair())
    for ended in range(1, 100, 2):
        refuse(access, UNSIGNED, ended)

    assert locked == []


def test_the_findings_of_this_file_are_the_gateways():
    assert {found.outcome for found in (EXPIRED, EXPIRED_AT_MODELARTS, UNSIGNED)} == {Outcome.UNAUTHORIZED}
    assert {found.by for found in (EXPIRED, EXPIRED_AT_MODELARTS, UNSIGNED)} == {AnsweredBy.GATEWAY}


MODELS_OWN = judge(Answer(401, {b"server": b"ModelArts"}, b'{"erno":"MR.0105","msg":"no"}'), PAYLOAD, None, GATEWAY)


@pytest.mark.parametrize(("found", "status"), [(MODELS_OWN, 401), (finding(403, "APIG.0302"), 403)])
def test_refusals_that_are_not_about_the_key_do_not_end_the_load(access_of, found, status):
    access, locked = access_of(key_pair())
    for number in range(1, 3 * REFUSALS):
        refuse(access, found, number, status)

    assert found.outcome is Outcome.UNAUTHORIZED
    assert locked == []


def test_refusals_during_a_slow_login_are_answered_by_it(access_of, monkeypatch):
    monkeypatch.setattr(accesses, "SPACING_S", 0.0)
    done = gevent.event.Event()

    class Slow(Tokens):
        def token(self, refused=False):
            token = super().token(refused)
            done.wait()
            return token

    source = Slow("second", "third")
    access, _ = access_of(bearer(source))
    refuse(access, EXPIRED)
    run_until(lambda: source.asked)
    refuse(access, EXPIRED)
    done.set()
    run_until(lambda: access.renewed)
    gevent.sleep(0.02)

    assert source.asked == [True]


def test_a_complaint_that_stays_the_same_is_logged_once(access_of, caplog):
    class Gone(Tokens):
        def wait_s(self):
            return 0.001

    source = Gone(*[ConfigError("the file is gone")] * 5, "second", *[ConfigError("the file is gone")] * 1000)
    access_of(bearer(source))
    run_until(lambda: len(source.asked) > 20)

    assert caplog.text.count("the file is gone") == 2
