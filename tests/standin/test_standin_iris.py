import json

import pytest

from loadgate.standin import iris

PAGE_ROW = {"sepal_length": 3, "sepal_width": 1, "petal_length": 2.2, "petal_width": 4}


def document(*rows, **meta):
    return {"meta": meta, "data": {"req_data": list(rows)}}


@pytest.mark.parametrize(("label", "centroid"), iris.CENTROIDS.items())
def test_each_class_is_found_at_its_own_mean(label, centroid):
    body, _ = iris.predict(document(dict(zip(iris.FEATURES, centroid, strict=True))))
    assert json.loads(body)["data"]["resp_data"][0]["predictresult"] == label


def test_one_result_for_each_input_with_the_input_in_it():
    body, uuid = iris.predict(document(PAGE_ROW, PAGE_ROW, uuid="u1"))
    answer = json.loads(body)
    assert answer["meta"] == {"uuid": "u1"}
    assert answer["data"]["resp_data"] == [{**PAGE_ROW, "predictresult": "Iris-versicolor"}] * 2
    assert uuid == "u1"


@pytest.mark.parametrize("meta", [{}, {"meta": {}}, {"meta": ""}, {"meta": {"uuid": None}}])
def test_without_a_uuid_it_is_left_blank(meta):
    body, uuid = iris.predict({"data": {"req_data": [PAGE_ROW]}, **meta})
    assert json.loads(body)["meta"] == {"uuid": ""}
    assert uuid == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "data.req_data is missing"),
        ({"data": []}, "data.req_data is missing"),
        ({"data": {"req_data": {}}}, "not a list"),
        ({"data": {"req_data": [1]}}, r"req_data\[0\] is not an object"),
        (document(PAGE_ROW, {"sepal_length": 1}), r"req_data\[1\].sepal_width is missing"),
        (document({**PAGE_ROW, "petal_width": "4"}), "petal_width is not a number"),
        (document({**PAGE_ROW, "petal_width": True}), "petal_width is not a number"),
        (document({**PAGE_ROW, "petal_width": 10**400}), "petal_width is not a number"),
        (document({**PAGE_ROW, "petal_width": float("inf")}), "petal_width is not a number"),
        (document({**PAGE_ROW, "petal_width": float("nan")}), "petal_width is not a number"),
    ],
)
def test_an_input_that_is_none_is_refused_with_the_place(content, message):
    with pytest.raises(ValueError, match=message):
        iris.predict(content)
