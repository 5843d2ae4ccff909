"""Locust's page, made safe, with tabs for what matters here and a start form in its user's words."""

from typing import Any

from flask import Blueprint, Response

from loadgate.shapes import SHAPES
from loadgate.web import bar, guard, inference_tab, listening, locust_form, login, query, tabs
from loadgate.web.runs import Runs
from loadgate.web.start_page import StartPage
from loadgate.web.starter import Starter

# Our own pages have no script: with this, nothing that got into them could do anything.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def prepare(web_ui: Any, options: Any, session: Any) -> None:
    """Make the page of Locust what it has to be before it is served. Raises ConfigError."""
    listening.choose(web_ui, options)
    path = f"{(options.web_base_path or '').rstrip('/')}/loadgate"
    if web_ui.web_login:
        login.protect(web_ui, path)
    environment = web_ui.environment
    environment.available_shape_classes = {name: shape() for name, shape in SHAPES.items()} | (
        environment.available_shape_classes or {}
    )
    if web_ui.userclass_picker_is_active:
        environment.shape_class = None  # Locust took the first one; it is the picker's choice
    query.hide(web_ui)
    guard.protect(web_ui.app, web_ui.host)
    runs, starter = Runs(web_ui), Starter(web_ui, session)
    start_page = StartPage(web_ui, session, starter)
    locust_form.check(web_ui, session, starter)
    tabs.add(web_ui, [inference_tab.tab(session), runs.tab(path)])
    pages = Blueprint("loadgate", __name__, url_prefix=path, template_folder="templates", static_folder="static")
    pages.after_request(_strict)
    bar.add(web_ui, session, pages)
    start_page.add_to(pages)
    runs.add_to(pages)
    web_ui.app.register_blueprint(pages)


def _strict(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)  # a report has one of its own
    return response
