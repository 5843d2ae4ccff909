import json
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from made_by_hand import summary_of

from analysis import report
from analysis.choices import Choices
from analysis.objectives.objective import objective
from analysis.report import junit

ROWS = [(0, "json", "ok", "response", 102_400, 400), (0, "json", "ok", "service", 100_000, 400)]
HOSTILE = "\x1b[2J\x00a\u202eb\r\n<c>&\"']]>\ufffe\ud800 %s"
ASKED = ("p50<103ms", "p99<90ms", "p99.99<3s")  # met, missed, too few requests


def written(run_dir, *texts, **changes):
    summary = summary_of(run_dir, slo=tuple(map(objective, texts))) | changes
    return JUnitXml.fromstring(junit.document(summary)), summary


def cases_of(suites):
    """Name and results of each case."""
    return [(case.name, [(type(each).__name__, each.type, each.message) for each in case.result])
            for suite in suites for case in suite]  # fmt: skip


def test_a_case_is_an_objective(make_run):
    suites, _ = written(make_run(ROWS), *ASKED)
    [passed, missed, undecided] = cases_of(suites)

    assert passed == ("p50<103ms", [])
    assert missed == (
        "p99<90ms", [("Failure", "missed", "102 ms of 400 requests.")]
    )  # fmt: skip
    assert undecided[1][0][:2] == ("Error", "not decided")
    assert undecided[1][0][2].startswith("400 requests are too few for a figure,")


@pytest.mark.parametrize(
    ("texts", "changes", "verdict", "counts"),
    [
        (ASKED[:1], {}, "pass", (1, 0, 0, 0)),
        (ASKED[:2], {}, "fail", (2, 1, 0, 0)),
        (ASKED[::2], {}, "undecided", (2, 0, 1, 0)),
        (ASKED, {"counts": None}, "invalid", (3, 0, 3, 0)),
    ],
)
def test_nothing_is_skipped_so_nothing_that_is_open_looks_green(make_run, texts, changes, verdict, counts):
    suites, summary = written(make_run(ROWS, **changes), *texts)
    [suite] = suites

    assert summary["verdict"] == verdict
    for counted in (suites, suite):
        assert (counted.tests, counted.failures, counted.errors, counted.skipped) == counts


def test_in_an_invalid_run_every_case_says_why_it_is(make_run):
    suites, summary = written(make_run(ROWS, counts=None), *ASKED)
    [why] = [caution["text"] for caution in summary["cautions"] if caution["serious"]]

    for _, [(kind, word, message)] in cases_of(suites):
        assert (kind, word) == ("Error", "not judged")
        assert message.startswith(f"The run is invalid: {why}")


def test_the_suite_says_what_was_run(make_run):
    load = {"rate_per_s": 400.0, "duration_s": 1.0}
    suites, summary = written(make_run(ROWS, load=load, name="iris.json"), ASKED[0])
    [suite] = suites

    assert suite.name == "loadgate: iris.json"
    assert suite.time == suites.time == summary["run"]["duration_s"]
    assert [case.classname for case in suite] == ["loadgate.iris.json"]
    assert {each.name: each.value for each in suite.properties()} == {
        "verdict": "pass",
        "load": "400 requests/s, constant arrivals, 1 s",
        "duration": "1 s",
        "confidence": "95 %",
        "target": "http://127.0.0.1:8080/v1/infers/1",
        "started_at": "2026-11-24T22:10:00.123Z",
    }


def test_text_from_outside_makes_xml_that_can_be_read(make_run):
    """Also letters that XML cannot hold at all, escaped or not."""
    summary = summary_of(make_run(ROWS, counts=None), slo=(objective(ASKED[0]),))
    summary["run"] |= {"name": HOSTILE, "target": HOSTILE, "started_at": HOSTILE}
    summary["slo"][0]["text"] = HOSTILE
    summary["cautions"][0]["text"] = HOSTILE
    root = ElementTree.fromstring(junit.document(summary))  # noqa: S314 - our own
    clean = "[2J a b <c>&\"']]> %s"

    assert root.find(".//testcase").get("name") == clean
    assert root.find("testsuite").get("name") == f"loadgate: {clean}"
    assert root.find(".//property[@name='target']").get("value") == clean
    assert clean in root.find(".//error").get("message")
    assert root.find(".//error").text == root.find(".//error").get("message")


def test_a_run_of_unknown_length_has_a_file(make_run):
    summary = summary_of(make_run(ROWS), slo=(objective(ASKED[0]),))
    summary["run"] |= {"duration_s": None, "target": "", "started_at": None}
    suites = JUnitXml.fromstring(junit.document(summary))

    assert suites.time == 0
    assert [each.value for suite in suites for each in suite.properties() if each.name == "duration"] == ["-"]


def test_a_report_with_objectives_has_the_file_and_the_next_without_has_none(make_run):
    run = make_run(ROWS)
    report.write_report([run], choices=Choices(slo=(objective(ASKED[0]),)), plots=False)
    [(name, _)] = cases_of(JUnitXml.fromfile(str(run / "junit.xml")))
    report.write_report([run], plots=False)

    assert name == ASKED[0]
    assert not (run / "junit.xml").exists()


def test_the_objectives_that_a_run_was_made_with_count(make_run):
    run = make_run(ROWS, slo=list(ASKED))
    report.write_report([run], plots=False)

    assert [name for name, _ in cases_of(JUnitXml.fromfile(str(run / "junit.xml")))] == list(ASKED)
    assert json.loads((run / "summary.json").read_text())["verdict"] == "fail"


@pytest.mark.parametrize("content", [b"", b'<?xml version="1.0" encoding="utf-8"?><testsuites name="loadgate"/>'])
def test_a_file_of_others_stays(make_run, content):
    run = make_run(ROWS)
    (run / "junit.xml").write_bytes(content)
    report.write_report([run], plots=False)

    assert (run / "junit.xml").read_bytes() == content


def test_what_is_no_file_is_not_ours(tmp_path):
    assert not junit.is_ours(tmp_path)
    assert not junit.is_ours(tmp_path / "none")
