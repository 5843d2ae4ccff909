import re
from pathlib import Path

import pytest

from analysis import units
from analysis.outcomes import AnsweredBy, Outcome
from loadgate import profiles
from loadgate.answers import Answer, judge
from loadgate.errors import ConfigError
from loadgate.gateway import Explanation, Gateway
from loadgate.payloads import Payload

PROFILES = [profiles.load(name, timeout_s=9.0 if name == "modelarts-v2" else None) for name in profiles.names()]
BY_NAME = {gateway.name: gateway for gateway in PROFILES}
MODELARTS = BY_NAME["modelarts"]

TIMEOUT, OVERSIZE, THROTTLED = Outcome.GATEWAY_TIMEOUT, Outcome.OVERSIZE, Outcome.THROTTLED
UNAUTHORIZED, UNAVAILABLE = Outcome.UNAUTHORIZED, Outcome.UNAVAILABLE
SERVER, CLIENT = Outcome.SERVER_ERROR, Outcome.CLIENT_ERROR

NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>{1}</center>\r\n</body>\r\n</html>\r\n"
)

IAM = "Incorrect IAM authentication information: "
APP = "Incorrect app authentication information: "
SPENT = "The throttling threshold has been reached: policy {},limit:{},time:{}"
SLOW = "please confirm your service is able to process the request without timeout. "

