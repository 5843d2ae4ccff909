"""The run directory, format 1: file names, columns, measures and histogram buckets.

Both sides read this module: `loadgate` writes runs with it, `analysis` reads them. A change of a file's meaning
raises `FORMAT` and adds a line here.

Format history: 1, the first.
"""

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
LONGEST_RUN_S = 10_000_000  # over a hundred days: a later second is none
ABSENT = -1  # an empty cell in a column of whole numbers, once it is read

MANIFEST = "run.json"
LATENCY = "latency.csv"
TIMELINE = "timeline.csv"
FAILURES = "failures.csv"
NOTABLE = "notable.csv"
REDISTRIBUTE = "redistribute"  # in the manifest: others take the share of a lost worker
WORKERS = "workers.csv"  # of a run whose rows came from workers
CAPACITY = "capacity.json"  # of a run that searched for the capacity of its service
# The report's; the first holds what the manifest says.
SUMMARY, REPORT_HTML, REPORT_MD = "summary.json", "report.html", "report.md"

# `value_us` is a list parted by spaces: `count` requests took each of these times.
# `response` has exactly one count per planned request, whatever became of it: its counts are the outcome counts.
# Its `value_us` is empty where nothing was measured (a dropped request). Times in microseconds, seconds from the start.
LATENCY_COLUMNS = ("second", "name", "outcome", "measure", "value_us", "count")
TIMELINE_COLUMNS = (
    "second",
    "users",
    "target_per_s",
    "planned",
    "sent",
    "finished",
    "dropped",
    "resent",
    "in_flight",
    "cpu_share",
    "lateness_ms",
    "loop_lag_ms",
    "gc_pause_ms",
)
# How many requests of that second and name failed this way. The counts of an outcome are those of its `response` rows.
FAILURE_COLUMNS = (
    "second",
    "name",
    "outcome",
    "answered_by",
    "reason",
    "status",
    "error_code",
    "message",
    "count",
)
NOTABLE_COLUMNS = (
    "at_s",
    "name",
    "outcome",
    "answered_by",
    "reason",
    "status",
    "error_code",
    "message",
    "request_id",
    "response_s",
)

# Of each of these workers the first so many reports (lists parted by spaces) are in the rows before these offsets of
# the files. Written in one row after those rows: of a run that is not closed, what stands behind is not taken yet.
OFFSETS = {
    LATENCY: "latency_bytes",
    TIMELINE: "timeline_bytes",
    FAILURES: "failures_bytes",
    NOTABLE: "notable_bytes",
}
WORKERS_COLUMNS = ("workers", "reports", *OFFSETS.values())

RESPONSE = "response"  # planned -> last byte
SERVICE = "service"  # sent -> last byte
LATENESS = "lateness"  # planned -> sent
FIRST_BYTE = "first_byte"  # sent -> first byte of the answer
UPLOAD = "upload"  # sent -> last byte of the body handed to the kernel
CONNECT = "connect"  # TCP and TLS set-up, where a request had to wait for one
GATEWAY = "gateway"  # the gateway's own part of the time, as it says
BACKEND = "backend"  # the gateway's sending -> the model's response head, as the gateway says; in whole milliseconds
MEASURES = (RESPONSE, SERVICE, LATENESS, FIRST_BYTE, UPLOAD, CONNECT, GATEWAY, BACKEND)


def bucketed(values_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round times to their histogram bucket's middle: within 0.05 %, exact below 2,048 us.

    The buckets are those of an HDR histogram with 3 significant digits (2,048 sub-buckets): each power of two is
    cut into 1,024 equal parts. Applying it twice changes nothing.
    """
    values = np.maximum(values_us, 0)
    _, exponents = np.frexp(values.astype(np.float64))
    shifts = np.maximum(exponents - 11, 0).astype(np.int64)
    middles: NDArray[np.int64] = ((values >> shifts) << shifts) + ((np.int64(1) << shifts) >> 1)
    return middles
