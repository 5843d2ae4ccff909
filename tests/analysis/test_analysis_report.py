import json
from html.parser import HTMLParser

import pytest

from analysis.report import exit_code, text_table, unsupported_notes, write_report

HOSTILE = '<script>alert("1")</script> | `x` **y**\n# z'
ROWS = [
    (0, "json", "ok", "response", 102_400, 400),
    (0, "json", "ok", "service", 100_000, 400),
    (0, "json", "gateway_timeout", "response", 40_000_000, 1),
    (0, HOSTILE, "oversize", "response", 1_000, 2),
]
NOTABLE = [(0.5, "json", "server_error", 500, "", HOSTILE, HOSTILE, 0.2)]


class Page(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def pages(make_run):
    def write(rows=ROWS, plots=False, **run):
        run_dir = make_run(rows, **run)
        write_report(run_dir, plots=plots)
        return Page((run_dir / "report.html").read_text()), (run_dir / "report.md").read_text()

    return write


def test_a_report_is_written_beside_the_run(make_run):
    run = make_run(ROWS)
    before = {path.name for path in run.iterdir()}
    summary = write_report(run)

    assert {path.name for path in run.iterdir()} - before == {
        "summary.json", "report.md", "report.html", "percentiles.png", "timeline.png"
    }  # fmt: skip
    assert json.loads((run / "summary.json").read_text()) == summary


def test_without_plots_there_are_no_pictures(pages):
    page, markdown = pages(plots=False)

    assert "svg" not in page.tags
    assert ".png" not in markdown


def test_the_same_run_gives_the_same_bytes(make_run):
    run = make_run(ROWS, notable=NOTABLE)
    write_report(run)
    first = {path.name: path.read_bytes() for path in run.iterdir()}
    write_report(run)

    assert {path.name: path.read_bytes() for path in run.iterdir()} == first


def test_hostile_text_stays_text_in_the_page(pages):
    page, _ = pages(notable=NOTABLE, name=HOSTILE, target=HOSTILE, plots=True)

    assert "script" not in page.tags
    assert page.text.count('<script>alert("1")</script>') >= 5


def test_hostile_text_stays_in_its_cell_in_markdown(pages):
    _, markdown = pages(notable=NOTABLE, name=HOSTILE)
    row = next(line for line in markdown.splitlines() if line.startswith("| 0.5 s"))

    assert row.replace("\\|", "").count("|") == 9
    assert "<script" not in markdown
    assert r"\`x\` \*\*y\*\* \# z" in row


def test_a_page_needs_nothing_from_elsewhere(pages):
    page, _ = pages(plots=True)

    assert {"svg", "table"} <= set(page.tags)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert not [value for name, value in page.attributes if name in ("src", "href") and not value.startswith("#")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Valid measurement. No objective was set"),
        ({"counts": None}, "Invalid: these numbers do not describe the service."),
        ({"counts": None, "state": "running"}, "Partial: the run has not ended"),
        ({"counts": None, "state": "interrupted"}, "Partial: the run was interrupted"),
    ],
)
def test_both_pages_say_in_words_what_the_run_is_worth(pages, changes, words):
    page, markdown = pages(**changes)

    assert words in page.text
    assert words in markdown


def test_both_pages_hold_the_numbers(pages):
    page, markdown = pages()

    for text in (page.text, markdown):
        assert "102 ms" in text
        assert ">= 40 s" in text
        assert "99.26 %" in text, "400 of 403"
        assert "The gateway refused the body as too large" in text


def test_both_pages_give_the_advice_of_a_caution(pages):
    page, markdown = pages([(0, "json", "ok", "response", 9, 100)])

    for text in (page.text, markdown):
        assert "100 latencies are too few for a p99" in text
        assert "Run longer: about 4 s at this rate." in text


def test_an_empty_run_has_a_report(pages):
    page, markdown = pages([], timeline=[], plots=True)

    assert "No request was planned." in page.text
    assert "| response | 0 | - | - | - | - | - | - |" in markdown


def test_a_percentile_that_is_not_given_says_what_it_takes(make_run):
    """401 latencies in 1 s: p99.9 takes 3,688, so 9.2 s."""
    assert unsupported_notes(write_report(make_run(ROWS), plots=False)) == [
        "p99.9 takes 3,688 latencies: a run of about 10 s at this rate."
    ]


def test_the_terminal_shows_the_percentiles_in_columns(make_run):
    rows = [row for row in ROWS if row[1] == "json"]
    summary = write_report(make_run(rows, load={"rate_per_s": 401.0, "duration_s": 1.0}), plots=False)

    assert text_table(summary).splitlines() == [
        "json: 401 requests/s, constant arrivals, 1 s",
        "400 ok, 1 gateway_timeout",
        "            n     p50     p90     p95     p99  p99.9      max",
        "response  401  102 ms  102 ms  102 ms  102 ms      -  >= 40 s",
        "service   400  100 ms  100 ms  100 ms  100 ms      -   100 ms",
    ]


def test_the_terminal_says_what_makes_a_run_invalid(make_run):
    text = text_table(write_report(make_run(ROWS, counts=None, name="a\x1b[2Jb"), plots=False))

    assert "\nINVALID: The run is complete, but the generator left no counts" in text
    assert "\x1b" not in text


def test_a_report_that_cannot_be_finished_leaves_the_old_one(make_run, monkeypatch):
    run = make_run(ROWS)
    write_report(run, plots=False)
    before = (run / "report.html").read_text()

    def full_disk(path, content):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.write_bytes", full_disk)

    with pytest.raises(OSError, match="disk full"):
        write_report(run, plots=False)
    assert (run / "report.html").read_text() == before
    assert json.loads((run / "summary.json").read_text())["format"] == 1


@pytest.mark.parametrize(("verdict", "code"), [("none", 0), ("invalid", 3)])
def test_the_exit_code_is_the_verdict(verdict, code):
    assert exit_code({"verdict": verdict}) == code
