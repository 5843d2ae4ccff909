import json

from loadgate.standin import answers


def test_a_refusal_has_the_three_keys_of_the_gateway():
    body = json.loads(answers.TOO_LARGE.body("ab" * 16))
    assert body == {"error_code": "APIG.0201", "error_msg": "Request entity too large", "request_id": "ab" * 16}


def test_a_service_id_from_the_path_cannot_break_the_json():
    message = json.loads(answers.excessive('x"}').body(""))["error_msg"]
    assert message == 'Excessive number of requests to x"}.'
