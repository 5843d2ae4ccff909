"""The login of the page: one password, from the environment."""

import hmac
import os
import secrets
from collections.abc import Mapping
from typing import Any

import gevent
import gevent.lock
from flask import redirect, request, session, url_for
from flask_login import UserMixin, login_user

from loadgate.errors import ConfigError

PASSWORD_VARIABLE = "LOADGATE_WEB_PASSWORD"  # noqa: S105 - the name of one
LEAST_LETTERS = 8
PAUSE_S = 1.0  # after a wrong one, so that nobody tries many


class _Visitor(UserMixin):  # type: ignore[misc] # it has no types
    id = "visitor"


def protect(web_ui: Any, path: str, environ: Mapping[str, str] = os.environ) -> None:
    """Let nobody in without the password, which is sent to `path`/login. Raises ConfigError where there is none."""
    app = web_ui.app
    password = environ.get(PASSWORD_VARIABLE, "")
    if len(password) < LEAST_LETTERS:
        raise ConfigError(f"--web-login needs a password of {LEAST_LETTERS} letters or more in {PASSWORD_VARIABLE}")
    app.secret_key = secrets.token_bytes(32)
    app.config.update(SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Strict")
    web_ui.login_manager.user_loader(lambda name: _Visitor() if name == _Visitor.id else None)
    web_ui.auth_args = {"username_password_callback": f"{path}/login"}

    one_at_a_time = gevent.lock.RLock()

    def enter() -> Any:
        with one_at_a_time:
            if hmac.compare_digest(request.form.get("password", "").encode(), password.encode()):
                login_user(_Visitor())
                return redirect(url_for("locust.index"))
            gevent.sleep(PAUSE_S)
        session["auth_error"] = "That is not the password."
        return redirect(url_for("locust.login"))

    app.add_url_rule(f"{path}/login", "loadgate-login", enter, methods=["POST"])
