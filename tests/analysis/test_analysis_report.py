import json
from html.parser import HTMLParser

import pytest
from made_by_hand import failure

from analysis import report
from analysis.outcomes import ADVICE
from analysis.report import exit_code, gateway_notes, text_table, unsupported_notes

HOSTILE = '<script>alert("1")</script> | `x` **y**\n# z'
STEERING = "\x1b[2J\x00a\u202eb\r\nc"  # clears a terminal, turns letters around, breaks a line
FORMULA = "'=HYPERLINK(1)|cmd"
ROWS = [
    (0, "json", "ok", "response", 102_400, 400),
    (0, "json", "ok", "service", 100_000, 400),
    (0, "json", "gateway_timeout", "response", 40_000_000, 1),
    (0, HOSTILE, "oversize", "response", 1_000, 2),
]
NOTABLE = [(0.5, "json", "server_error", "model", HOSTILE, 500, "", HOSTILE, HOSTILE, 0.2)]
GATEWAY = {"name": "modelarts", "timeout_s": 40.0, "grace_s": 5.0, "body_limit_bytes": 12582912}
TIMEOUT = failure("gateway_timeout", 1, "gateway", "backend timeout", 504, "ModelArts.4503", "Timed out.")
OVERSIZE = failure("oversize", 2, "unknown", "", 413, "", FORMULA)
PAYLOAD = {
    "name": "photos",
    "kind": "file",
    "count": 7,
    "smallest_wire_bytes": 420,
    "largest_wire_bytes": 12582913,
    "over_limit": 3,
    "over": [{"file": "cat.png", "wire_bytes": 12582913}, {"file": HOSTILE, "wire_bytes": 12582914}],
    "skipped": 2,
    "largest_file_bytes": 12582700,
}


def write_report(run_dir, plots=True):
    return report.write_report([run_dir], plots=plots)[1]


