"""Locust's page, made safe: who may reach it, who may change anything on it, and what it shows of an error."""

from typing import Any

from loadgate.web import guard, listening, login


def prepare(web_ui: Any, options: Any) -> None:
    """Make the page of Locust what it has to be before it is served. Raises ConfigError."""
    listening.choose(web_ui, options)
    if web_ui.web_login:
        login.protect(web_ui.app, web_ui)
    guard.protect(web_ui.app, web_ui.host)
