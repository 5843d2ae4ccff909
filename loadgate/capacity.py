"""A search for the capacity, carried out on a load that goes on: it sets the rate, and judges what each rate brings.

The search itself is the analysis's (`analysis.capacity`): this holds the levels that it asks for.
"""

import math
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gevent
import numpy as np

from analysis.capacity.level import Level, level_of
from analysis.capacity.record import Record, read_record
from analysis.capacity.search import SHORTEST_S, Done, Search, Step, next_step
from analysis.errors import BadRun
from analysis.objectives.figures import Part
from analysis.objectives.objective import PER_SECOND, SHARE, Objective, objective
from analysis.outcomes import Outcome
from analysis.population import bounded
from analysis.run_format import BACKEND, GATEWAY, TIMELINE_COLUMNS
from analysis.timeline import NUMBERS, Timeline, merged
from loadgate.errors import ConfigError
from loadgate.live_samples import LiveSamples, Seen
from loadgate.plan import Plan

NO_ERRORS = objective("errors<1%")  # where no objective is about failures, which latencies leave out
LEAST_BUDGET_S = 15.0
LOOK_S = 2  # seconds of a level between two looks at it
LONGEST_DRAIN_S = 5.0  # beyond what the slowest request may take
LONGEST_SILENCE_S = 15.0  # workers report every three seconds; who is later cannot keep up
SILENT = f"the generator could not tell within {LONGEST_SILENCE_S:g} s what it had sent"

SetRate = Callable[[float], None]
Keep = Callable[[Record], None]


def prepared(options: Namespace, plan: Plan) -> tuple[Plan, Record]:
    """The plan of a search, with an objective about failures, and its record so far. Raises ConfigError."""
    if options.resume:
        record = _resumed(Path(options.resume))
        options.seed = record.search.seed  # Locust hands the options on to its workers
        slo = tuple(map(objective, record.objectives))
        return _checked(replace(plan, slo=slo, seed=record.search.seed)), record
    plan = _checked(plan)
    if options.to_per_s < options.from_per_s:
        raise ConfigError(f"--to {options.to_per_s:g} is below --from {options.from_per_s:g}")
    if options.budget_s < LEAST_BUDGET_S:
        raise ConfigError(
            f"--budget {options.budget_s:g}s is too short for any level; give {LEAST_BUDGET_S:g}s or more"
        )
    search = Search(options.from_per_s, options.to_per_s, options.budget_s, plan.seed)
    texts = tuple(each.text for each in plan.slo)
    return plan, Record(search, texts, options.target_per_s, options.instances, options.headroom)


def _checked(plan: Plan) -> Plan:
    if plan.load_model != "open":
        raise ConfigError("a capacity search sets the rate, so it needs the open model and no tasks of a class's own")
    if plan.baseline:
        raise ConfigError("--baseline: a search has rates of its own; compare a run at one rate")
    if not plan.slo:
        raise ConfigError("a capacity search needs an objective to keep; write for example --slo 'p99<800ms'")
    for each in plan.slo:
        if each.stop_after_s or each.every_s:
            raise ConfigError(f"objective {each.text!r}: a search judges each rate as a whole; leave out what follows")
        if each.unit == PER_SECOND or (each.unit != SHARE and each.percentile is None):
            raise ConfigError(
                f"objective {each.text!r}: a search needs percentiles and shares, as 'p99<800ms' or 'errors<1%'"
            )
        if each.is_ceiling == (each.figure == Outcome.OK):
            raise ConfigError(
                f"objective {each.text!r}: it is not missed at a high rate, so a search cannot find where"
            )
        if each.measure in (GATEWAY, BACKEND) and plan.sending.limits.gateway.latency is None:
            raise ConfigError(f"objective {each.text!r}: the gateway says its part of the time with --gateway-latency")
        if each.unit == SHARE and each.limit in (0, 1):
            raise ConfigError(f"objective {each.text!r}: no search can show that; allow a share above 0 %, as 0.1%")
    if any(each.unit == SHARE for each in plan.slo):
        return plan
    return replace(plan, slo=(*plan.slo, NO_ERRORS))


def _resumed(path: Path) -> Record:
    try:
        found = read_record(path)
    except (BadRun, OSError) as error:
        raise ConfigError(f"--resume {str(path)!r} cannot be read: {error}") from None
    if found is None:
        what = "is no capacity run" if path.exists() else "does not exist"
        raise ConfigError(f"--resume {str(path)!r} {what}; name the directory of one")
    step = next_step(found.search, found.levels)
    if isinstance(step, Done):
        raise ConfigError(
            f"--resume {str(path)!r}: that search had its end ({step.why}); start a new one, with a larger --budget if"
            " it was too short"
        )
    return replace(found, resumed=path.resolve().name, resumed_levels=len(found.levels))


