"""The JSON model: which iris has these measures?"""

import json
import math
from typing import Any

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")

CENTROIDS = {
    "Iris-setosa": (5.006, 3.428, 1.462, 0.246),
    "Iris-versicolor": (5.936, 2.770, 4.260, 1.326),
    "Iris-virginica": (6.588, 2.974, 5.552, 2.026),
}
"""Class means in cm of the 150 published flowers (R. A. Fisher, Annals of Eugenics 7, 1936; R's `iris`)."""


def predict(document: dict[str, Any]) -> tuple[bytes, str]:
    """The answer's body and the request's uuid. Raises ValueError with what is wrong with the input."""
    meta = document.get("meta")
    uuid = meta.get("uuid") if isinstance(meta, dict) else None
    payload = document.get("data")
    rows = payload.get("req_data") if isinstance(payload, dict) else None
    if not isinstance(rows, list):
        raise ValueError("data.req_data is missing or not a list")
    results = [_result(row, at) for at, row in enumerate(rows)]
    answer = {"meta": {"uuid": "" if uuid is None else uuid}, "data": {"resp_data": results}}
    return json.dumps(answer).encode(), uuid if isinstance(uuid, str) else ""


def _result(row: object, at: int) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"req_data[{at}] is not an object")
    point = [_number(row, name, at) for name in FEATURES]
    return {**row, "predictresult": min(CENTROIDS, key=lambda name: math.dist(point, CENTROIDS[name]))}


def _number(row: dict[str, Any], name: str, at: int) -> float:
    if name not in row:
        raise ValueError(f"req_data[{at}].{name} is missing")
    value = row[name]
    # A finite float and no more: an integer of 400 digits is JSON, too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise ValueError(f"req_data[{at}].{name} is not a number")
    return float(value)
