"""What a worker tells the master, read with suspicion: whoever reaches the master's port can send anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from analysis.outcomes import AnsweredBy, Outcome
from analysis.run_format import LONGEST_RUN_S, MEASURES
from loadgate.delivery import Numbered
from loadgate.load import Report

LARGEST = 2**40  # of times in us, as the histograms have room for, and of counts
LONGEST_TEXT = 4096
MOST_REPORTS, MOST_ROWS = 1000, 1_000_000
COUNTED = ("planned", "sent", "finished", "dropped", "unfinished", "resent", "renewed")
LARGEST_STATUS = 999
ANSWERERS = tuple(each.value for each in AnsweredBy)
OUTCOMES = tuple(outcome.value for outcome in Outcome)  # no set: what is looked up may be unhashable


class WorkerReport(NamedTuple):
    """Rows of one process; with its `counts`, by name, they are the last."""

    rows: Report
    counts: dict[str, int] | None


def numbered(message: Any) -> list[Numbered]:
    """Read numbered reports as `as_message` wrote them. Raises ValueError for anything else."""
    _demand(_is_list(message, MOST_REPORTS) and all(_is_list(each, 2) and len(each) == 2 for each in message))
    for number, _ in message:
        _demand(_is_whole(number))
    return [(number, _report(report)) for number, report in message]


def as_message(reports: Iterable[Numbered]) -> list[Any]:
    """For `numbered`, in types that travel."""
    return [[number, {"rows": report.rows, "counts": report.counts}] for number, report in reports]


def _report(message: Any) -> WorkerReport:
    _demand(isinstance(message, dict) and message.keys() == {"rows", "counts"})
    rows, counts = message["rows"], message["counts"]
    _demand(isinstance(rows, dict) and rows.keys() == {"latency", "waiting", *CHECKS})
    _demand(all(_is_list(part, MOST_ROWS) for part in rows.values()))
    _check_latency(rows["latency"])
    for waiting in rows["waiting"]:
        _demand(_is_list(waiting, MOST_ROWS))
        _check_latency(waiting)
    for name, checks in CHECKS.items():
        for row in rows[name]:
            _demand(_is_list(row, len(checks)) and len(row) == len(checks))
            _demand(all(check(cell) for check, cell in zip(checks, row, strict=True)))
    _demand(counts is None or _are_counts(counts))
    return WorkerReport(rows, counts)


def _check_latency(rows: Sequence[Any]) -> None:
    for row in rows:
        _demand(_is_list(row, 6) and len(row) == 6)
        second, name, outcome, measure, times_us, count = row
        _demand(_is_whole(second, LONGEST_RUN_S) and _is_text(name) and outcome in OUTCOMES and measure in MEASURES)
        # Thousands of times at once: no loop of Python's.
        _demand(_is_list(times_us, MOST_ROWS) and set(map(type, times_us)) <= {int} and _is_whole(count))
        _demand(not times_us or (min(times_us) >= 0 and max(times_us) <= LARGEST))


def _demand(is_so: bool) -> None:
    if not is_so:
        raise ValueError("it is no report of a loadgate worker of this version")


def _is_list(value: Any, most: int) -> bool:
    return isinstance(value, list | tuple) and len(value) <= most


def _is_whole(value: Any, most: int = LARGEST) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_second(value: Any) -> bool:
    return _is_whole(value, LONGEST_RUN_S)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= LARGEST  # NaN is neither


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_outcome(value: Any) -> bool:
    return value in OUTCOMES


def _is_answerer(value: Any) -> bool:
    return value in ANSWERERS


def _is_status(value: Any) -> bool:
    return value is None or _is_whole(value, LARGEST_STATUS)


def _are_counts(counts: Any) -> bool:
    return isinstance(counts, Mapping) and set(counts) == set(COUNTED) and all(map(_is_whole, counts.values()))


# A check for each column, as in `analysis.run_format`.
CHECKS: dict[str, tuple[Callable[[Any], bool], ...]] = {
    "timeline": (_is_second, _is_whole, _is_number, *[_is_whole] * 6, *[_is_number_or_none] * 4),
    "failures": (_is_second, _is_text, _is_outcome, _is_answerer, _is_text, _is_status, _is_text, _is_text, _is_whole),
    "notable": (
        *(_is_number, _is_text, _is_outcome, _is_answerer, _is_text, _is_status),
        *(_is_text, _is_text, _is_text, _is_number_or_none),
    ),
}
