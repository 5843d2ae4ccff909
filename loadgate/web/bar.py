"""loadgate's bar above Locust's page, with the ways to the pages of its own, and links in the tab's cells.

Locust's assets stay as they are: this goes into the HTML that loads them.
"""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

ROOT = '<div id="root">'
INDEX = "locust.index"
LOCUSTS_OWN = "locust"  # in the query of who wants Locust's own start form


def add(web_ui: Any, session: Any, pages: Blueprint) -> None:
    """Put the bar there, and lead who opens the page before any test to the start form.

    Locust's page looks no more once a test has stopped. Ours tells under `pages` when the last rows and the report
    are there, for the bar's script to look again.
    """

    def lead() -> Any:
        is_new = session.is_new and LOCUSTS_OWN not in request.args
        return redirect(url_for("loadgate.show")) if request.endpoint == INDEX and is_new else None

    def insert(response: Response) -> Response:
        if request.endpoint == INDEX and response.status_code == 200:
            page = response.get_data(as_text=True)
            response.set_data(page.replace(ROOT, render_template("loadgate/bar.html") + ROOT, 1))
        return response

    ended = web_ui.auth_required_if_enabled(lambda: str(session.ended))
    pages.add_url_rule("/ended", "ended", ended)
    web_ui.app.before_request(lead)
    web_ui.app.after_request(insert)
