"""junit.xml: objectives and the baseline as test cases, for the CI servers that show those.

An objective that this run does not decide is an `error`. Servers count a skipped test as no trouble, and a job that
only reads this file would turn green over a question that is open; a `failure` would blame the service for a run that
was too short. In an invalid run every case is an error, whatever its figure.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.objectives.judgement import MET, MISSED
from analysis.report import slo
from analysis.wording import load_text, one_line, share_text, time_text

if TYPE_CHECKING:
    from junitparser.junitparser import FinalResult

JUNIT_XML = "junit.xml"
START = b'<?xml version="1.0" encoding="utf-8"?>\n<!-- written by loadgate report -->\n'


def document(summary: Mapping[str, Any]) -> bytes:
    """Write the objectives of *summary* as JUnit XML. `one_line` leaves no letter that XML does not have."""
    from junitparser import JUnitXml, TestCase, TestSuite  # a run without objectives needs none of it

    name = one_line(summary["run"]["name"])
    suite = TestSuite(f"loadgate: {name}")
    for key, value in _properties(summary):
        suite.add_property(key, one_line(value))
    for row in slo.rows(summary):
        # With the run's name: servers tell the cases of a job's several reports apart by it.
        case = TestCase(one_line(row.objective), classname=f"loadgate.{name}")
        case.result = _results(summary, row)
        suite.add_testcase(case)
    suites: Any = JUnitXml("loadgate")  # not all of the library has types
    suites.add_testsuite(suite)
    suites.update_statistics()
    # The objectives are of one run, so its time is that of the suite and of no case.
    suite.time = suites.time = round(summary["run"]["duration_s"] or 0.0, 3)
    written: bytes = suites.tostring()
    return START + written + b"\n"


def is_ours(path: Path) -> bool:
    """Whether the file is there and an earlier report wrote it."""
    try:
        with path.open("rb") as file:
            return file.read(len(START)) == START
    except OSError:
        return False


def _properties(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    run = summary["run"]
    yield "verdict", summary["verdict"]
    yield "load", load_text(run["load"])
    yield "duration", time_text(run["duration_s"])
    yield "confidence", share_text(summary["confidence"], 1)
    for key in ("target", "started_at"):
        if run[key]:
            yield key, run[key]


def _results(summary: Mapping[str, Any], row: slo.Row) -> list["FinalResult"]:
    if row.found == MET:
        return []
    from junitparser import Error, Failure  # as above

    message = _invalid_text(summary) if row.found == slo.NOT_JUDGED else row.reason
    kind = Failure if row.found == MISSED else Error
    result = kind(one_line(message), row.result.lower())
    result.text = one_line(message)  # some servers show the text, others the message
    return [result]


def _invalid_text(summary: Mapping[str, Any]) -> str:
    serious = (f"{each['text']} {each['advice']}" for each in summary["cautions"] if each["serious"])
    return f"The run is invalid: {' '.join(serious)}"
