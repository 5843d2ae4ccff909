from types import SimpleNamespace

import pytest
from flask import Flask, jsonify, render_template_string

from loadgate.web import query

SECRET = "code=9f8e7d6c&x=%27%3C"


@pytest.fixture
def client():
    app, web_ui = Flask("page"), SimpleNamespace(environment=SimpleNamespace(host=f"http://h/p?{SECRET}"))
    web_ui.app = app
    query.hide(web_ui)
    where = {"host": web_ui.environment.host}
    app.add_url_rule("/text", "text", lambda: (web_ui.environment.host, {"X-Host": web_ui.environment.host}))
    app.add_url_rule("/json", "json", lambda: jsonify(where))
    app.add_url_rule("/html", "html", lambda: render_template_string("<p title='{{ host }}'>", **where))
    app.add_url_rule("/script", "script", lambda: render_template_string("<script>{{ host|tojson }}</script>", **where))
    return app.test_client()


@pytest.mark.parametrize("path", ["/text", "/json", "/html", "/script"])
def test_the_query_is_in_no_form_of_answer(client, path):
    answer = client.get(path)

    assert "9f8e7d6c" not in answer.text + str(answer.headers)
    assert "http://h/p?..." in answer.text


def test_a_short_query_is_not_taken_for_other_text(client):
    with client.application.app_context():
        assert query._without("revive? http://h/?v", "http://h/?v") == "revive? http://h/?..."
