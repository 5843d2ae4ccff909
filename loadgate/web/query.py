"""The query of the service's URL, which can carry an access code: it is in no page, answer or file name."""

import json
from typing import Any

from flask import Response
from markupsafe import escape
from werkzeug.datastructures import Headers

HIDDEN = "?..."


def hide(web_ui: Any) -> None:
    """Leave it out of everything that the page answers: Locust shows its host in many places."""

    def hidden(response: Response) -> Response:
        url = web_ui.environment.host or ""
        if shown(url) != url:
            response.headers = Headers((name, _without(value, url)) for name, value in response.headers)
            if not response.direct_passthrough:
                response.set_data(_without(response.get_data(as_text=True), url))
        return response

    web_ui.app.after_request(hidden)


def shown(url: str) -> str:
    """The URL as a page shows it."""
    bare, _, rest = url.partition("?")
    return f"{bare}{HIDDEN}" if rest else url


def whole(text: str, url: str | None) -> str:
    """The `url` where `text` is what a page shows of it, else `text`."""
    return url if url and text == shown(url) else text


def _without(text: str, url: str) -> str:
    """Show `url` in `text` as a page does, where it is as it is or written for HTML or a script."""
    in_script = json.dumps(url)[1:-1].replace("&", "\\u0026").replace("'", "\\u0027")
    for written in (url, str(escape(url)), in_script):
        text = text.replace(written, shown(url))
    return text