def check_same(path: Path, description: dict[str, Any]) -> None:
    """Raise ConfigError where the run of *path* sent something else, or elsewhere, than this one is to."""
    from analysis.comparison.comparable import difference_text, preventing  # only a search that goes on needs it
    from analysis.readers.manifest import read_manifest

    try:
        different = difference_text(preventing(read_manifest(path), description))
    except (BadRun, OSError) as error:
        raise ConfigError(f"--resume {str(path)!r} cannot be read: {error}") from None
    if different:
        raise ConfigError(f"--resume {str(path)!r} is not the same question: {different}")


@dataclass
class Held:
    """A level while it is held."""

    step: Step
    began_s: float  # by our clock
    from_s: int  # these are seconds of those who send
    to_s: int
    looked_s: int
    drains_from_s: float = math.inf  # by our clock
    silent: bool = False  # it ended because nobody told how it was going


class Searching:
    """Goes from level to level. `tick` is called several times a second, `see` with the rows of every process."""

    def __init__(
        self, record: Record, plan: Plan, senders: int, set_rate: SetRate, keep: Keep, clock: Callable[[], float]
    ) -> None:
        """`clock` gives seconds since the run began; `set_rate` takes requests/s."""
        self.record = record
        self._now = clock
        self._heard_s = 0.0
        self.held: Held | None = None
        limits = plan.sending.limits
        self._objectives: Sequence[Objective] = [objective(text) for text in record.objectives]
        self._timeout_s, self._patience_s = limits.gateway.timeout_s, limits.deadline_s + LONGEST_DRAIN_S
        self._set_rate, self._keep = set_rate, keep
        self._live = LiveSamples(senders)
        self._rows: list[Sequence[Any]] = []  # of the timeline
        self._seen = self._live.nothing

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> None:
        """Take in the rows of one process."""
        self._rows += report["timeline"]
        seen = self._live.see(sender, report)
        if seen is not None and seen.over_s > self._seen.over_s:
            self._heard_s = self._now()
        self._seen = seen or self._seen

    def tick(self) -> bool:
        """Go on; whether there is anything to go on with. Blocks its greenlet while it thinks, in another thread."""
        if self.held is None:
            return self._begin()
        if math.isinf(self.held.drains_from_s):
            self.held.silent = self._now() > max(self._heard_s, self.held.began_s) + LONGEST_SILENCE_S
            if self.held.silent or self._is_over(self.held, self._seen):
                self._set_rate(0.0)
                self.held.drains_from_s = self._now()
        elif self._is_drained(self.held, self._seen) or self._now() > self.held.drains_from_s + self._patience_s:
            self._end(self.held, self._seen)
            return self._begin()
        return True

    def _begin(self) -> bool:
        step = _aside(next_step, self.record.search, self.record.levels)
        if isinstance(step, Done):
            return False
        self._live.forget()
        self._rows.clear()
        self._set_rate(step.rate_per_s)
        now_s = self._now()
        from_s = math.ceil(now_s + step.settle_s)
        self.held = Held(step, now_s, from_s, from_s + math.ceil(step.longest_s), from_s)
        return True

    def _is_over(self, held: Held, seen: Seen) -> bool:
        if seen.over_s >= held.to_s:
            return True
        if not held.step.may_end_early or seen.over_s - held.from_s < SHORTEST_S:
            return False
        if seen.over_s - held.looked_s < LOOK_S:
            return False
        held.looked_s = seen.over_s
        so_far = _aside(self._level, held, seen, seen.over_s, 0.0, tuple(self._rows))
        if not held.step.is_over(so_far):
            return False
        held.to_s = seen.over_s
        return True

    def _is_drained(self, held: Held, seen: Seen) -> bool:
        return seen.over_s > held.drains_from_s and not any(len(each.second) for each in seen.waiting)

    def _end(self, held: Held, seen: Seen) -> None:
        level: Level = _aside(self._level, held, seen, held.to_s, self._now() - held.began_s, tuple(self._rows))
        if held.silent:
            level = replace(level, spoiled=SILENT)
        self.held = None
        self.record = self.record.with_level(level)
        self._keep(self.record)

    def _level(self, held: Held, seen: Seen, to_s: int, took_s: float, rows: Sequence[Sequence[Any]]) -> Level:
        part = Part(bounded(seen.planned(held.from_s, to_s), self._timeout_s), None, held.from_s, to_s)
        return level_of(held.step.kind, held.step.rate_per_s, took_s, part, self._objectives, _timeline(rows))


def _timeline(rows: Sequence[Sequence[Any]]) -> Timeline:
    columns = zip(*rows, strict=True) if rows else [()] * len(TIMELINE_COLUMNS)
    return merged(
        {
            name: np.array(column, np.float64 if name in NUMBERS else np.int64)
            for name, column in zip(TIMELINE_COLUMNS, columns, strict=True)
        }
    )


def _aside(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do it in a thread: the loop must not wait for it."""
    return gevent.get_hub().threadpool.apply(work, arguments)