class Page(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.cells, self.in_cell = [], [], "", [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("td", "th"):
            self.cells.append("")

            self.in_cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.in_cell = False

    def handle_data(self, data):
        self.text += data
        if self.in_cell:
            self.cells[-1] += data


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

    assert row.replace("\\|", "").count("|") == 11
    assert "<script" not in markdown
    assert r"\`x\` \*\*y\*\* \# z" in row


@pytest.mark.parametrize("text", [HOSTILE, STEERING, FORMULA])
def test_hostile_text_of_a_failure_or_a_file_stays_text(pages, text):
    """In every text that comes from a service or from the user's disk: escaped, on its line, in its cell."""
    failures = [failure("gateway_timeout", 1, "gateway", text, 504, text, text), OVERSIZE]
    payload = PAYLOAD | {"name": text, "kind": text, "over": [{"file": text, "wire_bytes": 1}]}
    gateway = GATEWAY | {"advice": {text: text}}
    page, markdown = pages(failures=failures, payloads=[payload], gateway=gateway, name=text)
    rows = [line for line in markdown.splitlines() if line.startswith("| 1 | gateway") or "| 7 |" in line]

    assert "script" not in page.tags
    assert not {"\x1b", "\x00", "\u202e", "\r"} & set(page.text + markdown)
    assert "<script" not in markdown
    assert [line.replace("\\|", "").count("|") for line in rows] == [9, 8]
    assert text not in (HOSTILE, FORMULA) or page.text.count(" ".join(text.split())) >= 8


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
        assert "The body was refused as too large" in text


def test_both_pages_say_how_requests_failed_who_answered_and_what_to_do(pages):
    gateway = GATEWAY | {"advice": {"backend timeout": "Ask the model's owner."}}
    page, markdown = pages(failures=[TIMEOUT, OVERSIZE], gateway=gateway)
    at = page.cells.index("something between")

    assert page.cells[at - 2 : at + 4] == [
        "2", "oversize", "something between", "-", "413  '=HYPERLINK(1)|cmd", ADVICE["oversize"]
    ]  # fmt: skip
    assert page.cells[at + 4 : at + 10] == [
        *("1", "gateway_timeout", "the gateway", "backend timeout"),
        *("504 ModelArts.4503 Timed out.", "Ask the model's owner."),
    ]
    assert "| 2 | oversize | something between | - | 413 |  | '=HYPERLINK(1)\\|cmd | " in markdown
    assert (
        "| 1 | gateway\\_timeout | the gateway | backend timeout | 504 | ModelArts.4503 | Timed out. "
        "| Ask the model's owner. |" in markdown
    )


def test_failures_beyond_the_table_are_counted(pages):
    failures = [TIMEOUT, *[failure("oversize", 1, message=f"no {number}") for number in range(60)]]
    rows = [*ROWS[:3], (0, "json", "oversize", "response", 1, 60)]

    page, markdown = pages(rows, failures=failures)

    for text in (page.text, markdown):
        assert "11 more requests failed in other ways" in text


@pytest.mark.parametrize("failures", [[], None])
def test_a_run_of_which_no_failure_is_known_has_no_table_of_them(make_run, failures):
    run = make_run(ROWS[:2], failures=[])
    if failures is None:
        (run / "failures.csv").unlink()
    write_report(run, plots=False)

    assert "Failures" not in (run / "report.md").read_text()
    assert "<h2>Failures" not in (run / "report.html").read_text()


def test_both_pages_hold_the_payloads_beside_the_limit(pages):
    page, markdown = pages(payloads=[PAYLOAD, {"name": "older.json"}])
    cells = ["photos", "file", "7", "420 B to 12 MiB", "3", "2", "12 MiB (12,582,700 B)"]
    at = page.cells.index("photos")

    assert page.cells[at : at + 7] == cells
    assert page.cells[at + 7 : at + 14] == ["older.json", "-", "-", "-", "-", "-", "-"]
    assert f"| {' | '.join(cells)} |" in markdown
    for text in (page.text, markdown):
        assert "The body limit is 12 MiB (12,582,912 B)." in text
        assert "cat.png (12,582,913 B), " in text
        assert "(12,582,914 B) and 1 more" in text


def test_a_gateway_without_a_body_limit_says_so(pages):
    for text in (pages(gateway=GATEWAY | {"body_limit_bytes": None})[1], pages(gateway={"name": "none"})[1]):
        assert "There is no body limit." in text


def test_both_pages_say_how_the_run_signed_in(pages):
    page, markdown = pages(credential="aksk")

    assert "Credentialaksk" in page.text
    assert "- Credential: aksk" in markdown


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
    load = {"rate_per_s": 401.0, "duration_s": 1.0}
    summary = write_report(make_run(rows, failures=[TIMEOUT], load=load), plots=False)

    assert text_table(summary).splitlines() == [
        "json: 401 requests/s, constant arrivals, 1 s",
        "400 ok, 1 gateway_timeout",
        "1 gateway_timeout by the gateway: backend timeout (504 ModelArts.4503)",
        "            n     p50     p90     p95     p99  p99.9      max",
        "response  401  102 ms  102 ms  102 ms  102 ms      -  >= 40 s",
        "service   400  100 ms  100 ms  100 ms  100 ms      -   100 ms",
    ]


def test_the_terminal_tells_the_three_most_frequent_failures_that_say_why(make_run):
    """A request that was dropped says no more than its outcome, which is counted already."""
    failures = [
        failure("dropped", 9),
        failure("throttled", 1, "model", message="words " * 40, status=429),
        failure("connection_error", 2, message=STEERING),
        failure("unauthorized", 3, "gateway", "token expired", 401, "APIG.0301"),
        failure("unauthorized", 4, "unknown", status=403),
    ]
    lines = text_table(write_report(make_run([], failures=failures, counts=None), plots=False)).splitlines()

    assert lines[1:5] == [
        "no requests",
        "4 unauthorized by something between (403)",
        "3 unauthorized by the gateway: token expired (401 APIG.0301)",
        "2 connection_error: [2J a b c",
    ]


def test_the_terminal_is_not_steered_by_a_caution(make_run):
    rows = [(0, "json", "ok", "response", 9, 1), (0, "json", "throttled", "response", 9, 9)]
    failures = [failure("throttled", 9, reason="slow", message=STEERING)]
    run = make_run(rows, failures=failures, gateway=GATEWAY | {"advice": {"slow": STEERING}})
    text = text_table(write_report(run, plots=False))

    assert "Most frequent: 9 throttled: slow. [2J a b c The latencies" in text
    assert not {"\x1b", "\x00", "\u202e", "\r"} & set(text)


def split(service, backend, gateway, n=400, told=400):
    return [
        (0, "json", "ok", "response", 9, n),
        (0, "json", "ok", "service", service, n),
        (0, "json", "ok", "backend", backend, told),
        (0, "json", "ok", "gateway", gateway, told),
    ]


def test_what_the_gateway_says_of_the_time_is_told_at_the_median(make_run):
    assert gateway_notes(write_report(make_run(split(102_400, 95_000, 0)), plots=False)) == [
        "At p50, service is 102 ms; the gateway says 95 ms for the model's side and 0 ms for itself."
        " Each is a median of its own, so they need not add up."
    ]


def test_a_gateway_that_spoke_of_some_requests_is_told_with_how_many(make_run):
    notes = gateway_notes(write_report(make_run(split(102_400, 95_000, 3_000, told=300)), plots=False))

    assert "the gateway says, of 300 of these 400 requests, 95 ms for" in notes[0]


def test_a_median_that_the_requests_do_not_support_is_not_split(make_run):
    assert gateway_notes(write_report(make_run(split(102_400, 95_000, 3_000, n=5, told=5)), plots=False)) == []


@pytest.mark.parametrize(("asked", "told"), [(True, True), (False, False), (None, False)])
def test_a_gateway_that_was_asked_and_did_not_say_is_told(make_run, asked, told):
    run = make_run([*ROWS], gateway=GATEWAY | {"latency_asked": asked})

    assert bool(gateway_notes(write_report(run, plots=False))) is told


def test_one_of_the_two_parts_is_no_split(make_run):
    rows = [row for row in split(102_400, 95_000, 3_000) if row[3] != "gateway"]
    run = make_run(rows, gateway=GATEWAY | {"latency_asked": True})

    assert gateway_notes(write_report(run, plots=False)) == []


def test_the_terminal_prints_the_gateways_measures_like_the_others(make_run):
    lines = text_table(write_report(make_run(split(102_400, 95_000, 0)), plots=False)).splitlines()

    assert [line.split()[:4] for line in lines[-2:]] == [["gateway", "400", "0", "ms"], ["backend", "400", "95", "ms"]]


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
