"""What workers sent their master, as it was on the wire: ZMTP 3 (RFC 23/ZMTP), and in its messages MessagePack."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgpack

GREETING_BYTES = 64
LONG, COMMAND = 2, 4


def reports(streams: Iterable[bytes]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each report, by worker. One that was sent again is there once."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for stream in streams:
        for kind, data, worker in _messages(bytes(stream)):
            if kind == "stats" and "loadgate" in data:
                rows = {number: report["rows"] for number, report in data["loadgate"]["reports"]}
                found.setdefault(worker, {}).update(rows)
    return {worker: list(rows.values()) for worker, rows in found.items()}


def requests(reports: Iterable[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """How many requests took which time: by second, name, outcome, measure and microseconds."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for report in reports:
        for *key, times_us, count in report["latency"]:
            for time_us in times_us or [None]:
                counts[*key, time_us] += count
    return counts


def _messages(stream: bytes) -> Iterator[Any]:
    at = GREETING_BYTES
    while at < len(stream):
        flags, begin = stream[at], at + (9 if stream[at] & LONG else 2)
        end = begin + int.from_bytes(stream[at + 1 : begin], "big")
        if not flags & COMMAND and end <= len(stream):  # the last may not have come whole
            yield msgpack.unpackb(stream[begin:end], strict_map_key=False)
        at = end
