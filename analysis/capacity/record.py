"""capacity.json: what a search was asked for and the levels that it held, written after each of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from analysis.capacity.level import Against, Level
from analysis.capacity.search import CONFIRMATION, Search
from analysis.errors import BadRun
from analysis.objectives.objective import objective
from analysis.run_format import CAPACITY, FORMAT


@dataclass(frozen=True)
class Record:
    search: Search
    objectives: tuple[str, ...]
    target_per_s: float | None = None  # the traffic that is coming
    instances: int = 1  # that were measured
    headroom: float = 0.2  # share of their capacity that is to stay free
    levels: tuple[Level, ...] = ()
    resumed: str | None = None  # the run whose levels are the first of these
    resumed_levels: int = 0

    @property
    def shown(self) -> Level | None:
        """The level of this run that its report is about: the confirmation, or else the last; None before the first."""
        own = self.levels[self.resumed_levels :]
        chosen = [each for each in own if each.kind == CONFIRMATION] or own
        return chosen[-1] if chosen else None

    def with_level(self, level: Level) -> "Record":
        return replace(self, levels=(*self.levels, level))

    def as_json(self) -> dict[str, Any]:
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            "format": FORMAT,
            **plain,
            "search": asdict(self.search),
            "objectives": list(self.objectives),
            "levels": [each.as_json() for each in self.levels],
        }


def read_record(run_dir: Path) -> Record | None:
    """Read the record of a search; None for a run that was none. Raises BadRun."""
    path = run_dir / CAPACITY
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadRun(f"{CAPACITY}: not JSON: {error}") from None
    if isinstance(found, dict) and found.get("format") != FORMAT:
        raise BadRun(f"{CAPACITY}: format {found.get('format')!r} is not known; this loadgate reads {FORMAT}")
    try:
        return _record(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRun(f"{CAPACITY}: not a record of a search: {type(error).__name__}: {error}") from None


def _record(found: Mapping[str, Any]) -> Record:
    texts = tuple(objective(text).text for text in found["objectives"])
    levels = tuple(map(_level, found["levels"]))
    if any(tuple(against.text for against in level.against) != texts for level in levels):
        raise ValueError("a level was judged by other objectives")
    return Record(
        Search(**{name: _number(found["search"][name]) for name in ("from_per_s", "to_per_s", "budget_s", "seed")}),
        texts,
        None if found["target_per_s"] is None else _number(found["target_per_s"]),
        int(_number(found["instances"])),
        _number(found["headroom"]),
        levels,
        found.get("resumed"),
        int(found.get("resumed_levels") or 0),
    )


def _level(found: Mapping[str, Any]) -> Level:
    known = {each.name: found[each.name] for each in fields(Level)}
    against = tuple(Against(**{each.name: row[each.name] for each in fields(Against)}) for row in found["against"])
    for name in ("rate_per_s", "length_s", "took_s", "from_s"):
        _number(known[name])
    for each in against:
        _number(each.beyond), _number(each.n), _number(each.effect)
    return Level(**{**known, "against": against})


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise ValueError(f"{value!r} is not a number that it can have")
    return value
