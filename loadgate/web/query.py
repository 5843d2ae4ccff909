"""The query of the service's URL, which can carry an access code: it is in no page, answer or file name."""

import json
from typing import Any

from flask import Response
from markupsafe import escape
from werkzeug.datastructures import Headers

from loadgate import target
from loadgate.errors import ConfigError

HIDDEN = "?..."


def hide(web_ui: Any) -> None:
    """Leave it out of everything that the page answers: Locust shows its host in many places."""

    def hidden(response: Response) -> Response:
        _, mark, rest = (web_ui.environment.host or "").partition("?")
        if rest:
            query = mark + rest  # with its mark, or a short one would be found in any word
            response.headers = Headers((name, value.replace(query, HIDDEN)) for name, value in response.headers)
            if not response.direct_passthrough:
                response.set_data(_without(response.get_data(as_text=True), query))
        return response

    web_ui.app.after_request(hidden)


def shown(url: str) -> str:
    """The URL as a page shows it."""
    try:
        return target.parse(url).shown if "?" in url else url
    except ConfigError:
        return url


def whole(text: str, url: str | None) -> str:
    """The `url` where `text` is what a page shows of it, else `text`."""
    return url if url and text == shown(url) else text


def _without(text: str, query: str) -> str:
    """Leave `query` out of `text`, as it is there or written for HTML or a script."""
    in_script = json.dumps(query)[1:-1].replace("&", "\\u0026").replace("'", "\\u0027")
    for written in (query, str(escape(query)), in_script):
        text = text.replace(written, HIDDEN)
    return text
