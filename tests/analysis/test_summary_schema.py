"""docs/summary.schema.json is what summary.json is: nothing more, and nothing less."""

import copy
import json
from fractions import Fraction
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from levels_by_hand import level, record
from made_by_hand import failure, summary_of

from analysis.capacity.search import CONFIRMATION, NEAR
from analysis.failures import ANSWERERS
from analysis.objectives.objective import objective
from analysis.outcomes import Outcome
from analysis.report.definitions import CAUTIONS
from analysis.run_format import MEASURES

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/summary.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
EVERY_OUTCOME = [(0, "json", str(outcome), "response", 9 if outcome != "dropped" else "", 9) for outcome in Outcome]
UP = (level(50.0), level(100.0), level(200.0), level(400.0, beyond=4000, mean_s=0.2))
AROUND = (level(290.0, beyond=60, kind=NEAR), level(310.0, beyond=180, kind=NEAR))
EVERY_MEASURE = [(0, "json", "ok", measure, 1_000, 500) for measure in MEASURES]
ALIKE = ("outcomes", "by_name", "by_outcome", "latency", "percentiles")  # their parts are of one kind


def written(run_dir, **choices):
    """The summary as a file holds it."""
    return json.loads(json.dumps(summary_of(run_dir, **choices), allow_nan=False))


def faults(summary):
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(summary)]


@pytest.fixture
def full(make_run):
    """A summary in which everything occurs."""
    failures = [failure(outcome, 9, "gateway", "why", 500, "code", "words") for outcome in ("oversize", "unfinished")]
    payload = {"name": "a", "kind": "json", "count": 1, "over_limit": 1, "over": [{"file": "b", "wire_bytes": 9}]}
    rows = [row for row in EVERY_OUTCOME if row[2] in ("ok", "oversize", "unfinished")]
    rows += [*EVERY_MEASURE[:3], (1, "other", "ok", "response", 9, 1)]
    percentiles = {"p50": Fraction(1, 2), "p90": Fraction(9, 10)}
    run = make_run(rows, failures=failures, counts=None, payloads=[payload], credential="iam", slo=["p50<1s"])
    found = written(run, percentiles=percentiles)
    found["window"]["drift"] = {"share": -0.1, "p_value": 0.5}
    found["window"]["cut"] = [{"from_s": 0, "to_s": 1, "why": "ramp"}]
    return found


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        ([], {"timeline": []}),
        (EVERY_MEASURE, {}),
        (EVERY_OUTCOME, {}),
        (EVERY_MEASURE, {"counts": None}),
        (EVERY_MEASURE, {"counts": None, "state": "interrupted", "ended_at": None}),
        (EVERY_MEASURE, {"load": {"rate_per_s": 500.0, "duration_s": 1.0}, "workers": 2, "workers_lost": 1}),
        (EVERY_MEASURE, {"load": {"model": "closed", "arrivals": None, "users": 3, "think_time_s": 0.5}}),
        (EVERY_MEASURE, {"load": {"shape": "Ramp", "rate_per_s": 500.0, "users": 500}}),
        ([(0, f"name {number}", "ok", "response", 9, 1) for number in range(60)], {"payloads": None}),
        (EVERY_MEASURE, {"gateway": {"name": "none"}, "probe": {"outcome": "ok", "status": 200, "service_s": 0.1}}),
    ],
)
def test_every_summary_fits_the_schema(make_run, rows, changes):
    assert faults(written(make_run(rows, **changes))) == []


@pytest.mark.parametrize(
    ("texts", "changes", "verdict"),
    [
        (["p50<1s", "mean<=1s", "errors<1%", "ok_rate>1/s", "rate>=1/s"], {}, "pass"),
        (["p50<1us", "timeouts<=0% of json", "throttled<1%"], {}, "fail"),
        (["p99.99<1s", "service.p50<1s of other", "p50<1s in every 10s"], {}, "undecided"),
        (["p50<1us"], {"counts": None}, "invalid"),
    ],
)
def test_objectives_fit_the_schema(make_run, texts, changes, verdict):
    found = written(make_run(EVERY_MEASURE, **changes), slo=tuple(map(objective, texts)))

    assert found["verdict"] == verdict
    assert [each["text"] for each in found["slo"]] == texts
    assert faults(found) == []


def test_a_summary_with_everything_fits_the_schema(full):
    assert faults(full) == []


@pytest.mark.parametrize(
    "levels",
    [
        (),
        (level(50.0, spoiled="late"),),
        (level(50.0, n=0, latency={}, mean_s=0.0, in_flight=None, finished_per_s=None, outcomes={}),),
        (*UP, *AROUND, *AROUND, level(280.0, kind=CONFIRMATION, mean_s=0.02)),
    ],
)
def test_a_search_fits_the_schema(make_run, levels):
    found = searched(make_run(EVERY_MEASURE), *levels, target_per_s=900.0)

    assert faults(found) == []


def searched(run, *levels, **changes):
    (run / "capacity.json").write_text(json.dumps(record(*levels, **changes).as_json()), encoding="utf-8")
    return written(run)


