"""How a run is going, on stderr: in place on a terminal, a line every ten seconds in a log."""

import logging
import sys
import time
from typing import Any

import gevent
from locust import events

from analysis.wording import load_text, time_text

TERMINAL_S, LOG_S = 0.5, 10.0
POLL_S = 0.1  # shorter than the analysis takes: the line is gone before its table comes


def show_progress() -> None:
    """Show the progress of every run that this process collects, in place of Locust's tables."""
    events.init.add_listener(_on_init)  # type: ignore[no-untyped-call] # Locust's
    events.test_start.add_listener(_on_test_start)  # type: ignore[no-untyped-call] # Locust's


def _on_init(environment: Any, **_: Any) -> None:
    for weight in environment.loadgate.weights:
        _say(weight.plans)
    # Its closing tables show percentiles of two digits beside ours.
    logging.getLogger("locust.stats_logger").setLevel(logging.ERROR)


def _on_test_start(environment: Any, **_: Any) -> None:
    gevent.spawn(_show, environment.loadgate)  # later: the session has not made its directory yet


def _show(session: Any) -> None:
    directory = session.directory
    if directory is None:
        return
    manifest = directory.manifest
    _say(f"{load_text(manifest['load'])} to {manifest['target']}")
    first = manifest["probe"]
    _say(f"first request: {first['outcome']} {first['status'] or ''} in {time_text(first['service_s'])}")
    in_place = sys.stderr.isatty()
    interval_s = TERMINAL_S if in_place else LOG_S
    began = shown = time.monotonic()
    while session.directory is directory:
        if time.monotonic() - shown >= interval_s:
            shown = time.monotonic()
            _say(_line(directory, shown - began), in_place)
        gevent.sleep(POLL_S)
    if in_place:
        _say("", in_place)


def _line(directory: Any, elapsed_s: float) -> str:
    duration_s, outcomes = directory.manifest["load"]["duration_s"], directory.outcomes
    ended = ", ".join(f"{count} {name}" for name, count in outcomes.most_common()) or "no answer yet"
    if duration_s and elapsed_s > duration_s:
        return f"waiting for the last answers: {ended}"
    return f"{elapsed_s:.0f} s{f' of {duration_s:g} s' if duration_s else ''}: {ended}"


def _say(text: str, in_place: bool = False) -> None:
    sys.stderr.write(f"\r\x1b[2K{text}" if in_place else f"{text}\n")
    sys.stderr.flush()