# Statuses, codes and messages of the API Gateway user guide ("Error Codes") and FAQ, of the ModelArts API reference
# (appendix "Error Codes") and of the troubleshooting pages "Service Prediction"; messages as the pages print them, or
# in short where the code alone decides.
DOCUMENTED = [
    (404, "APIG.0101", "The API does not exist or has not been published in the environment.", CLIENT, "no such API"),
    (404, "APIG.0101", "API does not exist or is not published in the environment.", CLIENT, "no such API"),
    (404, "APIG.0101", "The API does not exist.", CLIENT, "no such method of the API"),
    (500, "APIG.0103", "The backend does not exist.", SERVER, "API wrongly set up"),
    (500, "APIG.0104", "The plug-ins do not exist.", SERVER, "API wrongly set up"),
    (500, "APIG.0105", "The backend configurations do not exist.", SERVER, "API wrongly set up"),
    (400, "APIG.0106", "Orchestration error.", CLIENT, "API wrongly set up"),
    (500, "APIG.0107", "The custom lua script encountered an unexpected error", SERVER, "API wrongly set up"),
    (400, "APIG.0201", "API request error.", CLIENT, "request refused by the gateway"),
    (413, "APIG.0201", "Request entity too large.", OVERSIZE, "body over the limit"),
    (413, "APIG.0201", "Request entity too large", OVERSIZE, "body over the limit"),
    (414, "APIG.0201", "Request URI too large.", CLIENT, "URL too long"),
    (494, "APIG.0201", "Request headers too large.", CLIENT, "headers too large"),
    (502, "APIG.0201", "Backend unavailable.", UNAVAILABLE, "no backend available"),
    (504, "APIG.0201", "Backend timeout.", TIMEOUT, "backend timeout"),
    (500, "APIG.0201", "An unexpected error occurred", SERVER, "gateway failed inside"),
    (502, "APIG.0202", "Backend unavailable", UNAVAILABLE, "backend unavailable or of another protocol"),
    (504, "APIG.0203", "Backend timeout", TIMEOUT, "backend timeout"),
    (500, "APIG.0203", "Backend timeout", TIMEOUT, "backend timeout"),
    (400, "APIG.0204", "SSL protocol is not supported: TLSv1.1", CLIENT, "TLS version refused"),
    (400, "APIG.0205", "Verify client certificate failed", UNAUTHORIZED, "client certificate refused"),
    (401, "APIG.0301", "Incorrect IAM authentication information.", UNAUTHORIZED, "IAM authentication failed"),
    (401, "APIG.0301", IAM + "decrypt token fail", UNAUTHORIZED, "token not readable"),
    (401, "APIG.0301", IAM + "AK access failed to reach the limit,forbidden", UNAUTHORIZED, "AK/SK locked"),
    (401, "APIG.0301", IAM + "Get secretKey failed,ak:X1,err:ak not exist", UNAUTHORIZED, "access key unknown"),
    (401, "APIG.0301", IAM + "verify aksk signature fail, x", UNAUTHORIZED, "signature mismatch"),
    (401, "APIG.0301", IAM + "calc ak sk signature fail:signature expired", UNAUTHORIZED, "signature expired"),
    (401, "APIGW.0301", IAM + "x-auth-token not found", UNAUTHORIZED, "no token"),
    (
        403,
        "APIG.0302",
        "The IAM user is not authorized to access the API.",
        UNAUTHORIZED,
        "user not authorised for the API",
    ),
    (401, "APIG.0303", "Incorrect app authentication information.", UNAUTHORIZED, "app authentication failed"),
    (401, "APIG.0303", APP + "app not found, appkey 0123", UNAUTHORIZED, "AppKey unknown"),
    (401, "APIG.0303", APP + "app not found with specified appCode", UNAUTHORIZED, "AppCode unknown"),
    (
        401,
        "APIG.0303",
        APP + "signature expired, signature time:20230527T000431Z,server time:20230527T020608Z",
        UNAUTHORIZED,
        "signature expired",
    ),
    (
        401,
        "APIG.0303",
        APP + "verify signature fail, canonicalRequest:GET|/test/||host:h|x-sdk-date:d||host;x-sdk-date|e3b0",
        UNAUTHORIZED,
        "signature mismatch",
    ),
    (403, "APIG.0304", "The app is not authorized to access the API.", UNAUTHORIZED, "app not authorised for the API"),
    (401, "APIG.0305", "Incorrect authentication information.", UNAUTHORIZED, "refused by the API's authorizer"),
    (403, "APIG.0306", "API access denied.", UNAUTHORIZED, "refused by the API's authorizer"),
    (401, "APIG.0307", "The token must be updated.", UNAUTHORIZED, "token expired"),
    (429, "APIG.0308", "The throttling threshold has been reached.", THROTTLED, "throttled by the API's policy"),
    (
        429,
        "APIG.0308",
        SPENT.format("user over ratelimit", 100, "1 minute"),
        THROTTLED,
        "throttled by the API's policy",
    ),
    (429, "APIG.0308", SPENT.format("ip over ratelimit", 5, "1 second"), THROTTLED, "throttled by the API's policy"),
    (
        429,
        "APIG.0308",
        SPENT.format("domain over ratelimit", 1000, "1 day"),
        THROTTLED,
        "debugging domain's daily limit",
    ),
    (403, "APIG.0310", "The project is unavailable.", UNAUTHORIZED, "project unavailable"),
    (
        401,
        "APIG.0311",
        "Incorrect debugging authentication information.",
        UNAUTHORIZED,
        "debugging authentication failed",
    ),
    (
        401,
        "APIG.0312",
        "Incorrect third-party authentication information,auth fail",
        UNAUTHORIZED,
        "refused by the third-party authorizer",
    ),
    (
        401,
        "APIG.0313",
        "Incorrect third-party authentication information,identities error",
        UNAUTHORIZED,
        "refused by the third-party authorizer",
    ),
    (
        403,
        "APIG.0314",
        "Incorrect third-party authentication information,access deny",
        UNAUTHORIZED,
        "refused by the third-party authorizer",
    ),
    (403, "APIG.0401", "Unknown client IP address.", UNAUTHORIZED, "client address unknown"),
    (
        403,
        "APIG.0402",
        "The IP address is not authorized to access the API.",
        UNAUTHORIZED,
        "client address not allowed",
    ),
    (403, "APIG.0404", "Access to the backend IP address has been denied.", UNAVAILABLE, "backend address not allowed"),
    (
        403,
        "APIG.0405",
        "The app is not accessed from a trusted IP address.",
        UNAUTHORIZED,
        "client address not allowed",
    ),
    (405, "APIG.0501", "The app quota has been used up.", THROTTLED, "app quota used up"),
    (405, "APIG.0502", "The app has been frozen.", UNAUTHORIZED, "account frozen or in arrears"),
    (500, "APIG.0601", "Internal server error.", SERVER, "gateway failed inside"),
    (400, "APIG.0602", "Bad request.", CLIENT, "request refused by the gateway"),
    (500, "APIG.0605", "Domain name resolution failed.", SERVER, "API wrongly set up"),
    (500, "APIG.0606", "Failed to load the API configurations.", SERVER, "API wrongly set up"),
    (500, "APIG.0609", "Failed to obtain the backend VPC.", SERVER, "API wrongly set up"),
    (502, "APIG.0610", "No backend available.", UNAVAILABLE, "no backend available"),
    (500, "APIG.0611", "The backend port does not exist.", SERVER, "API wrongly set up"),
    (500, "APIG.0612", "An API cannot call itself.", SERVER, "API wrongly set up"),
    (503, "APIG.0613", "The IAM service is currently unavailable.", UNAVAILABLE, "IAM unavailable"),
    (
        403,
        "APIG.0802",
        "The IAM user is forbidden in the currently selected region",
        UNAUTHORIZED,
        "user forbidden in the region",
    ),
    (400, "APIG.1009", "AppKey or AppSecret is invalid", UNAUTHORIZED, "AppKey or AppSecret invalid"),
    (401, "ModelArts.0201", "Token doesn't exist.", UNAUTHORIZED, "no token"),
    (401, "ModelArts.0202", "Invalid token header because the token has expired.", UNAUTHORIZED, "token expired"),
    (401, "ModelArts.0203", "Invalid token.", UNAUTHORIZED, "token of another user"),
    (403, "ModelArts.0203", "Invalid token", UNAUTHORIZED, "token of another user"),
    (401, "ModelArts.0204", "Failed to parse the token.", UNAUTHORIZED, "token not readable"),
    (
        400,
        "ModelArts.0204",
        "Token must contain projectId info.",
        UNAUTHORIZED,
        "token without the service's project",
    ),
    (401, "ModelArts.0205", "Authorization header is missing.", UNAUTHORIZED, "Authorization header refused"),
    (401, "ModelArts.0206", "Authorization header is malformed.", UNAUTHORIZED, "Authorization header refused"),
    (403, "ModelArts.0206", "Invalid AK/SK", UNAUTHORIZED, "AK/SK invalid"),
    (
        401,
        "ModelArts.0207",
        "Token must contain project info of current region.",
        UNAUTHORIZED,
        "token without the service's project",
    ),
    (401, "ModelArts.0208", "Authorization header is unverifiable.", UNAUTHORIZED, "Authorization header refused"),
    (401, "ModelArts.0209", "No appId header.", UNAUTHORIZED, "app or API id missing"),
    (401, "ModelArts.0210", "No apiId header.", UNAUTHORIZED, "app or API id missing"),
    (
        401,
        "ModelArts.0212",
        "Invalid token header because the token does not contain a project.",
        UNAUTHORIZED,
        "token without the service's project",
    ),
    (
        413,
        "ModelArts.4104",
        "Invalid request body because the size exceeds the maximum size allowed.",
        OVERSIZE,
        "body over the limit",
    ),
    (400, "ModelArts.4105", "Incorrect JSON format of the input data.", CLIENT, "body is not JSON"),
    (403, "ModelArts.4116", "The account is in arrears.", UNAUTHORIZED, "account frozen or in arrears"),
    (403, "ModelArts.4118", "The account is suspended.", UNAUTHORIZED, "account frozen or in arrears"),
    (401, "ModelArts.4119", "Invalid RBAC.", UNAUTHORIZED, "token without the service's project"),
    (400, "ModelArts.4200", "Invalid request.", CLIENT, "request not understood"),
    (
        400,
        "ModelArts.4201",
        "Invalid request URL because no service ID or request URI included.",
        CLIENT,
        "request not understood",
    ),
    (401, "ModelArts.4201", "Invalid token.", UNAUTHORIZED, "token refused"),
    (400, "ModelArts.4202", "Empty request.", CLIENT, "empty request"),
    (
        400,
        "ModelArts.4203",
        "Invalid request because requested service x is unavailable.",
        UNAVAILABLE,
        "service not running",
    ),
    (401, "ModelArts.4203", "Invalid request because x.", UNAUTHORIZED, "no access to the service"),
    (404, "ModelArts.4204", "API x does not exist.", CLIENT, "no such service or path"),
    (408, "ModelArts.4205", "Connection time out.", TIMEOUT, "backend timeout"),
    (408, "ModelArts.4205", "Connection timed out.", TIMEOUT, "backend timeout"),
    (
        429,
        "ModelArts.4206",
        "Excessive number of requests to x.",
        THROTTLED,
        "throttled by the service's traffic limit",
    ),
    (
        500,
        "ModelArts.4302",
        "Gateway forwarding error. Failed to invoke backend service due to connection refused. ",
        UNAVAILABLE,
        "connection refused by the model",
    ),
    (
        500,
        "ModelArts.4302",
        "Due to self protection, the backend service is disconnected, please wait moment.",
        UNAVAILABLE,
        "circuit breaker open",
    ),
    (500, "ModelArts.4302", "Gateway forwarding error because x.", UNAVAILABLE, "refused by the model's instances"),
    (503, "ModelArts.4302", "Gateway forwarding error because x.", UNAVAILABLE, "backend unavailable"),
    (
        500,
        "ModelArts.4503",
        "Failed to respond due to backend service not found or failed to respond",
        UNAVAILABLE,
        "idle connection closed by the model",
    ),
    (
        500,
        "ModelArts.4503",
        "Failed to find backend service because SSL error in the backend service, please check the service is https",
        UNAVAILABLE,
        "backend protocol mismatch",
    ),
    (
        500,
        "ModelArts.4503",
        "Failed to find backend service because response timed out, " + SLOW,
        TIMEOUT,
        "backend timeout",
    ),
    (500, "ModelArts.4503", "Backend service respond timeout, " + SLOW, TIMEOUT, "backend timeout"),
    (500, "ModelArts.4503", "Failed to obtain the backend service because x.", UNAVAILABLE, "backend not found"),
    (504, "ModelArts.4503", "Failed to obtain the backend service because x.", TIMEOUT, "backend timeout"),
    (
        500,
        "ModelArts.4503",
        "Backend service internal error. Backend service read timed out",
        TIMEOUT,
        "backend timeout",
    ),
    (
        500,
        "ModelArts.4503",
        "Send the request from gateway to the service failed due to connection refused, please confirm your service is "
        "connectable",
        UNAVAILABLE,
        "connection refused by the model",
    ),
    (
        500,
        "ModelArts.4503",
        "Send the request from gateway to the service failed due to connection timeout, please confirm your service is "
        "able to process the new request",
        UNAVAILABLE,
        "connection to the model timed out",
    ),
    (500, "ModelArts.4505", "Internal backend service error because reading timed out.", TIMEOUT, "backend timeout"),
    (400, "ModelArts.4506", "The sub-service was not found.", CLIENT, "sub-service or specification not found"),
    (400, "ModelArts.4507", "The specification code was not found.", CLIENT, "sub-service or specification not found"),
    (503, "ModelArts.4700", "Unavailable gateway.", UNAVAILABLE, "gateway under maintenance"),
    (500, "ModelArts.8909", "x", UNAVAILABLE, "service not reached"),
    (504, "ModelArts.8909", "x", TIMEOUT, "backend timeout"),
]

