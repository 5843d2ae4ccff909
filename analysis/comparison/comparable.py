"""Whether two runs measured the same thing: how their target, limits, payloads and load differ.

A difference in those is one of the question, not of the answer, so such runs are not compared unless the user
insists. What only may matter (versions, seed, duration, ...) is listed. What another tool's file does not say is
not known, which is no difference either.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.readers.manifest import value_at
from analysis.run import LOADGATE, Run
from analysis.wording import one_line

TARGET = "target"
NEEDED = (
    (TARGET, TARGET),
    ("gateway.timeout_s", "time limit (s)"),
    ("gateway.body_limit_bytes", "body limit (B)"),
    ("load.model", "load model"),
    ("load.arrivals", "arrivals"),
    ("load.rate_per_s", "rate (1/s)"),
    ("load.shape", "load shape"),
    ("load.think_time_s", "think time (s)"),
    ("load.ramp_s", "ramp (s)"),
)
USERS = (("load.users", "users"),)  # of a closed load: in an open one they only add up to its rate
LISTED = (
    ("load.duration_s", "duration (s)"),
    ("load.max_in_flight", "most requests in flight"),
    ("gateway.name", "gateway"),
    ("credential", "credential"),
    ("seed", "seed"),
    ("workers", "worker processes"),
)
LONGEST_VALUE = 120  # letters of a setting that differs
EMPTY = "nothing"  # what is written for a text without a letter
SIZES = ("smallest_wire_bytes", "largest_wire_bytes")


@dataclass(frozen=True)
class Differing:
    """Something in which two runs differ. The values are texts of the runs: they may be hostile."""

    what: str
    baseline: str
    other: str
    prevents: bool  # the runs are not to be compared


def differing(baseline: Run, other: Run) -> list[Differing]:
    """List in what the runs differ, what prevents a comparison first."""
    both, ours = (baseline.manifest, other.manifest), baseline.source.kind == other.source.kind == LOADGATE
    listed = _settings(*both, LISTED) + _versions(*both)
    listed.append(("measured by", baseline.source.kind, other.source.kind))
    return preventing(*both, ours=ours) + _differing(listed, ours=ours, prevents=False)


def preventing(baseline: dict[str, Any], other: dict[str, Any], *, ours: bool = True) -> list[Differing]:
    """List in what two manifests differ so that their runs are not to be compared; if both are *ours*, what one does
    not say is a difference.
    """
    needed = _settings(baseline, other, NEEDED)
    if all(value_at(manifest, "load.model") == "closed" for manifest in (baseline, other)):
        needed += _settings(baseline, other, USERS)
    return _differing(needed + _payloads(baseline, other), ours=ours, prevents=True)


def _differing(rows: Sequence[tuple[str, Any, Any]], *, ours: bool, prevents: bool) -> list[Differing]:
    return [
        Differing(what, text(one), text(two), prevents)
        for what, one, two in rows
        if one != two and (ours or None not in (one, two))
    ]


def difference_text(settings: Sequence[Differing], but: str = "") -> str:
    """Say in what two runs differ that prevents a comparison, *but* for one setting; empty if in nothing."""
    return "; ".join(
        f"{each.what} is {cut(each.baseline)} and {cut(each.other)}"
        for each in settings
        if each.prevents and each.what != but
    )


def cut(value: str) -> str:
    """Shorten a value that is too long to be shown."""
    return value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "..."


def text(value: Any) -> str:
    return "none" if value is None else one_line(value if isinstance(value, str) else json.dumps(value)) or EMPTY


def _settings(
    baseline: dict[str, Any], other: dict[str, Any], keys: Sequence[tuple[str, str]]
) -> list[tuple[str, Any, Any]]:
    return [(what, value_at(baseline, key), value_at(other, key)) for key, what in keys]


def _payloads(baseline: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Compare what was sent, payload by payload; a run that does not say is no difference."""
    if not baseline.get("payloads") or not other.get("payloads"):
        return []
    one, two = ({row["name"]: _payload(row) for row in manifest["payloads"]} for manifest in (baseline, other))
    names = [*one, *(name for name in two if name not in one)]
    return [(f"payload {one_line(name)}", one.get(name, "not sent"), two.get(name, "not sent")) for name in names]


def _payload(row: Mapping[str, Any]) -> str:
    """Write `json, 1 of 420 B`."""
    sizes = " to ".join(dict.fromkeys(text(row[size]) for size in SIZES if row.get(size) is not None))
    return f"{text(row.get('kind'))}, {text(row.get('count'))} of {sizes or 'unknown size'}{' B' if sizes else ''}"


def _versions(baseline: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    one, two = (manifest.get("versions") or {} for manifest in (baseline, other))
    return [(f"version of {one_line(program)}", one.get(program), two.get(program)) for program in {**one, **two}]
