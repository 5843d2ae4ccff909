from pathlib import Path

import pytest
from made_by_hand import counts_of, manifest_of

from analysis.errors import BadRun
from analysis.readers.side_by_side import check_same, check_side_by_side, joined_manifest, shifts_s

A, B, C = Path("a"), Path("b"), Path("c")


def load_of(**load):
    return manifest_of(load=load)


def joined(*manifests, shifts=None):
    return joined_manifest(manifests, shifts or [0] * len(manifests))


def test_a_run_alone_keeps_its_manifest_and_its_seconds():
    manifest = manifest_of(started_at="yesterday")

    assert shifts_s([A], [manifest]) == [0]
    assert joined_manifest([manifest], [0]) is manifest


@pytest.mark.parametrize(
    ("starts", "shifts"),
    [
        (["2026-11-24T22:10:00.900Z", "2026-11-24T22:10:00.123Z"], [0, 0]),
        (["2026-11-24T22:10:02.1Z", "2026-11-24T22:10:00.2Z", "2026-11-24T22:11:00.2Z"], [1, 0, 60]),
        (["2026-11-24T22:10:00+00:00", "2026-11-25T06:10:03+08:00"], [0, 3]),
    ],
)
def test_seconds_are_shifted_by_the_whole_seconds_since_the_earliest_start(starts, shifts):
    manifests = [manifest_of(started_at=start) for start in starts]

    assert shifts_s([A, B, C][: len(starts)], manifests) == shifts


@pytest.mark.parametrize("start", ["", "yesterday", "2026-11-24T22:10:00"])
def test_a_start_that_is_not_known_is_refused(start):
    with pytest.raises(BadRun, match=rf"^b: run\.json: started_at '{start}' is not a time with its zone"):
        shifts_s([A, B], [manifest_of(), manifest_of(started_at=start)])


def test_a_start_months_later_is_refused():
    with pytest.raises(BadRun, match=r"^a did not run side by side with the others: it started \d+(,\d+)+ s after"):
        shifts_s([A, B], [manifest_of(), manifest_of(started_at="2025-11-24T22:10:00Z")])


@pytest.mark.parametrize(
    ("shifts", "last_s"),
    [([0, 0], [9, 9]), ([5, 0], [14, 9]), ([0, 10], [9, 19]), ([0, 5, 14], [9, 14, 20]), ([0, 99], [None, 120])],
)
def test_runs_that_overlap_or_follow_at_once_are_one(shifts, last_s):
    check_side_by_side(dict(zip([A, B, C], shifts, strict=False)), last_s)


def test_a_run_after_the_others_had_ended_is_refused():
    with pytest.raises(BadRun, match=r"^b did not .* it started 60 s after the first, and they had ended after 15 s$"):
        check_side_by_side({A: 0, B: 60, C: 5}, [9, 69, 14])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "http://127.0.0.1/2"}, "target is 'http://127.0.0.1:8080/v1/infers/1' in the one and 'http://"),
        ({"gateway": {"timeout_s": 60.0}}, "gateway.name is 'modelarts' in the one and 'None' in the other"),
        ({"load": {"model": "closed"}}, "load.model is 'open' in the one and 'closed' in the other"),
    ],
)
def test_runs_that_differ_in_what_matters_are_not_one(changes, message):
    with pytest.raises(BadRun) as error:
        check_same([A, B], [manifest_of(), manifest_of(**changes)])

    assert str(error.value).startswith(f"a and b cannot be read as one run: {message}")


@pytest.mark.parametrize("limit", ["timeout_s", "grace_s", "body_limit_bytes"])
def test_every_limit_of_the_gateway_must_be_the_same(limit):
    gateway = manifest_of()["gateway"]

    with pytest.raises(BadRun, match=rf"gateway\.{limit} is '.*' in the one and '1' in the other"):
        check_same([A, B], [manifest_of(), manifest_of(gateway=gateway | {limit: 1})])


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (["complete", "complete"], "complete"),
        (["complete", "interrupted"], "interrupted"),
        (["running", "interrupted", "complete"], "running"),
    ],
)
def test_the_worst_state_is_the_state_of_all(states, worst):
    assert joined(*(manifest_of(state=state) for state in states))["state"] == worst


def test_loads_add_up_from_the_earliest_start_to_the_latest_end():
    one = load_of(rate_per_s=10.0, users=2, duration_s=60.0, ramp_s=5.0)
    other = load_of(rate_per_s=20.0, users=3, duration_s=50.0, ramp_s=0.0)

    load = joined(one, other, shifts=[0, 12])["load"]

    assert (load["rate_per_s"], load["users"], load["duration_s"], load["ramp_s"]) == (30.0, 5, 62.0, 12.0)


@pytest.mark.parametrize("key", ["rate_per_s", "users", "duration_s"])
def test_what_one_load_does_not_say_is_not_known_of_all(key):
    assert joined(load_of(**{key: 3}), load_of(**{key: None}))["load"][key] is None


def test_what_the_runs_do_not_agree_on_is_not_said():
    manifest = joined(
        manifest_of(seed=1, credential="none", load={"arrivals": "poisson"}),
        manifest_of(seed=2, credential="none", load={"arrivals": "constant"}),
    )

    assert (manifest["seed"], manifest["credential"], manifest["load"]["arrivals"]) == (None, "none", None)
    assert manifest["target"] == manifest_of()["target"]


def test_counts_and_workers_add_up():
    one = manifest_of(counts=counts_of(planned=5, sent=4), workers=2, workers_lost=1)
    other = manifest_of(counts=counts_of(planned=7, sent=7), workers=3)

    manifest = joined(one, other)

    assert manifest["counts"] == counts_of(planned=12, sent=11)
    assert (manifest["workers"], manifest["workers_lost"]) == (5, 1)
    assert joined(one, manifest_of(counts=None))["counts"] is None


def test_payloads_are_listed_once_and_names_put_together():
    iris, flower = {"name": "iris.json", "kind": "json"}, {"name": "flower.png", "kind": "file"}
    one = manifest_of(name="json", payloads=[iris])
    other = manifest_of(name="json-file", payloads=[iris, flower])

    manifest = joined(one, other)

    assert manifest["payloads"] == [iris, flower]
    assert manifest["name"] == "json-json-file"
    assert joined(one, one)["name"] == "json"


def test_the_run_goes_from_the_earliest_start_to_the_latest_end():
    one = manifest_of(started_at="2026-11-24T22:10:02Z", ended_at="2026-11-24T22:10:20Z")
    other = manifest_of(started_at="2026-11-24T22:10:00Z", ended_at="2026-11-25T06:10:21+08:00")

    manifest = joined(one, other, shifts=[2, 0])

    assert manifest["started_at"] == other["started_at"]
    assert manifest["ended_at"] == other["ended_at"]
    assert joined(one, manifest_of(ended_at=None))["ended_at"] is None


def test_the_advice_of_all_gateways_is_kept():
    gateway = manifest_of()["gateway"]
    manifests = [manifest_of(gateway=gateway | {"advice": {reason: "Do."}}) for reason in ("a", "b")]

    assert joined(*manifests)["gateway"] == gateway | {"advice": {"a": "Do.", "b": "Do."}}
