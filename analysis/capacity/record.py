"""capacity.json: what a search was asked for and the levels that it held, written after each of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from analysis.capacity.level import SHOWN, Against, Level
from analysis.capacity.search import CONFIRMATION, SHARES, Search
from analysis.errors import BadRun
from analysis.json_file import read_object
from analysis.objectives.judgement import MET, MISSED, UNDECIDED
from analysis.objectives.objective import objective
from analysis.outcomes import Outcome
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
        sound = [each for each in own if not each.spoiled]
        chosen = [each for each in sound if each.kind == CONFIRMATION] or sound or own
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
    found = read_object(path)
    if found.get("format") != FORMAT:
        raise BadRun(f"{CAPACITY}: format {found.get('format')!r} is not known; this loadgate reads {FORMAT}")
    try:
        return _record(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRun(f"{CAPACITY}: not a record of a search: {type(error).__name__}: {error}") from None


def _record(found: Mapping[str, Any]) -> Record:
    texts = tuple(objective(text).text for text in found["objectives"])
    if not isinstance(found["levels"], list):
        raise TypeError("levels are not a list")
    levels = tuple(map(_level, found["levels"]))
    if any(tuple(against.text for against in level.against) != texts for level in levels):
        raise ValueError("a level was judged by other objectives")
    asked, target_per_s = found["search"], found["target_per_s"]
    if asked["to_per_s"] < asked["from_per_s"]:
        raise ValueError("the highest rate is below the lowest")
    return Record(
        Search(
            _number(asked["from_per_s"], above=0),
            _number(asked["to_per_s"], above=0),
            _number(asked["budget_s"], above=0),
            _whole(asked["seed"]),
        ),
        texts,
        None if target_per_s is None else _number(target_per_s, above=0),
        _whole(found["instances"], least=1),
        _number(found["headroom"], below=1),
        levels,
        None if found["resumed"] is None else str(found["resumed"]),
        _whole(found["resumed_levels"], most=len(levels)),
    )


def _level(found: Mapping[str, Any]) -> Level:
    if found["kind"] not in SHARES or not isinstance(found["spoiled"], str):
        raise ValueError(f"{found['kind']!r} is no step of a search, or 'spoiled' is no text")
    return Level(
        found["kind"],
        _number(found["rate_per_s"], above=0),
        _number(found["length_s"], above=0),
        _number(found["took_s"]),
        tuple(map(_against, found["against"])),
        _whole(found["from_s"]),
        found["spoiled"],
        {str(Outcome(name)): _whole(count) for name, count in found["outcomes"].items()},
        {name: _estimate(found["latency"][name]) for name in SHOWN} if found["latency"] else {},
        *(None if found[name] is None else _number(found[name]) for name in ("mean_s", "in_flight", "finished_per_s")),
    )


def _against(found: Mapping[str, Any]) -> Against:
    if found["result"] not in (MET, MISSED, UNDECIDED):
        raise ValueError(f"{found['result']!r} is no result")
    n, allowed = _number(found["n"]), found["allowed"]
    if not isinstance(allowed, float) or not 0 < allowed < 1:
        raise ValueError(f"{allowed!r} is not a share that an objective allows")
    beyond = _number(found["beyond"], below=n + 1)
    return Against(
        found["text"], found["result"], beyond, n, allowed, _number(found["effect"], above=0), found["censored"] is True
    )


def _estimate(found: Mapping[str, Any]) -> dict[str, Any]:
    ends = {name: None if found[name] is None else _number(found[name]) for name in ("value_s", "low_s", "high_s")}
    return {**ends, "censored": found["censored"] is True}


def _number(value: Any, *, above: float = -1, below: float = 1e15) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not max(0, above) <= value < below:
        raise ValueError(f"{value!r} is not a number that it can have")
    if value == above:
        raise ValueError(f"{value!r} is not above {above:g}")
    return float(value)


def _whole(value: Any, *, least: int = 0, most: int = 10**15) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is not a whole number that it can have")
    return value
