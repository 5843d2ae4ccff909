import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.error_words import error_words

NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


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
        (b'{"error": "not found"}', ("", "not found")),
        (b'{"error": "invalid_token", "error_description": "it expired"}', ("", "it expired")),
        (b'{"error": true}', ("", '{"error": true}')),
        (b'{"detail": [{"loc": ["body"]}]}', ("", '{"detail": [{"loc": ["body"]}]}')),
        (
            b'{"detail": [{"loc": ["body", 0, "x"], "msg": "field required", "type": "t"}]}',
            ("", "body.0.x: field required"),
        ),
        (b'{"detail": [{"msg": "field required"}, 7]}', ("", "field required")),
        (b'{"detail": [7]}', ("", '{"detail": [7]}')),
        (b'{"error_code": "A.1", "error_msg": "outer", "error": {"code": "2", "message": "inner"}}', ("A.1", "outer")),
        (
            b'{"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}}',
            ("RESOURCE_EXHAUSTED", "Quota"),
        ),
        (b'{"error": {"code": 429, "message": "Quota", "status": 429}}', ("429", "Quota")),
        (b'{"__type": "com.amazon.coral.service#AccessDenied", "Message": "no"}', ("AccessDenied", "no")),
        (b'{"__type": "AccessDenied:http://internal/", "message": "no"}', ("AccessDenied", "no")),
        (b'{"code": "E#1", "message": "no"}', ("E#1", "no")),
        (
            b'{"ErrorCode":"CLIENT_ERROR_FROM_MODEL","LogStreamArn":"a","Message":"Received client error (400)",'
            b'"OriginalMessage":"bad","OriginalStatusCode":400}',
            ("CLIENT_ERROR_FROM_MODEL", "Received client error (400)"),
        ),
        (b'{"OriginalMessage":"bad","OriginalStatusCode":400}', ("", "bad")),
        (b'{"error_code":"A.1","message":"of Databricks"}', ("A.1", "of Databricks")),
        (b'{"error": {"code": "UserError", "message": "of Azure"}}', ("UserError", "of Azure")),
        (b"[1]", ("", "[1]")),
        (b"", ("", "")),
        (b"plain words", ("", "plain words")),
        (b"\xff words", ("", "\N{REPLACEMENT CHARACTER} words")),
        (NGINX.format("504 Gateway Time-out").encode(), ("", "504 Gateway Time-out (nginx)")),
        (
            b"<!DOCTYPE html>\n<title lang=en>\n a | 524: A timeout &amp;\n occurred </title>",
            ("", "a | 524: A timeout & occurred"),
        ),
        (b"<html><title></title>", ("", "<html><title></title>")),
        (b"<html><title>cut o", ("", "<html><title>cut o")),
        (b'{"error_code":"APIG.0201","error_msg":"Requ', ("APIG.0201", "Requ")),
        (b'{"error_msg":"a \\"quoted\\" word \\', ("", 'a "quoted" word ')),
        (b'{"error_msg":"half \\ud8', ("", "half \\ud8")),
        (b'{"error":{"code":429,"message":"Quota', ("429", "Quota")),
        (b'{"error_code":"APIG.02', ("APIG.02", "")),
        (b'{"__type":"x#Throttling","message":"R', ("Throttling", "R")),
        (b'{"score": NaN, "message": "bad"}', ("", "bad")),
        (b'{"scor', ("", '{"scor')),
        (b"[" * 100_000, ("", "[" * 2000)),
        (b'{"detail":[{"loc":["body",' + b"[" * 1000 + b"]" * 1000 + b'],"msg":"bad"}]}', ("", "body: bad")),
        (b'{"detail":[{"loc":' + b"[1" + b",1" * 1000 + b'],"msg":"bad"}]}', ("", "1.1.1.1.1.1.1.1.1.1: bad")),
        (b'{"message": "' + b"x" * 5000 + b'"}', ("", "x" * 2000)),
    ],
)
def test_code_and_message_are_found_in_every_form_in_use(content, words):
    assert error_words(content) == words


@given(st.binary())
def test_words_are_found_in_anything(content):
    for start in (b"", b"{", b'{"code":', b'{"message":"', b'{"error":{', b"<", b"<title>"):
        code, message = error_words(start + content)
        assert len(code) <= 2000
        assert len(message) <= 2000


def nested(inner):
    names = st.sampled_from(["error", "error_code", "code", "message", "detail", "loc", "msg", "status", "__type"])
    return st.lists(inner) | st.dictionaries(names | st.text(), inner)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), nested))
def test_words_are_found_in_any_json(content):
    code, message = error_words(json.dumps(content).encode())

    assert isinstance(code, str)
    assert isinstance(message, str)


def test_a_failure_that_is_long_is_no_json_to_be_parsed():
    """Parsed, this would be 700,000 lists and hold up the load."""
    body = b'{"error_code": "A.1", "error_msg": "bad", "more": [' + b"[]," * 700_000 + b"[]]}"
    tracemalloc.start()
    words = error_words(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert words == ("A.1", "bad")
    assert peak_bytes < 100_000
