import json
from dataclasses import replace

import pytest

from loadgate.standin.answers import FORMS, Refusal

APIG = Refusal(502, "APIG.0201", "Backend unavailable.")
DISPATCHER = Refusal(503, "ModelArts.4700", "Unavailable gateway.")


def test_the_gateway_has_three_keys_and_the_dispatcher_two():
    fields = {"error_code": "APIG.0201", "error_msg": "Backend unavailable."}
    assert json.loads(APIG.body("ab" * 16)) == fields | {"request_id": "ab" * 16}
    assert json.loads(replace(APIG, form="no_request_id").body("ab" * 16)) == fields
    assert json.loads(DISPATCHER.body("x")) == {"error_code": "ModelArts.4700", "error_msg": "Unavailable gateway."}


def test_a_wrapped_error_is_keystones():
    body = json.loads(replace(DISPATCHER, form="wrapped").body("x"))
    assert body == {"error": {"code": "ModelArts.4700", "message": "Unavailable gateway."}}


def test_a_truncated_error_is_not_json_but_shows_its_code():
    body = replace(DISPATCHER, form="truncated").body("x")
    assert b"ModelArts.4700" in body
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_an_error_page_is_nginxs_and_carries_no_code():
    page = Refusal(502, "", "Bad Gateway", form="html")
    assert b"<title>502 Bad Gateway</title>" in page.body("x")
    assert (page.content_type, page.server, page.sent_code) == (b"text/html", b"nginx", "")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_a_body(form):
    assert replace(APIG, form=form).body("x")


def test_what_fills_a_blank_cannot_break_the_json_and_is_not_filled_itself():
    message = Refusal(429, "ModelArts.4206", "Excessive number of requests to {service}.").about(service='x"}{ak}')
    assert json.loads(message.body(""))["error_msg"] == 'Excessive number of requests to x"}{ak}.'
