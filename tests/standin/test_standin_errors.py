import json

import pytest

from loadgate.standin.errors import APIG, ERRORS, MODELARTS, SHOWN, TIME_OUT_AS

IAM = "Incorrect IAM authentication information: "


def test_every_row_has_a_name_of_its_own():
    assert len(ERRORS) == len(APIG + MODELARTS + SHOWN)


def test_a_name_begins_with_the_code_and_has_the_status_where_it_is_needed():
    without_word = [error.code for name, error in ERRORS.items() if name.count("/") < 2]
    for name, error in ERRORS.items():
        code, *more = name.split("/")
        assert code == error.code
        assert more[:1] in ([], [str(error.status)])
        assert more or without_word.count(code) == 1


# Copied from the vendor's pages, not from the module.
@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("APIG.0101", 404, "The API does not exist or has not been published in the environment."),
        ("APIG.0101/404/method", 404, "The API does not exist."),
        ("APIG.0201/400", 400, "API request error."),
        ("APIG.0201/413", 413, "Request entity too large."),
        ("APIG.0201/414", 414, "Request URI too large."),
        ("APIG.0201/494", 494, "Request headers too large."),
        ("APIG.0201/500", 500, "An unexpected error occurred"),
        ("APIG.0201/502", 502, "Backend unavailable."),
        ("APIG.0201/504", 504, "Backend timeout."),
        ("APIG.0203", 504, "Backend timeout"),
        ("APIG.0301/401/decrypt", 401, IAM + "decrypt token fail"),
        ("APIG.0301/401/locked", 401, IAM + "AK access failed to reach the limit,forbidden"),
        (
            "APIG.0303/401/app_code",
            401,
            "Incorrect app authentication information: app not found with specified appCode",
        ),
        ("APIG.0307", 401, "The token must be updated."),
        ("APIG.0501", 405, "The app quota has been used up."),
        ("APIG.0613", 503, "The IAM service is currently unavailable."),
        ("ModelArts.0203/401", 401, "Invalid token."),
        ("ModelArts.0204/400", 400, "Token must contain projectId info."),
        ("ModelArts.0206/403", 403, "Invalid AK/SK."),
        ("ModelArts.4104", 413, "Invalid request body because the size exceeds the maximum size allowed."),
        ("ModelArts.4201/401", 401, "Invalid token."),
        ("ModelArts.4205", 408, "Connection timed out."),
        ("ModelArts.4205/408/sent", 408, "Connection time out."),
        (
            "ModelArts.4302/503/self_protection",
            503,
            "Due to self protection, the backend service is disconnected, please wait moment.",
        ),
        (
            "ModelArts.4503/504/keepalive",
            504,
            "Failed to respond due to backend service not found or failed to respond",
        ),
        (
            "ModelArts.4503/504/crash",
            504,
            "Backend service respond timeout, please confirm your service is able to process the request "
            "without timeout. ",
        ),
        ("ModelArts.4700", 503, "Unavailable gateway."),
    ],
)
def test_an_error_is_in_the_vendors_words(name, status, message):
    assert (ERRORS[name].status, ERRORS[name].message) == (status, message)


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_a_body_without_a_blank(name):
    body = json.loads(ERRORS[name].about().body("ab" * 16))
    assert body["error_code"] == ERRORS[name].code
    assert "{" not in body["error_msg"]
    assert ("request_id" in body) == name.startswith("APIG.")


def test_the_time_limit_shows_in_three_ways():
    assert {name: (error.status, error.code) for name, error in TIME_OUT_AS.items()} == {
        "4503": (504, "ModelArts.4503"),
        "APIG.0203": (504, "APIG.0203"),
        "4205": (408, "ModelArts.4205"),
    }
