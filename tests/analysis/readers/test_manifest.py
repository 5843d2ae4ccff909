import json
from pathlib import Path

import pytest
from made_by_hand import counts_of

from analysis.errors import BadRun
from analysis.readers.manifest import read_manifest, recorded_manifest


def test_a_manifest_is_read_with_keys_it_does_not_know(make_run):
    assert read_manifest(make_run(later="more"))["later"] == "more"


def test_a_directory_without_a_manifest_is_not_a_run(tmp_path):
    with pytest.raises(BadRun, match=r"is not a run: it has no run\.json$"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("unknown", [0, "1", None, True])
def test_an_unknown_format_says_which_is_read(make_run, unknown):
    with pytest.raises(BadRun) as error:
        read_manifest(make_run(format=unknown))

    assert str(error.value) == f"run.json: format is {str(unknown)!r}; this version reads format 1"


def test_the_format_of_a_newer_loadgate_says_to_update(make_run):
    with pytest.raises(BadRun) as error:
        read_manifest(make_run(format=2))

    assert str(error.value) == (
        "run.json: format is 2, of a newer loadgate; this version reads format 1: update loadgate"
    )


@pytest.mark.parametrize(("files", "name"), [(["a.csv"], "a"), (["x/a.csv", "b.csv", "c.csv"], "a and 2 more")])
def test_files_without_a_manifest_get_one_of_what_is_known(files, name):
    manifest = recorded_manifest("a tool", [Path(file) for file in files], 40.0, started_at="2026-11-24T22:10:00Z")

    assert (manifest["name"], manifest["state"], manifest["counts"]) == (name, "complete", None)
    assert manifest["load"] == {"model": "recorded", "recorded_by": "a tool", "duration_s": None}
    assert (manifest["gateway"]["timeout_s"], manifest["started_at"]) == (40.0, "2026-11-24T22:10:00Z")


def test_no_run_json_says_that_it_was_recorded(make_run):
    with pytest.raises(BadRun, match=r"load\.model 'recorded' is not one of open, closed$"):
        read_manifest(make_run(load={"model": "recorded"}))


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": NaN}', '{"format": 1e999}', "[" * 100_000])
def test_what_is_no_json_object_is_a_bad_run(tmp_path, text):
    (tmp_path / "run.json").write_text(text)

    with pytest.raises(BadRun, match=r"^run\.json: not "):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "done"}, "run.json: state 'done' is not one of running, complete, interrupted"),
        ({"name": None}, "run.json: name 'None' is not a text"),
        ({"load": {"model": "half-open"}}, "run.json: load.model 'half-open' is not one of open, closed"),
        (
            {"load": {"duration_s": "20s"}},
            "run.json: load.duration_s '20s' is not a number of seconds from 0 to 10,000,000",
        ),
        ({"load": {"shape": 5}}, "run.json: load.shape '5' is not a text, or null"),
        ({"load": {"search": {}}}, "run.json: load.search '{}' is not an object with the numbers from_per_s, to_per_s"),
        (
            {"load": {"rate_per_s": -1}},
            "run.json: load.rate_per_s '-1' is not a number from 0 to 1,000,000,000,000,000",
        ),
        ({"load": {"rate_per_s": 1e308}}, "run.json: load.rate_per_s '1e+308' is not a number from 0 to 1,000,"),
        ({"load": {"users": 10**16}}, "run.json: load.users '10000000000000000' is not a number from 0 to 1,000,"),
        ({"load": {"duration_s": 1e308}}, "run.json: load.duration_s '1e+308' is not a number of seconds from 0 to 10"),
        ({"load": {"ramp_s": 1e308}}, "run.json: load.ramp_s '1e+308' is not a number of seconds from 0 to 10,000,000"),
        ({"load": {"ramp_s": 10_000_001}}, "run.json: load.ramp_s '10000001' is not a number of seconds from 0 to 10"),
        ({"load": {"arrivals": -5}}, "run.json: load.arrivals '-5' is not a text, or null"),
        (
            {"gateway": {"grace_s": "5"}},
            "run.json: gateway.grace_s '5' is not a number of seconds from 0 to 10,000,000",
        ),
        ({"gateway": {"timeout_s": 1e9}}, "run.json: gateway.timeout_s '1000000000.0' is not a number of seconds from"),
        ({"gateway": {"name": [1]}}, "run.json: gateway.name '[1]' is not a text, or null"),
        ({"seed": "x"}, "run.json: seed 'x' is not a whole number, or null"),
        ({"seed": True}, "run.json: seed 'True' is not a whole number, or null"),
        ({"workers": -1}, "run.json: workers '-1' is not a whole number from 0 to 1,000,000,000,000,000, or null"),
        ({"probe": [1]}, "run.json: probe '[1]' is not an object, or null"),
        ({"ended_at": [1]}, "run.json: ended_at '[1]' is not a time, or null"),
        ({"gateway": []}, "run.json: gateway '[]' is not an object"),
        ({"payloads": [1]}, "run.json: payloads '[1]' is not a list of objects, or null"),
        ({"payloads": [{"kind": "file"}]}, "run.json: payloads[0].name 'None' is not a text"),
        ({"payloads": [{"name": "a", "count": -1}]}, "run.json: payloads[0].count '-1' is not a whole number from 0"),
        ({"payloads": [{"name": "a", "over": "b"}]}, "run.json: payloads[0].over 'b' is not a list of objects"),
        (
            {"payloads": [{"name": "a"}, {"name": "b", "over": [{"file": "c"}, {"file": 1}]}]},
            "run.json: payloads[1].over[1].file '1' is not a text",
        ),
        ({"gateway": {"advice": [1]}}, "run.json: gateway.advice '[1]' is not an object of texts, or null"),
        ({"gateway": {"advice": {"a": 1}}}, "run.json: gateway.advice \"{'a': 1}\" is not an object of texts, or null"),
        ({"gateway": {"latency_asked": 1}}, "run.json: gateway.latency_asked '1' is not true, false or null"),
        (
            {"credential": "s3cret"},
            "run.json: credential 's3cret' is not one of none, token, bearer, iam, aksk",
        ),
        ({"counts": counts_of(sent=10**16)}, "run.json: counts \"{'planned': 0, 'sent': 10000000000000000"),
        ({"counts": {}}, "run.json: counts '{}' is not an object of whole numbers named"),
    ],
)
def test_a_bad_value_is_named_with_its_key(make_run, changes, message):
    with pytest.raises(BadRun) as error:
        read_manifest(make_run(**changes))

    assert str(error.value).startswith(message)


def test_what_is_not_known_may_be_null(make_run):
    gateway = dict.fromkeys(("name", "timeout_s", "grace_s", "body_limit_bytes"))
    load = dict.fromkeys(("arrivals", "rate_per_s", "users", "duration_s", "ramp_s"))
    nulls = dict.fromkeys(("seed", "workers", "probe", "ended_at", "credential", "versions", "counts"))
    manifest = read_manifest(make_run(gateway=gateway, load=load, **nulls))

    assert (manifest["gateway"], manifest["seed"]) == (gateway, None)


def test_the_largest_numbers_are_read(make_run):
    load = {"model": "open", "rate_per_s": 1e15, "duration_s": 10_000_000, "ramp_s": 1e7}
    manifest = read_manifest(make_run(load=load, seed=-(10**30)))

    assert manifest["load"] | load == manifest["load"]
    assert manifest["seed"] == -(10**30)


def test_a_missing_key_is_named(make_run):
    path = make_run() / "run.json"
    manifest = json.loads(path.read_text())
    del manifest["load"]
    path.write_text(json.dumps(manifest))

    with pytest.raises(BadRun, match=r"run\.json: load 'None' is not an object"):
        read_manifest(path.parent)
