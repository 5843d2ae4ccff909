import json

import pytest

from analysis.outcomes import ADVICE, AnsweredBy, Outcome
from loadgate import profiles
from loadgate.answers import OK, Answer, Finding, advice, judge, request_id, wrong_with
from loadgate.payloads import Payload

MODELARTS = profiles.load("modelarts")
JSON = {b"content-type": b"application/json"}
UUID = b"10eb0091-887f-4839-9929-cbc884f1e20e"
NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def payload(inputs=None):
    return Payload("a", "json", "application/json", b"{}", inputs)


def body(code, message, **more):
    return json.dumps({"error_code": code, "error_msg": message, **more}).encode()


def test_a_failure_has_its_outcome_the_services_own_words_who_gave_it_and_why():
    words = "Gateway forwarding error. Failed to invoke backend service due to connection refused. "
    answer = Answer(500, JSON, body("ModelArts.4302", words, request_id="acbc548ac6f2a0dbdb9e3518a7c0ff84"))

    assert judge(answer, payload(), None, MODELARTS) == Finding(
        Outcome.UNAVAILABLE, "ModelArts.4302", words, AnsweredBy.GATEWAY, "connection refused by the model"
    )


def test_a_failure_that_was_cut_off_is_explained_all_the_same():
    finding = judge(Answer(413, JSON, b'{"error_code":"APIG.0201","error_msg":"Requ'), payload(), None, MODELARTS)

    assert finding == (Outcome.OVERSIZE, "APIG.0201", "Requ", AnsweredBy.GATEWAY, "body over the limit")


def test_headers_say_who_answered():
    answer = Answer(500, {b"server": b"ModelArts"}, b"Internal Server Error")

    assert judge(answer, payload(), None, MODELARTS).by is AnsweredBy.MODEL


def test_a_models_own_words_about_time_are_no_timeout_of_the_gateway():
    answer = Answer(500, JSON, b'{"erno":"MR.0105","msg":"database timed out","words_result":{}}')

    assert judge(answer, payload(), None, MODELARTS) == Finding(
        Outcome.SERVER_ERROR, "MR.0105", "database timed out", AnsweredBy.MODEL, "the model's code failed"
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(413, Outcome.OVERSIZE), (504, Outcome.GATEWAY_TIMEOUT), (502, Outcome.UNAVAILABLE)],
)
def test_a_page_of_html_is_judged_by_its_status(status, outcome):
    answer = Answer(status, {b"content-type": b"text/html"}, NGINX.format(f"{status} Whatever").encode())

    assert judge(answer, payload(), None, MODELARTS).outcome is outcome


@pytest.mark.parametrize(
    ("inputs", "uuid", "headers", "content"),
    [
        (None, None, {}, b""),
        (None, None, {b"content-type": b"image/png"}, b"\x89PNG"),
        (None, None, JSON, b"[1]"),
        (None, None, JSON, b"\xef\xbb\xbf[1]"),
        (None, None, JSON, b'{"cut": "\\ud83d", "huge": 1e400}'),
        (None, UUID, JSON, b'{"meta": {"uuid": "%b"}}' % UUID),
        (2, None, JSON, b'{"data": {"resp_data": [1, 2]}}'),
        (2, None, JSON, b'{"resp_data": [1, 2]}'),
        (0, None, JSON, b'{"data": {"resp_data": []}}'),
        (1, UUID, {}, b'{"meta": {"uuid": "%b"}, "data": {"resp_data": [1]}}' % UUID),
    ],
)
def test_a_2xx_that_answers_the_request_is_ok(inputs, uuid, headers, content):
    assert judge(Answer(200, headers, content), payload(inputs), uuid, MODELARTS) is OK


@pytest.mark.parametrize(
    ("inputs", "uuid", "headers", "content", "reason"),
    [
        (None, None, JSON, b"", "the answer is not JSON"),
        (None, None, {b"content-type": b"Application/JSON; charset=utf8"}, b"{", "the answer is not JSON"),
        (None, None, JSON, b"\xff", "the answer is not JSON"),
        (None, None, JSON, b'{"score": NaN}', "the answer is not JSON"),
        (None, None, JSON, b"[" * 100_000, "the answer is not JSON"),
        (1, None, {}, b"<html>", "the answer is not JSON"),
        (None, UUID, JSON, b"{}", "the answer does not carry the request's uuid"),
        (None, UUID, JSON, b'{"meta": [1]}', "the answer does not carry the request's uuid"),
        (None, UUID, JSON, b'{"meta": {"uuid": ""}}', "the answer does not carry the request's uuid"),
        (3, None, JSON, b'{"data": {"resp_data": [1, 2]}}', "the answer has 2 resp_data for 3 req_data"),
        (1, None, JSON, b'{"data": {"resp_data": {"a": 1}}}', "the answer has 0 resp_data for 1 req_data"),
        (1, None, JSON, b"[1]", "the answer has 0 resp_data for 1 req_data"),
    ],
)
def test_a_2xx_that_does_not_answer_the_request_is_a_bad_answer(inputs, uuid, headers, content, reason):
    answer = Answer(200, headers, content)

    assert wrong_with(answer, payload(inputs), uuid) == reason
    assert judge(answer, payload(inputs), uuid, MODELARTS) == Finding(Outcome.BAD_ANSWER, "", reason, AnsweredBy.MODEL)


def test_a_cleaned_finding_is_redacted_then_put_on_one_short_line():
    words = "line 1\nSECRET\x1b[31m " + "x" * 300
    finding = Finding(Outcome.SERVER_ERROR, "c" * 90, words, AnsweredBy.GATEWAY, "why")
    cleaned = finding.cleaned(lambda text: text.replace("SECRET", "***"))

    assert cleaned.outcome is Outcome.SERVER_ERROR
    assert cleaned.code == "c" * 60
    assert cleaned.message.startswith("line 1 *** [31m xxx")
    assert len(cleaned.message) == 200
    assert (cleaned.by, cleaned.reason) == (AnsweredBy.GATEWAY, "why")


def test_what_nobody_answered_is_by_nobody():
    assert Finding(Outcome.CONNECTION_ERROR).by is AnsweredBy.NOBODY
    assert Finding(Outcome.OK) == OK


@pytest.mark.parametrize(
    ("headers", "content", "said"),
    [
        ({b"x-request-id": b"0123"}, b'{"request_id": "4567"}', "0123"),
        ({b"x-request-id": b""}, b'{"request_id": "4567"}', "4567"),
        ({}, b'{"error_code": "A", "request_id":"4567"}', "4567"),
        ({}, b'{"requestId" : "4567"}', "4567"),
        ({}, b'{"request_id":"45', "45"),
        ({}, b'{"request_id": 4567}', ""),
        ({}, b"no JSON", ""),
        ({b"x-request-id": b"\xff"}, b"", "\N{REPLACEMENT CHARACTER}"),
        ({}, b'{"request_id":"' + b"x" * 1000 + b'"}', "x" * 100),
        ({}, b" " * 2000 + b'{"request_id":"4567"}', ""),
    ],
)
def test_the_request_id_is_the_headers_or_the_bodys(headers, content, said):
    assert request_id(Answer(500, headers, content), "X-Request-Id") == said


def test_what_to_do_is_what_the_profile_says_or_else_what_the_outcome_suggests():
    refused = judge(Answer(401, JSON, body("APIG.0307", "The token must be updated.")), payload(), None, MODELARTS)

    assert advice(refused, MODELARTS).startswith("A token lives 24 h")
    assert advice(Finding(Outcome.CONNECTION_ERROR), MODELARTS) == ADVICE[Outcome.CONNECTION_ERROR]
