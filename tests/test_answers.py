import json

import pytest

from analysis.outcomes import Outcome
from loadgate import gateway as gateways
from loadgate.answers import OK, Answer, Finding, error_words, judge, wrong_with
from loadgate.payloads import Payload

MODELARTS = gateways.load("modelarts")
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


# Statuses, codes and messages of the ModelArts API reference (appendix "Error Codes"), the API Gateway user guide
# ("Error Codes") and the troubleshooting pages "Service Prediction"; messages as the pages print them.
DOCUMENTED = [
    (404, "APIG.0101", "The API does not exist or has not been published in the environment.", Outcome.CLIENT_ERROR),
    (500, "APIG.0103", "The backend does not exist.", Outcome.SERVER_ERROR),
    (400, "APIG.0106", "Orchestration error.", Outcome.CLIENT_ERROR),
    (400, "APIG.0201", "API request error.", Outcome.CLIENT_ERROR),
    (413, "APIG.0201", "Request entity too large.", Outcome.OVERSIZE),
    (413, "APIG.0201", "Request entity too large", Outcome.OVERSIZE),
    (414, "APIG.0201", "Request URI too large.", Outcome.CLIENT_ERROR),
    (494, "APIG.0201", "Request headers too large.", Outcome.CLIENT_ERROR),
    (502, "APIG.0201", "Backend unavailable.", Outcome.UNAVAILABLE),
    (504, "APIG.0201", "Backend timeout.", Outcome.GATEWAY_TIMEOUT),
    (500, "APIG.0201", "An unexpected error occurred", Outcome.SERVER_ERROR),
    (502, "APIG.0202", "Backend unavailable", Outcome.UNAVAILABLE),
    (504, "APIG.0203", "Backend timeout", Outcome.GATEWAY_TIMEOUT),
    (500, "APIG.0203", "Backend timeout", Outcome.GATEWAY_TIMEOUT),
    (401, "APIG.0301", "Incorrect IAM authentication information: decrypt token fail", Outcome.UNAUTHORIZED),
    (403, "APIG.0302", "The IAM user is not authorized to access the API.", Outcome.UNAUTHORIZED),
    (401, "APIG.0303", "Incorrect app authentication information: app not found", Outcome.UNAUTHORIZED),
    (401, "APIG.0307", "The token must be updated.", Outcome.UNAUTHORIZED),
    (429, "APIG.0308", "The throttling threshold has been reached: policy user over ratelimit", Outcome.THROTTLED),
    (403, "APIG.0401", "Unknown client IP", Outcome.UNAUTHORIZED),
    (405, "APIG.0501", "The app quota has been used up.", Outcome.CLIENT_ERROR),
    (500, "APIG.0601", "Internal server error.", Outcome.SERVER_ERROR),
    (502, "APIG.0610", "No backend available.", Outcome.UNAVAILABLE),
    (503, "APIG.0613", "The IAM service is currently unavailable.", Outcome.UNAVAILABLE),
    (400, "ModelArts.4105", "Incorrect JSON format of the input data.", Outcome.CLIENT_ERROR),
    (413, "ModelArts.4104", "Invalid request body because the size exceeds the maximum", Outcome.OVERSIZE),
    (401, "ModelArts.0203", "Invalid token.", Outcome.UNAUTHORIZED),
    (400, "ModelArts.4203", "Invalid request because requested service x is unavailable.", Outcome.UNAVAILABLE),
    (401, "ModelArts.4203", "Invalid request because x.", Outcome.UNAUTHORIZED),
    (404, "ModelArts.4204", "API x does not exist.", Outcome.CLIENT_ERROR),
    (408, "ModelArts.4205", "Connection time out.", Outcome.GATEWAY_TIMEOUT),
    (429, "ModelArts.4206", "Excessive number of requests to x.", Outcome.THROTTLED),
    (
        500,
        "ModelArts.4302",
        "Gateway forwarding error. Failed to invoke backend service due to connection refused. ",
        Outcome.UNAVAILABLE,
    ),
    (
        500,
        "ModelArts.4302",
        "Due to self protection, the backend service is disconnected, please wait moment.",
        Outcome.UNAVAILABLE,
    ),
    (503, "ModelArts.4302", "Gateway forwarding error because x.", Outcome.UNAVAILABLE),
    (
        500,
        "ModelArts.4503",
        "Failed to respond due to backend service not found or failed to respond",
        Outcome.UNAVAILABLE,
    ),
    (
        500,
        "ModelArts.4503",
        "Failed to find backend service because SSL error in the backend service, please check the service is https",
        Outcome.UNAVAILABLE,
    ),
    (
        500,
        "ModelArts.4503",
        "Failed to find backend service because response timed out, please confirm your service is able to process "
        "the request without timeout. ",
        Outcome.GATEWAY_TIMEOUT,
    ),
    (
        500,
        "ModelArts.4503",
        "Backend service respond timeout, please confirm your service is able to process the request without timeout. ",
        Outcome.GATEWAY_TIMEOUT,
    ),
    (504, "ModelArts.4503", "Failed to obtain the backend service because x.", Outcome.GATEWAY_TIMEOUT),
    (500, "ModelArts.4505", "Internal backend service error because reading timed out.", Outcome.GATEWAY_TIMEOUT),
    (503, "ModelArts.4700", "Unavailable gateway.", Outcome.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "code", "message", "outcome"), DOCUMENTED)