# Every code of those pages that a prediction can meet.
CODES = {
    *(f"APIG.0{number}" for number in (101, 103, 104, 105, 106, 107, 201, 202, 203, 204, 205)),
    *(f"APIG.03{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14)),
    *(f"APIG.0{number}" for number in (401, 402, 404, 405, 501, 502, 802)),
    *(f"APIG.06{number:02}" for number in (1, 2, 5, 6, 9, 10, 11, 12, 13)),
    "APIG.1009",
    *(f"ModelArts.02{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12)),
    *(f"ModelArts.{number}" for number in (4104, 4105, 4116, 4118, 4119, 4200, 4201, 4202, 4203, 4204, 4205, 4206)),
    *(f"ModelArts.{number}" for number in (4302, 4503, 4505, 4506, 4507, 4700, 8909)),
}


@pytest.mark.parametrize(("status", "code", "message", "outcome", "reason"), DOCUMENTED)
@pytest.mark.parametrize("name", ["modelarts", "modelarts-60s", "modelarts-v2"])
def test_a_documented_answer_of_modelarts_is_explained(name, status, code, message, outcome, reason):
    gateway = BY_NAME[name]

    assert gateway.explain(status, code, message, {}) == Explanation(outcome, AnsweredBy.GATEWAY, reason)
    assert gateway.advice[reason]


@pytest.mark.parametrize(("status", "code", "message", "outcome", "reason"), DOCUMENTED)
def test_neither_case_nor_the_last_dot_nor_the_endpoint_matters(status, code, message, outcome, reason):
    for spelt in (message.upper(), message.rstrip(". "), message + ". "):
        assert MODELARTS.explain(status, code, spelt, {})[::2] == (outcome, reason)
    for other in ("APIGW.", "APIC."):
        assert MODELARTS.explain(status, code.replace("APIG.", other), message, {})[::2] == (outcome, reason)


def test_every_documented_code_is_in_the_table():
    assert {code.replace("APIGW", "APIG") for _, code, *_ in DOCUMENTED} == CODES


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, CLIENT), (403, UNAUTHORIZED), (409, CLIENT), (429, THROTTLED), (507, SERVER)]
)
@pytest.mark.parametrize("code", ["APIG.9999", "APIGW.0999", "APIC.1234", "ModelArts.7777"])
def test_a_gateways_code_that_nobody_wrote_a_rule_for_is_judged_by_its_status(code, status, outcome):
    answer = Answer(status, {}, b'{"error_code":"%b","error_msg":"something new"}' % code.encode())
    finding = judge(answer, Payload("a", "json", "application/json", b"{}"), None, MODELARTS)

    assert finding == (outcome, code, "something new", AnsweredBy.GATEWAY, "")


