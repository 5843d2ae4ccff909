"""The start form's page, and how a load that is on is changed."""

from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from analysis.wording import size_text
from loadgate import options, profiles, project_file
from loadgate.arrivals import DISTRIBUTIONS
from loadgate.payloads import KINDS
from loadgate.shapes import SHAPES
from loadgate.web import query, start_form, uploads
from loadgate.web.payload_folder import offers
from loadgate.web.start_form import AS_STARTED, BY_NAME, CLOSED, STEADY
from loadgate.web.starter import Starter, sends

DEFAULT_USERS = 10


class StartPage:
    """The form, over Locust's environment and the session of loadgate in it."""

    def __init__(self, web_ui: Any, session: Any, starter: Starter) -> None:
        self._web_ui, self._session, self._starter = web_ui, session, starter
        self._environment = web_ui.environment
        self._options = self._environment.parsed_options
        self._projects = [each.text for each in project_file.objectives()]
        self._last: dict[str, str] = {}  # what the last start by this form had

    def add_to(self, pages: Blueprint) -> None:
        """Put the form and what it does under these pages."""
        rules = ("/", self.show, "GET"), ("/", self.start, "POST"), ("/change", self.change, "POST")
        for path, view, method in rules:
            guarded = self._web_ui.auth_required_if_enabled(view)
            pages.add_url_rule(path, view.__name__, guarded, methods=[method])

    def show(self) -> Any:
        """The form, or how to change the load that is on."""
        return self._load_that_is_on() if self._session.is_on else self._form(self._texts())

    def start(self) -> Any:
        """Check the form, and start the load it asks for; with anything wrong, say so and start nothing."""
        if self._session.is_on:
            return self._load_that_is_on("A test is on: stop it first."), 409
        if self._starter.is_busy:
            return self._form(self._texts(), {"": "Another start is being checked."}), 409
        request.max_content_length = uploads.LARGEST_BYTES
        request.max_form_memory_size, request.max_form_parts = uploads.LARGEST_BYTES, uploads.MOST_FILES
        try:
            texts, sent = request.form.to_dict(), [file for file in request.files.getlist("upload") if file.filename]
        except RequestEntityTooLarge:
            return self._form(self._texts(), {"upload": uploads.TOO_LARGE}), 413
        texts["host"] = query.whole(texts.get("host", "").strip(), self._environment.host)
        chosen = request.form.getlist("files")
        answers, wrong = start_form.check(texts, self._choices())
        if unknown := set(chosen) - {offer.name for offer in offers(self._options.payloads)}:
            wrong["files"] = f"{min(unknown)!r} is not in {self._options.payloads}"
        if texts.get("kind") == AS_STARTED and (chosen or sent):
            wrong["kind"] = "say what kind of request the files are, or choose none"
        if texts["host"].endswith(query.HIDDEN):
            wrong["host"] = f"write its query in place of {query.HIDDEN!r}, which only says that it is not shown"
        wrong = wrong or self._starter.start(answers, chosen, sent)
        if wrong:
            return self._form(texts, wrong, chosen), 422
        self._last = texts
        return redirect(url_for("locust.index", tab="inference"))

    def change(self) -> Any:
        """Change the load that is on, at once."""
        if not self._session.can_change:
            return redirect(url_for("loadgate.show"))
        closed = self._session.rate_per_s is None
        name = "users" if closed else "rate"
        try:
            number = BY_NAME[name].parse(request.form.get(name, "").strip())
        except ValueError as error:
            return self._load_that_is_on(str(error)), 422
        (self._starter.change_users if closed else self._starter.change_rate)(number)
        return redirect(url_for("locust.index", tab="inference"))

    # ---- what the pages show

    def _load_that_is_on(self, wrong: str = "") -> str:
        shape, rate_per_s = self._environment.shape_class, self._session.rate_per_s
        return render_template(
            "loadgate/change.html",
            field=BY_NAME["users" if rate_per_s is None else "rate"],
            now=f"{self._environment.runner.target_user_count if rate_per_s is None else rate_per_s:g}",
            can_change=self._session.can_change,
            shape=type(shape).__name__ if shape else "",
            wrong=wrong,
        )

    def _form(self, texts: dict[str, str], wrong: dict[str, str] | None = None, chosen: Any = ()) -> str:
        given = [Path(path).name for paths in self._starter.as_started.values() for path in paths or ()]
        own = [path for found in self._starter.classes for path in getattr(found, "paths", ())]
        return render_template(
            "loadgate/start.html",
            fields=BY_NAME,
            texts=texts | {"host": query.shown(texts["host"])},
            wrong=wrong or {},
            choices=self._choices(),
            folder=self._options.payloads,
            offers=offers(self._options.payloads),
            chosen=chosen,
            as_started=", ".join(given or own) or "the sample",
            largest=size_text(uploads.LARGEST_BYTES),
        )

    def _texts(self) -> dict[str, str]:
        """What the form has to begin with: what its last start had, else what the command line says."""
        known = self._options
        shape = self._environment.shape_class
        users = known.num_users or DEFAULT_USERS
        texts = {name: _text(getattr(known, name, None)) for name in BY_NAME}
        return (
            texts
            | {
                "host": self._environment.host or "",
                "kind": AS_STARTED,
                "shape": type(shape).__name__ if shape else STEADY,
                "load_model": CLOSED if self._is_closed_only else known.load_model,
                "rate": f"{users * known.rate_per_user:g}",
                "users": str(users),
                "think_time_s": _duration_text(known.think_time_s),
                "duration": _duration_text(known.run_time or known.duration_s),
                "budget_s": _duration_text(known.budget_s),
                "timeout_s": _duration_text(known.timeout_s),
                "headroom": f"{100 * known.headroom:g}%",
                "slo": "\n".join(known.slo or self._projects),
            }
            | self._last
        )

    def _choices(self) -> dict[str, list[str]]:
        gateways = profiles.names()
        kinds = [kind for kind in KINDS if any(sends(found, kind) for found in self._starter.classes)]
        shapes = [*SHAPES, *self._environment.available_shape_classes]
        return {
            "kind": [AS_STARTED, *kinds],
            "shape": [STEADY, *dict.fromkeys(shapes)],
            "load_model": [CLOSED] if self._is_closed_only else list(options.LOAD_MODELS),
            "arrivals": list(DISTRIBUTIONS),
            "gateway": gateways if self._options.gateway in gateways else [*gateways, self._options.gateway],
        }

    @property
    def _is_closed_only(self) -> bool:
        """Whether users have tasks of their own, in which they wait."""
        return any(getattr(found, "own_tasks", False) for found in self._starter.classes)


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _duration_text(seconds: float | None) -> str:
    if not seconds or seconds % 60:
        return "" if seconds is None else f"{seconds:g}s"
    return f"{seconds / 60:g}m"
