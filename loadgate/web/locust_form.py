"""Locust's own form and buttons: they take what Locust checks itself. It would take any text for any option."""

import json
from collections.abc import Callable
from typing import Any

from flask import request, url_for
from locust.argument_parser import ui_extra_args_dict
from werkzeug.datastructures import ImmutableMultiDict

from loadgate.web import query

SWARM, STOP, USER, STATS = "locust.swarm", "locust.stop", "locust.update_user", "locust.request_stats"
NO_SHAPE = "Default"  # Locust's word
TAKEN = {"user_count", "spawn_rate", "run_time", "user_classes", "shape_class", "host", "profile"}
TAKEN_OF_USER = {"user_class_name", "host", "weight", "fixed_count", "tasks"}


def check(web_ui: Any, session: Any, starter: Any) -> None:
    """Have starts and changes by Locust's page checked, once it is known who asks."""
    environment = web_ui.environment

    def swarm() -> Any:
        if why := _why_not(environment, session, starter):
            return {"success": False, "message": why}
        if not session.is_on and not request.form.get("run_time"):
            # Locust would keep that of the test before.
            environment.parsed_options.run_time = environment.parsed_options.duration_s = None
        if "host" in request.form:
            host = query.whole(request.form["host"], environment.host)
            request.form = ImmutableMultiDict(request.form.to_dict(flat=False) | {"host": [host]})
        session.forget()
        return None

    def stop() -> Any:
        starter.cancel()

    def user() -> Any:
        """Locust sets any attribute of a user class, and so what files it reads."""
        settings = json.loads(request.data)
        unknown = sorted(set(settings) - TAKEN_OF_USER) if isinstance(settings, dict) else ["this"]
        return (f"{unknown[0]} is not set here\n", 400) if unknown else None

    for endpoint, refusal in ((SWARM, swarm), (STOP, stop), (USER, user)):
        view = web_ui.app.view_functions[endpoint]
        web_ui.app.view_functions[endpoint] = web_ui.auth_required_if_enabled(_before(view, refusal))


def _before(view: Callable[[], Any], refusal: Callable[[], Any]) -> Callable[[], Any]:
    def checked() -> Any:
        refused = refusal()
        return view() if refused is None else refused

    return checked


def _why_not(environment: Any, session: Any, starter: Any) -> str:
    # What a locustfile added for its own users is its own business.
    unknown = sorted(set(request.form) - TAKEN - set(ui_extra_args_dict()))
    if unknown:
        return f"{unknown[0]} is not set here; see {url_for('loadgate.show')}"
    if starter.is_busy:
        return "another start is being checked"
    shape = request.form.get("shape_class", NO_SHAPE)
    if shape not in (NO_SHAPE, *environment.available_shape_classes):
        return f"there is no shape {shape}"
    if session.is_on and environment.shape_class:
        return f"the shape {type(environment.shape_class).__name__} sets the load that is on; stop it first"
    if session.is_on and shape != NO_SHAPE:
        return "a test is on; stop it before a shape is started"
    return ""