@pytest.mark.parametrize(
    ("code", "headers", "by"),
    [
        ("APIG.0601", {b"server": b"api-gateway"}, "gateway"),
        ("ModelArts.4302", {b"server": b"ModelArts"}, "gateway"),
        ("", {b"server": b"ModelArts"}, "model"),
        ("E17", {b"server": b"ModelArts"}, "model"),
        ("MR.0105", {}, "model"),
        ("MR.0105", {b"server": b"api-gateway"}, "model"),
        ("", {b"server": b"api-gateway"}, "unknown"),  # it is on what was passed on, too
        ("", {}, "unknown"),
        ("ServerModelArts.1", {}, "unknown"),
    ],
)
def test_who_answered_of_modelarts_its_model_and_others(code, headers, by):
    assert MODELARTS.explain(500, code, "failed", headers).by == by


@pytest.mark.parametrize("message", ["response timed out", "connection refused", "self protection", "read timed out"])
def test_a_models_own_words_are_not_taken_for_the_gateways(message):
    explanation = MODELARTS.explain(500, "MR.0105", message, {})

    assert explanation == Explanation(SERVER, AnsweredBy.MODEL, "the model's code failed")


PAGE = b"text/html"
KONG = {b"x-kong-response-latency": b"3"}
AZURE = b"ms-azureml-model-error-statuscode"

