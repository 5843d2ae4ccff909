import json

import pytest
from levels_by_hand import level, record

from analysis.capacity.record import read_record
from analysis.capacity.search import CONFIRMATION
from analysis.errors import BadRun


def write(folder, found):
    (folder / "capacity.json").write_text(found if isinstance(found, str) else json.dumps(found), encoding="utf-8")
    return folder


def test_a_record_is_read_as_it_was_written(tmp_path):
    one = record(level(100.0), level(200.0, beyond=900, spoiled="late"), target_per_s=500.0, instances=3, headroom=0.1)

    assert read_record(write(tmp_path, one.as_json())) == one


def test_a_run_that_was_no_search_has_none(tmp_path):
    assert read_record(tmp_path) is None


def test_the_report_is_of_the_confirmation_or_else_of_the_last_level_of_this_run():
    levels = level(100.0), level(200.0, kind=CONFIRMATION), level(300.0)

    assert record().shown is None
    assert record(*levels[:1]).shown is levels[0]
    assert record(*levels).shown is levels[1]
    assert record(*levels, resumed="earlier", resumed_levels=2).shown is levels[2]
    assert record(*levels, resumed="earlier", resumed_levels=3).shown is None


def changed(found, **fields):
    return found | {"levels": [found["levels"][0] | fields]}


def against(found, **fields):
    first, *others = found["levels"][0]["against"]
    return changed(found, against=[first | fields, *others])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: "{", "not JSON"),
        (lambda found: "[]", "not an object"),
        (lambda found: found | {"format": 2}, "format 2 is not known"),
        (lambda found: found | {"search": {}}, "to_per_s"),
        (lambda found: found | {"levels": {}}, "levels are not a list"),
        (lambda found: found | {"search": found["search"] | {"to_per_s": 1}}, "below the lowest"),
        (lambda found: found | {"objectives": ["p99"]}, "not an objective"),
        (lambda found: found | {"objectives": ["p50<1s"]}, "other objectives"),
        (lambda found: found | {"headroom": "much"}, "'much' is not a number"),
        (lambda found: found | {"levels": [{"kind": "doubling"}]}, "spoiled"),
        (lambda found: changed(found, kind="tripling"), "no step of a search"),
        (lambda found: changed(found, spoiled={}), "no step of a search"),
        (lambda found: changed(found, rate_per_s=0), "not above 0"),
        (lambda found: changed(found, length_s=0), "not above 0"),
        (lambda found: changed(found, outcomes={"ok": "many"}), "'many' is not a whole number"),
        (lambda found: changed(found, outcomes={"fine": 1}), "'fine' is not a valid Outcome"),
        (lambda found: changed(found, mean_s="fast"), "'fast' is not a number"),
        (lambda found: changed(found, latency={"p50": {}}), "value_s"),
        (lambda found: against(found, result="good"), "'good' is no result"),
        (lambda found: against(found, effect=0), "not above 0"),
        (lambda found: against(found, beyond=99_999), "99999 is not a number"),
        (lambda found: against(found, allowed="1%"), "not a share"),
        (lambda found: found | {"instances": 0}, "0 is not a whole number"),
        (lambda found: found | {"headroom": 1}, "1 is not a number"),
        (lambda found: found | {"resumed_levels": 9}, "9 is not a whole number"),
        (lambda found: found | {"levels": [found["levels"][0] | {"rate_per_s": float("nan")}]}, "NaN"),
    ],
)
def test_a_bad_record_is_said_to_be_one(tmp_path, change, words):
    with pytest.raises(BadRun, match=words):
        read_record(write(tmp_path, change(record(level(100.0)).as_json())))
