"""The vendor's own limits, at their full size. Last by name: the requests are sent when the first test begins."""

import pytest


@pytest.mark.parametrize("name", ["small", "just the limit"])
def test_without_an_answer_of_the_model_the_gateway_answers_at_40_s(vendors_limits, name):
    resp = vendors_limits[name].result()
    assert (resp.status_code, resp.json()["error_code"]) == (504, "ModelArts.4503")
    assert 39.9 <= resp.elapsed.total_seconds() < 50


def test_one_byte_over_12_mib_is_too_large(vendors_limits):
    resp = vendors_limits["over the limit"].result()
    assert (resp.status_code, resp.json()["error_msg"]) == (413, "Request entity too large")