# What the documents and sources named in the profiles show: oversize, timeout, throttled, unavailable, and who.
ELSEWHERE = [
    ("none", 413, {}, b"", OVERSIZE, "model", ""),
    ("none", 500, {}, b"oops", SERVER, "model", ""),
    (
        "aws-apigateway-rest",
        413,
        {},
        b"HTTP content length exceeded 10485760 bytes.",
        OVERSIZE,
        "gateway",
        "body over the limit",
    ),
    (
        "aws-apigateway-rest",
        504,
        {},
        b'{"message": "Endpoint request timed out"}',
        TIMEOUT,
        "gateway",
        "backend timeout",
    ),
    (
        "aws-apigateway-rest",
        504,
        {},
        b'{"message": "Network error communicating with endpoint"}',
        UNAVAILABLE,
        "gateway",
        "backend not reached",
    ),
    (
        "aws-apigateway-rest",
        429,
        {},
        b'{"message":"Too Many Requests"}',
        THROTTLED,
        "gateway",
        "throttled by the gateway",
    ),
    (
        "aws-apigateway-rest",
        429,
        {},
        b'{"message":"Limit Exceeded"}',
        THROTTLED,
        "gateway",
        "usage plan's quota used up",
    ),
    (
        "aws-apigateway-rest",
        403,
        {b"x-amzn-errortype": b"MissingAuthenticationTokenException"},
        b'{"message":"Missing Authentication Token"}',
        UNAUTHORIZED,
        "gateway",
        "no such API or no credentials",
    ),
    (
        "aws-apigateway-rest",
        403,
        {b"x-amzn-errortype": b"ForbiddenException"},
        b'{"message":"Forbidden"}',
        UNAUTHORIZED,
        "gateway",
        "credentials refused",
    ),
    (
        "aws-apigateway-rest",
        500,
        {b"x-amzn-errortype": b"InternalServerErrorException"},
        b'{"message":null}',
        SERVER,
        "gateway",
        "",
    ),
    ("aws-apigateway-rest", 502, {}, b"bad gateway", UNAVAILABLE, "unknown", ""),
    ("aws-apigateway-http", 413, {}, b'{"message":"Request Too Long"}', OVERSIZE, "gateway", "body over the limit"),
    (
        "aws-apigateway-http",
        503,
        {},
        b'{"message":"Service Unavailable"}',
        UNAVAILABLE,
        "gateway",
        "integration did not answer",
    ),
    (
        "aws-apigateway-http",
        429,
        {},
        b'{"message":"Too Many Requests"}',
        THROTTLED,
        "gateway",
        "throttled by the gateway",
    ),
    ("aws-apigateway-http", 401, {}, b'{"message":"Unauthorized"}', UNAUTHORIZED, "gateway", "token refused"),
    ("aws-apigateway-http", 504, {}, b"", TIMEOUT, "unknown", ""),
    (
        "sagemaker",
        424,
        {},
        b'{"Message":"Received server error (0) from primary with message \\"Your invocation timed out while waiting '
        b'for a response from container primary\\"","OriginalStatusCode":0}',
        TIMEOUT,
        "gateway",
        "backend timeout",
    ),
    (
        "sagemaker",
        424,
        {},
        b'{"ErrorCode":"CLIENT_ERROR_FROM_MODEL","Message":"Received client error (413) from primary with message x"}',
        OVERSIZE,
        "model",
        "body over the limit",
    ),
    (
        "sagemaker",
        424,
        {},
        b'{"ErrorCode":"CLIENT_ERROR_FROM_MODEL","Message":"Received client error (400) from primary"}',
        CLIENT,
        "model",
        "refused by the model's container",
    ),
    (
        "sagemaker",
        424,
        {},
        b'{"Message":"Received server error (500) from primary","OriginalStatusCode":500,"OriginalMessage":"boom"}',
        SERVER,
        "model",
        "the model's container failed",
    ),
    (
        "sagemaker",
        429,
        {b"x-amzn-errortype": b"ModelNotReadyException"},
        b'{"Message":"wait"}',
        UNAVAILABLE,
        "gateway",
        "model not loaded yet",
    ),
    (
        "sagemaker",
        400,
        {},
        b'{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}',
        THROTTLED,
        "gateway",
        "throttled by the endpoint",
    ),
    (
        "sagemaker",
        400,
        {b"x-amzn-errortype": b"ValidationError"},
        b'{"Message":"body failed to satisfy constraint: Member must have length less than or equal to 6291456"}',
        OVERSIZE,
        "gateway",
        "body over the endpoint's limit",
    ),
    ("sagemaker", 503, {}, b'{"Message":"unavailable"}', UNAVAILABLE, "gateway", "service unavailable"),
    (
        "vertex",
        429,
        {},
        b'{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}',
        THROTTLED,
        "gateway",
        "quota used up",
    ),
    (
        "vertex",
        400,
        {},
        b'{"error":{"code":400,"message":"Request payload size exceeds the limit: 1572864 bytes.",'
        b'"status":"INVALID_ARGUMENT"}}',
        OVERSIZE,
        "gateway",
        "body over the limit",
    ),
    (
        "vertex",
        504,
        {},
        b'{"error":{"code":504,"message":"Deadline exceeded","status":"DEADLINE_EXCEEDED"}}',
        TIMEOUT,
        "gateway",
        "backend timeout",
    ),
    (
        "vertex",
        503,
        {},
        b'{"error":{"code":503,"message":"down","status":"UNAVAILABLE"}}',
        UNAVAILABLE,
        "gateway",
        "no replica available",
    ),
    ("vertex", 500, {}, b'{"error":{"code":500,"message":"x","status":"INTERNAL"}}', SERVER, "unknown", ""),
    ("azureml", 408, {}, b"", TIMEOUT, "gateway", "backend timeout"),
    ("azureml", 429, {}, b"", THROTTLED, "gateway", "too many requests"),
    ("azureml", 424, {AZURE: b"500"}, b"boom", SERVER, "model", "the model failed"),
    ("azureml", 424, {AZURE: b"422"}, b"bad input", CLIENT, "model", "refused by the model"),
    ("azureml", 424, {}, b"", SERVER, "model", "the model failed"),
    ("azureml", 503, {}, b"", UNAVAILABLE, "gateway", "more load than the autoscaler follows"),
    ("azureml", 413, {}, b"", OVERSIZE, "unknown", ""),
    ("pai-eas", 408, {}, b"", TIMEOUT, "gateway", "backend timeout"),
    ("pai-eas", 429, {}, b"", THROTTLED, "gateway", "throttled by the gateway"),
    ("pai-eas", 450, {}, b"", THROTTLED, "gateway", "queue full"),
    ("pai-eas", 400, {}, b"", CLIENT, "unknown", ""),
    ("pai-eas", 503, {}, b"", UNAVAILABLE, "unknown", ""),
    ("databricks", 413, {}, b"", OVERSIZE, "unknown", "body over the limit"),
    ("databricks", 429, {}, b"", THROTTLED, "unknown", "over the rate or concurrency"),
    ("databricks", 504, {}, b"", TIMEOUT, "unknown", "backend timeout"),
    ("databricks", 503, {}, b"", UNAVAILABLE, "unknown", ""),
    (
        "cloudflare",
        524,
        {b"content-type": PAGE},
        b"<!DOCTYPE html>\n<html><head>\n<title>example.com | 524: A timeout occurred</title>",
        TIMEOUT,
        "gateway",
        "backend timeout",
    ),
    ("cloudflare", 524, {}, b"error code: 524", TIMEOUT, "gateway", "backend timeout"),
    ("cloudflare", 521, {}, b"error code: 521", UNAVAILABLE, "gateway", "connection refused by the origin"),
    ("cloudflare", 522, {}, b"error code: 522", UNAVAILABLE, "gateway", "origin not reached"),
    ("cloudflare", 525, {}, b"error code: 525", UNAVAILABLE, "gateway", "TLS to the origin failed"),
    ("cloudflare", 530, {}, b"error code: 1016", UNAVAILABLE, "gateway", "origin not resolved"),
    ("cloudflare", 520, {}, b"error code: 520", SERVER, "gateway", "origin broke off"),
    ("cloudflare", 429, {}, b"error code: 1015", THROTTLED, "gateway", "rate limiting rule"),
    (
        "cloudflare",
        413,
        {},
        NGINX.format("413 Request Entity Too Large", "cloudflare").encode(),
        OVERSIZE,
        "gateway",
        "body over the limit",
    ),
    ("cloudflare", 502, {}, b"error code: 502", UNAVAILABLE, "gateway", ""),
    ("cloudflare", 502, {b"server": b"cloudflare"}, b"oops", UNAVAILABLE, "unknown", ""),
    (
        "nginx",
        413,
        {},
        NGINX.format("413 Request Entity Too Large", "nginx/1.25.3").encode(),
        OVERSIZE,
        "gateway",
        "body over the limit",
    ),
    ("nginx", 504, {}, NGINX.format("504 Gateway Time-out", "nginx").encode(), TIMEOUT, "gateway", "backend timeout"),
    (
        "nginx",
        502,
        {},
        NGINX.format("502 Bad Gateway", "nginx").encode(),
        UNAVAILABLE,
        "gateway",
        "backend unavailable",
    ),
    (
        "nginx",
        503,
        {},
        NGINX.format("503 Service Temporarily Unavailable", "openresty/1.21").encode(),
        THROTTLED,
        "gateway",
        "limit_req or limit_conn",
    ),
    (
        "nginx",
        400,
        {},
        NGINX.format("400 Request Header Or Cookie Too Large", "nginx").encode(),
        CLIENT,
        "gateway",
        "headers too large",
    ),
    ("nginx", 404, {}, NGINX.format("404 Not Found", "nginx").encode(), CLIENT, "gateway", ""),
    (  # Flask's page has the same title
        "nginx",
        413,
        {},
        b"<!doctype html>\n<title>413 Request Entity Too Large</title>\n<h1>Request Entity Too Large</h1>",
        OVERSIZE,
        "unknown",
        "",
    ),
    ("kong", 413, KONG, b'{"message":"Request size limit exceeded"}', OVERSIZE, "gateway", "body over the limit"),
    ("kong", 413, KONG, b'{\n  "message":"Payload too large"\n}', OVERSIZE, "gateway", "body over the limit"),
    ("kong", 504, KONG, b'{"message":"The upstream server is timing out"}', TIMEOUT, "gateway", "backend timeout"),
    ("kong", 429, KONG, b'{"message":"API rate limit exceeded"}', THROTTLED, "gateway", "rate limiting plugin"),
    (
        "kong",
        503,
        KONG,
        b'{\n  "message":"failure to get a peer from the ring-balancer",\n  "request_id":"b1c6"\n}',
        UNAVAILABLE,
        "gateway",
        "no healthy target",
    ),
    (
        "kong",
        502,
        {b"x-kong-upstream-latency": b"2"},
        b'{"message":"An invalid response was received from the upstream server"}',
        UNAVAILABLE,
        "gateway",
        "backend unavailable",
    ),
    ("kong", 401, KONG, b'{"message":"No API key found in request"}', UNAUTHORIZED, "gateway", "credentials refused"),
    ("kong", 404, KONG, b'{"message":"no Route matched with those values"}', CLIENT, "gateway", "no such route"),
    ("kong", 500, {b"x-kong-upstream-latency": b"2"}, b'{"message":"oops"}', SERVER, "model", ""),
    ("kong", 500, KONG, b'{"message":"oops"}', SERVER, "gateway", ""),
    ("knative", 504, {}, b"activator request timeout", TIMEOUT, "gateway", "backend timeout"),
    ("knative", 504, {}, b"request timeout", TIMEOUT, "gateway", "backend timeout"),
    ("knative", 504, {}, b"upstream request timeout", TIMEOUT, "gateway", "backend timeout"),
    ("knative", 503, {}, b"pending request queue full\n", THROTTLED, "gateway", "queue full"),
    ("knative", 503, {}, b"activator overload\n", THROTTLED, "gateway", "queue full"),
    ("knative", 503, {}, b"no healthy upstream", UNAVAILABLE, "gateway", "no instance reached"),
    ("knative", 503, {}, b"context deadline exceeded\n", UNAVAILABLE, "gateway", "waited too long in the queue"),
    ("knative", 413, {}, b"", OVERSIZE, "unknown", ""),
]


