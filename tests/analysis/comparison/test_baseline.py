"""A run against its baseline: what is found, what is not, and what can be kept of a baseline."""

import json
import shutil

import pytest
from click.testing import CliRunner
from junitparser import JUnitXml
from made_by_chance import random_run, side_of
from test_compare_report import HOSTILE, write

from analysis.comparison.baseline import decided
from analysis.comparison.report import Labelled, comparison
from analysis.comparison.wording import name_text
from analysis.report.command import report

CORRELATED = {"rho": 0.5, "slow": 0.1}


def result_of(one, two, tolerance=0.05):
    sides = [Labelled(letter, letter, side_of(run), {"verdict": "none"}) for letter, run in (("A", one), ("B", two))]
    return decided(comparison(*sides, [], tolerance), "response", tolerance)[0]


@pytest.mark.parametrize("dependent", [{}, CORRELATED], ids=["independent", "correlated"])
def test_a_fifth_slower_is_found_and_equal_runs_raise_no_alarm(dependent):
    """Of 100 pairs each; an alarm is a run that is called worse though it is not."""
    found = alarms = 0
    for seed in range(100):
        baseline = random_run((seed, 0), **dependent)
        alarms += result_of(baseline, random_run((seed, 1), **dependent)) == "missed"
        found += result_of(baseline, random_run((seed, 2), scale_s=0.12, **dependent)) == "missed"

    assert found >= 95
    assert alarms <= 5


def test_runs_that_are_long_enough_are_sure_that_nothing_is_worse():
    """Of 20 equal pairs, each long enough to tell 5 % of the median."""
    results = [result_of(*(random_run((seed, number), per_s=200) for number in (0, 1))) for seed in range(20)]

    assert results.count("met") >= 19


def test_a_difference_that_does_not_matter_is_no_regression():
    slower = random_run(2, seconds=60, per_s=200, scale_s=0.102)

    assert result_of(random_run(1, seconds=60, per_s=200), slower) == "met"


def test_short_runs_decide_nothing():
    assert result_of(*(random_run(seed, seconds=12, per_s=5) for seed in (1, 2))) == "undecided"


def test_failures_that_grow_are_a_regression_though_the_answers_are_as_fast():
    assert result_of(random_run(1), random_run(2, failed=0.05)) == "missed"


def test_a_few_failures_more_leave_it_open_though_the_answers_are_as_fast():
    """0.4 % of 3,000 requests are surely more than none; whether more than the half percent that matters is open."""
    assert result_of(random_run(1), random_run(2, failed=0.004)) == "undecided"


