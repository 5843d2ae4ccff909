"""How a run is going, on stderr: in place on a terminal, a line every ten seconds in a log."""

import logging
import math
import sys
import time
from typing import Any

import gevent
from locust import events

from analysis.capacity.level import Level
from analysis.capacity.wording import RESULTS
from analysis.outcomes import Outcome
from analysis.wording import estimate_text, load_text, rate_text, time_text

NEW_LINE = "\n"
TERMINAL_S, LOG_S = 0.5, 10.0
POLL_S = 0.1  # shorter than the analysis takes: the line is gone before its table comes


def show_progress() -> None:
    """Show the progress of every run that this process collects, in place of Locust's tables."""
    events.init.add_listener(_on_init)  # type: ignore[no-untyped-call] # Locust's
    events.test_start.add_listener(_on_test_start)  # type: ignore[no-untyped-call] # Locust's


def _on_init(environment: Any, **_: Any) -> None:
    if environment.parsed_options.worker:
        return  # it shares a terminal with the master
    for weight in environment.loadgate.weights:
        _say(weight.plans)
    # Its closing tables would show whole milliseconds, failures among them, beside ours.
    logging.getLogger("locust.stats_logger").setLevel(logging.ERROR)


def _on_test_start(environment: Any, **_: Any) -> None:
    if environment.parsed_options.worker:
        return
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
    levels = len(session.searching.record.levels) if session.searching else 0
    while session.directory is directory:
        if session.searching and len(session.searching.record.levels) > levels:
            _say(f"{_level_line(session.searching.record.levels[levels])}{NEW_LINE if in_place else ''}", in_place)
            levels += 1
        if time.monotonic() - shown >= interval_s:
            shown = time.monotonic()
            line = _search_line if session.searching else _line
            _say(line(session, shown - began), in_place)
        gevent.sleep(POLL_S)
    if in_place:
        _say("", in_place)


def _level_line(level: Level) -> str:
    p99 = estimate_text(level.latency["p99"])
    failed = sum(level.outcomes.values()) - level.outcomes.get(Outcome.OK, 0)
    found = "spoiled by the generator" if level.spoiled else RESULTS[level.result]
    return f"{rate_text(level.rate_per_s)}/s for {level.length_s:g} s: {found}, p99 {p99}, {failed:,} failed"


def _search_line(session: Any, elapsed_s: float) -> str:
    searching = session.searching
    record = searching.record
    budget_s, used_s = record.search.budget_s, sum(level.took_s for level in record.levels)
    now = f"{elapsed_s:.0f} s, {used_s:.0f} of {budget_s:,.0f} s of the budget used"
    held = searching.held
    if held is None:
        return now
    doing = "draining" if math.isfinite(held.drains_from_s) else "settling" if elapsed_s < held.from_s else "judging"
    return f"{now}; {held.step.kind} at {rate_text(held.step.rate_per_s)}/s, {doing}"


def _line(session: Any, elapsed_s: float) -> str:
    directory = session.directory
    duration_s, outcomes = directory.manifest["load"]["duration_s"], directory.outcomes
    ended = ", ".join(f"{count} {name}" for name, count in outcomes.most_common()) or "no answer yet"
    if duration_s and elapsed_s > duration_s:
        return f"waiting for the last answers: {ended}"
    return f"{elapsed_s:.0f} s{f' of {duration_s:g} s' if duration_s else ''}: {ended}"


def _say(text: str, in_place: bool = False) -> None:
    sys.stderr.write(f"\r\x1b[2K{text}" if in_place else f"{text}\n")
    sys.stderr.flush()