@pytest.mark.parametrize(("name", "status", "headers", "body", "outcome", "by", "reason"), ELSEWHERE)
def test_a_known_answer_of_another_gateway_is_explained(name, status, headers, body, outcome, by, reason):
    finding = judge(Answer(status, headers, body), Payload("a", "json", "application/json", b"{}"), None, BY_NAME[name])

    assert (finding.outcome, finding.by, finding.reason) == (outcome, by, reason)


def test_every_profile_has_known_answers():
    tested = {name for name, *_ in ELSEWHERE}

    assert tested | {"modelarts", "modelarts-60s", "modelarts-v2"} == set(profiles.names())


@pytest.mark.parametrize(
    ("name", "timeout_s", "body_limit_bytes", "auth", "token", "request_id_header"),
    [
        ("modelarts", 40, 12 * 2**20, "token iam aksk appcode none", "X-Auth-Token: ", "X-Request-Id"),
        ("modelarts-60s", 60, 12 * 2**20, "token iam aksk appcode none", "X-Auth-Token: ", "X-Request-Id"),
        ("modelarts-v2", 9, None, "token iam aksk appcode none", "X-Auth-Token: ", "X-Request-Id"),
        ("aws-apigateway-rest", 29, 10_485_760, "none token", "Authorization: Bearer ", "x-amz-apigw-id"),
        ("aws-apigateway-http", 30, 10_485_760, "none token", "Authorization: Bearer ", "apigw-requestid"),
        ("sagemaker", 60, 6_291_456, "none token", "Authorization: Bearer ", "x-amzn-requestid"),
        ("vertex", 60, 1_500_000, "token none", "Authorization: Bearer ", "X-Request-Id"),
        ("azureml", 5, None, "token none", "Authorization: Bearer ", "x-request-id"),
        ("pai-eas", 5, None, "token none", "Authorization: ", "X-Request-Id"),
        ("databricks", 297, 16_000_000, "token none", "Authorization: Bearer ", "X-Request-Id"),
        ("cloudflare", 100, 100_000_000, "none token", "Authorization: Bearer ", "cf-ray"),
        ("nginx", 60, 2**20, "none token", "Authorization: Bearer ", "X-Request-Id"),
        ("kong", 60, None, "none token", "Authorization: Bearer ", "X-Kong-Request-Id"),
        ("knative", 300, None, "none token", "Authorization: Bearer ", "X-Request-Id"),
        ("none", 40, None, "none token", "Authorization: Bearer ", "X-Request-Id"),
    ],
)
def test_a_profile_has_the_documented_limits_and_headers(
    name, timeout_s, body_limit_bytes, auth, token, request_id_header
):
    gateway = BY_NAME[name]

    assert (gateway.timeout_s, gateway.body_limit_bytes) == (timeout_s, body_limit_bytes)
    assert (" ".join(gateway.auth), f"{gateway.token_header}: {gateway.token_prefix}") == (auth, token)
    assert gateway.request_id_header == request_id_header


