"""What a worker reports is read with suspicion."""

import copy
import math

import msgpack
import pytest

from loadgate.load import no_rows
from loadgate.worker_report import COUNTED, WorkerReport, as_message, numbered

ROWS = no_rows() | {
    "latency": [(3, "iris.json", "ok", "response", [100, 200], 2), (3, "iris.json", "ok", "connect", [], 1)],
    "timeline": [(3, 10, 10.0, 5, 5, 5, 0, 0, 1, 0.2, 1.5, None, 0.0)],
    "failures": [(3, "iris.json", "throttled", "gateway", "rate", 429, "APIG.0308", "slow down", 2)],
    "notable": [(3.5, "iris.json", "throttled", "gateway", "rate", 429, "APIG.0308", "slow down", "id", 0.2)],
    "waiting": [[(3, "iris.json", "unfinished", "response", [5], 1)]],
}
COUNTS = dict.fromkeys(COUNTED, 1)


def sent():
    """Reports as they come out of a message."""
    message = as_message([(7, WorkerReport(ROWS, None)), (8, WorkerReport(no_rows(), COUNTS))])
    return msgpack.loads(msgpack.dumps(message), strict_map_key=False)


def test_what_a_worker_sends_is_taken_as_it_was():
    (first, report), (second, last) = numbered(sent())
    assert (first, second) == (7, 8)
    assert [tuple(row) for row in report.rows["latency"]] == ROWS["latency"]
    assert [tuple(row) for row in report.rows["failures"]] == ROWS["failures"]
    assert (report.counts, last.counts) == (None, COUNTS)


@pytest.mark.parametrize(
    "message", [None, 1, "x", {}, [1], [[1]], [[1, 2]], [[-1, {}]], [["1", {}]], [[0, {"rows": {}}]]]
)
def test_what_is_no_list_of_reports_is_refused(message):
    with pytest.raises(ValueError, match="no report of a loadgate worker"):
        numbered(message)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("latency", 0, 0), -1),
        (("latency", 0, 0), 10**9),
        (("latency", 0, 0), True),
        (("latency", 0, 1), 5),
        (("latency", 0, 1), "x" * 5000),
        (("latency", 0, 2), "fine"),
        (("latency", 0, 2), ["ok"]),
        (("latency", 0, 3), "speed"),
        (("latency", 0, 4), [1.5]),
        (("latency", 0, 4), [-1]),
        (("latency", 0, 4), [2**50]),
        (("latency", 0, 4), "12"),
        (("latency", 0, 5), 2**62),
        (("latency", 0), [1, 2]),
        (("latency",), None),
        (("latency",), {"a": 1}),
        (("timeline", 0, 3), "=cmd()"),
        (("timeline", 0, 3), math.nan),
        (("timeline", 0, 3), 5.5),
        (("timeline", 0, 4), None),
        (("timeline", 0, 8), None),
        (("failures", 0, 1), 1),
        (("failures", 0, 3), "somebody"),
        (("failures", 0, 5), 1000),
        (("notable", 0, 0), "soon"),
        (("timeline", 0, 9), math.inf),
        (("timeline", 0), []),
        (("timeline", 0, 0), 1.5),
        (("failures", 0, 2), "fine"),
        (("failures", 0, 7), {"a": 1}),
        (("failures", 0, 8), -5),
        (("notable", 0, 7), "x" * 5000),
        (("notable", 0), "0123456789"),
        (("waiting", 0), 5),
        (("waiting", 0, 0, 4), ["x"]),
    ],
)
def test_a_row_that_no_worker_writes_is_refused(place, value):
    message = copy.deepcopy(sent())
    at = message[0][1]["rows"]
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    with pytest.raises(ValueError, match="no report of a loadgate worker"):
        numbered(message)


@pytest.mark.parametrize(
    "counts", [{}, {"planned": 1}, COUNTS | {"more": 1}, COUNTS | {"sent": -1}, COUNTS | {"sent": "1"}, 5]
)
def test_counts_that_no_worker_makes_are_refused(counts):
    message = sent()
    message[1][1]["counts"] = counts
    with pytest.raises(ValueError, match="no report of a loadgate worker"):
        numbered(message)
