import re

import pytest

from analysis.outcomes import Outcome
from loadgate import gateway as gateways
from loadgate.errors import ConfigError
from loadgate.gateway import Gateway, Rule


def test_the_modelarts_profile_has_the_documented_limits():
    """12 MB of body and 40 s of prediction: "Accessing a Real-Time Service Through Token-based Authentication"."""
    gateway = gateways.load("modelarts")

    assert (gateway.timeout_s, gateway.body_limit_bytes) == (40.0, 12 * 1024 * 1024)
    assert (gateway.token_header, gateway.request_id_header) == ("X-Auth-Token", "X-Request-Id")


def test_the_profile_none_has_no_limit_and_wants_no_token():
    gateway = gateways.load("none")

    assert (gateway.body_limit_bytes, gateway.token_header, gateway.rules) == (None, None, ())


@pytest.mark.parametrize("name", gateways.names())
def test_every_profile_loads(name):
    assert gateways.load(name).name == name


@pytest.mark.parametrize("name", ["nope", "", "../gateways/none", "none.toml"])
def test_an_unknown_profile_is_refused_with_the_known_ones(name):
    with pytest.raises(ConfigError, match="is not known; choose one of modelarts, none"):
        gateways.load(name)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (301, Outcome.CLIENT_ERROR),
        (400, Outcome.CLIENT_ERROR),
        (401, Outcome.UNAUTHORIZED),
        (403, Outcome.UNAUTHORIZED),
        (404, Outcome.CLIENT_ERROR),
        (408, Outcome.GATEWAY_TIMEOUT),
        (413, Outcome.OVERSIZE),
        (414, Outcome.CLIENT_ERROR),
        (429, Outcome.THROTTLED),
        (494, Outcome.CLIENT_ERROR),
        (500, Outcome.SERVER_ERROR),
        (501, Outcome.SERVER_ERROR),
        (502, Outcome.UNAVAILABLE),
        (503, Outcome.UNAVAILABLE),
        (504, Outcome.GATEWAY_TIMEOUT),
        (599, Outcome.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("name", gateways.names())
def test_without_words_the_status_names_the_outcome(name, status, outcome):
    assert gateways.load(name).outcome(status, "", "") is outcome


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule(Outcome.OK), True),
        (Rule(Outcome.OK, status=(500, 503)), True),
        (Rule(Outcome.OK, status=(503,)), False),
        (Rule(Outcome.OK, code=re.compile("^A")), True),
        (Rule(Outcome.OK, code=re.compile("^B")), False),
        (Rule(Outcome.OK, message=re.compile("late")), True),
        (Rule(Outcome.OK, (500,), re.compile("A"), re.compile("early")), False),
    ],
)
def test_a_rule_matches_where_all_of_its_fields_do(rule, matches):
    assert rule.matches(500, "A.1", "too late") is matches


def test_the_first_rule_that_matches_decides():
    rules = (Rule(Outcome.THROTTLED, status=(503,)), Rule(Outcome.OVERSIZE))
    gateway = Gateway("g", 40.0, None, None, "X-Request-Id", rules)

    assert [gateway.outcome(status, "", "") for status in (503, 500)] == [Outcome.THROTTLED, Outcome.OVERSIZE]
