"""Locust's page, made safe, and with a tab for what matters here."""

from typing import Any

from loadgate.web import guard, inference_tab, listening, login


def prepare(web_ui: Any, options: Any, session: Any) -> None:
    """Make the page of Locust what it has to be before it is served. Raises ConfigError."""
    listening.choose(web_ui, options)
    if web_ui.web_login:
        login.protect(web_ui.app, web_ui)
    guard.protect(web_ui.app, web_ui.host)
    inference_tab.add(web_ui, session)
