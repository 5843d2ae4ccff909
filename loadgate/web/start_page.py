"""The start form's page: what it shows, what starting does, and how a load that is on is changed."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage, ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from analysis.wording import size_text
from loadgate import manifest, options, profiles, target
from loadgate.arrivals import DISTRIBUTIONS, shared
from loadgate.errors import ConfigError
from loadgate.payloads import KINDS, SAMPLE
from loadgate.shapes import SHAPES
from loadgate.web import start_form, uploads
from loadgate.web.start_form import AS_STARTED, BY_NAME, CLOSED, SEARCH, STEADY, Answers

DEFAULT_USERS = 10
BEGIN_S, POLL_S = 5.0, 0.02
WHOLE_FOLDER = "."
NO_SHAPE = "Default"  # Locust's word
OURS = {option.name for option in (*options.WHAT, *options.HOW, *options.LIMITS, *options.LOCUST_ONLY, *options.SEARCH)}
MOST_OFFERED = 200  # files by name; the folder as a whole has them all
PATHS = {kind: f"{kind}_paths" for kind in KINDS}
# Which field a sentence about an option belongs to.
FIELD_OF = {
    "--json": "files",
    "--file": "files",
    "--base64": "files",
    "--gateway": "gateway",
    "--timeout": "timeout_s",
    "--budget": "budget_s",
    "--to": "to_per_s",
    "--from": "from_per_s",
    "--slo": "slo",
    "objective": "slo",
    "URL": "host",
    "host": "host",
}


class StartPage:
    """The form, over Locust's environment and the session of loadgate in it."""

    def __init__(self, web_ui: Any, session: Any) -> None:
        self._web_ui, self._session = web_ui, session
        self._environment = web_ui.environment
        self._options = self._environment.parsed_options
        self._classes = list(self._environment.user_classes)
        self._as_started = {name: getattr(self._options, name) for name in PATHS.values()}
        self._out = self._options.out
        if web_ui.userclass_picker_is_active:
            self._environment.shape_class = None  # the picker's choice
        self._shape = self._environment.shape_class  # a locustfile's own
        self._starting = False
        web_ui.app.before_request(self._check_swarm)

    def add_to(self, pages: Blueprint) -> None:
        """Put the form and what it does under these pages."""
        for path, view, method in (
            ("/", self.show, "GET"),
            ("/", self.start, "POST"),
            ("/change", self.change, "POST"),
        ):
            guarded = self._web_ui.auth_required_if_enabled(view)
            pages.add_url_rule(path, view.__name__, guarded, methods=[method])

    # ---- pages

    def show(self) -> Any:
        """The form, or how to change the load that is on."""
        return self._page(self._texts())

    def start(self) -> Any:
        """Check the form, and start the load it asks for; with anything wrong, say so and start nothing."""
        if self._session.is_on or self._starting:
            return self._page(self._texts(), {"": "A test is on: stop it first."}, 409)
        self._starting = True
        try:
            return self._start()
        finally:
            self._starting = False

    def change(self) -> Any:
        """Change the load that is on, at once."""
        name = "users" if self._is_closed else "rate"
        try:
            if self._fixed_by:
                raise ValueError(f"{self._fixed_by} sets this load; stop it first")
            number = BY_NAME[name].parse(request.form.get(name, "").strip())
        except ValueError as error:
            return self._page(self._texts(), {"change": str(error)}, 422)
        users, rate_per_user = (number, None) if self._is_closed else shared(number)
        self._session.change(users, rate_per_user)
        return redirect(url_for("locust.index", tab="inference"))

    # ---- inside

    def _check_swarm(self) -> Any:
        """Have Locust's own form start or change only what it checks itself: it would take any text for an option."""
        if request.endpoint != "locust.swarm":
            return None
        form = request.form.copy()
        ours = sorted(set(form) & OURS)
        if ours:
            return {"success": False, "message": f"{ours[0]} is set at {url_for('loadgate.show')}, which checks it"}
        if self._session.is_on and self._fixed_by:
            return {"success": False, "message": f"{self._fixed_by} sets the load that is on; stop it first"}
        shape, known = form.get("shape_class", NO_SHAPE), self._environment.available_shape_classes or {}
        if shape not in (NO_SHAPE, *known):
            return {"success": False, "message": f"there is no shape {shape}"}
        if self._session.is_on and shape != NO_SHAPE:
            return {"success": False, "message": "a test is on; stop it before a shape is started"}
        if "host" in form:
            form["host"] = self._whole_url(form["host"])
        request.form = ImmutableMultiDict(form)
        self._session.forget()
        return None

    def _start(self) -> Any:
        request.max_content_length = uploads.LARGEST_BYTES
        request.max_form_parts = uploads.MOST_FILES
        try:
            texts, sent = request.form.to_dict(), [file for file in request.files.getlist("upload") if file.filename]
        except RequestEntityTooLarge:
            return self._page(self._texts(), {"upload": uploads.TOO_LARGE}, 413)
        texts["host"] = self._whole_url(texts.get("host", "").strip())
        answers, wrong = start_form.check(texts, self._choices())
        chosen = request.form.getlist("files")
        if unknown := set(chosen) - {name for name, _ in self._offered()}:
            wrong["files"] = f"{min(unknown)!r} is not in {self._options.payloads}"
        if not wrong:
            wrong = self._begin(answers, chosen, sent)
        if wrong:
            return self._page(texts, wrong, 422, chosen)
        return redirect(url_for("locust.index", tab="inference"))

    def _begin(self, answers: Answers, chosen: list[str], sent: list[FileStorage]) -> dict[str, str]:
        """Start the load. Where it cannot be made, everything is as it was, and this says why."""
        before, environment = dict(vars(self._options)), self._environment
        kept = environment.host, environment.user_classes, environment.shape_class
        run = manifest.run_path(self._out, "ui" if answers.values["kind"] == AS_STARTED else answers.values["kind"])
        try:
            self._take(answers, self._paths(chosen, sent, run))
            if sent:
                self._options.out = str(run)
            self._session.prepare()
        except (ConfigError, OSError) as error:
            vars(self._options).update(before)
            environment.host, environment.user_classes, environment.shape_class = kept
            uploads.discard(run)
            return {self._field_of(str(error), run, sent): str(error)}
        finally:
            self._options.out = self._out
        self._swarm(answers)
        return {}

    def _field_of(self, sentence: str, run: Path, sent: list[FileStorage]) -> str:
        """The field that a sentence is about; none if it is about the whole."""
        first = sentence.replace(":", " ").split()[0]
        if str(run) in sentence or (sent and FIELD_OF.get(first) == "files"):
            return "upload"
        if self._options.payloads and str(self._options.payloads) in sentence:
            return "files"
        return FIELD_OF.get(first, "")

    def _paths(self, chosen: list[str], sent: list[FileStorage], run: Path) -> list[str]:
        offered = [str(Path(self._options.payloads, name)) for name in chosen]
        return offered + (uploads.keep(sent, run) if sent else [])

    def _take(self, answers: Answers, paths: list[str]) -> None:
        """Set what Locust and the session will look at."""
        values, (users, rate_per_user) = answers.values, answers.peak
        kind, shape = values["kind"], values["shape"]
        if kind == AS_STARTED and paths:
            raise ConfigError("--json: say above what kind of request the files are")
        names = (
            self._as_started
            if kind == AS_STARTED
            else {at: paths if at == PATHS[kind] else [] for at in PATHS.values()}
        )
        if kind != AS_STARTED and not paths:
            names[PATHS[kind]] = [str(SAMPLE[kind])]
        given = {name: values[name] for name in vars(self._options) if values.get(name) is not None}
        optional = {name: values[name] for name in ("timeout_s", "body_limit_bytes", "target_per_s")}
        vars(self._options).update(given | optional | names)
        self._options.slo = values["slo"] or []
        self._options.load_model = values["load_model"] if shape != SEARCH else start_form.OPEN
        self._options.num_users, self._options.rate_per_user = users, rate_per_user
        self._options.spawn_rate = answers.spawn_rate
        self._options.duration_s, self._options.run_time = values["duration"], None
        self._environment.host = values["host"]
        self._environment.user_classes = [found for found in self._classes if _sends(found, kind)]
        self._environment.shape_class = self._shape_called(shape)

    def _shape_called(self, name: str) -> Any:
        if name == STEADY:
            return None
        shape = self._shape if self._shape and name == type(self._shape).__name__ else SHAPES[name]()
        shape.runner = self._environment.runner
        return shape

    def _swarm(self, answers: Answers) -> None:
        """Have Locust start it, as by its own form."""
        duration_s = answers.values["duration"]
        request.form = ImmutableMultiDict(
            [
                ("user_count", str(answers.peak[0])),
                ("spawn_rate", repr(answers.spawn_rate)),
                ("run_time", f"{math.ceil(duration_s)}s" if duration_s else ""),
                ("shape_class", NO_SHAPE if answers.values["shape"] == STEADY else answers.values["shape"]),
                *(("user_classes", found.__name__) for found in self._environment.user_classes),
            ]
        )
        self._web_ui.app.view_functions["locust.swarm"]()
        with gevent.Timeout(BEGIN_S, False):
            while not self._session.is_on:  # or Locust's page would think that there is none
                gevent.sleep(POLL_S)

    # ---- what the form shows

    def _page(
        self, texts: dict[str, str], wrong: dict[str, str] | None = None, status: int = 200, chosen: Any = ()
    ) -> Any:
        texts["host"] = _shown(texts["host"])
        page = render_template(
            "loadgate/start.html",
            fields=BY_NAME,
            texts=texts,
            wrong=wrong or {},
            choices=self._choices(),
            folder=self._options.payloads,
            offered=list(self._offered()),
            chosen=chosen,
            as_started=self._sent_as_started(),
            largest=size_text(uploads.LARGEST_BYTES),
            is_on=self._session.is_on,
            is_closed=self._is_closed,
            fixed_by=self._fixed_by,
        )
        return page, status

    def _texts(self) -> dict[str, str]:
        """What the form has to begin with: what the last start had, or the command line."""
        known = self._options
        rate = self._session.rate_per_s or (known.num_users or DEFAULT_USERS) * known.rate_per_user
        texts = {name: _text(getattr(known, name, None)) for name in BY_NAME}
        own = type(self._environment.shape_class).__name__ if self._environment.shape_class else STEADY
        return texts | {
            "host": self._environment.host or "",
            "kind": AS_STARTED,
            "shape": own,
            "rate": f"{rate:g}",
            "users": str(known.num_users or DEFAULT_USERS),
            "think_time_s": _duration_text(known.think_time_s),
            "duration": _duration_text(known.run_time or known.duration_s),
            "ramp": "",
            "budget_s": _duration_text(known.budget_s),
            "timeout_s": _duration_text(known.timeout_s),
            "headroom": f"{100 * known.headroom:g}%",
            "slo": "\n".join(known.slo or []),
        }

    def _choices(self) -> dict[str, list[str]]:
        kinds = [kind for kind in KINDS if any(_sends(found, kind) for found in self._classes)]
        own = [type(self._shape).__name__] if self._shape else []
        gateways = profiles.names()
        return {
            "kind": [AS_STARTED, *kinds],
            "shape": list(dict.fromkeys([STEADY, *own, *SHAPES])),
            "load_model": list(options.LOAD_MODELS),
            "arrivals": list(DISTRIBUTIONS),
            "gateway": gateways if self._options.gateway in gateways else [*gateways, self._options.gateway],
        }

    def _offered(self) -> Iterator[tuple[str, str]]:
        """What of the folder may be sent: a name and what it is. Hidden files are not."""
        folder = self._options.payloads
        found = Path(folder).iterdir() if folder and Path(folder).is_dir() else ()
        files = sorted(path for path in found if path.is_file() and _may_be_offered(path.name))
        if files:
            yield WHOLE_FOLDER, f"all {len(files):,} files of it"
        for path in files[:MOST_OFFERED]:
            yield path.name, size_text(path.stat().st_size)

    def _sent_as_started(self) -> str:
        given = [Path(path).name for paths in self._as_started.values() for path in paths or ()]
        own = [path for found in self._classes for path in found.paths]
        return ", ".join(given or own) or "the sample"

    def _whole_url(self, text: str) -> str:
        """The URL that `text` shows: a query is not in it, as it can carry an access code."""
        current = self._environment.host or ""
        return current if text and text == _shown(current) else text

    @property
    def _is_closed(self) -> bool:
        return bool(self._options.load_model == CLOSED)

    @property
    def _fixed_by(self) -> str:
        return f"the shape {type(self._environment.shape_class).__name__}" if self._environment.shape_class else ""


def _sends(user_class: Any, kind: str) -> bool:
    return kind == AS_STARTED or (user_class.kind in (None, kind) and not user_class.paths)


def _may_be_offered(name: str) -> bool:
    return name.isprintable() and not name.startswith(".")


def _shown(url: str) -> str:
    try:
        return target.parse(url).shown if "?" in url else url
    except ConfigError:
        return url


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _duration_text(seconds: float | None) -> str:
    if not seconds or seconds % 60:
        return "" if seconds is None else f"{seconds:g}s"
    return f"{seconds / 60:g}m"
