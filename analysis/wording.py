"""Figures and loads as people read them: three significant digits with a unit, `>=` where only that is
known.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from analysis.outcomes import AnsweredBy

NOTHING = "-"
_COMMAND = re.compile(r"^\s*:(?=:[\w-]+[^\n]*::)|#(?=#\w*\[)", re.MULTILINE)
LONGEST_WORDS = 80  # of a service, in a sentence; the tables have all of them
ANSWERED_BY = {
    AnsweredBy.GATEWAY: "the gateway",
    AnsweredBy.MODEL: "the model",
    AnsweredBy.UNKNOWN: "something between",
    AnsweredBy.NOBODY: NOTHING,
}


def time_text(seconds: float | None) -> str:
    """Write `102 ms`, `1.24 s`, or `-` where there is none."""
    if seconds is None or math.isnan(seconds):
        return NOTHING
    if seconds * 1000 < 999.5:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:.0f} s"


def estimate_text(estimate: Mapping[str, Any]) -> str:
    """Write a percentile of the summary: `>= 40 s` if some of its requests never ended."""
    bound = ">= " if estimate["censored"] else ""
    return bound + time_text(estimate["value_s"])


def interval_text(estimate: Mapping[str, Any]) -> str:
    """Write `98.1 to 106 ms`; empty where there is no interval."""
    low_s, high_s = estimate["low_s"], estimate["high_s"]
    if low_s is None:
        return ""
    low = time_text(low_s)
    if high_s is None:
        return f"{low} or more"
    high = time_text(high_s)
    low_figure, low_unit = low.split(" ")
    return f"{low_figure if high.endswith(f' {low_unit}') else low} to {high}"


def clock_text(seconds: float) -> str:
    """Write a moment of the run to the tenth of a second: `12.3 s`, or `-` where it is not known."""
    return NOTHING if math.isnan(seconds) else f"{seconds:.1f} s"


def rate_text(per_s: float | None) -> str:
    if per_s is None:
        return NOTHING
    return f"{per_s:.3g}" if per_s < 999.5 else f"{per_s:,.0f}"


def share_text(part: float, whole: float) -> str:
    """Write a percentage in which a part that is there is never 0 %, and one that is missing never 100 %."""
    if part == 0 or whole == 0:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.01:
        return "< 0.01 %"
    if part < whole and percent > 99.99:
        return "> 99.99 %"
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def count_text(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,}"


def size_text(size_bytes: int) -> str:
    """Write `12 MiB`, `420 B`."""
    for unit, unit_bytes in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes >= unit_bytes:
            size = size_bytes / unit_bytes
            return f"{size:.3g} {unit}" if size < 999.5 else f"{size:,.0f} {unit}"
    return f"{size_bytes} B"


def exact_size_text(size_bytes: int | None) -> str:
    """Write `12 MiB (12,582,912 B)`: beside a limit, one byte decides."""
    if size_bytes is None:
        return NOTHING
    size = size_text(size_bytes)
    return f"{size} ({size_bytes:,} B)" if size_bytes >= 1 << 10 else size


def size_range_text(smallest_bytes: int | None, largest_bytes: int | None) -> str:
    """Write `420 B to 1.5 KiB`, or the one that is known."""
    known = [size_text(size) for size in (smallest_bytes, largest_bytes) if size is not None]
    return " to ".join(dict.fromkeys(known)) or NOTHING


def length_text(seconds: float) -> str:
    """Write how long to run, rounded up: `74 s`, `62 min`, `11 h`."""
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min")):
        if seconds <= limit:
            return f"{math.ceil(seconds / size)} {unit}"
    return f"{math.ceil(seconds / 3600):,} h"


def load_text(load: Mapping[str, Any]) -> str:
    """Write the load in words: `50 requests/s, constant arrivals, 20 s`."""
    if load["model"] == "recorded":
        return f"as {load['recorded_by']} recorded it"
    parts = _open_load(load) if load["model"] == "open" else _closed_load(load)
    if load.get("duration_s"):
        parts.append(f"{load['duration_s']:g} s")
    if load.get("ramp_s"):
        parts.append(f"of which {load['ramp_s']:g} s ramp")
    return ", ".join(parts)


def answerer_text(answered_by: str) -> str:
    return ANSWERED_BY[AnsweredBy(answered_by)]


def failure_text(failure: Mapping[str, Any]) -> str:
    """Write a failure of the summary: `13 gateway_timeout by the gateway: backend timeout (504 ModelArts.4503)`."""
    who = f" by {answerer_text(failure['answered_by'])}" if failure["answered_by"] else ""
    why = failure["reason"] or failure["message"][:LONGEST_WORDS]
    answer = " ".join(str(part) for part in (failure["status"], failure["error_code"]) if part)
    text = (
        f"{failure['count']:,} {failure['outcome']}{who}{f': {why}' if why else ''}{f' ({answer})' if answer else ''}"
    )
    return one_line(text)


def over_limit_text(payload: Mapping[str, Any]) -> str:
    """Name the bodies over the limit: `cat.png (13,841,203 B), dog.png (13,000,001 B) and 3 more`."""
    named = [f"{body['file']} ({count_text(body.get('wire_bytes'))} B)" for body in payload.get("over") or []]
    more = (payload.get("over_limit") or 0) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if named and more > 0 else "")


def one_line(text: object) -> str:
    """Keep a text from breaking out of its line or steering the terminal, or the CI server that reads it."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
    return inert(line)


def inert(text: str) -> str:
    """Break what a CI server would carry out: GitHub's `::name::` at a line's begin, anybody's `##name[` anywhere."""
    return _COMMAND.sub(r"\g<0> ", text)


def markdown_text(text: object) -> str:
    """Escape a text from outside for a Markdown table cell: no markup, no HTML, no new column or line, and nobody told.

    A host of pull requests would send a message to whoever is named after an `@`, if nothing stood between.
    """
    named = {"&": "&amp;", "<": "&lt;", "@": "@&#8203;"}
    escaped = "".join(
        named.get(letter, "\\" + letter if letter in r"\`*_[]|~#!$" else letter) for letter in one_line(text)
    )
    return re.sub(r"(?i)(:)(?=//)|(www)(?=\.)", r"\g<0>&#8203;", escaped)  # nor makes it a link


def _open_load(load: Mapping[str, Any]) -> list[str]:
    rate, search = load.get("rate_per_s"), load.get("search")
    if search:
        rates = f"a search from {search['from_per_s']:,g} to at most {search['to_per_s']:,g} requests/s"
        return [f"{rates}, in about {search['budget_s']:,g} s", f"{load.get('arrivals') or 'open'} arrivals"]
    known = None if rate is None else f"{rate:g} requests/s"
    return [_shape(load, known) or known or "a rate set while running", f"{load.get('arrivals') or 'open'} arrivals"]


def _closed_load(load: Mapping[str, Any]) -> list[str]:
    users, think_time_s = load.get("users"), load.get("think_time_s")
    pause = f"thinking {think_time_s:g} s after each answer" if think_time_s else "each sending again on its answer"
    known = None if users is None else f"{users:g} users"
    return [_shape(load, known) or known or "users set while running", pause]


def _shape(load: Mapping[str, Any], most: str | None) -> str:
    """Write `shape Ramp up to 50 requests/s`; empty where no load shape made the load."""
    if not load.get("shape"):
        return ""
    return f"shape {one_line(load['shape'])}{f' up to {most}' if most else ''}"
