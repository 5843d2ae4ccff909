"""The report of a run that searched for the capacity."""

import json
import shlex
from dataclasses import replace

import pytest
from click.testing import CliRunner
from junitparser import JUnitXml
from levels_by_hand import P99, level, record
from made_by_hand import counts_of, summary_of

from analysis.capacity.search import CONFIRMATION, NEAR, Search
from analysis.comparison.command import compare
from analysis.errors import BadRun
from analysis.objectives.objective import objective
from analysis.report import exit_code, text_table, write_report
from analysis.report.again import again
from analysis.report.slo import rows
from analysis.report.verdict import figures, headline
from loadgate.commands.capacity import capacity as capacity_command

SECONDS = 60
SENT = [
    (second, "json", "ok" if second < 50 else "throttled", measure, us, 10)
    for second in range(SECONDS)
    for measure, us in (("response", 20_000), ("service", 20_000), ("lateness", 90_000 if second > 40 else 90))
]
UP = (level(50.0), level(100.0), level(200.0), level(400.0, beyond=4000, mean_s=0.2))
AROUND = (level(290.0, beyond=60, kind=NEAR), level(310.0, beyond=180, kind=NEAR))
CONFIRMED = level(285.0, kind=CONFIRMATION, mean_s=0.02, from_s=10, length_s=20.0)
FOUND = (*UP, *AROUND, *AROUND, CONFIRMED)
LOAD = {"search": {"from_per_s": 50.0, "to_per_s": 10_000.0, "budget_s": 600.0, "seed": 1}}
HOSTILE = 'errors<1% of "\x1b[2J<script>alert(1)</script>|`x`"'


@pytest.fixture
def searched(make_run):
    def make(*levels, asked=None, **manifest):
        sent = counts_of(planned=10 * SECONDS, sent=10 * SECONDS, finished=10 * SECONDS)
        run = make_run(SENT, **({"load": LOAD, "counts": sent, "slo": [P99, "errors<1%"]} | manifest))
        kept = asked or record(*levels, target_per_s=1000.0)
        (run / "capacity.json").write_text(json.dumps(kept.as_json()), encoding="utf-8")
        return run

    return make


def test_a_rate_that_was_found_is_the_headline_and_passes(searched):
    summary = summary_of(searched(*FOUND))

    assert (summary["verdict"], exit_code(summary)) == ("pass", 0)
    assert headline(summary).word == "Found"
    assert headline(summary).sentence.startswith("The service carries ")
    assert [figure.label for figure in figures(summary)] == [
        "capacity", "each instance may get", "needed", "gave way first", "highest rate tried"
    ]  # fmt: skip
    assert figures(summary)[2].value == "5 instances"


@pytest.mark.parametrize(
    ("levels", "verdict", "code", "word"),
    [
        ([level(50.0, beyond=4000)], "fail", 1, "Fail"),
        ([level(50.0, spoiled="late")] * 2, "invalid", 3, "Invalid"),
        (UP, "undecided", 3, "Not decided"),
        ([], "undecided", 3, "Not decided"),
    ],
)
def test_what_was_not_found_is_no_pass(searched, levels, verdict, code, word):
    summary = summary_of(searched(*levels))

    assert (summary["verdict"], exit_code(summary), headline(summary).word) == (verdict, code, word)
    assert figures(summary)[0].value == "-"


def test_the_latencies_are_those_of_the_confirmation(searched):
    summary = summary_of(searched(*FOUND))

    assert (summary["window"]["from_s"], summary["window"]["to_s"]) == (10, 30)
    assert summary["latency"]["response"]["n"] == 200
    assert summary["window"]["reading"].startswith("Only the part from 10 to 30 s, in which one rate was held.")


def test_what_a_search_does_to_a_service_is_no_caution_but_lost_counts_are(searched):
    """It goes on until requests fail or wait; that it was late at a rate is said at that rate."""
    assert summary_of(searched(*FOUND))["cautions"] == []
    broken = summary_of(searched(*FOUND, counts=counts_of(planned=1)))

    assert broken["verdict"] == "invalid"
    assert headline(broken).sentence.startswith("The run is invalid")
    assert {figure.value for figure in figures(broken)[:4]} == {"-"}
    assert [row.result for row in rows(broken)] == ["not judged"]


