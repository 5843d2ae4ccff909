import re

import pytest
from made_by_hand import summary_of

from analysis.objectives.objective import objective
from analysis.report import github
from analysis.report.pages import step_summary_page

ROWS = [(0, "json", "ok", "response", 102_400, 400), (0, "json", "ok", "service", 100_000, 400)]
LOAD = {"rate_per_s": 400.0, "duration_s": 1.0}
ANNOTATION = re.compile(r"::(error|warning) title=([^:,\r\n]*)::([^\r\n]*)")


def summary_with(run_dir, *texts):
    return summary_of(run_dir, slo=tuple(map(objective, texts)))


def unescaped(text):
    for letter, code in (("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"), ("%", "%25")):
        text = text.replace(code, letter)
    return text


def read(lines):
    """As GitHub reads them: (command, title, text)."""
    found = [ANNOTATION.fullmatch(line).groups() for line in lines]
    return [(command, unescaped(title), unescaped(text)) for command, title, text in found]


def test_what_was_missed_is_an_error_and_what_is_open_a_warning(make_run):
    summary = summary_with(make_run(ROWS, load=LOAD), "p50<103ms", "errors<0%", "p99<90ms", "p99.99<3s")
    [nothing_fails, missed, undecided] = read(github.annotations(summary | {"cautions": []}))

    assert nothing_fails[:2] == ("error", "json: errors<0% missed")
    assert missed == (
        "error", "json: p99<90ms missed", "102 ms of 400 requests."
    )  # fmt: skip
    assert undecided[:2] == ("warning", "json: p99.99<3s not decided")
    assert undecided[2].startswith("400 requests are too few for a figure,")


def test_a_caution_is_a_warning(make_run):
    summary = summary_with(make_run([(0, "json", "ok", "response", 9, 100)]))
    [(command, title, text)] = [each for each in read(github.annotations(summary)) if "few" in each[1]]

    assert (command, title) == ("warning", "json: caution, few requests")
    assert "Run longer: about 4 s at this rate." in text


def test_what_makes_a_run_invalid_is_an_error_and_no_objective_is_judged(make_run):
    found = read(github.annotations(summary_with(make_run(ROWS, counts=None), "p99<90ms", "p99.99<3s")))

    assert [(command, title) for command, title, _ in found] == [("error", "json: invalid, counts differ")]


def test_a_run_that_passes_says_nothing(make_run):
    summary = summary_with(make_run(ROWS, load=LOAD), "p50<103ms")

    assert github.annotations(summary | {"cautions": []}) == []


def test_text_from_outside_cannot_end_an_annotation(make_run):
    summary = summary_with(make_run(ROWS, load=LOAD), "p99<90ms")
    summary["run"]["name"] = summary["slo"][0]["text"] = "a\r\n::error::b, c: 5%2C"
    [(command, title, _)] = read(github.annotations(summary | {"cautions": []}))

    assert command == "error"
    assert title == "a ::error::b, c: 5%2C: a ::error::b, c: 5%2C missed"


def test_text_is_printed_where_it_is_no_command():
    assert github.without_commands("::error::x\ny", "t0ken") == ["::stop-commands::t0ken", "::error::x\ny", "::t0ken::"]


def test_the_page_of_a_step_is_what_a_reviewer_needs(make_run):
    page = step_summary_page(summary_with(make_run(ROWS, counts=None), "p99<90ms")).decode()

    assert page.startswith("# json\n\n**Invalid.** ")
    assert re.findall(r"^## (.*)", page, re.MULTILINE) == ["Objectives", "Cautions", "Latency"]
    assert "| **400 ok/s** |" in page
    assert "| response | 400 | 102 ms |" in page
    assert ".png" not in page


@pytest.mark.parametrize("before", [b"", b"| of another | step |"])
def test_the_page_goes_after_what_is_there(tmp_path, before):
    path = tmp_path / "summary"
    path.write_bytes(before)
    github.append(path, b"# a")
    github.append(path, b"# b")

    assert path.read_bytes() == before + b"\n# a\n\n# b\n"
