"""run.json: how a run was made. Checked for what the analysis needs; keys it does not know are left alone.

Where only a run's numbers were kept, its summary.json says the same.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analysis.errors import BadRun
from analysis.json_file import read_object
from analysis.run_format import FORMAT, LATENCY, LONGEST_RUN_S, MANIFEST, SUMMARY

STATES = ("running", "complete", "interrupted")
MODELS = ("open", "closed")
RECORDED = "recorded"  # the load model of a run that says nothing of how it was made; no run.json has it
CREDENTIALS = ("none", "token", "bearer", "iam", "aksk", "appcode")
COUNTS = ("planned", "sent", "finished", "dropped", "unfinished", "resent")

LARGEST = 10**15  # what is larger is no size, rate or count

Check = Callable[[Any], bool]


def read_manifest(run_dir: Path) -> dict[str, Any]:
    """Read how the run of *run_dir* was made. Raises BadRun."""
    if (run_dir / MANIFEST).is_file():
        return _checked(MANIFEST, read_object(run_dir / MANIFEST))
    if not (run_dir / SUMMARY).is_file():
        raise BadRun(f"{run_dir} is not a run: it has no {MANIFEST}")
    summary = read_object(run_dir / SUMMARY)
    run = summary.get("run")
    return _checked(
        SUMMARY, {**(run if isinstance(run, dict) else {}), **{key: summary.get(key) for key in ("format", "verdict")}}
    )


def _checked(file: str, manifest: dict[str, Any]) -> dict[str, Any]:
    _check_format(file, manifest.get("format"))
    _check(file, manifest, _KEYS)
    for number, payload in enumerate(manifest.get("payloads") or []):
        _check(file, payload, _PAYLOAD_KEYS, f"payloads[{number}].")
        for place, body in enumerate(payload.get("over") or []):
            _check(file, body, _OVER_KEYS, f"payloads[{number}].over[{place}].")
    for number, absence in enumerate(manifest.get("absences") or []):
        _check(file, absence, _ABSENCE_KEYS, f"absences[{number}].")
    for number, left in enumerate(manifest.get("workers_left") or []):
        _check(file, left, _LEFT_KEYS, f"workers_left[{number}].")
    return manifest


def directory_of(path: Path) -> Path:
    """Give the directory of a run of which *path* may be a file."""
    return path.parent if path.name in (MANIFEST, SUMMARY, LATENCY) and path.is_file() else path


def recorded_manifest(kind: str, paths: Sequence[Path], timeout_s: float | None, **known: Any) -> dict[str, Any]:
    """Build a manifest for files that come without one: *kind* says what they are, *known* what else is known.

    Of the load it says only that it was recorded.
    """
    stems = [path.stem for path in paths]
    manifest = {
        "format": FORMAT,
        "state": "complete",
        "name": stems[0] if len(stems) == 1 else f"{stems[0]} and {len(stems) - 1} more",
        "target": "",
        "started_at": "",
        "ended_at": None,
        "gateway": {"name": "none", "timeout_s": timeout_s, "body_limit_bytes": None},
        "load": {"model": RECORDED, "recorded_by": kind, "duration_s": None},
        "payloads": [],
        "counts": None,
    }
    return manifest | known


def value_at(manifest: dict[str, Any], key: str) -> Any:
    """Give the value of a key as `load.model`."""
    value: Any = manifest
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _check_format(file: str, found: Any) -> None:
    if found == FORMAT and not isinstance(found, bool):
        return
    if isinstance(found, int) and found > FORMAT:
        raise BadRun(
            f"{file}: format is {found}, of a newer loadgate; this version reads format {FORMAT}: update loadgate"
        )
    raise BadRun(f"{file}: format is {str(found)[:60]!r}; this version reads format {FORMAT}")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _number_or_null(value: Any, largest: int = LARGEST) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= largest)


def _length_or_null(value: Any) -> bool:
    return _number_or_null(value, LONGEST_RUN_S)


def _whole_or_null(value: Any) -> bool:
    return _number_or_null(value) and not isinstance(value, float)


def _seed_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _object_or_null(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _list_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


def _counts_or_null(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict) and all(value.get(name) is not None and _whole_or_null(value[name]) for name in COUNTS)
    )


def _search_or_null(value: Any) -> bool:
    names = ("from_per_s", "to_per_s", "budget_s")
    return value is None or (
        isinstance(value, dict) and all(value.get(each) is not None and _number_or_null(value[each]) for each in names)
    )


def _texts_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(isinstance(text, str) for text in value.values()))


def _list_of_texts_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(text, str) for text in value))


_TEXT = (_text, "a text")
_TEXT_OR_NULL = (_text_or_null, "a text, or null")
_NUMBER = (_number_or_null, f"a number from 0 to {LARGEST:,}, or null")
_LENGTH = (_length_or_null, f"a number of seconds from 0 to {LONGEST_RUN_S:,}, or null")
_KNOWN = (lambda value: value is not None and _number_or_null(value), f"a number from 0 to {LARGEST:,}")
_WHOLE = (_whole_or_null, f"a whole number from 0 to {LARGEST:,}, or null")
_OBJECT_OR_NULL = (_object_or_null, "an object, or null")
_LIST = (_list_or_null, "a list of objects, or null")
_KEYS: dict[str, tuple[Check, str]] = {
    "state": (lambda value: value in STATES, f"one of {', '.join(STATES)}"),
    "id": _TEXT_OR_NULL,
    "kept_by": _WHOLE,
    "name": _TEXT,
    "target": _TEXT,
    "started_at": (_text, "a time"),
    "ended_at": (_text_or_null, "a time, or null"),
    "seed": (_seed_or_null, "a whole number, or null"),
    "gateway": (lambda value: isinstance(value, dict), "an object"),
    "gateway.name": _TEXT_OR_NULL,
    "gateway.timeout_s": _LENGTH,
    "gateway.grace_s": _LENGTH,
    "gateway.body_limit_bytes": _NUMBER,
    "gateway.advice": (_texts_or_null, "an object of texts, or null"),
    "gateway.latency_asked": (lambda value: value is None or isinstance(value, bool), "true, false or null"),
    "credential": (lambda value: value in (None, *CREDENTIALS), f"one of {', '.join(CREDENTIALS)}, or null"),
    "load": (lambda value: isinstance(value, dict), "an object"),
    "load.model": (lambda value: value in MODELS, f"one of {', '.join(MODELS)}"),
    "load.arrivals": _TEXT_OR_NULL,
    "load.rate_per_s": _NUMBER,
    "load.users": _NUMBER,
    "load.think_time_s": _LENGTH,
    "load.duration_s": _LENGTH,
    "load.ramp_s": _LENGTH,
    "load.max_in_flight": _NUMBER,
    "load.search": (_search_or_null, "an object with the numbers from_per_s, to_per_s and budget_s, or null"),
    "load.shape": _TEXT_OR_NULL,
    "stopped_by": _TEXT_OR_NULL,
    "slo": (_list_of_texts_or_null, "a list of texts, or null"),
    "baseline": _OBJECT_OR_NULL,
    "baseline.path": _TEXT_OR_NULL,
    "baseline.tolerance": _NUMBER,
    "workers": _WHOLE,
    "workers_lost": _NUMBER,
    "sharing": _OBJECT_OR_NULL,
    "sharing.by": _TEXT_OR_NULL,
    "sharing.count": _WHOLE,
    "lost_worker": _TEXT_OR_NULL,
    "absences": _LIST,
    "workers_left": _LIST,
    "probe": _OBJECT_OR_NULL,
    "payloads": _LIST,
    "versions": _OBJECT_OR_NULL,
    "counts": (_counts_or_null, f"an object of whole numbers named {', '.join(COUNTS)}, or null"),
}
_PAYLOAD_KEYS: dict[str, tuple[Check, str]] = {
    "name": _TEXT,
    "kind": _TEXT_OR_NULL,
    "count": _WHOLE,
    "smallest_wire_bytes": _WHOLE,
    "largest_wire_bytes": _WHOLE,
    "over_limit": _WHOLE,
    "over": _LIST,
    "skipped": _WHOLE,
    "largest_file_bytes": _WHOLE,
}
_ABSENCE_KEYS: dict[str, tuple[Check, str]] = {
    "worker": _TEXT,
    "number": _WHOLE,
    "heard_s": _KNOWN,
    "told_s": _KNOWN,
    "unreported": _KNOWN,
    "back_s": _LENGTH,
}
_LEFT_KEYS: dict[str, tuple[Check, str]] = {"worker": _TEXT, "at_s": _KNOWN}
_OVER_KEYS: dict[str, tuple[Check, str]] = {"file": _TEXT, "wire_bytes": _WHOLE}


def _check(file: str, found: dict[str, Any], keys: dict[str, tuple[Check, str]], place: str = "") -> None:
    for key, (check, expected) in keys.items():
        value = value_at(found, key)
        if not check(value):
            raise BadRun(f"{file}: {place}{key} {str(value)[:60]!r} is not {expected}")
