import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.outcomes import AnsweredBy, Outcome
from loadgate import profiles
from loadgate.gateway import BY_STATUS, Explanation, Gateway, Latency, Rule
from loadgate.profiles import OF_ANSWERS

PROFILES = [profiles.load(name, timeout_s=9.0 if name == "modelarts-v2" else None) for name in profiles.names()]
BY_NAME = {gateway.name: gateway for gateway in PROFILES}
MODELARTS = BY_NAME["modelarts"]


# ---- how rules are read


@pytest.mark.parametrize("gateway", PROFILES, ids=lambda gateway: gateway.name)
@pytest.mark.parametrize("status", [301, 400, 406, 409, 501, 505, 599])
def test_without_words_a_status_that_no_rule_names_is_an_error_of_either_side(gateway, status):
    assert gateway.explain(status, "", "", {}).outcome is (
        Outcome.SERVER_ERROR if status >= 500 else Outcome.CLIENT_ERROR
    )


@pytest.mark.parametrize("gateway", PROFILES, ids=lambda gateway: gateway.name)
@pytest.mark.parametrize("status", BY_STATUS)
def test_without_words_a_status_of_a_gateway_names_the_outcome(gateway, status):
    assert gateway.explain(status, "", "", {}).outcome in {BY_STATUS[status], Outcome.SERVER_ERROR}
    if (gateway.name, status) != ("azureml", 502):  # there it is the model's own failure
        assert gateway.explain(status, "", "", {}).outcome is BY_STATUS[status]


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule(), True),
        (Rule(status=frozenset({500, 503})), True),
        (Rule(status=frozenset({503})), False),
        (Rule(code=re.compile("^A")), True),
        (Rule(code=re.compile("^B")), False),
        (Rule(message=re.compile("late")), True),
        (Rule(header=((b"server", re.compile("^Model")),)), True),
        (Rule(header=((b"server", re.compile("^Model")), (b"via", re.compile(".")))), False),
        (Rule(status=frozenset({500}), code=re.compile("A"), message=re.compile("early")), False),
    ],
)
def test_a_rule_matches_where_all_of_its_fields_do(rule, matches):
    assert rule.matches(500, "A.1", "too late", {b"server": b"ModelArts"}) is matches


def test_the_first_rule_that_matches_decides():
    rules = (
        Rule(Outcome.THROTTLED, status=frozenset({503}), reason="busy"),
        Rule(Outcome.OVERSIZE),
        Rule(Outcome.UNAVAILABLE),
    )
    gateway = Gateway("g", 40.0, rules=rules)

    assert [gateway.explain(status, "", "", {})[::2] for status in (503, 500)] == [
        (Outcome.THROTTLED, "busy"),
        (Outcome.OVERSIZE, ""),
    ]


def test_a_rule_without_an_outcome_leaves_it_to_the_status():
    gateway = Gateway("g", 40.0, rules=(Rule(by=AnsweredBy.MODEL, reason="its own"),))

    assert gateway.explain(504, "", "", {}) == Explanation(Outcome.GATEWAY_TIMEOUT, AnsweredBy.MODEL, "its own")
    assert gateway.explain(500, "", "", {}) == Explanation(Outcome.SERVER_ERROR, AnsweredBy.MODEL, "its own")


@pytest.mark.parametrize(("limit", "body", "over"), [(None, 10**9, False), (10, 10, False), (10, 11, True)])
def test_over_the_limit_is_more_than_it(limit, body, over):
    assert Gateway("g", 40.0, limit).is_over(body) is over


def test_without_a_rule_nobody_knows_who_answered():
    assert Gateway("g", 40.0).explain(429, "", "", {}) == Explanation(Outcome.THROTTLED, AnsweredBy.UNKNOWN, "")


@given(
    st.integers(100, 999),
    st.text(),
    st.text(),
    st.dictionaries(
        st.sampled_from([b"server", b"x-amzn-errortype", b"ms-azureml-model-error-statuscode"]) | st.binary(),
        st.binary(),
    ),
)
def test_every_answer_can_be_explained(status, code, message, headers):
    for gateway in PROFILES:
        assert gateway.explain(status, code, message, headers).outcome in OF_ANSWERS


# ---- how long it took, as the gateway says


def parts_ms(name, headers):
    return tuple(round(seconds * 1000, 6) for seconds in BY_NAME[name].latency.of(headers))


def test_what_apig_says_includes_the_backend():
    """The sample of "Debugging an API": X-Apig-Latency 13, X-Apig-Upstream-Latency 1."""
    assert parts_ms("modelarts", {b"x-apig-latency": b"13", b"x-apig-upstream-latency": b"1"}) == (12.0, 1.0)
    assert BY_NAME["modelarts"].latency.ask == {"X-Apig-Mode": "debug"}


def test_what_kong_says_does_not_include_the_upstream():
    assert parts_ms("kong", {b"x-kong-proxy-latency": b"2", b"x-kong-upstream-latency": b"26"}) == (2.0, 26.0)
    assert BY_NAME["kong"].latency.ask == {}


def test_envoy_says_only_how_long_the_upstream_took():
    gateway_s, backend_s = BY_NAME["knative"].latency.of({b"x-envoy-upstream-service-time": b"7"})

    assert math.isnan(gateway_s)
    assert backend_s == 0.007


def test_the_gateways_own_part_is_never_below_zero():
    assert parts_ms("modelarts", {b"x-apig-latency": b"1", b"x-apig-upstream-latency": b"2"}) == (0.0, 2.0)


@pytest.mark.parametrize(
    "value", [b"", b"-1", b"1e3", b"nan", b"inf", b"0x1", b"1,5", b"1 2", b"9" * 400, b"\xb2", b"1_0"]
)
def test_what_is_no_plain_number_was_not_said(value):
    for said in ({b"x-kong-proxy-latency": value, b"x-kong-upstream-latency": value}, {}):
        assert all(map(math.isnan, BY_NAME["kong"].latency.of(said)))


def test_without_the_backends_part_the_gateways_own_is_not_known():
    both = Latency("A", "B", includes_backend=True)

    assert all(map(math.isnan, both.of({b"a": b"5"})))
    assert math.isnan(both.of({b"b": b"5"})[0])


@given(st.binary(), st.binary())
def test_a_latency_is_a_number_from_zero_or_none(gateway_value, backend_value):
    for seconds in Latency("A", "B", includes_backend=True).of({b"a": gateway_value, b"b": backend_value}):
        assert math.isnan(seconds) or 0 <= seconds < math.inf
