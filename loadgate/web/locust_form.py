"""Locust's own start form: it takes what it checks itself. Locust would take any text for any option."""

from typing import Any

from flask import request, url_for
from locust.argument_parser import ui_extra_args_dict
from werkzeug.datastructures import ImmutableMultiDict

from loadgate.web import query

SWARM = "locust.swarm"
NO_SHAPE = "Default"  # Locust's word
TAKEN = {"user_count", "spawn_rate", "run_time", "user_classes", "shape_class", "host", "profile"}


def check(web_ui: Any, session: Any, starter: Any) -> None:
    """Have every start and change by that form checked."""

    def refusal() -> Any:
        if request.endpoint != SWARM:
            return None
        why = _why_not(web_ui.environment, session, starter)
        if why:
            return {"success": False, "message": why}
        if "host" in request.form:
            host = query.whole(request.form["host"], web_ui.environment.host)
            request.form = ImmutableMultiDict(request.form.to_dict(flat=False) | {"host": [host]})
        session.forget()
        return None

    web_ui.app.before_request(refusal)


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