@pytest.mark.parametrize("gateway", PROFILES, ids=lambda gateway: gateway.name)
def test_every_reason_of_a_profile_has_its_advice(gateway):
    assert {rule.reason for rule in gateway.rules} - {""} == set(gateway.advice)
    assert all(text == " ".join(text.split()) and text.endswith((".", "?")) for text in gateway.advice.values())


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("modelarts", {"token expired"}),
        ("aws-apigateway-rest", {"credentials expired"}),
        ("aws-apigateway-http", {"token refused"}),
        ("azureml", {"no permission or token expired"}),
        ("databricks", {"token refused"}),
        ("vertex", {"token missing, wrong or expired"}),
        ("none", set()),
    ],
)
def test_a_new_token_is_asked_for_only_where_it_would_help(name, reasons):
    gateway = BY_NAME[name]

    assert {reason for reason in gateway.advice if gateway.renews(reason)} == reasons
    assert not gateway.renews("")


# ---- profiles by name and by file


@pytest.mark.parametrize("name", ["nope", "", "..", "x" * 5000, "modelarts\0"])
def test_an_unknown_profile_is_refused_with_the_known_ones(name):
    with pytest.raises(
        ConfigError, match=r"is not known; choose one of aws-apigateway-http, .*, or a file of your own"
    ):
        profiles.load(name)


@pytest.mark.parametrize("name", ["./none", "missing.toml", "../gateways/none", "a\0/b", ".", "/"])
def test_a_file_that_cannot_be_read_is_named(name):
    with pytest.raises(ConfigError, match=r"^--gateway: '.*' cannot be read \(") as caught:
        profiles.load(name)
    assert "\n" not in str(caught.value)


def test_limits_of_the_users_own_replace_the_profiles():
    gateway = profiles.load("modelarts", timeout_s=2.0, body_limit_bytes=100)

    assert (gateway.timeout_s, gateway.body_limit_bytes, gateway.name) == (2.0, 100, "modelarts")
    assert gateway.explain(401, "APIG.0307", "", {}).reason == "token expired"


def test_a_time_limit_that_is_the_owners_choice_must_be_given():
    with pytest.raises(
        ConfigError, match=r"--gateway modelarts-v2 names no time limit; give the one that the service has as --timeout"
    ):
        profiles.load("modelarts-v2")
    assert profiles.load("modelarts-v2", timeout_s=120.0).timeout_s == 120.0