# ---- from files


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Three runs of half a minute: two of one service, and one of it when it took twice as long."""
    folder = tmp_path_factory.mktemp("reports")
    for name, seed, scale_s in (("main", 1, 0.1), ("same", 2, 0.1), ("slow", 3, 0.2)):
        write(folder / name, random_run(seed, seconds=30, per_s=200, scale_s=scale_s), seed=seed)
    return folder


@pytest.fixture
def runs(written, tmp_path):
    """The same, for a test to change."""
    shutil.copytree(written, tmp_path / "reports")
    return tmp_path / "reports"


def reported(run, *options, environment=None):
    done = CliRunner().invoke(report, [str(run), "--no-plots", *options], env=environment or {})
    path = run / "summary.json"
    return done, json.loads(path.read_text("utf-8")) if path.exists() else None


def change_manifest(run, **changes):
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "code", "verdict", "line"),
    [
        ("same", 0, "pass", "met: no regression against main: "),
        ("slow", 1, "fail", "MISSED: no regression against main: "),
    ],
)
def test_a_baseline_decides_the_exit_code_the_console_and_junit(runs, name, code, verdict, line):
    done, summary = reported(runs / name, "--baseline", str(runs / "main"))

    assert done.exit_code == code
    assert done.output.splitlines()[-2].startswith(line)
    assert summary["verdict"] == verdict
    [case] = [case for suite in JUnitXml.fromfile(str(runs / name / "junit.xml")) for case in suite]
    assert case.name == "no regression against main"
    assert case.is_passed is (code == 0)


def test_the_pages_show_every_figure_of_a_regression(runs):
    _, summary = reported(runs / "slow", "--baseline", str(runs / "main"))

    page, markdown = ((runs / "slow" / name).read_text("utf-8") for name in ("report.html", "report.md"))
    for figure in summary["baseline"]["figures"]:
        assert f'<th scope="row" class="figure">{name_text(figure)}</th>' in page
        assert f"| {name_text(figure)} | " in markdown
    assert "Against the baseline" in page
    assert "slower" in summary["baseline"]["reason"]
    assert f"Against main: {summary['baseline']['reason']}" in page


def test_a_regression_is_an_annotation(runs):
    environment = {"GITHUB_ACTIONS": "true"}
    done, _ = reported(runs / "slow", "--baseline", str(runs / "main"), environment=environment)

    assert any(
        line.startswith("::error title=json%3A no regression against main missed::")
        for line in done.output.splitlines()
    )


def test_a_missed_objective_fails_beside_a_good_baseline(runs):
    done, summary = reported(runs / "same", "--baseline", str(runs / "main"), "--slo", "p50<1ms")

    assert (done.exit_code, summary["verdict"], summary["baseline"]["result"]) == (1, "fail", "met")


@pytest.mark.parametrize("given", ["main", "main/summary.json", "main/latency.csv"])
def test_of_a_baseline_its_summary_and_its_latencies_are_enough(runs, given):
    _, everything = reported(runs / "same", "--baseline", str(runs / "main"))
    reported(runs / "main")
    for file in (runs / "main").iterdir():
        if file.name not in ("summary.json", "latency.csv"):
            file.unlink()

    done, summary = reported(runs / "same", "--baseline", str(runs / given))

    assert done.exit_code == 0
    assert summary["baseline"]["figures"] == everything["baseline"]["figures"]


def test_the_baseline_that_a_run_was_made_with_is_found_from_the_run(runs, monkeypatch):
    change_manifest(runs / "slow", baseline={"path": "../main", "tolerance": 0.05})
    monkeypatch.chdir("/")

    done, summary = reported(runs / "slow")

    assert (done.exit_code, summary["baseline"]["name"]) == (1, "main")


def test_a_baseline_that_is_gone_decides_nothing_and_loses_nothing(runs):
    change_manifest(runs / "same", baseline={"path": "../main", "tolerance": 0.05})
    shutil.rmtree(runs / "main")

    done, summary = reported(runs / "same")

    assert (done.exit_code, summary["verdict"]) == (3, "undecided")
    assert summary["baseline"]["reason"] == "It could not be compared: the baseline main is not there."
    assert summary["latency"]["response"]["n"] == 6000


def test_a_baseline_that_was_invalid_stays_so_when_only_its_numbers_are_kept(runs):
    _, summary = reported(runs / "main")
    (runs / "main" / "summary.json").write_text(json.dumps(summary | {"verdict": "invalid"}))
    (runs / "main" / "run.json").unlink()

    done, summary = reported(runs / "same", "--baseline", str(runs / "main"))

    assert (done.exit_code, summary["baseline"]["reason"]) == (
        3, "The baseline is an invalid run, as its summary.json says.",
    )  # fmt: skip


def test_a_report_elsewhere_finds_the_same_baseline(runs, tmp_path):
    change_manifest(runs / "slow", baseline={"path": "../main", "tolerance": 0.05})
    done = CliRunner().invoke(report, [str(runs / "slow"), "--no-plots", "--out", str(tmp_path / "deep" / "er")])

    assert done.exit_code == 1


def test_a_service_that_went_down_is_a_regression(tmp_path):
    for name, failed in (("main", 0.0), ("down", 1.0)):
        write(tmp_path / name, random_run(1, seconds=20, per_s=50, failed=failed))

    done, summary = reported(tmp_path / "down", "--baseline", str(tmp_path / "main"))

    assert (done.exit_code, summary["verdict"]) == (1, "fail")
    assert "ok" in [each["name"] for each in summary["baseline"]["figures"] if each["worse"]]


def test_an_interrupted_run_passes_nothing(runs):
    change_manifest(runs / "same", state="interrupted")

    done, summary = reported(runs / "same", "--baseline", str(runs / "main"))

    assert (done.exit_code, summary["baseline"]["result"]) == (3, "met")
    assert "not decided: no regression against main: " in done.output


def test_a_tolerance_decides_what_matters(runs):
    done, summary = reported(runs / "slow", "--baseline", str(runs / "main"), "--tolerance", "200%")

    assert (done.exit_code, summary["baseline"]["tolerance"]) == (0, 2.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gateway": {"name": "modelarts", "timeout_s": 2.0}}, "time limit (s) is 2.0 and 40.0"),
        ({"payloads": [{"name": "other.json", "kind": "json", "count": 1}]}, "payload other.json is"),
    ],
)
def test_a_baseline_of_another_question_is_refused_in_one_line(runs, changes, words):
    change_manifest(runs / "main", **changes)

    done, summary = reported(runs / "same", "--baseline", str(runs / "main"))

    assert (done.exit_code, summary) == (1, None)  # click's own exit code; `main` makes it 2
    assert words in done.output
    assert len(done.output.splitlines()) == 1


def test_the_same_service_at_another_address_is_compared_and_said(runs):
    change_manifest(runs / "main", target="http://127.0.0.1:1/v1/infers/2")

    done, summary = reported(runs / "same", "--baseline", str(runs / "main"))

    assert done.exit_code == 0
    assert {"what": "target", "baseline": "http://127.0.0.1:1/v1/infers/2"}.items() <= summary["baseline"]["differs"][
        0
    ].items()
    assert summary["baseline"]["cautions"] == []


def test_an_invalid_baseline_decides_nothing(runs):
    change_manifest(runs / "main", counts=None)

    done, summary = reported(runs / "same", "--baseline", str(runs / "main"))

    assert (done.exit_code, summary["baseline"]["result"]) == (3, "undecided")
    assert "invalid" in summary["baseline"]["reason"]


def test_an_invalid_run_has_no_regression(runs):
    change_manifest(runs / "slow", counts=None)

    done, summary = reported(runs / "slow", "--baseline", str(runs / "main"))

    assert (done.exit_code, summary["verdict"]) == (3, "invalid")
    assert done.output.splitlines()[-2].startswith("not judged: no regression against main: ")


def test_a_baseline_with_a_hostile_name_stays_text(runs):
    hostile = HOSTILE.replace("/", "-")
    (runs / "main").rename(runs / hostile)
    reported(runs / "same", "--baseline", str(runs / hostile))

    page, markdown = ((runs / "same" / name).read_text("utf-8") for name in ("report.html", "report.md"))
    assert "<script>alert" not in page + markdown
    assert JUnitXml.fromfile(str(runs / "same" / "junit.xml"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tolerance", "5%"], "name the run to compare with"),
        (["--baseline", "nowhere"], "the baseline nowhere is not there"),
        (["--baseline", ""], "an empty name"),
        (["--baseline", "x", "--tolerance", "five"], "is not a tolerance"),
    ],
)
def test_a_wrong_baseline_is_said_before_anything_is_written(runs, options, words):
    done, summary = reported(runs / "same", *options)

    assert done.exit_code != 0
    assert words in done.output
    assert summary is None
