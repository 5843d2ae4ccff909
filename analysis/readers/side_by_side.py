"""Generators that ran side by side, each with a run directory of its own: their manifests as that of one run.

Their requests add up, so they must have been sent to the same target, within the same limits and by the same load
model. Clocks are taken at their word: seconds count from the earliest start.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.errors import BadRun
from analysis.readers.manifest import COUNTS, value_at
from analysis.run_format import LONGEST_RUN_S, MANIFEST

Manifest = dict[str, Any]

SAME = ("target", "gateway.name", "gateway.timeout_s", "gateway.grace_s", "gateway.body_limit_bytes", "load.model")
FROM_BEST_TO_WORST = ("complete", "interrupted", "running")


def check_same(runs: Sequence[Path], manifests: Sequence[Manifest]) -> None:
    """Raise BadRun, naming what differs, for runs that cannot be read as one."""
    for run, manifest in zip(runs, manifests, strict=True):
        for key in SAME:
            first, value = value_at(manifests[0], key), value_at(manifest, key)
            if first != value:
                raise BadRun(
                    f"{runs[0]} and {run} cannot be read as one run: {key} is {str(first)[:100]!r} in the one and"
                    f" {str(value)[:100]!r} in the other"
                )


def check_distinct(runs: Sequence[Path], manifests: Sequence[Manifest]) -> None:
    """Raise BadRun where two directories are of the same run, and none of what one of its workers kept."""
    seen: dict[Any, Path] = {}
    for run, manifest in zip(runs, manifests, strict=True):
        own = (manifest.get("id") or run.resolve(), manifest.get("kept_by"))
        if own in seen:
            raise BadRun(f"{seen[own]} and {run} are the same run; name it once")
        seen[own] = run


def shifts_s(runs: Sequence[Path], manifests: Sequence[Manifest]) -> list[int]:
    """Give the whole seconds from the earliest start to each run's own. Raises BadRun where a start is not known."""
    if len(runs) == 1:
        return [0]
    starts = [_start(run, manifest) for run, manifest in zip(runs, manifests, strict=True)]
    shifts = [int((start - min(starts)).total_seconds()) for start in starts]
    if max(shifts) > LONGEST_RUN_S:
        raise BadRun(
            f"{runs[shifts.index(max(shifts))]} did not run side by side with the others: it started"
            f" {max(shifts):,} s after the first"
        )
    return shifts


def check_side_by_side(shifts: Mapping[Path, int], last_s: Sequence[int | None]) -> None:
    """Raise BadRun for a run that started when those before it had ended: their rates do not add up.

    *last_s* is the last second of each, None for one without requests, which says nothing.
    """
    spans = [(start, end + 1, run) for (run, start), end in zip(shifts.items(), last_s, strict=True) if end is not None]
    spans.sort(key=lambda span: span[:2])
    ended_s = spans[0][1] if spans else 0
    for start, end, run in spans:
        if start > ended_s:
            raise BadRun(
                f"{run} did not run side by side with the others: it started {start:,} s after the first, and they"
                f" had ended after {ended_s:,} s"
            )
        ended_s = max(ended_s, end)


def joined_manifest(manifests: Sequence[Manifest], shifts: Sequence[int]) -> Manifest:
    """Write the manifest of one run that is all of *manifests*; what they do not agree on, and cannot add, is null."""
    if len(manifests) == 1:
        return manifests[0]
    return {
        **{key: _agreed(manifest.get(key) for manifest in manifests) for key in _keys(manifests)},
        "state": max((manifest["state"] for manifest in manifests), key=FROM_BEST_TO_WORST.index),
        "name": "-".join(dict.fromkeys(manifest["name"] for manifest in manifests)),
        "started_at": manifests[shifts.index(0)]["started_at"],
        "ended_at": _latest([manifest.get("ended_at") for manifest in manifests]),
        "gateway": _gateway([manifest["gateway"] for manifest in manifests]),
        "load": _load([manifest["load"] for manifest in manifests], shifts),
        "payloads": _once(payload for manifest in manifests for payload in manifest.get("payloads") or []),
        "workers": _total(manifest.get("workers") for manifest in manifests),
        "sharing": _sharing([manifest.get("sharing") for manifest in manifests if manifest.get("kept_by") is None]),
        **_absences(manifests),
        "workers_left": [left for manifest in manifests for left in manifest.get("workers_left") or []],
        "counts": _counts([manifest.get("counts") for manifest in manifests]),
    }


def _sharing(sharings: Sequence[Manifest | None]) -> Manifest | None:
    """Add up among how many each was shared, where all were in the same way."""
    known = [sharing for sharing in sharings if sharing]
    if len(known) < len(sharings):
        return None
    return {"by": _agreed(sharing.get("by") for sharing in known), "count": _total(one.get("count") for one in known)}


def _absences(manifests: Sequence[Manifest]) -> Manifest:
    """Join who was away; but of workers whose own directories are here nothing is missing."""
    here = {(manifest.get("id"), manifest["kept_by"]) for manifest in manifests if manifest.get("kept_by") is not None}
    found, kept = [], 0
    for manifest in manifests:
        for absence in manifest.get("absences") or []:
            if absence["back_s"] is None and (manifest.get("id"), absence.get("number")) in here:
                kept += 1
            else:
                found.append(absence)
    lost = sum(manifest.get("workers_lost") or 0 for manifest in manifests)
    return {"workers_lost": max(lost - kept, 0), "absences": found}


def _gateway(gateways: Sequence[Manifest]) -> Manifest:
    advice: dict[str, str] = {}
    for gateway in gateways:
        advice |= gateway.get("advice") or {}
    return {**_agreeing(gateways), "advice": advice}


def _load(loads: Sequence[Manifest], shifts: Sequence[int]) -> Manifest:
    def last(key: str) -> Any:
        return _known((load.get(key) for load in loads), lambda values: max(map(sum, zip(values, shifts, strict=True))))

    return {
        **_agreeing(loads),
        "users": _total(load.get("users") for load in loads),
        "rate_per_s": _total(load.get("rate_per_s") for load in loads),
        "duration_s": last("duration_s"),
        "ramp_s": last("ramp_s"),  # the whole load is there when the last has started
    }


def _counts(counts: Sequence[dict[str, int] | None]) -> Any:
    return _known(counts, lambda known: {name: sum(one[name] for one in known) for name in COUNTS})


def _total(values: Iterable[Any]) -> Any:
    return _known(values, sum)


def _known(values: Iterable[Any], of: Callable[[list[Any]], Any]) -> Any:
    """Compute from all of *values*; what is not known of one is not known of all."""
    found = list(values)
    return None if None in found else of(found)


def _agreeing(parts: Sequence[Manifest]) -> Manifest:
    return {key: _agreed(part.get(key) for part in parts) for key in _keys(parts)}


def _agreed(values: Iterable[Any]) -> Any:
    found = _once(values)
    return found[0] if len(found) == 1 else None


def _once(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _keys(parts: Iterable[Manifest]) -> dict[str, None]:
    return dict.fromkeys(key for part in parts for key in part)


def _start(run: Path, manifest: Manifest) -> datetime:
    start = _moment(manifest["started_at"])
    if start is None:
        raise BadRun(
            f"{run}: {MANIFEST}: started_at {manifest['started_at'][:60]!r} is not a time with its zone, so its"
            " seconds cannot be told from those of the other runs"
        )
    return start


def _latest(texts: Sequence[str | None]) -> str | None:
    moments = {moment: text for text in texts if (moment := _moment(text))}
    return moments[max(moments)] if None not in map(_moment, texts) else None


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
