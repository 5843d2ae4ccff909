import base64
import json

import pytest

from loadgate.standin import models
from loadgate.standin.errors import MALFORMED

ROW = {"sepal_length": 3, "sepal_width": 1, "petal_length": 2.2, "petal_width": 4}
IRIS = {"meta": {"uuid": "u1"}, "data": {"req_data": [ROW]}}
JSON = b"application/json"
FORM = b"multipart/form-data; boundary=xyz"


def form(content, name="images", disposition="form-data"):
    head = f'--xyz\r\nContent-Disposition: {disposition}; name="{name}"; filename="a.png"\r\n\r\n'
    return head.encode() + content + b"\r\n--xyz--\r\n"


def test_json_with_rows_is_for_the_iris_model():
    answer = models.answer(JSON, json.dumps(IRIS).encode())
    assert (answer.status, answer.model, answer.uuid) == (200, "json", "u1")


def test_a_file_and_its_base64_get_the_same_answer(picture):
    file = models.answer(FORM, form(picture()))
    text = models.answer(JSON, json.dumps({"image": base64.b64encode(picture()).decode()}).encode())
    assert (file.status, file.model) == (200, "file")
    assert (text.status, text.model) == (200, "base64")
    assert file.body == text.body
    assert json.loads(file.body)["predicted_label"] == "rose"


def test_the_right_file_is_found_among_other_fields(picture):
    first = form(b"no picture", name="notes").removesuffix(b"--xyz--\r\n")
    plain = b'--xyz\r\nContent-Disposition: form-data; name="images"\r\n\r\ntext\r\n'
    assert models.answer(FORM, first + plain + form(picture())).status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"data": NaN}', b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000],
    ids=["empty", "half", "not utf-8", "nan", "deep list", "deep object", "5000 digits"],
)
def test_what_is_not_json_is_refused_before_the_model(body):
    assert models.answer(JSON, body) is MALFORMED


@pytest.mark.parametrize(
    ("content_type", "body", "why"),
    [
        (JSON, b"[]", "not an object"),
        (JSON, b"{}", "data.req_data is missing"),
        (JSON, b'{"data":{"req_data":[{"sepal_length":1e999}]}}', "sepal_length is not a number"),
        (JSON, b'{"image": 7}', "image is not a string"),
        (JSON, b'{"image": "?"}', "image is not base64"),
        (JSON, b'{"image": "\xc3\xa9"}', "image is not base64"),
        (JSON, b'{"image": "\\ud800"}', "image is not base64"),
        (JSON, b'{"image": "aGVsbG8="}', "the image cannot be decoded"),
        (FORM, form(b"no picture"), "the image cannot be decoded"),
        (FORM, form(b"", name="picture"), "the form has no file images"),
        (FORM, b"", "the form has no file images"),
        (FORM, form(b"x")[:-20], "the form has no file images"),
        (FORM, b"something else", "the form cannot be read"),
        (b"multipart/form-data", form(b"x"), "the form cannot be read"),
        (b"multipart/form-data; boundary=" + b"x" * 999, form(b"x"), "the form cannot be read"),
        (FORM, b"--xyz\r\n\r\nno head\r\n--xyz--\r\n", "the form"),
    ],
)
def test_an_input_of_no_use_gets_the_models_own_error(content_type, body, why):
    answer = models.answer(content_type, body)
    content = json.loads(answer.body)
    assert answer.status == 400
    assert content["erno"] == "MR.0105"
    assert why in content["msg"]
    assert content["words_result"] == {}


def test_json_as_deep_as_the_parser_takes_is_answered():
    for depth in range(100, 1000, 25):
        row = json.dumps(ROW)[:-1] + ', "extra": ' + "[" * depth + "]" * depth + "}"
        answer = models.answer(JSON, b'{"data":{"req_data":[' + row.encode() + b"]}}")
        assert answer.status in (200, 400)


@pytest.mark.parametrize(("content_type", "size", "heavy"), [(JSON, 100, False), (JSON, 10**6, True), (FORM, 10, True)])
def test_large_bodies_and_files_are_heavy(content_type, size, heavy):
    assert models.is_heavy(content_type, bytes(size)) is heavy