def test_a_documented_failure_has_its_outcome_code_and_message(status, code, message, outcome):
    answer = Answer(status, JSON, body(code, message, request_id="acbc548ac6f2a0dbdb9e3518a7c0ff84"))

    assert judge(answer, payload(), None, MODELARTS) == Finding(outcome, code, message)


def test_a_models_own_words_about_time_are_no_timeout_of_the_gateway():
    answer = Answer(500, JSON, b'{"erno":"MR.0105","msg":"database timed out","words_result":{}}')

    assert judge(answer, payload(), None, MODELARTS) == Finding(Outcome.SERVER_ERROR, "MR.0105", "database timed out")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"error_code": "A.1", "error_msg": "bad"}', ("A.1", "bad")),
        (b'{"erno":"MR.0105","msg":"Recognition failed","words_result":{}}', ("MR.0105", "Recognition failed")),
        (b'{"errno": 7, "message": "bad"}', ("7", "bad")),
        (b'{"error": {"code": "401", "message": "no", "title": "Unauthorized"}}', ("401", "no")),
        (b'{"error_code": "A.1", "error": {"message": "inner"}}', ("A.1", "inner")),
        (b'{"error_msg": "outer", "error": {"code": 5}}', ("5", "outer")),
        (b'{"message": "Request size limit exceeded"}', ("", "Request size limit exceeded")),
        (b'{"detail": "Not Found"}', ("", "Not Found")),
        (b'{"error": "not found"}', ("", '{"error": "not found"}')),
        (b'{"detail": [{"loc": ["body"]}]}', ("", '{"detail": [{"loc": ["body"]}]}')),
        (b"[1]", ("", "[1]")),
        (b"", ("", "")),
        (b"plain words", ("", "plain words")),
        (b"\xff words", ("", "\N{REPLACEMENT CHARACTER} words")),
        (NGINX.format("504 Gateway Time-out").encode(), ("", NGINX.format("504 Gateway Time-out"))),
        (b"[" * 100_000, ("", "[" * 2000)),
        (b'{"message": "' + b"x" * 5000 + b'"}', ("", "x" * 2000)),
    ],
)
def test_code_and_message_are_found_in_every_form_in_use(content, words):
    assert error_words(content) == words


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
    assert judge(Answer(200, headers, content), payload(inputs), uuid, MODELARTS) == OK


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
    assert judge(answer, payload(inputs), uuid, MODELARTS) == Finding(Outcome.BAD_ANSWER, "", reason)


def test_a_cleaned_finding_is_redacted_then_put_on_one_short_line():
    finding = Finding(Outcome.SERVER_ERROR, "c" * 90, "line 1\nSECRET\x1b[31m " + "x" * 300)
    cleaned = finding.cleaned(lambda text: text.replace("SECRET", "***"))

    assert cleaned.outcome is Outcome.SERVER_ERROR
    assert cleaned.code == "c" * 60
    assert cleaned.message.startswith("line 1 *** [31m xxx")
    assert len(cleaned.message) == 200
