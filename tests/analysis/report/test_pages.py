import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources

import pytest
from made_by_hand import failure, summary_of

from analysis import report
from analysis.outcomes import ADVICE, Outcome
from analysis.plots import Plot
from analysis.report import pages as own

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
LOAD = {"rate_per_s": 403.0, "duration_s": 1.0}


class Page(HTMLParser):
    """Takes a page apart: its tags, its text, its script, and its tables by their label."""

    def __init__(self, html):
        super().__init__()
        self.html, self.tags, self.attributes, self.text, self.script = html, [], [], "", ""
        self.tables, self._cells, self._in = {}, None, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes += attrs
        self._in.append(tag)
        if found.get("role") == "region":
            self._cells = self.tables.setdefault(found["aria-label"], [])
            assert found["tabindex"] == "0"
        elif tag == "tr" and self._cells is not None:
            self._cells.append([])
        elif tag in ("td", "th") and self._cells is not None:
            self._cells[-1].append(["", found.get("data-value")])

    def handle_endtag(self, tag):
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data):
        if "script" in self._in:
            self.script += data
        elif "style" not in self._in:
            self.text += data
            if "table" in self._in and ("td" in self._in or "th" in self._in):
                self._cells[-1][-1][0] += data

    def row(self, label, start):
        """The cells of the table's row that begins with *start*."""
        rows = [[" ".join(text.split()) for text, _ in row] for row in self.tables[label]]
        return next(row for row in rows if row[0] == start)

    def sort_values(self, label, column):
        rows = self.tables[label]
        at = [text.strip() for text, _ in rows[0]].index(column)
        return [row[at][1] for row in rows[1:]]


@pytest.fixture
def pages(make_run):
    def write(rows=ROWS, plots=False, **run):
        run_dir = make_run(rows, **run)
        report.write_report([run_dir], plots=plots)
        return Page((run_dir / "report.html").read_text("utf-8")), (run_dir / "report.md").read_text("utf-8")

    return write


def headings(page):
    return re.findall(r"<h2>(.*?)</h2>", page.html)


# ---- safety


