"""The guard of the page, around an app of one page that breaks. What Locust's own page does with it: test_web_guard."""

import pytest
from flask import Flask, abort, request
from flask_cors import CORS

from loadgate.web import guard

EVERYWHERE = "0.0.0.0"  # noqa: S104
OWN = "http://127.0.0.1:8089"


def client(host="127.0.0.1"):
    app = Flask(__name__)
    CORS(app)  # as Locust has it
    app.debug = True
    app.add_url_rule("/", "home", lambda: "home", methods=["GET", "POST"])
    app.add_url_rule("/break", "break", lambda: 1 / 0)
    app.add_url_rule("/missing", "missing", lambda: abort(404))
    app.add_url_rule("/read", "read", lambda: str(len(request.get_data())), methods=["POST"])
    guard.protect(app, host)
    return app.test_client()


def test_an_error_that_nobody_caught_tells_nothing():
    answer = client().get("/break", base_url=OWN)

    assert answer.status_code == 500
    assert b"ZeroDivisionError" not in answer.data
    assert b"log on the terminal" in answer.data


def test_an_answer_that_is_no_success_stays_what_it_is():
    assert client().get("/missing", base_url=OWN).status_code == 404


def test_no_other_site_may_read_or_frame_the_page():
    headers = client().get("/", base_url=OWN, headers={"Origin": "http://evil.example"}).headers

    assert [name for name, _ in headers if name.startswith("Access-Control-")] == []
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("host", "base_url", "origin", "code"),
    [
        ("127.0.0.1", OWN, OWN, 200),
        ("127.0.0.1", OWN, None, 403),
        ("127.0.0.1", OWN, "http://evil.example", 403),
        ("127.0.0.1", "http://[::1]:8089", "http://[::1]:8089", 200),
        ("127.0.0.1", "http://evil.example", "http://evil.example", 403),  # a name that was made to lead here
        (EVERYWHERE, "http://loads.example:8089", "http://loads.example:8089", 200),  # any name may be its own
        (EVERYWHERE, "http://loads.example:8089", "http://evil.example", 403),
        ("", "https://loads.example", "http://loads.example", 403),
    ],
)
def test_a_change_is_taken_from_the_page_itself(host, base_url, origin, code):
    headers = {} if origin is None else {"Origin": origin}

    assert client(host).post("/", base_url=base_url, headers=headers).status_code == code


@pytest.mark.parametrize(
    ("site", "mode", "code"),
    [
        (None, None, 200),  # no browser
        ("none", "navigate", 200),
        ("same-origin", "cors", 200),
        ("cross-site", "navigate", 200),  # a link to it
        ("cross-site", "no-cors", 403),  # a picture on another page, or a script
        ("cross-site", "cors", 403),
        ("same-site", "no-cors", 403),  # of another port of this machine
    ],
)
def test_no_part_of_the_page_is_a_part_of_another(site, mode, code):
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    headers = {name: value for name, value in said.items() if value}

    assert client().get("/", base_url=OWN, headers=headers).status_code == code


def test_more_than_any_form_has_is_not_read():
    too_large = bytes(guard.LARGEST_BYTES + 1)

    assert client().post("/read", base_url=OWN, headers={"Origin": OWN}, data=b"x").text == "1"
    assert client().post("/read", base_url=OWN, headers={"Origin": OWN}, data=too_large).status_code == 413