@pytest.fixture
def own(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_file_of_the_users_own_needs_little(own):
    gateway = profiles.load(own('timeout = "30s"'))

    assert gateway == Gateway("own", 30.0, None, ("none", "token"), "Authorization", "Bearer ", "X-Request-Id")


def test_a_file_extends_a_profile_and_its_rules_come_first(own):
    gateway = profiles.load(
        own("""
extends = "modelarts"
timeout = "90s"
body_limit = "50MiB"
auth = ["appcode"]
token_header = "X-My-Token"

[[rules]]
outcome = "throttled"
status = [404]
code = '^APIG'
reason = "hidden by the firewall"
advice = "Ask the firewall's people."

[[rules]]
header = { Via = "proxy" }
by = "unknown"
""")
    )

    assert (gateway.timeout_s, gateway.body_limit_bytes, gateway.auth) == (90.0, 50 * 2**20, ("appcode",))
    assert (gateway.token_header, gateway.token_prefix) == ("X-My-Token", "")
    assert gateway.latency == MODELARTS.latency
    assert gateway.explain(404, "APIG.0101", "", {}) == Explanation(THROTTLED, "gateway", "hidden by the firewall")
    assert gateway.explain(429, "ModelArts.4206", "", {b"via": b"1.1 Proxy"}) == Explanation(THROTTLED, "unknown", "")
    assert gateway.explain(429, "ModelArts.4206", "", {}) == MODELARTS.explain(429, "ModelArts.4206", "", {})
    assert gateway.advice["hidden by the firewall"] == "Ask the firewall's people."


def test_the_advice_of_an_extended_profile_can_be_replaced(own):
    path = own("extends = 'modelarts'\n[[rules]]\nstatus = [499]\nreason = 'token expired'\nadvice = 'Ask Ann.'")

    assert profiles.load(path).advice["token expired"] == "Ask Ann."


def test_a_limit_of_the_extended_profile_can_be_taken_away(own):
    gateway = profiles.load(own('extends = "modelarts"\nbody_limit = "none"'))

    assert (gateway.timeout_s, gateway.body_limit_bytes) == (40.0, None)


def test_a_file_without_a_suffix_is_found_where_it_is(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text('timeout = "7s"', encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert profiles.load("mine").timeout_s == 7.0


def test_the_names_of_profiles_come_before_files(tmp_path, monkeypatch):
    (tmp_path / "none").write_text("nonsense", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert profiles.load("none").timeout_s == 40.0


def test_the_example_of_the_documentation_is_a_profile(own):
    page = Path(__file__).parent.parent / "docs" / "gateways.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    gateway = profiles.load(own(example))

    assert gateway.rules[: -len(MODELARTS.rules)]
    assert gateway.advice.items() >= MODELARTS.advice.items()


def test_the_documentation_has_every_profile_with_its_limits():
    page = (Path(__file__).parent.parent / "docs" / "gateways.md").read_text(encoding="utf-8")
    limits, _ = page.split("What each recognises", 1)
    rows = dict(re.findall(r"^\| `([\w-]+)` \|(.*)\|$", limits, re.MULTILINE))

    assert set(rows) == set(profiles.names())
    for gateway in PROFILES:
        timeout, body_limit, auth, request_id_header, latency = [cell.strip() for cell in rows[gateway.name].split("|")]
        assert timeout == ("-" if gateway.name == "modelarts-v2" else f"{gateway.timeout_s:g} s")
        assert body_limit == ("-" if gateway.body_limit_bytes is None else body_limit)
        assert gateway.body_limit_bytes in (None, units.size(body_limit.replace("-", "0")))
        assert auth == ", ".join(gateway.auth)
        assert request_id_header == f"`{gateway.request_id_header}`"
        assert (latency == "-") is (gateway.latency is None)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            'timeout = "40s"\ntiemout = "1s"',
            2,
            "unknown field 'tiemout'; known are auth, body_limit, extends, latency, ",
        ),
        ('timeout = "40x"', 1, "field 'timeout': '40x' is not a duration; write 250ms"),
        ("\ntimeout = 40", 2, "field 'timeout': 40 is not text; write it in quotes"),
        ('timeout = "0s"', 1, "field 'timeout': '0s' must be more than 0"),
        ('timeout = "1s"\n"body_limit" = "12XB"', 2, "field 'body_limit': '12XB' is not a size; write 2kB"),
        ('extends = "nope"', 1, "field 'extends': 'nope' is not known; choose one of aws-"),
        ('extends = "../none"', 1, "field 'extends': '../none' is not known; choose one of aws-"),
        ('auth = "token"', 1, "field 'auth': 'token' is not a list of some of token, iam, aksk, appcode, none"),
        (
            'auth = ["token", "magic"]',
            1,
            "field 'auth': 'magic' is not known; choose one of token, iam, aksk, appcode, none",
        ),
        ('token_header = "X Y"', 1, "field 'token_header': 'X Y' is not the name of a header"),
        ('token_header = "X:\\r\\nY"', 1, "is not the name of a header"),
        ('token_prefix = "Bearer\\r\\nX: "', 1, "field 'token_prefix': .* has characters that do not print"),
        ('token_prefix = "Tr\u00e4ger "', 1, "field 'token_prefix': .* has characters other than ASCII"),
        ("latency = 3", 1, "field 'latency': 3 is not a table"),
        ("[latency]\nincludes_backend = true", 1, "latency needs gateway_header or backend_header"),
        (
            '[latency]\ngateway_header = "A"\nincludes_backend = 1',
            3,
            "field 'includes_backend': 1 is not true or false",
        ),
        ('[latency]\ngateway_haeder = "A"', 2, "unknown field 'gateway_haeder'; known are ask, backend_header, "),
        ('latency = { gateway_haeder = "A" }', 1, "unknown field 'gateway_haeder'"),
        ('[latency]\ngateway_header = "A"\n[latency.ask]\n"X Y" = "1"', 3, "field 'ask': 'X Y' is not the name of a"),
        ('rules = "x"', 1, "field 'rules': 'x' is not a list of tables"),
        (
            '[[rules]]\nby = "model"\n[[rules]]\nby = "nobody"',
            4,
            "'nobody' is not known; choose one of gateway, model, un",
        ),
        ('[[rules]]\noutcome = "ok"', 2, "'ok' is not known; choose one of unauthorized, gateway_timeout, oversize, "),
        ("[[rules]]\nstatus = 429", 2, "field 'status': 429 is not a list of statuses"),
        ("[[rules]]\nstatus = [200]", 2, "field 'status': \\[200\\] is not a list of statuses"),
        ("[[rules]]\nstatus = [true]", 2, "field 'status': \\[True\\] is not a list of statuses"),
        (
            "[[rules]]\nby = 'model'\n\n[[rules]]\n# a comment\ncode = '('",
            6,
            "field 'code': '\\(' is not a regular exp",
        ),
        ("[[rules]]\nheader = 'x'", 2, "field 'header': 'x' is not a table"),
        ("[[rules]]\n[rules.header]\nVia = '['", 2, "field 'header': '\\[' is not a regular expression"),
        (
            "[[rules]]\nstatsu = [429]",
            2,
            "unknown field 'statsu'; known are advice, by, code, header, message, outcome",
        ),
        ("[[rules]]\nadvice = 'x'", 2, "field 'advice' needs a reason in the same rule"),
        ("[[rules]]\nrenew = true", 2, "field 'renew' needs a reason in the same rule"),
        ("[[rules]]\nreason = 'a\tb'", 2, "field 'reason': 'a\\\\tb' has characters that do not print"),
        (
            "[[rules]]\nreason = 'a'\nadvice = 'x'\n[[rules]]\nreason = 'a'\nadvice = 'y'",
            6,
            "reason 'a' has another advice already",
        ),
        ("token_header = 'Content-Length'", 1, "'Content-Length' is set by loadgate itself"),
        ("[latency]\ngateway_header = 'X'\nask = {Host = 'x'}", 3, "'Host' is set by loadgate itself"),
        (
            "[latency]\ngateway_header = 'X'\nask = {Authorization = 'Bearer x'}",
            3,
            "'Authorization' is for a credential",
        ),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_its_place_and_what_is_right(own, text, line, words):
    with pytest.raises(ConfigError, match=rf"own\.toml, line {line}: .*{words}") as caught:
        profiles.load(own(text), timeout_s=1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["timeout", "[[rules]", 'timeout = "1s"\ntimeout = "2s"', "a = " + "[" * 5000])
def test_a_file_that_is_not_toml_is_named(own, text):
    with pytest.raises(ConfigError, match=r"own\.toml is not TOML: ") as caught:
        profiles.load(own(text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"own\.toml' cannot be read \(not text\)"):
        profiles.load(str(tmp_path / "own.toml"))