def test_a_page_needs_nothing_from_elsewhere(pages):
    page, _ = pages(plots=True)

    assert {"svg", "table", "script"} <= set(page.tags)
    assert not {"link", "img", "iframe", "object", "form", "a"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href") and not value.startswith("#")]
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_the_policy_lets_nothing_run_but_our_script(pages):
    page, _ = pages(notable=NOTABLE, name=HOSTILE)
    policy = next(value for name, value in page.attributes if name == "content" and "default-src" in value)
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()

    assert page.tags.count("script") == 1
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_the_script_is_the_same_whatever_the_run(pages):
    script = resources.files("analysis").joinpath("templates", "report.js").read_text("utf-8")

    assert pages(name=HOSTILE)[0].script == script
    assert len(script) < 3_000
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval|Function\(|document\.write|fetch|XMLHttp", script)


def test_hostile_text_stays_text_in_the_page(pages):
    page, _ = pages(notable=NOTABLE, name=HOSTILE, target=HOSTILE, plots=True)

    assert page.tags.count("script") == 1
    assert page.text.count('<script>alert("1")</script>') >= 5


@pytest.mark.parametrize("text", [HOSTILE, STEERING, FORMULA, "@team", "</code></pre><script>", "```\n<b>"])
def test_hostile_text_of_a_failure_or_a_file_stays_text(pages, text):
    """In every text that comes from a service or from the user's disk: escaped, on its line, in its cell."""
    failures = [failure("gateway_timeout", 1, "gateway", text, 504, text, text), OVERSIZE]
    payload = PAYLOAD | {"name": text, "kind": text, "over": [{"file": text, "wire_bytes": 1}]}
    gateway = GATEWAY | {"advice": {text: text}, "name": text}
    versions = {text: text}
    page, markdown = pages(
        failures=failures, payloads=[payload], gateway=gateway, name=text, load=LOAD, versions=versions, target=text
    )
    rows = [line for line in markdown.splitlines() if line.startswith("| 1 | gateway") or "| 7 |" in line]
    prose = re.sub(r"^```\n.*?^```\n", "", markdown, flags=re.DOTALL | re.MULTILINE)

    assert page.tags.count("script") == 1
    assert not {"\x1b", "\x00", "\u202e", "\r"} & set(page.text + markdown)
    assert "<script" not in prose
    assert "<b>" not in prose
    assert not re.search(r"@\w", prose)
    assert markdown.count("\n```\n") == 2
    assert [line.replace("\\|", "").count("|") for line in rows] == [9, 8]
    assert "\x1b" in text or page.text.count(" ".join(text.split())) >= 8


# ---- what both pages say


@pytest.mark.parametrize(
    ("changes", "badge", "words"),
    [
        ({}, "Valid", "The measurement is sound. No objective was set"),
        ({"counts": None}, "Invalid", "These numbers do not describe the service."),
        ({"counts": None, "state": "running"}, "Partial", "The run has not ended"),
    ],
)
def test_both_pages_begin_with_what_the_run_is_worth(pages, changes, badge, words):
    """A word, not only a colour."""
    page, markdown = pages(load=LOAD, **changes)

    assert re.search(rf'<span class="badge \w+">{badge}</span>{words}', page.html)
    assert markdown.splitlines()[2].startswith(f"**{badge}.** ")
    assert words in markdown.splitlines()[2]


def test_both_pages_have_the_five_figures_first(pages):
    page, markdown = pages(load=LOAD)
    start = page.html.partition("<h2>")[0]

    for text in ("400 ok/s", "of 403/s planned", "102 ms", "0.74 % of 403 requests", "limit 40 s"):
        assert text in start
        assert text in markdown
    assert "| **400 ok/s** | **102 ms** |" in markdown


def test_the_parts_come_in_the_order_in_which_they_are_asked_for(pages):
    page, _ = pages(failures=[TIMEOUT, OVERSIZE], notable=NOTABLE, counts=None, plots=True)
    found = headings(page)
    fixed = ["Cautions", "Latency", "Outcomes", "Failures", "Notable requests", "Payloads and limits", "By name"]

    assert [heading for heading in found if heading in fixed] == fixed
    assert found[-2:] == ["By outcome", "How it was run"]
    assert len(found[found.index("Latency") + 1 : found.index("Outcomes")]) == page.tags.count("svg") > 0


SLO = ["p50<1s", "p50<9ms", "p99.99<1s"]


def test_both_pages_have_the_objectives_right_after_the_headline(pages):
    """The result is a word, so that nobody needs to see its colour."""
    page, markdown = pages(load=LOAD, slo=SLO)
    rows = [[cell for cell, _ in row] for row in page.tables["Objectives"]]

    assert headings(page)[0] == re.findall("^## (.*)", markdown, re.MULTILINE)[0] == "Objectives"
    assert [row[3] for row in rows] == ["result", "met", "MISSED", "not decided"]
    assert rows[1] == ["p50<1s", "102 ms", "", "met", "It is within the limit."]
    assert "| p50&lt;9ms | 102 ms |  | **MISSED** | It is beyond" in markdown


def test_an_invalid_run_has_no_objective_met_or_missed(pages):
    page, markdown = pages(load=LOAD, slo=SLO, counts=None)

    assert [row[3][0] for row in page.tables["Objectives"][1:]] == ["not judged"] * 3
    assert markdown.count("| **not judged** |") == 3


def test_without_objectives_there_is_no_table_of_them(pages):
    page, markdown = pages(load=LOAD)

    assert "Objectives" not in headings(page)
    assert "## Objectives" not in markdown


@pytest.mark.parametrize("text", [HOSTILE, STEERING, FORMULA, "</bdi></table><script>"])
def test_hostile_text_of_an_objective_stays_in_its_cell(make_run, text):
    summary = summary_of(make_run(ROWS, slo=SLO))
    summary["slo"][0]["text"] = text
    page, markdown = Page(own.html_page(summary, [], []).decode()), own.markdown_page(summary, []).decode()
    [row] = [line for line in markdown.splitlines() if line.endswith("is within the limit. |")]

    assert page.tables["Objectives"][1][0][0] == " ".join(
        "".join(letter if letter.isprintable() else " " for letter in text).split()
    )
    assert page.tags.count("script") == 1
    assert row.replace("\\|", "").count("|") == 6


def test_both_pages_say_which_part_of_the_run_they_are_about(make_run):
    summary = summary_of(make_run(ROWS))
    summary["window"]["reading"] = "Two <seconds> were cut."

    assert b"<p>Two &lt;seconds&gt; were cut.</p>" in own.html_page(summary, [], [])
    assert b"\n\nTwo &lt;seconds> were cut.\n\n" in own.markdown_page(summary, [])


def test_a_percentile_has_its_interval_below_and_a_bound_is_no_number(pages):
    page, markdown = pages()
    response = page.row("Latency by measure", "response")

    assert response[1:3] == ["401", "102 ms102 to 102 ms"]
    assert response[-1] == ">= 40 s"
    assert "| response | 401 | 102 ms |" in markdown


def test_a_percentile_that_is_not_given_says_what_it_takes(pages):
    for text in (pages()[0].text, pages()[1]):
        assert "p99.9 takes a run of about 10 s at this rate." in text


def test_every_picture_has_a_heading_and_what_it_shows(pages):
    page, markdown = pages(plots=True)
    figures = re.findall(r"<h2>(.*?)</h2>\n<figure>.*?<figcaption>(.*?)</figcaption></figure>", page.html, re.DOTALL)

    assert len(figures) == page.tags.count("svg")
    assert all(title and reading for title, reading in figures)
    assert markdown.count("\n![") == len(figures)


def test_a_picture_is_linked_by_the_name_of_its_file(make_run):
    summary = summary_of(make_run(ROWS))
    plots = [Plot("over_time", "Over <time>", "One `line`.", "<svg></svg>", b"")]

    assert b"\n![Over &lt;time>](over_time.png)\n\nOne \\`line\\`.\n" in own.markdown_page(summary, plots)
    assert b"<h2>Over &lt;time&gt;</h2>" in own.html_page(summary, [], plots)


def test_without_plots_there_are_no_pictures(pages):
    page, markdown = pages(plots=False)

    assert "svg" not in page.tags
    assert ".png" not in markdown


def test_both_pages_count_the_outcomes(pages):
    page, markdown = pages()

    assert page.row("Outcomes", "ok") == ["ok", "400", "99.26 %", "The answer was 2xx and passed its check."]
    assert "| ok | 400 | 99.26 % |" in markdown


def test_both_pages_say_how_requests_failed_who_answered_and_what_to_do(pages):
    gateway = GATEWAY | {"advice": {"backend timeout": "Ask the model's owner."}}
    page, markdown = pages(failures=[TIMEOUT, OVERSIZE], gateway=gateway)

    assert page.row("Failures", "2") == [
        "2", "oversize", "something between", "-", "413 '=HYPERLINK(1)|cmd", ADVICE["oversize"]
    ]  # fmt: skip
    assert page.row("Failures", "1") == [
        *("1", "gateway_timeout", "the gateway", "backend timeout"),
        *("504 ModelArts.4503 Timed out.", "Ask the model's owner."),
    ]
    assert "| 2 | oversize | something between | - | 413 |  | '=HYPERLINK(1)\\|cmd | " in markdown
    assert (
        "| 1 | gateway\\_timeout | the gateway | backend timeout | 504 | ModelArts.4503 | Timed out. "
        "| Ask the model's owner. |" in markdown
    )


def test_failures_beyond_the_tables_are_counted(pages):
    """The page has 50 of 61 ways, the pull request 5: the most frequent of each outcome first."""
    failures = [TIMEOUT, *[failure("oversize", 1, message=f"no {number}") for number in range(60)]]
    rows = [*ROWS[:3], (0, "json", "oversize", "response", 1, 60)]
    page, markdown = pages(rows, failures=failures)

    assert "11 more requests failed in other ways" in page.text
    assert "56 more requests failed in other ways" in markdown


@pytest.mark.parametrize("failures", [[], None])
def test_a_run_of_which_no_failure_is_known_has_no_table_of_them(make_run, failures):
    run = make_run(ROWS[:2], failures=[])
    if failures is None:
        (run / "failures.csv").unlink()
    report.write_report([run], plots=False)

    assert "## Failures" not in (run / "report.md").read_text()
    assert "<h2>Failures" not in (run / "report.html").read_text()


def test_notable_requests_have_their_request_ids(pages):
    page, markdown = pages(notable=[(0.5, "json", "ok", "", "", 200, "", "", "id-1", ""), *NOTABLE])
    row = page.row("Notable requests", "0.5 s")

    assert row == ["0.5 s", "json", "ok", "-", "-", "200", "id-1", "-"]
    assert page.sort_values("Notable requests", "response") == ["", "0.2"]
    assert "id-1" not in markdown, "a pull request is for fewer things"


def test_more_notable_requests_than_a_page_shows_are_counted(pages):
    page, _ = pages(notable=[(number, "json", "ok", "", "", 200, "", "", "id", 0.1) for number in range(130)])

    assert "These are the first 100 of 130" in page.text
    assert len(page.tables["Notable requests"]) == 101


def test_both_pages_hold_the_payloads_beside_the_limit(pages):
    page, markdown = pages(payloads=[PAYLOAD, {"name": "older.json"}])
    cells = ["photos", "file", "7", "420 B to 12 MiB", "3", "2", "12 MiB (12,582,700 B)"]

    assert page.row("Payloads and limits", "photos") == cells
    assert page.row("Payloads and limits", "older.json") == ["older.json", "-", "-", "-", "-", "-", "-"]
    assert page.sort_values("Payloads and limits", "bodies") == ["7", ""]
    assert f"| {' | '.join(cells)} |" in markdown
    for text in (page.text, markdown):
        assert "The body limit is 12 MiB (12,582,912 B)." in text
        assert "cat.png (12,582,913 B), " in text
        assert "(12,582,914 B) and 1 more" in text


def test_a_gateway_without_a_body_limit_says_so(pages):
    for text in (pages(gateway=GATEWAY | {"body_limit_bytes": None})[1], pages(gateway={"name": "none"})[1]):
        assert "There is no body limit." in text


def test_names_are_compared_in_one_table(pages):
    rows = [(0, name, "ok", "response", time_us, 50) for name, time_us in (("a", 9_000), ("b", 8_000))]
    page, markdown = pages([*rows, (0, "b", "throttled", "response", 1, 50)])

    assert page.row("Percentiles by name", "a")[:5] == ["a", "50", "0", "0 %", "9 ms9 to 9 ms"]
    assert page.row("Percentiles by name", "b")[:5] == ["b", "100", "50", "50 %", "8 ms8 to 8 ms"]
    assert page.row("Every measure by name", "a")[:3] == ["a", "response", "50"]
    assert ["b", "throttled", "50", "50 %"] in [[cell for cell, _ in row] for row in page.tables["Outcomes by name"]]
    assert "| b | 100 | 50 | 8 ms |" in markdown


def test_names_that_are_left_out_are_counted(pages):
    page, markdown = pages([(0, f"name {number}", "ok", "response", 9, 1) for number in range(60)])

    assert "The 50 busiest of 60 names." in page.text
    assert "10 less busy names are left out." in markdown


def test_the_times_of_each_outcome_are_told_where_there_are_several(pages):
    page, _ = pages()
    rows = [[cell for cell, _ in row][:3] for row in page.tables["Latency by outcome"]]

    assert ["oversize", "response", "2"] in rows
    assert "By outcome" not in headings(pages(ROWS[:2])[0])


@pytest.mark.parametrize("changes", [{}, {"credential": "aksk", "seed": 7}])
def test_both_pages_say_how_to_run_it_again(pages, changes):
    page, markdown = pages(load=LOAD, **changes)
    command = "loadgate run http://127.0.0.1:8080/v1/infers/1 \\\n  --rate 403 --arrivals constant --duration 1s"

    assert command in page.text
    assert f"\n```\n{command}" in markdown
    assert bool(changes) is ("Credentialaksk" in page.text)
    assert bool(changes) is ("- Credential: aksk" in markdown)


def test_a_run_of_another_tool_says_what_was_read(make_run):
    summary = summary_of(make_run(ROWS, load={"model": "open"}))
    summary["source"] = {"kind": "k6 CSV", "files": ["a.csv", "<b>.csv"], "notes": ["It has no plan."]}
    summary["run"] |= {
        "load": {"model": "recorded", "recorded_by": "k6 CSV"},
        "target": "",
        "started_at": "",
        "payloads": [],
        "seed": None,
    }
    page, markdown = own.html_page(summary, [], []).decode(), own.markdown_page(summary, []).decode()

    assert "k6 CSV: <bdi>a.csv</bdi>, <bdi>&lt;b&gt;.csv</bdi>" in page
    assert "- Read from k6 CSV: a.csv, &lt;b>.csv" in markdown
    for text in (page, markdown):
        assert "It has no plan." in text
        assert "as k6 CSV recorded it" in text
        assert "loadgate run" not in text


def test_the_words_are_explained_at_the_end(pages):
    page, _ = pages()
    words = page.html.rpartition("<details>")[2]

    assert "docs/statistics.md" in words
    for word in ("lateness", "client_timeout", "generator late", "interval", *Outcome):
        assert f"<dt>{word}</dt>" in words


def test_both_pages_give_the_advice_of_a_caution(pages):
    page, markdown = pages([(0, "json", "ok", "response", 9, 100)])

    for text in (page.text, markdown):
        assert "100 latencies are too few for a p99" in text
        assert "Run longer: about 4 s at this rate." in text


def test_an_empty_run_has_a_report(pages):
    page, markdown = pages([], timeline=[], plots=True)

    assert "No request was planned." in page.text
    assert "| response | 0 | - | - | - | - | - | - |" in markdown
    assert "There was no request." in page.text
    assert "There was no request." in markdown


# ---- reading by eye, keyboard and script


def test_tables_can_be_reached_by_keyboard_and_have_a_name(pages):
    page, _ = pages(notable=NOTABLE, failures=[TIMEOUT, OVERSIZE], plots=True)
    regions = [value for name, value in page.attributes if name == "role" and value == "region"]

    assert page.tags.count("table") + page.tags.count("svg") == len(regions) == len(page.tables)


def test_numbers_sort_by_their_value_and_what_is_missing_has_none(pages):
    rows = [(0, "json", "ok", "response", value, 1) for value in (1_000, 2_000_000)] * 200
    page, _ = pages([*rows, *ROWS])
    heads = [text.strip() for text, _ in page.tables["Latency by measure"][0]]
    response = page.tables["Latency by measure"][1]

    assert response[heads.index("n")] == ["801", "801"]
    assert response[heads.index("p50")][1] == "0.1024", "in seconds"
    assert response[heads.index("max")] == [">= 40 s", "40.0"]
    assert page.sort_values("Latency by measure", "p99.9")[0] == ""
    assert [float(share) for share in page.sort_values("Outcomes", "share")] == pytest.approx(
        [800 / 803, 1 / 803, 2 / 803]
    )


def test_nothing_that_needs_the_script_is_there_without_it(pages):
    page, _ = pages()

    assert page.tags.count("button") == 1, "the others are made by the script"
    assert ("hidden", None) in page.attributes
    assert "<details open" not in page.html


def test_every_column_head_and_row_head_says_what_it_heads(pages):
    page, _ = pages(notable=NOTABLE, failures=[TIMEOUT, OVERSIZE])

    assert page.tags.count("th") == sum(name == "scope" for name, _ in page.attributes)


def test_the_page_is_light_in_print_and_dark_where_dark_is_wanted(pages):
    style = re.search(r"<style>(.*?)</style>", pages()[0].html, re.DOTALL)[1]
    printed = style.partition("@media print")[2]
    dark = style.partition("prefers-color-scheme: dark")[2].partition("\n\n")[0]

    assert "--page: #12161d" in dark
    assert "--page: #f5f6f8" in printed
    assert "--page: #12161d" not in printed


def test_every_colour_of_words_can_be_read(pages):
    """WCAG 2.1, contrast of AA: 4.5 to 1 for words, 3 to 1 for lines."""
    style = re.search(r"<style>(.*?)</style>", pages()[0].html, re.DOTALL)[1]
    themes = [dict(re.findall(r"--([\w-]+): (#\w+);", part)) for part in style.split("--ink")[1:3]]
    inks = re.findall(r"--ink: (#\w+);", style)

    for theme, ink in zip(themes, inks, strict=False):
        pairs = [
            ("ink", "page"),
            ("ink", "card"),
            ("soft", "page"),
            ("soft", "card"),
            ("warn", "card"),
            ("bad", "card"),
        ]
        pairs += [(tone, f"{tone}-back") for tone in ("good", "warn", "bad")]
        colours = theme | {"ink": ink}
        assert all(contrast(colours[one], colours[other]) >= 4.5 for one, other in pairs)
        lines = ("blue", "vermillion", "green", "orange", "purple", "sky", "focus")
        assert all(contrast(colours[line], colours["card"]) >= 3 for line in lines)
    assert themes[0] != themes[1]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_summary_in_the_page_is_that_of_the_file(make_run):
    run = make_run(ROWS)
    _, summary = report.write_report([run], plots=False)

    assert json.loads((run / "summary.json").read_text()) == summary
    assert own.html_page(summary, [], []).decode().partition("<style>")[0] in (run / "report.html").read_text()


def test_an_aggregate_has_no_word_of_intervals(make_run):
    summary = summary_of(make_run(ROWS))
    words = "Below each percentile: its 95 % confidence interval."
    with_intervals = own.html_page(summary, [], []).decode()
    for figures in summary["latency"].values():
        for name in summary["percentiles"]:
            figures[name] |= {"low_s": None, "high_s": None}

    assert words in with_intervals
    assert words not in own.html_page(summary, [], []).decode()


@pytest.mark.parametrize(("kind", "told"), [("loadgate", True), ("JMeter JTL", False)])
def test_a_file_is_named_only_if_it_is_there(make_run, kind, told):
    summary = summary_of(make_run(ROWS, failures=[failure("gateway_timeout", 1, message="late")]))
    summary["failures_more"], summary["source"]["kind"] = 7, kind

    assert ("failures.csv has them all" in own.html_page(summary, [], []).decode()) is told
