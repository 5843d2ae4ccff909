"""A search on a load, second by second: time is simulated, and so are the rows of the processes that send."""

import json
from argparse import Namespace
from itertools import pairwise
from pathlib import Path

import pytest

from analysis.capacity.record import Record
from analysis.capacity.search import CONFIRMATION, FOUND, NEVER_MISSED, Search, next_step
from analysis.objectives.objective import objective
from loadgate import capacity, plan
from loadgate.capacity import Searching, check_same, prepared
from loadgate.credential import TOKEN_VARIABLE
from loadgate.errors import ConfigError
from loadgate.options import HOW, LIMITS, LOCUST_ONLY, SEARCH, WHAT

HANG_S = 9  # before a service that hangs answers all, once it is left alone
DEFAULTS = {option.name: option.default for option in (*WHAT, *HOW, *LIMITS, *LOCUST_ONLY, *SEARCH)}


def options_of(**changes):
    return Namespace(**({"host": "http://127.0.0.1:8123/v1/infers/1"} | DEFAULTS | changes))


def plan_of(own_tasks=False, **changes):
    user = type("Json", (), {"kind": "json", "paths": (), "own_tasks": own_tasks})
    return plan.plan(options_of(**changes), [user], {TOKEN_VARIABLE: "t"})


class Capped:
    """A service that answers `cap_per_s` requests in each second and refuses the others, and those who send to it."""

    def __init__(self, record, *, cap_per_s=1e9, workers=1, late_us=100, hangs_above=1e9):
        self.cap_per_s, self.workers, self.late_us, self.hangs_above = cap_per_s, workers, late_us, hangs_above
        self.rate_per_s, self.rates, self.kept, self.second, self.hanging, self.idle_s = 0.0, [], [], 0, [], 0
        made = plan_of(slo=["errors<1%"])
        self.searching = Searching(record, made, workers, self._set_rate, self.kept.append, lambda: float(self.second))

    def _set_rate(self, rate_per_s):
        self.rate_per_s = rate_per_s
        self.rates.append(rate_per_s)

    def run(self, at_most_s=3000):
        while self.second < at_most_s and self.searching.tick():
            for worker in range(self.workers):
                self.searching.see(f"worker {worker}", self._report(round(self.rate_per_s / self.workers)))
            self.second += 1
        return self.kept[-1]

    def _report(self, count):
        refused = max(0, count - round(self.cap_per_s / self.workers))
        if self.rate_per_s > self.hangs_above:
            self.hanging.append((self.second, "json", "unfinished", "response", [1_000_000], count))
            ended = []
        else:
            ended = [(self.second, count - refused, "ok"), (self.second, refused, "throttled")]
        self.idle_s = 0 if self.rate_per_s else self.idle_s + 1
        if self.idle_s == HANG_S:
            ended, self.hanging = [(at, count, "ok") for at, *_, count in self.hanging], []
        rows = [
            (second, "json", outcome, measure, [us], number)
            for second, number, outcome in ended
            if number
            for measure, us in (("response", 10_000), ("service", 10_000), ("lateness", self.late_us))
        ]
        timeline = (self.second, 100, self.rate_per_s, count, count, count, 0, 0, 0, 0.1, 0.1, 0.1, 0.0)
        return {"latency": rows, "timeline": [timeline], "waiting": [list(self.hanging)]}


def record_of(*, levels=(), **changes):
    asked = {"from_per_s": 10.0, "to_per_s": 10_000.0, "budget_s": 300.0, "seed": 1} | changes
    return Record(Search(**asked), ("errors<1%",), levels=levels)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cap_is_found_by_one_process_as_by_several(workers):
    found = Capped(record_of(), cap_per_s=150, workers=workers).run()

    done = next_step(found.search, found.levels)
    assert done.why == FOUND
    assert done.edge.value == pytest.approx(150 / 0.99, rel=0.03)
    assert found.levels[-1].kind == CONFIRMATION


def test_every_level_is_kept_and_after_each_the_rate_is_zero_until_it_is_drained():
    service = Capped(record_of(), cap_per_s=150)
    found = service.run()

    assert [len(kept.levels) for kept in service.kept] == list(range(1, len(found.levels) + 1))
    assert service.rates[::2] == [level.rate_per_s for level in found.levels]
    assert set(service.rates[1::2]) == {0.0}
    assert sum(level.took_s for level in found.levels) == pytest.approx(service.second, abs=2)


def test_a_level_is_of_the_requests_planned_while_it_was_held_once_it_had_settled():
    found = Capped(record_of(), cap_per_s=150).run()

    for level in found.levels:
        assert sum(level.outcomes.values()) == pytest.approx(level.rate_per_s * level.length_s, rel=0.01, abs=1)
    assert all(level.from_s + level.length_s < then.from_s for level, then in pairwise(found.levels))


def test_requests_that_hang_are_waited_for_before_the_next_rate():
    """They count with their age meanwhile, and as what they became in the end."""
    service = Capped(record_of(to_per_s=40.0), hangs_above=30.0)
    found = service.run()

    assert [level.rate_per_s for level in found.levels[:3]] == [10.0, 20.0, 40.0]
    assert found.levels[2].outcomes == {"ok": 40 * found.levels[2].length_s}
    assert found.levels[2].took_s - found.levels[1].took_s >= HANG_S - 1


def test_a_search_up_to_the_highest_rate_has_its_end():
    found = Capped(record_of(to_per_s=80.0)).run()

    assert next_step(found.search, found.levels).why == NEVER_MISSED


def test_a_late_generator_spoils_levels():
    found = Capped(record_of(), late_us=50_000).run()

    assert [bool(level.spoiled) for level in found.levels] == [True, True]


