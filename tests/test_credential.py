import re
import time
from argparse import Namespace

import pytest

from loadgate import credential as credentials
from loadgate import profiles
from loadgate import target as targets
from loadgate.credential import Bearer, Credential, KeyPair
from loadgate.errors import ConfigError

TARGET = targets.parse("https://h.example/v1/infers/1")
TOKEN, APPCODE, SK = "MIIFHwYJKoZIhvcNAQcCoIIFEDCCBQ+/abc=", "an-app-code-of-some-length", "a-secret-key-of-some-length"
AKSK = {"LOADGATE_AK": "an-access-key", "LOADGATE_SK": SK}
IAM = {f"LOADGATE_IAM_{name}": "x" for name in ("USER", "PASSWORD", "DOMAIN", "PROJECT")}


def find(environ, gateway="modelarts", **options):
    given = Namespace(**({"auth": None, "token_file": None, "cacert": None} | options))
    return credentials.find(profiles.load(gateway), TARGET, given, environ)


def headers(credential, content_type="application/json"):
    return dict(credential.headers(content_type, lambda: "ab" * 32))


def test_a_token_of_the_environment_goes_into_the_gateways_header_without_its_line_end():
    credential = find({"LOADGATE_TOKEN": f" {TOKEN}\n"})

    assert (credential.way, headers(credential)) == ("token", {"X-Auth-Token": TOKEN})


def test_a_token_file_goes_before_the_environment(tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    credential = find({"LOADGATE_TOKEN": "other", **AKSK}, token_file=str(tmp_path / "token"))

    assert headers(credential) == {"X-Auth-Token": TOKEN}
    (tmp_path / "token").write_text("renewed-token")
    assert credential.source.token() == "renewed-token"


def test_an_app_code_has_its_header():
    assert headers(find({"LOADGATE_APPCODE": APPCODE})) == {"X-Apig-AppCode": APPCODE}


def test_a_bearer_token_goes_to_any_gateway_that_is_told_so():
    credential = find({"LOADGATE_TOKEN": TOKEN}, gateway="nginx", auth="bearer")

    assert (credential.way, headers(credential)) == ("bearer", {"Authorization": f"Bearer {TOKEN}"})


@pytest.mark.parametrize("gateway", ["none", "nginx", "kong", "knative", "cloudflare"])
def test_a_gateway_that_asks_for_nothing_is_sent_no_secret_that_is_meant_for_another(gateway):
    credential = find({"LOADGATE_TOKEN": TOKEN, **AKSK}, gateway=gateway)

    assert (credential.way, headers(credential)) == ("none", {})


def test_an_open_service_behind_a_gateway_that_mostly_asks():
    assert headers(find({"LOADGATE_TOKEN": TOKEN}, auth="none")) == {}


def test_a_key_pair_signs_json_and_leaves_files_unsigned():
    credential = find({**AKSK, "LOADGATE_SECURITY_TOKEN": "temporary-security-token"})
    signed, unsigned = headers(credential), headers(credential, "multipart/form-data; boundary=x")

    assert signed["Authorization"].startswith("SDK-HMAC-SHA256 Access=an-access-key, SignedHeaders=content-type;host;")
    assert "X-Sdk-Content-Sha256" not in signed
    assert unsigned["X-Sdk-Content-Sha256"] == "UNSIGNED-PAYLOAD"
    assert signed["X-Security-Token"] == unsigned["X-Security-Token"] == "temporary-security-token"
    assert re.fullmatch(r"\d{8}T\d{6}Z", signed["X-Sdk-Date"])


def test_a_key_pair_signs_anew_in_each_second(monkeypatch):
    credential = KeyPair("ak", SK, "", TARGET)
    generations = []
    for now in (1000.1, 1000.9, 1001.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        generations.append(credential.generation)

    assert generations == [1000, 1000, 1001]


@pytest.mark.parametrize(
    ("environ", "options", "words"),
    [
        (
            {},
            {},
            r"no credential: set LOADGATE_TOKEN, LOADGATE_IAM_PASSWORD, LOADGATE_AK, LOADGATE_APPCODE or give --t",
        ),
        ({"LOADGATE_TOKEN": ""}, {}, "no credential"),
        ({"LOADGATE_TOKEN": " \n"}, {}, "LOADGATE_TOKEN is not set or only blanks"),
        ({}, {"auth": "token"}, "LOADGATE_TOKEN is not set"),
        ({}, {"auth": "bearer"}, "LOADGATE_TOKEN is not set"),
        ({}, {"auth": "appcode"}, "LOADGATE_APPCODE is not set"),
        ({"LOADGATE_AK": "a"}, {}, "LOADGATE_SK is not set"),
        ({"LOADGATE_SK": "s"}, {}, "LOADGATE_AK is not set"),
        ({}, {"auth": "iam"}, "a login to IAM needs LOADGATE_IAM_ENDPOINT, LOADGATE_IAM_USER, LOADGATE_IAM_PASSWORD"),
        (IAM, {}, "a login to IAM needs LOADGATE_IAM_ENDPOINT too"),
        (
            {"LOADGATE_TOKEN": TOKEN, **AKSK},
            {},
            r"several credentials \(LOADGATE_TOKEN, LOADGATE_AK\); choose one",
        ),
        ({"LOADGATE_TOKEN": TOKEN, **IAM}, {}, r"choose one with --auth token or iam"),
        ({"LOADGATE_TOKEN": "line\nbreak"}, {}, "LOADGATE_TOKEN has characters that no credential has"),
        ({"LOADGATE_AK": "a", "LOADGATE_SK": "two words"}, {}, "LOADGATE_SK has characters"),
        ({**AKSK, "LOADGATE_SECURITY_TOKEN": "two words"}, {}, "LOADGATE_SECURITY_TOKEN has characters"),
        ({"LOADGATE_APPCODE": "two words"}, {}, "LOADGATE_APPCODE has characters"),
        (
            {"LOADGATE_APPCODE": APPCODE},
            {"auth": "appcode", "token_file": "f"},
            "--token-file goes with --auth token or bearer, not with appcode",
        ),
        ({}, {"auth": "none", "token_file": "f"}, "--token-file goes with --auth token or bearer, not with none"),
        (IAM, {"gateway": "vertex"}, "no credential: set LOADGATE_TOKEN or give"),
    ],
)
def test_a_credential_that_is_missing_ambiguous_or_impossible_is_said_without_it(environ, options, words):
    with pytest.raises(ConfigError, match=words) as refused:
        find(environ, **options)

    assert not any(secret in str(refused.value) for secret in ("break", "two words", TOKEN, SK))


@pytest.mark.parametrize(
    ("credential", "secrets"),
    [
        (Credential(), ()),
        (Bearer("token", "X-Auth-Token", "", TOKEN), (TOKEN,)),
        (KeyPair("an-access-key", SK, "a-security-token", TARGET), (SK, "a-security-token")),
    ],
)
def test_a_secret_shows_in_no_representation_and_is_redacted(credential, secrets):
    for secret in secrets:
        assert secret not in f"{credential!r} {credential!s} {[credential]}"
        assert credential.redact(f"you sent {secret}!") == "you sent ***!"


def test_a_renewed_token_is_another_generation_and_the_old_one_stays_secret():
    credential = Bearer("token", "X-Auth-Token", "", "old-old-old-old")
    before = credential.generation
    credential.use("new-new-new-new")

    assert credential.generation != before
    assert headers(credential) == {"X-Auth-Token": "new-new-new-new"}
    assert credential.redact("old-old-old-old new-new-new-new") == "*** ***"
