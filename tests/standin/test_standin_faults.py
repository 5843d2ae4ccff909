import json
import random
from collections import Counter

import pytest

from loadgate.standin.answers import Answer
from loadgate.standin.faults import FAULTS, Faults, spoil

GOOD = Answer(200, b'{"meta": {"uuid": "u1"}, "data": {"resp_data": []}}', "json", "u1")


def test_each_fault_comes_as_often_as_its_share():
    faults = Faults({"slow": 0.1, "cut": 0.02}, random.Random(1))
    drawn = Counter(faults.draw() for _ in range(20_000))
    assert drawn["slow"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert drawn["cut"] / 20_000 == pytest.approx(0.02, abs=0.005)
    assert set(drawn) == {"", "slow", "cut"}


def test_the_same_seed_draws_the_same_faults():
    one, other = (Faults({"slow": 0.5}, random.Random(3)) for _ in range(2))
    assert [one.draw() for _ in range(50)] == [other.draw() for _ in range(50)]


def test_a_share_of_one_is_every_request():
    faults = Faults({"hang": 1.0}, random.Random(1))
    assert {faults.draw() for _ in range(100)} == {"hang"}


def test_a_bad_answer_is_not_json():
    with pytest.raises(json.JSONDecodeError):
        json.loads(spoil("bad_answer", GOOD).body)


def test_a_wrong_uuid_changes_nothing_else():
    spoiled = json.loads(spoil("wrong_uuid", GOOD).body)
    assert spoiled["meta"]["uuid"] != "u1"
    assert spoiled["data"] == {"resp_data": []}


def test_a_model_error_is_500_without_a_gateway_code():
    spoiled = spoil("model_error", GOOD)
    assert spoiled.status == 500
    assert "error_code" not in json.loads(spoiled.body)


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_a_bad_answer_of_the_model_is_left_as_it_is(fault):
    bad = Answer(400, b"{}", "json")
    assert spoil(fault, bad) is bad


def test_an_answer_without_a_uuid_cannot_have_a_wrong_one():
    picture = Answer(200, b'{"predicted_label": "rose"}', "file")
    assert spoil("wrong_uuid", picture) is picture
