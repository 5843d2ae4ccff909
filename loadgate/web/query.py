"""The query of the service's URL, which can carry an access code: it is in no page, answer or file name."""

import json
from typing import Any

from flask import Response
from markupsafe import escape

HIDDEN = "?..."


def hide(web_ui: Any) -> None:
    """Leave it out of everything that the page answers: Locust shows its host in many places."""

    def hidden(response: Response) -> Response:
        _, mark, rest = (web_ui.environment.host or "").partition("?")
        query = mark + rest  # with its mark, or a short one would be found in any word
        if rest and not response.direct_passthrough:
            response.set_data(_without(response.get_data(as_text=True), query))
            for name, value in list(response.headers):
                response.headers[name] = value.replace(query, HIDDEN)
        return response

    web_ui.app.after_request(hidden)


def _without(text: str, query: str) -> str:
    """Leave `query` out of `text`, as it is there or written for HTML or a script."""
    in_script = json.dumps(query)[1:-1].replace("&", "\\u0026").replace("'", "\\u0027")
    for written in (query, str(escape(query)), in_script):
        text = text.replace(written, HIDDEN)
    return text