def test_a_summary_of_a_search_without_any_of_its_fields_does_not_fit(make_run):
    whole = searched(make_run(EVERY_MEASURE), *UP, *AROUND, *AROUND, level(280.0, kind=CONFIRMATION, mean_s=0.02))
    whole["capacity"]["answer"]["plan"]["target"] = {"rate_per_s": 1.0, "instances": 1}
    kept = []
    for path in places(whole["capacity"]):
        for key in at(whole["capacity"], path):
            changed = copy.deepcopy(whole)
            del at(changed["capacity"], path)[key]
            if VALIDATOR.is_valid(changed):
                kept.append((*path, key))

    by_chance = {*map(str, Outcome), "p50", "p90", "p99"}
    assert [path for path in kept if path[-1] not in by_chance] == []


def test_a_run_that_does_not_say_how_requests_failed_fits_the_schema(make_run):
    run = make_run(EVERY_MEASURE)
    (run / "failures.csv").unlink()

    assert faults(written(run)) == []


def test_other_percentiles_fit_the_schema(make_run):
    asked = {"p25": Fraction(1, 4), "p99.999999": Fraction(99999999, 100000000)}

    assert faults(written(make_run(EVERY_MEASURE), percentiles=asked, confidence=0.8)) == []


def places(value, path=()):
    """Every place of *value* at which an object stands, by its path; of parts of one kind the first."""
    if isinstance(value, dict):
        yield path
        parts = list(value.items())
        if path[-1:] and (path[-1] in ALIKE or path[-2:-1] == ("latency",)):
            parts = parts[:2]  # `n` of a measure, and its first percentile
        for key, part in parts:
            yield from places(part, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def at(summary, path):
    for key in path:
        summary = summary[key]
    return summary


def test_a_summary_without_any_of_its_fields_does_not_fit(full):
    """Only what occurs by chance may be missing: an outcome, a name, a percentile, a measure but the first two."""
    by_chance = {*map(str, Outcome), *full["percentiles"], *MEASURES[2:], *full["by_name"]}
    kept = []
    for path in places(full):
        if path[:1] == ("run",) and len(path) > 1:
            continue
        for key in at(full, path):
            changed = copy.deepcopy(full)
            del at(changed, path)[key]
            if VALIDATOR.is_valid(changed):
                kept.append((*path, key))

    assert [path for path in kept if path[-1] not in by_chance] == []


def test_a_summary_with_a_field_more_does_not_fit_but_in_what_run_json_holds(full):
    taken = []
    for path in places(full):
        changed = copy.deepcopy(full)
        at(changed, path)["field_more"] = "x"
        if VALIDATOR.is_valid(changed):
            taken.append(path)

    assert taken
    assert {path[0] for path in taken} == {"run"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 2),
        (("verdict",), "good"),
        (("outcomes", "okay"), 1),
        (("outcomes", "ok"), 1.5),
        (("outcomes", "ok"), 0),
        (("latency", "response", "n"), "9"),
        (("latency", "response", "p50"), 0.1),
        (("latency", "response", "median"), None),
        (("latency", "response", "p50", "value_s"), "102 ms"),
        (("latency", "response", "p50", "low_s"), -1),
        (("latency", "response", "p50", "censored"), None),
        (("latency", "answer"), {}),
        (("percentiles", "p50"), 50),
        (("percentiles", "p100"), 0.5),
        (("confidence",), 95),
        (("rate", "ok_per_s"), "9"),
        (("failures", 0, "answered_by"), "nobody"),
        (("failures", 0, "count"), 0),
        (("failures",), {}),
        (("failures_more",), -1),
        (("names_more",), None),
        (("window", "cut", 0, "why"), "mood"),
        (("window", "steady"), "yes"),
        (("window", "drift", "p_value"), 2),
        (("cautions", 0, "name"), "bad_weather"),
        (("cautions", 0, "serious"), 1),
        (("by_outcome", "okay"), {}),
        (("slo",), [{}]),
        (("slo", 0, "result"), "passed"),
        (("slo", 0, "unit"), "ms"),
        (("slo", 0, "n"), None),
        (("verdict",), "passed"),
        (("run", "state"), "done"),
        (("run", "credential"), "secret"),
        (("run", "load", "model"), "half open"),
        (("run", "gateway", "timeout_s"), "40 s"),
        (("source", "notes"), "none"),
    ],
)
def test_a_summary_with_a_wrong_value_does_not_fit(full, path, value):
    at(full, path[:-1])[path[-1]] = value

    assert not VALIDATOR.is_valid(full)


def test_closed_lists_are_those_of_the_code():
    definitions = SCHEMA["$defs"]

    assert definitions["outcome"]["enum"] == [str(outcome) for outcome in Outcome]
    assert set(definitions["latency"]["properties"]) == set(MEASURES)
    assert set(definitions["caution"]["properties"]["name"]["enum"]) == set(CAUTIONS)
    assert set(definitions["failure"]["properties"]["answered_by"]["enum"]) == {str(one) for one in ANSWERERS}


def test_everything_is_described():
    """A reference is described where it leads."""

    def undescribed(node, place):
        if not isinstance(node, dict):
            return
        for key, part in node.get("properties", {}).items():
            if not {"description", "$ref", "enum"} & part.keys():
                yield f"{place}.{key}"
            yield from undescribed(part, f"{place}.{key}")
        for inner in ("items", "additionalProperties"):
            yield from undescribed(node.get(inner), place)

    assert [place for name, node in SCHEMA["$defs"].items() for place in undescribed(node, name)] == []
    assert list(undescribed(SCHEMA, "")) == []
