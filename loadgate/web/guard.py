"""Who may ask the page for what: a web site that its user happens to visit may neither read nor change anything.

Requests that change something need the page's own origin, which a browser tells and no other site can forge (Fetch
standard; OWASP, Cross-Site Request Forgery Prevention). Another site may send a browser here, and nothing else: what it
takes for pictures or scripts of its own would have the page work for it (Fetch Metadata). A page on loopback answers to
loopback's names alone, so that no foreign name can be made to lead there (DNS rebinding).
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, request
from werkzeug.exceptions import HTTPException

from loadgate.target import is_loopback

log = logging.getLogger("loadgate")
INTERNAL_ERROR, BROKEN = 500, "Something went wrong; the log on the terminal has more.\n"
READING = ("GET", "HEAD", "OPTIONS")
OWN_SITE = (None, "same-origin", "none")  # of a client that is no browser, of the page itself, of who types an address
LARGEST_BYTES = 1 << 20  # of what is sent; whoever takes more says so
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
}


def protect(app: Flask, host: str) -> None:
    """Refuse what comes from elsewhere, and tell a browser nothing of our inside."""
    app.debug = False
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BYTES
    app.before_request(lambda: _refusal(host))
    app.after_request_funcs.setdefault(None, []).insert(0, _guarded)  # the first is the last to be called
    app.register_error_handler(Exception, _error)


def _refusal(host: str) -> Response | None:
    name = urlsplit(f"//{request.host}").hostname or ""
    if is_loopback(host) and not is_loopback(name):
        return make_response(f"This page is at {host}, and answers to no other name.\n", 403)
    if request.method not in READING and request.headers.get("Origin") != f"{request.scheme}://{request.host}":
        return make_response("Only this page itself may change anything: send its own address as Origin.\n", 403)
    asked = request.headers
    if asked.get("Sec-Fetch-Site") not in OWN_SITE and asked.get("Sec-Fetch-Mode") != "navigate":
        return make_response("No part of this page is a part of another.\n", 403)
    return None


def _guarded(response: Response) -> Response:
    for name in [name for name, _ in response.headers if name.startswith("Access-Control-")]:
        del response.headers[name]  # Locust lets every site read all of it
    if response.status_code == INTERNAL_ERROR:
        response.set_data(BROKEN)  # Locust's own handler tells what was raised
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)  # a page may be stricter
    return response


def _error(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        return error
    log.exception("the page failed at %s", request.path)
    return make_response(BROKEN, INTERNAL_ERROR)
