import pytest
from made_by_chance import random_run
from made_by_hand import manifest_of

from analysis.comparison.comparable import Differing, differing
from analysis.run import Run, Source

RUN = random_run(0, seconds=1, per_s=1)
PAYLOAD = {"name": "iris.json", "kind": "json", "count": 1, "smallest_wire_bytes": 420, "largest_wire_bytes": 420}


def run(source="loadgate", **changes):
    return Run(manifest_of(payloads=[PAYLOAD]) | changes, RUN.samples, RUN.timeline, [], source=Source(source, ()))


def found(one, two):
    return [(each.what, each.baseline, each.other, each.prevents) for each in differing(one, two)]


def load(**changes):
    return manifest_of(load=changes)["load"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"target": "http://other/"}, [("target", "http://127.0.0.1:8080/v1/infers/1", "http://other/")]),
        (
            {"gateway": {"timeout_s": 30.0, "body_limit_bytes": 12582912, "name": "modelarts"}},
            [("time limit (s)", "40.0", "30.0")],
        ),
        (
            {"gateway": {"timeout_s": 40.0, "body_limit_bytes": None, "name": "modelarts"}},
            [("body limit (B)", "12582912", "none")],
        ),
        ({"load": load(rate_per_s=50.0)}, [("rate (1/s)", "none", "50.0")]),
        ({"load": load(arrivals="poisson")}, [("arrivals", "constant", "poisson")]),
        ({"load": load(shape="Ramp")}, [("load shape", "none", "Ramp")]),
        ({"load": load(shape=None)}, []),
        ({"load": load(ramp_s=5.0)}, [("ramp (s)", "0.0", "5.0")]),
        (
            {"load": load(model="closed", arrivals=None)},
            [("load model", "open", "closed"), ("arrivals", "constant", "none")],
        ),
        (
            {"payloads": [PAYLOAD | {"largest_wire_bytes": 500}]},
            [("payload iris.json", "json, 1 of 420 B", "json, 1 of 420 to 500 B")],
        ),
        (
            {"payloads": [PAYLOAD | {"name": "cat.png", "kind": "file"}]},
            [
                ("payload iris.json", "json, 1 of 420 B", "not sent"),
                ("payload cat.png", "not sent", "file, 1 of 420 B"),
            ],
        ),
        ({"payloads": [PAYLOAD | {"count": 2}]}, [("payload iris.json", "json, 1 of 420 B", "json, 2 of 420 B")]),
    ],
)
def test_what_makes_it_another_question_prevents_a_comparison(changes, expected):
    assert found(run(), run(**changes)) == [(*each, True) for each in expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seed": 2}, ("seed", "1", "2")),
        (
            {"versions": {"loadgate": "0.2.0", "python": "3.11.7", "locust": "2.47.0"}},
            ("version of loadgate", "0.1.0", "0.2.0"),
        ),
        ({"workers": 4}, ("worker processes", "1", "4")),
        ({"load": load(duration_s=60.0)}, ("duration (s)", "none", "60.0")),
        ({"load": load(users=7)}, None),  # of an open load: they only add up to its rate
        ({"name": "another"}, None),
    ],
)
def test_what_may_matter_is_listed(changes, expected):
    assert found(run(), run(**changes)) == ([(*expected, False)] if expected else [])


def test_users_matter_in_a_closed_load():
    one, two = (run(load=load(model="closed", users=users)) for users in (5, 6))

    assert found(one, two) == [("users", "5", "6", True)]


def test_a_text_without_a_letter_is_written_out():
    assert found(run(), run(target="\x00 ")) == [("target", "http://127.0.0.1:8080/v1/infers/1", "nothing", True)]


def test_the_same_run_differs_in_nothing():
    assert differing(run(), run()) == []


def test_what_another_tool_does_not_say_is_no_difference():
    theirs = run(
        "JMeter JTL", gateway={"timeout_s": None, "body_limit_bytes": None}, payloads=None, versions=None, target=""
    )
    theirs.manifest["target"] = None

    assert found(run(), theirs) == [("measured by", "loadgate", "JMeter JTL", False)]


def test_hostile_texts_stay_on_their_line():
    [each] = differing(run(), run(target="http://x/\x1b[2J\n\u202ey"))

    assert each == Differing("target", "http://127.0.0.1:8080/v1/infers/1", "http://x/ [2J y", True)
