"""Starts the load that the start form asks for, through Locust's own start."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
from flask import request
from werkzeug.datastructures import FileStorage, ImmutableMultiDict

from loadgate import manifest
from loadgate.arrivals import shared
from loadgate.errors import ConfigError
from loadgate.payloads import KINDS, SAMPLE
from loadgate.web import uploads
from loadgate.web.locust_form import NO_SHAPE, STATS, SWARM
from loadgate.web.start_form import AS_STARTED, OPEN, SEARCH, STEADY, Answers

BEGIN_S, POLL_S = 5.0, 0.02
PATHS: dict[str, str] = {kind: f"{kind}_paths" for kind in KINDS}
# A sentence that begins with one of these words, or names one of these options, belongs beside that field.
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


class Starter:
    """Locust's environment and the session of loadgate in it, as they were when the page began."""

    def __init__(self, web_ui: Any, session: Any) -> None:
        self.is_busy, self._is_cancelled = False, False
        self.classes = list(web_ui.environment.user_classes)
        self.as_started = {name: getattr(web_ui.environment.parsed_options, name) for name in PATHS.values()}
        self._web_ui, self._session = web_ui, session
        self._environment = web_ui.environment
        self._options = self._environment.parsed_options
        self._out = self._options.out
        self._locusts_swarm = web_ui.app.view_functions[SWARM]

    def start(self, answers: Answers, chosen: Sequence[str], sent: Sequence[FileStorage]) -> dict[str, str]:
        """Start the load, with files that were `chosen` from the folder and `sent` along.

        If it cannot be made, everything is as it was, and this says why, by field.
        """
        kind = answers.values["kind"]
        run = manifest.run_path(self._out, "ui" if kind == AS_STARTED else kind)
        self.is_busy, self._is_cancelled = True, False
        try:
            if not self._session.senders.count:
                raise ConfigError("no worker is here, so nothing can be sent; wait for one, or start one")
            with self._undone_if_it_fails(), self._kept(sent, run) as kept:
                offered = [str(Path(self._options.payloads, name)) for name in chosen]
                self._take(answers, offered + [str(path) for path in kept])
                self._options.out = str(run) if kept else self._out
                self._session.prepare()
                if self._is_cancelled:
                    raise ConfigError("it was stopped before it began")
                self._begin(answers)
        except (ConfigError, OSError) as error:
            return {self._field_of(str(error), run): str(error)}
        finally:
            self._options.out = self._out
            self.is_busy = False
        return {}

    def cancel(self) -> None:
        """Start nothing of what is being checked now."""
        self._is_cancelled = True

    def change_rate(self, rate_per_s: float) -> None:
        """Plan so many requests/s from now on."""
        present = self._environment.runner.target_user_count
        # No fewer users than there are: until these have gone, they would stand for more than is asked.
        users = max(present, shared(rate_per_s)[0])
        self._session.send_rate(rate_per_s / users)
        self.change_users(users)

    def change_users(self, users: int) -> None:
        """Have so many users from now on, whatever ramp was on."""
        at_once = max(users, self._environment.runner.target_user_count)
        self._swarm({"user_count": str(users), "spawn_rate": str(at_once)})

    @contextmanager
    def _undone_if_it_fails(self) -> Iterator[None]:
        environment, options = self._environment, dict(vars(self._options))
        before = environment.host, environment.user_classes, environment.shape_class
        try:
            yield
        except BaseException:
            vars(self._options).update(options)
            environment.host, environment.user_classes, environment.shape_class = before
            self._session.forget()
            raise

    @contextmanager
    def _kept(self, sent: Sequence[FileStorage], run: Path) -> Iterator[list[Path]]:
        kept = uploads.keep(sent, run)
        try:
            yield kept
        except BaseException:
            uploads.discard(kept)
            raise

    def _take(self, answers: Answers, paths: list[str]) -> None:
        """Set what Locust and the session will look at."""
        values, (users, rate_per_user) = answers.values, answers.peak
        kind, shape = values["kind"], values["shape"]
        always = {
            "load_model": OPEN if shape == SEARCH else values["load_model"],
            "num_users": users,
            "rate_per_user": rate_per_user,
            "spawn_rate": answers.spawn_rate,
            "duration_s": values["duration"],
            "run_time": None,
            "slo": values["slo"] or [],
            "timeout_s": values["timeout_s"],
            "body_limit_bytes": values["body_limit_bytes"],
            "target_per_s": values["target_per_s"],
        }
        asked = {name: value for name, value in values.items() if value is not None and name in vars(self._options)}
        vars(self._options).update(asked | always | self._what(kind, paths))
        self._environment.host = values["host"]
        self._environment.user_classes = [found for found in self.classes if sends(found, kind)]
        self._environment.shape_class = None
        if shape != STEADY:
            self._environment.shape_class = self._environment.available_shape_classes[shape]
            self._environment.shape_class.runner = self._environment.runner

    def _what(self, kind: str, paths: list[str]) -> dict[str, Any]:
        """The options that name what is sent."""
        if kind != AS_STARTED:
            return {at: (paths or [str(SAMPLE[kind])]) if at == PATHS[kind] else None for at in PATHS.values()}
        return self.as_started

    def _begin(self, answers: Answers) -> None:
        """Have Locust start it. Raises ConfigError if it does not."""
        shape = answers.values["shape"]
        self._swarm(
            {
                "user_count": str(answers.peak[0]),
                "spawn_rate": repr(answers.spawn_rate),
                "shape_class": NO_SHAPE if shape == STEADY else shape,
                "user_classes": [found.__name__ for found in self._environment.user_classes],
            }
        )
        with gevent.Timeout(BEGIN_S, False):
            while not self._session.is_shown:  # or Locust's page would think that there is none, and ask no more
                gevent.sleep(POLL_S)
        if not self._session.is_on:
            raise ConfigError("Locust did not start it; its log on the terminal may say why")
        # What Locust keeps for some seconds is of before: of a test that is not on its page asks no more.
        self._web_ui.app.view_functions[STATS].clear_cache()

    def _swarm(self, fields: dict[str, Any]) -> None:
        """Send Locust's own form, which keeps the greenlet that starts users: whoever stops the test needs that."""
        request.form = ImmutableMultiDict(fields)
        self._locusts_swarm()

    def _field_of(self, sentence: str, run: Path) -> str:
        """The field that a sentence is about; none if it is about the whole."""
        if f"{run / uploads.FOLDER}" in sentence:
            return "upload"
        if self._options.payloads and str(self._options.payloads) in sentence:
            return "files"
        return next((FIELD_OF[word] for word in re.findall(r"--\w+|^\w+", sentence) if word in FIELD_OF), "")


def sends(user_class: Any, kind: str) -> bool:
    """Whether users of this class can be given bodies of this kind."""
    if kind == AS_STARTED:
        return True
    return hasattr(user_class, "kind") and user_class.kind in (None, kind) and not user_class.paths