def test_a_generator_that_was_the_limit_is_why_the_run_is_invalid(searched):
    summary = summary_of(searched(*[level(50.0, spoiled="1 % left late")] * 2))

    (serious,) = [caution for caution in summary["cautions"] if caution["serious"]]
    assert serious["name"] == "generator_limit"
    assert "at 50/s 1 % left late" in serious["text"]


def test_other_objectives_than_those_of_the_search_are_refused(searched):
    with pytest.raises(BadRun, match="cannot be judged by others"):
        summary_of(searched(*FOUND), slo=(objective("p50<1s"),))


def test_it_is_one_test_case(searched, tmp_path):
    folder, summary = write_report([searched(*FOUND)], tmp_path / "out", plots=False)
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))

    assert [row.result for row in rows(summary)] == ["met"]
    assert [case.name for case in suite] == [f"a rate that keeps {P99}, errors<1%"]


def test_the_record_is_completed_with_the_answer(searched):
    run = searched(*FOUND)
    _, summary = write_report([run], plots=False)

    written = json.loads((run / "capacity.json").read_text(encoding="utf-8"))

    assert written == json.loads(json.dumps(summary["capacity"]))
    assert summary_of(run) == summary


def test_the_pages_have_the_levels_the_plan_and_the_picture(searched):
    run = searched(*FOUND)
    write_report([run])
    html, markdown = ((run / name).read_text(encoding="utf-8") for name in ("report.html", "report.md"))

    for text in ("Instances for a rate", "Levels of the search", "near the edge", "The search, level by level"):
        assert text in html
    assert html.count("<h2>Latency and throughput at each rate</h2>") == 1
    assert "| 1,000/s | 5 |" in markdown
    assert "![Latency and throughput at each rate](capacity.png)" in markdown
    assert (run / "capacity.png").stat().st_size > 10_000


def test_a_hostile_objective_is_text(searched):
    against = replace(UP[0].against[0], text=HOSTILE)
    missed = replace(UP[3], against=(replace(against, beyond=5000, result="missed"),))
    spoiled = replace(UP[1], against=(against,), spoiled="\x1b[2J<script>alert(2)</script>")
    asked = replace(record(replace(UP[0], against=(against,)), spoiled, missed), objectives=(HOSTILE,))
    run = searched(asked=asked)
    _, summary = write_report([run], plots=False)

    for page in ("report.html", "report.md"):
        text = (run / page).read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "\x1b" not in text
    shown = text_table(summary)
    assert "alert(1)" in shown
    assert "alert(2)" in shown
    assert "\x1b" not in shown


def test_the_terminal_has_the_answer_first(searched):
    lines = text_table(summary_of(searched(*FOUND))).splitlines()

    assert lines[0] == "json: a search from 50 to at most 10,000 requests/s, in about 600 s, constant arrivals"
    assert lines[1] == "500 ok, 100 throttled"
    assert lines[2].startswith("The service carries ")
    assert lines[-1] == "PASS"


def test_it_is_run_again_as_it_was(searched):
    summary = summary_of(searched(*FOUND, seed=7, sharing={"by": "processes", "count": 2}))
    words = shlex.split(again(summary["run"]).command.replace("\\\n", ""))
    assert words[:2] == ["loadgate", "capacity"]
    params = capacity_command.make_context("capacity", words[2:]).params

    asked = Search(*(float(params[name]) for name in ("from_per_s", "to_per_s")), 600.0, int(params["seed"]))
    assert asked == Search(50.0, 10_000.0, 600.0, 7)
    assert (params["budget_s"], params["processes"]) == ("600s", 2)
    assert params["slo"] == (P99, "errors<1%")


def test_two_searches_are_not_compared(searched):
    run = str(searched(*FOUND))
    done = CliRunner().invoke(compare, [run, run, "--no-plots"])

    assert done.exit_code != 0
    assert "compare runs at one rate" in done.output


def test_a_broken_record_is_one_line(searched):
    run = searched(*FOUND)
    (run / "capacity.json").write_text('{"format": 1}', encoding="utf-8")

    with pytest.raises(Exception, match=r"capacity\.json: not a record of a search"):
        write_report([run], plots=False)
