import json
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest
from made_by_chance import random_run, side_of
from made_by_hand import write_run

from analysis.choices import Choices
from analysis.comparison.report import InvalidRun, Labelled, compared, text_tables, write_comparison
from analysis.errors import BadRun
from analysis.run import Source
from analysis.run_format import MEASURES
from analysis.samples import OUTCOMES
from analysis.summary import summarize

HOSTILE = '<script>alert("1")</script> | `x` **y** $z$'
STEERING = "\x1b[2Ja\u202eb\nc"


def write(run_dir, run, **manifest):
    samples = run.samples
    columns = (samples.second, samples.outcome, samples.measure, samples.value_us, samples.count)
    rows = [
        (second, "json", str(OUTCOMES[outcome]), MEASURES[measure], value_us, count)
        for second, outcome, measure, value_us, count in zip(*map(np.ndarray.tolist, columns), strict=True)
    ]
    run_dir.mkdir(parents=True)
    return write_run(run_dir, rows, load=run.manifest["load"], **manifest)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs, two of them the same but for their seed; the third is slower."""
    folder = tmp_path_factory.mktemp("reports")
    return [
        write(folder / name, random_run(seed, seconds=20, per_s=20, scale_s=scale_s), seed=seed)
        for name, seed, scale_s in (("before", 1, 0.1), ("again", 2, 0.1), ("after", 3, 0.2))
    ]


@pytest.fixture
def make_pair(tmp_path):
    """Write two runs of 400 equal requests, the second with other settings."""

    def make(one="one", two="two", **manifest):
        runs = random_run(1, seconds=10, per_s=40), random_run(2, seconds=10, per_s=40)
        return write(tmp_path / "runs" / one, runs[0]), write(tmp_path / "runs" / two, runs[1], **manifest)

    return make


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.attributes = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_the_pages_are_written_beside_the_last_run(runs):
    before, _, after = runs
    folder, summary = write_comparison([before, after])

    assert folder == before.parent / "after-against-before"
    assert {path.name for path in folder.iterdir()} == {"compare.json", "compare.md", "compare.html", "compare.png"}
    assert json.loads((folder / "compare.json").read_text()) == summary
    assert summary["worse"]
    assert not (after / "compare.html").exists()


def test_the_same_runs_give_the_same_bytes(runs, tmp_path):
    one, two = (write_comparison(runs, tmp_path / name)[0] for name in ("one", "two"))

    assert {path.name: path.read_bytes() for path in one.iterdir()} == {
        path.name: path.read_bytes() for path in two.iterdir()
    }


def test_each_run_is_compared_with_the_first(runs, tmp_path):
    _, summary = write_comparison(runs, tmp_path, plots=False)

    assert [(each["baseline"], each["other"], each["worse"]) for each in summary["comparisons"]] == [
        ("A", "B", False),
        ("A", "C", True),
    ]
    assert [run["label"] for run in summary["runs"]] == ["before", "again", "after"]
    assert [each["what"] for each in summary["comparisons"][0]["differs"]] == ["seed"]


def test_a_run_can_be_compared_with_itself(runs, tmp_path):
    _, summary = write_comparison([runs[0], runs[0]], tmp_path, plots=False)

    assert summary["comparisons"][0]["headline"].startswith("No difference: all ")


def test_the_page_needs_nothing_from_elsewhere_and_has_the_picture(runs, tmp_path):
    page = Page((write_comparison(runs, tmp_path)[0] / "compare.html").read_text())

    assert "svg" in page.tags
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert not [value for name, value in page.attributes if name in ("src", "href") and not value.startswith("#")]


def test_without_plots_there_is_no_picture(runs, tmp_path):
    folder, _ = write_comparison(runs, tmp_path, plots=False)

    assert not list(folder.glob("*.png"))
    assert "svg" not in Page((folder / "compare.html").read_text()).tags
    assert ".png" not in (folder / "compare.md").read_text()


def test_the_terminal_has_a_sentence_first_and_a_line_for_each_figure(runs, tmp_path):
    _, summary = write_comparison([runs[0], runs[2]], tmp_path, plots=False)
    lines = text_tables(summary).splitlines()

    assert lines[0] == summary["comparisons"][0]["headline"]
    assert "slower" in lines[0]
    assert lines[1].split() == ["A", "B", "difference", "share", "of", "A"]
    assert len([line for line in lines if line.startswith(("p", "ok"))]) == 1 + len(
        summary["comparisons"][0]["figures"]
    )
    assert lines[-2:] == [
        "A is before: 20 requests/s, constant arrivals, 20 s",
        "B is after: 20 requests/s, constant arrivals, 20 s",
    ]


def test_markdown_tables_have_as_many_cells_as_their_headers(runs, tmp_path):
    markdown = (write_comparison(runs, tmp_path, plots=False)[0] / "compare.md").read_text()
    rows = [line for line in markdown.splitlines() if line.startswith("|")]

    assert {row.count("|") for row in rows} == {4, 7, 8}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "http://other/"}, "target is http://127.0.0.1:8080/v1/infers/1 and http://other/"),
        ({"payloads": [{"name": "cat.png"}]}, "payload cat.png is not sent and none, none of unknown size"),
        (
            {"gateway": {"timeout_s": 1.0, "body_limit_bytes": 2.0}},
            "time limit (s) is 40.0 and 1.0; body limit (B) is 12582912 and 2.0",
        ),
        ({"target": "\x1b[2J\n" + "x" * 500}, "target is http://127.0.0.1:8080/v1/infers/1 and [2J xxx"),
    ],
)
def test_what_is_not_comparable_is_refused_in_one_line(make_pair, changes, words):
    with pytest.raises(BadRun) as refused:
        write_comparison(make_pair(**changes), plots=False)

    text = str(refused.value)
    assert text.startswith("two cannot be compared with one: ")
    assert words in text
    assert text.endswith("(--force compares them all the same)")
    assert text.isprintable()


def test_force_compares_it_and_says_so_everywhere(make_pair, tmp_path):
    folder, summary = write_comparison(make_pair(target="http://other/"), tmp_path / "out", force=True, plots=False)
    words = "Not the same question: target is http://127.0.0.1:8080/v1/infers/1 in A and http://other/ in B."

    assert summary["comparisons"][0]["cautions"] == [words]
    assert words in text_tables(summary)
    assert words in Page((folder / "compare.html").read_text()).text
    assert "Not the same question" in (folder / "compare.md").read_text()


def test_an_invalid_run_is_compared_by_force_alone(make_pair, tmp_path):
    pair = make_pair(counts=None)
    with pytest.raises(InvalidRun, match=r"^the run two is invalid: .* left no counts"):
        write_comparison(pair, plots=False)
    _, summary = write_comparison(pair, tmp_path / "out", force=True, plots=False)

    assert summary["comparisons"][0]["cautions"][0].startswith("The run B (two) is invalid: ")


def test_a_short_window_is_said_to_be_one(make_pair, tmp_path):
    short = [write(tmp_path / name, random_run(seed, seconds=5)) for seed, name in enumerate(("one", "two"))]
    _, summary = write_comparison(short, tmp_path / "out", plots=False)

    assert summary["comparisons"][0]["cautions"][0].startswith("A window of 5 s is too short")


def test_an_aggregate_is_said_to_decide_nothing():
    source = Source("Locust statistics", (), known=(Fraction(1, 2),))
    runs = [replace(random_run(seed), source=source) for seed in (1, 2)]
    sides = [side_of(run) for run in runs]
    pair = [
        Labelled(letter, letter, side, summarize(side.run, side.choices, side.window))
        for letter, side in zip("AB", sides, strict=True)
    ]
    summary = compared(pair, 0.05, force=True)

    assert summary["comparisons"][0]["headline"].startswith("Nothing can be decided: an aggregate does not say")
    assert not summary["worse"]
    assert summary["comparisons"][0]["cautions"][-1].startswith("An aggregate does not say how its figures vary")


def test_runs_without_latencies_have_no_picture(tmp_path):
    pair = [write(tmp_path / name, random_run(seed, seconds=10, failed=1.0)) for seed, name in enumerate("xy")]
    folder, _ = write_comparison(pair, tmp_path / "out", force=True)

    assert not list(folder.glob("*.png"))


@pytest.mark.parametrize("text", [HOSTILE.replace("/", ""), STEERING])
def test_hostile_names_and_settings_stay_text(make_pair, tmp_path, text):
    payloads = [{"name": text, "kind": text}]
    pair = make_pair(two=text, target=text, payloads=payloads, versions={text: text}, credential=None)
    folder, summary = write_comparison(pair, tmp_path / "out", force=True)
    page, markdown = Page((folder / "compare.html").read_text()), (folder / "compare.md").read_text()
    terminal = text_tables(summary)
    cells = [line for line in markdown.splitlines() if line.startswith("| B |")]

    assert "script" not in page.tags
    assert "<script" not in markdown
    assert [line.replace("\\|", "").count("|") for line in cells] == [7]
    assert not {"\x1b", "\u202e"} & set(page.text + markdown + terminal)
    assert all(line.isprintable() for line in terminal.splitlines())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"warmup_s": 15.0}, r"^two: the warm-up of 15 s leaves nothing of the run"),
        ({"window": (5.0, 15.0)}, r"^two: the window 5s..15s is not within the run"),
    ],
)
def test_what_is_wrong_with_a_window_names_the_run(tmp_path, options, words):
    lengths_s = {"one": 20, "two": 10}
    pair = [write(tmp_path / name, random_run(1, seconds=seconds)) for name, seconds in lengths_s.items()]
    with pytest.raises(BadRun, match=words):
        write_comparison(pair, choices=Choices(**options), plots=False)


def test_what_is_wrong_with_a_file_names_the_run_once(make_pair, tmp_path):
    one, two = make_pair()
    jtl = tmp_path / "three.csv"
    jtl.write_text("response_ms\nslow\n")
    (two / "latency.csv").write_text("second\n")
    with pytest.raises(BadRun, match=r"^two: latency.csv, line 1: "):
        write_comparison([one, two], plots=False)
    with pytest.raises(BadRun, match=r"^three.csv, line 2"):
        write_comparison([one, jtl], plots=False)


def test_one_run_or_too_many_cannot_be_compared(runs):
    for paths in (runs[:1], runs * 4):
        with pytest.raises(BadRun, match="runs cannot be compared: name a baseline and 1 to 8 others"):
            write_comparison(paths)


def test_what_is_no_run_is_named(runs, tmp_path):
    with pytest.raises(BadRun, match="cannot be read: No such file"):
        write_comparison([runs[0], tmp_path / "none"])


@pytest.mark.parametrize("compared_before", [True, False])
def test_only_a_picture_of_an_earlier_comparison_is_taken_away(runs, tmp_path, compared_before):
    if compared_before:
        write_comparison(runs, tmp_path)
    (tmp_path / "compare.png").write_bytes(b"somebody's")
    write_comparison(runs, tmp_path, plots=False)

    assert (tmp_path / "compare.png").exists() is not compared_before