def test_the_time_to_think_is_none_to_settle(monkeypatch):
    """The judged part begins after the rate was set, however long it took to choose it."""
    service = Capped(record_of(to_per_s=20.0))
    begun = []

    def think(work, *arguments):
        service.second += 3
        return work(*arguments)

    monkeypatch.setattr(capacity, "_aside", think)
    set_rate = service.searching._set_rate
    service.searching._set_rate = lambda rate: (set_rate(rate), rate and begun.append(service.second))
    found = service.run()

    assert all(level.from_s >= at + 2 for level, at in zip(found.levels, begun, strict=True))


def test_a_generator_that_tells_nothing_is_not_waited_for_for_ever():
    service = Capped(record_of())
    service.searching.see = lambda sender, report: None
    found = service.run()

    assert [level.spoiled for level in found.levels] == 2 * [capacity.SILENT]
    assert all(level.took_s < 100 for level in found.levels)


def test_a_search_goes_on_where_an_earlier_one_ended():
    earlier = Capped(record_of(), cap_per_s=150)
    earlier.run(at_most_s=60)
    levels = earlier.kept[-1].levels

    found = Capped(record_of(levels=levels), cap_per_s=150).run()

    assert found.levels[: len(levels)] == levels
    assert next_step(found.search, found.levels).why == FOUND


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slo": None}, "needs an objective"),
        ({"slo": ["p99<1s"], "load_model": "closed"}, "open model"),
        ({"slo": ["p99<1s over 5s stop"]}, "as a whole"),
        ({"slo": ["p99<1s in every 5s"]}, "as a whole"),
        ({"slo": ["mean<1s"]}, "needs percentiles and shares"),
        ({"slo": ["rate>5/s"]}, "needs percentiles and shares"),
        ({"slo": ["errors<=0%"]}, "allow a share above 0 %"),
        ({"slo": ["p99>1s"]}, "not missed at a high rate"),
        ({"slo": ["errors>1%"]}, "not missed at a high rate"),
        ({"slo": ["ok<99%"]}, "not missed at a high rate"),
        ({"slo": ["gateway.p99<1s"]}, "--gateway-latency"),
        ({"slo": ["p99<1s"], "budget_s": 9.0}, "15s or more"),
        ({"slo": ["p99<1s"], "from_per_s": 9.0, "to_per_s": 5.0}, "--to 5 is below --from 9"),
        ({"slo": ["p99<1s"], "resume": "nowhere"}, "does not exist"),
        ({"slo": ["p99<1s"], "baseline": "monday"}, "rates of its own"),
    ],
)
def test_what_no_search_can_do_is_refused(changes, words):
    with pytest.raises(ConfigError, match=words):
        prepared(options_of(**changes), plan_of(**{k: v for k, v in changes.items() if k != "resume"}))


@pytest.mark.parametrize(
    ("slo", "expected"),
    [
        (["p99<1s"], ("p99<1s", "errors<1%")),  # latencies leave failures out
        (["p99<1s", "timeouts<2%"], ("p99<1s", "timeouts<2%")),
        (["ok>99%"], ("ok>99%",)),
    ],
)
def test_there_is_always_an_objective_about_failures(slo, expected):
    made, record = prepared(options_of(slo=slo), plan_of(slo=slo))

    assert record.objectives == tuple(each.text for each in made.slo) == expected


def write(folder: Path, record: Record) -> Path:
    folder.mkdir()
    (folder / "capacity.json").write_text(json.dumps(record.as_json()), encoding="utf-8")
    return folder


def test_an_earlier_search_brings_what_it_was_asked_for(tmp_path):
    service = Capped(record_of(), cap_per_s=150)
    service.run(at_most_s=60)
    path = write(tmp_path / "monday", service.kept[-1])

    made, record = prepared(options_of(resume=str(path)), plan_of())

    assert made.slo == (objective("errors<1%"),)
    assert (record.resumed, record.resumed_levels) == ("monday", len(record.levels))
    assert record.search == record_of().search


def test_it_goes_on_with_its_seed_and_in_the_open_model_only(tmp_path):
    service = Capped(record_of(seed=7), cap_per_s=150)
    service.run(at_most_s=60)
    options = options_of(resume=str(write(tmp_path / "monday", service.kept[-1])))

    made, _ = prepared(options, plan_of())
    assert (made.seed, options.seed) == (7, 7)
    with pytest.raises(ConfigError, match="open model"):
        prepared(options, plan_of(load_model="closed"))


def test_a_search_that_had_its_end_does_not_go_on(tmp_path):
    path = write(tmp_path / "monday", Capped(record_of(to_per_s=20.0)).run())

    with pytest.raises(ConfigError, match="had its end"):
        prepared(options_of(resume=str(path)), plan_of())


def test_a_broken_record_is_not_gone_on_with(tmp_path):
    (tmp_path / "capacity.json").write_text("{", encoding="utf-8")

    with pytest.raises(ConfigError, match="cannot be read"):
        prepared(options_of(resume=str(tmp_path)), plan_of())


def test_another_question_is_not_gone_on_with(tmp_path):
    made = {"target": "http://a/", "load": {"model": "open"}, "gateway": {"timeout_s": 40.0}, "payloads": []}
    manifest = {"format": 1, "state": "interrupted", "name": "json", "started_at": "", **made}
    (tmp_path / "run.json").write_text(json.dumps(manifest), encoding="utf-8")

    check_same(tmp_path, made)
    with pytest.raises(ConfigError, match="target is http://a/ and http://b/"):
        check_same(tmp_path, made | {"target": "http://b/"})
    with pytest.raises(ConfigError, match="cannot be read"):
        check_same(tmp_path / "nowhere", made)
