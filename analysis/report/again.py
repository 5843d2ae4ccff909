"""The command line that makes a run again, from what run.json keeps of it: no secret, and names in place of paths."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.run_format import REDISTRIBUTE

OPTION_OF_KIND = {"json": "--json", "file": "--file", "base64": "--base64"}
BASE64_MARK = " (base64)"  # loadgate's own, behind the name of a file sent as base64
# What `loadgate run` does without the option.
GRACE_S, MAX_IN_FLIGHT = 5.0, 10_000
MOST_USERS = 100  # that `loadgate run` makes of a rate
SHARED_BY = ("processes", "workers")
MOST_CLOSED_USERS = 100_000  # that it takes

ONLY_NAMES = (
    "run.json keeps names, not paths: give each file, and a gateway profile of your own, by its path. If the run had"
    " --field, --base64-field, --insecure or certificates, add them."
)


SHAPE_NOTE = "The load was Locust's, by the shape {}: choose it again on the page, or run its locustfile again."
PLAN_NOTE = "What was planned from it (--target-rate, --instances, --headroom) is in capacity.json."


@dataclass(frozen=True)
class Again:
    command: str | None  # for a shell, over several lines; None: no command line makes this run
    notes: tuple[str, ...]  # what the command does not say


def again(run: Mapping[str, Any]) -> Again:
    """Write the command for *run* (the summary's), as far as its manifest tells."""
    load = run["load"]
    if load["model"] not in ("open", "closed"):
        return Again(None, ())
    if load.get("search"):
        return _search_again(run, load["search"])
    if load.get("shape"):
        return Again(None, (SHAPE_NOTE.format(load["shape"]),))
    if load.get("rate_per_s" if load["model"] == "open" else "users") is None:
        return Again(None, ("The load was set by hand while it ran, so no command line repeats it.",))
    if load["model"] == "closed" and load.get("think_time_s") is None:
        return Again(None, ("The load was a locustfile's own tasks: run that file with Locust again.",))
    url, query, _ = run["target"].partition("?...")
    lines = [["loadgate", "run", url], _timing(run, load), _bodies(run), _limits(run)]
    return Again(_command(lines), tuple(_notes(run, bool(query))))


def _search_again(run: Mapping[str, Any], search: Mapping[str, Any]) -> Again:
    url, query, _ = run["target"].partition("?...")
    slo = [word for text in run.get("slo") or [] for word in ("--slo", text)]
    words = ["--from", _number(search["from_per_s"]), "--to", _number(search["to_per_s"])]
    words += ["--budget", f"{_number(search['budget_s'])}s", *_option("--arrivals", run["load"].get("arrivals"))]
    words += [*_option("--seed", run["seed"]), *_sharing(run)]
    lines = [["loadgate", "capacity", url], slo, words, _bodies(run), _limits(run)]
    return Again(_command(lines), (*_notes(run, bool(query)), PLAN_NOTE))


def _command(lines: Sequence[Sequence[str]]) -> str:
    return " \\\n  ".join(_shell_line(words) for words in lines if words)


def ramp_argument_s(ramp_s: float, users: int) -> float:
    """Give the `--ramp` whose last users start after *ramp_s* seconds, which is what run.json says of it.

    Users start in equal steps of whole users and the first step at once, so the last one is before the ramp's end.
    """
    for step in range(1, min(users, MOST_CLOSED_USERS)):
        steps = math.ceil(users / step) - 1
        wanted_s = ramp_s * users / (steps * step)
        for argument_s in (round(wanted_s, 3), wanted_s):
            if argument_s > 0 and math.isclose(_last_step_s(argument_s, users), ramp_s, abs_tol=1e-5):
                return argument_s
    return ramp_s


def _last_step_s(argument_s: float, users: int) -> float:
    per_s = users / argument_s
    step = max(int(per_s), 1)
    return (math.ceil(users / step) - 1) * step / per_s


def _timing(run: Mapping[str, Any], load: Mapping[str, Any]) -> list[str]:
    duration_s = load.get("duration_s") or run["duration_s"]
    if load["model"] == "open":
        users = min(math.ceil(load["rate_per_s"]), MOST_USERS)
        words = ["--rate", _number(load["rate_per_s"]), *_option("--arrivals", load.get("arrivals"))]
    else:
        users = int(load["users"])
        words = ["--users", str(users), *_option("--think-time", _seconds(load["think_time_s"] or None))]
    words += _option("--duration", _seconds(duration_s))
    if load.get("ramp_s"):
        words += ["--ramp", f"{_number(ramp_argument_s(load['ramp_s'], users))}s"]
    return [*words, *_option("--seed", run["seed"]), *_sharing(run)]


def _sharing(run: Mapping[str, Any]) -> list[str]:
    sharing, in_flight, words = run.get("sharing") or {}, run["load"].get("max_in_flight"), []
    if sharing.get("by") in SHARED_BY and sharing.get("count"):
        words += [f"--{sharing['by']}", str(sharing["count"])]
        words += ["--lost-worker", REDISTRIBUTE] if run.get("lost_worker") == REDISTRIBUTE else []
    if in_flight not in (None, MAX_IN_FLIGHT):
        words += ["--max-in-flight", _number(in_flight)]
    return words


def _bodies(run: Mapping[str, Any]) -> list[str]:
    words = []
    for payload in run["payloads"] or []:
        if payload.get("kind") in OPTION_OF_KIND:
            words += [OPTION_OF_KIND[payload["kind"]], payload["name"].removesuffix(BASE64_MARK)]
    if any(payload.get("skipped") for payload in run["payloads"] or []):
        words.append("--skip-oversize")
    return words


def _limits(run: Mapping[str, Any]) -> list[str]:
    gateway = run["gateway"]
    words = _option("--gateway", gateway.get("name"))
    words += _option("--timeout", _seconds(gateway.get("timeout_s") or None))
    grace_s = gateway.get("grace_s")
    if isinstance(grace_s, int | float) and grace_s != GRACE_S:
        words += ["--grace", f"{_number(grace_s)}s"]
    words += _option("--body-limit", _size(gateway.get("body_limit_bytes") or None))
    if gateway.get("latency_asked"):
        words.append("--gateway-latency")
    return words + _option("--auth", run["credential"])


def _notes(run: Mapping[str, Any], has_query: bool) -> list[str]:
    notes = [ONLY_NAMES]
    if has_query:
        notes.append("The URL had a query, which is never kept: add it.")
    if run["credential"] not in (None, "none"):
        notes.append(f"The credential ({run['credential']}) comes from the environment: see docs/credentials.md.")
    if (run.get("sharing") or {}).get("by") == "workers":
        notes.append("The load came from workers (`loadgate worker`): start them again, and say where to --listen.")
    if not run["load"].get("duration_s") and not run["load"].get("search"):
        notes.append("The run had no duration of its own; this is how long it went on.")
    return notes


def _option(flag: str, value: object) -> list[str]:
    return [] if value is None else [flag, str(value)]


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _seconds(value_s: float | None) -> str | None:
    return None if value_s is None else f"{_number(value_s)}s"


def _size(size_bytes: float | None) -> str | None:
    if size_bytes is None:
        return None
    for unit, unit_bytes in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes % unit_bytes == 0:
            return f"{size_bytes // unit_bytes:.0f}{unit}"
    return f"{size_bytes:.0f}"


def _shell_line(words: Sequence[str]) -> str:
    """Quote *words* for a shell; a character that would steer a terminal is not shown as itself."""
    return shlex.join("".join(letter if letter.isprintable() else "\ufffd" for letter in word) for word in words)
