import subprocess
import sys

import pytest
from click.testing import CliRunner

from analysis.report.command import report
from loadgate import commands

OK = (0, "json", "ok", "response", 102_400, 400)


def test_the_command_is_the_analysis_own():
    assert commands.loadgate.get_command(None, "report") is report


def test_an_invalid_run_exits_with_3(make_run):
    assert CliRunner().invoke(report, [str(make_run([OK], counts=None)), "--no-plots"]).exit_code == 3


def test_a_report_goes_where_it_is_told(make_run, tmp_path):
    run, out = make_run([OK]), tmp_path / "a" / "b"
    done = CliRunner().invoke(report, [str(run), "--no-plots", "--out", str(out)])

    assert done.output.splitlines()[0] == str(out / "report.html")
    assert not (run / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--percentiles", "p100"], "'p100' is not a percentile"),
        (["--confidence", "100%"], "'100%' is not a confidence"),
        (["--warmup", "soon"], "'soon' is not a duration"),
        (["--window", "9s..3s"], "it ends before it begins"),
        (["--window", "9s..", "--warmup", "3s"], "give one of them"),
    ],
)
def test_a_wrong_option_exits_with_2(make_run, options, words):
    done = CliRunner().invoke(report, [str(make_run([OK])), *options])

    assert done.exit_code == 2
    assert words in done.output


SLO = {"met": "p50<103ms", "missed": "p50<90ms", "open": "p99.99<3s"}


@pytest.mark.parametrize(
    ("texts", "changes", "word", "code"),
    [
        (["met"], {}, "PASS", 0),
        (["met", "missed", "open"], {}, "FAIL", 1),
        (["met", "open"], {}, "NOT DECIDED", 3),
        (["missed"], {"counts": None}, "INVALID", 3),
    ],
)
def test_the_verdict_is_the_last_line_and_the_exit_code(make_run, texts, changes, word, code):
    options = [f"--slo={SLO[text]}" for text in texts]
    done = CliRunner().invoke(report, [str(make_run([OK], **changes)), "--no-plots", *options])

    assert done.output.splitlines()[-1] == word
    assert done.exit_code == code


def test_a_wrong_objective_says_where_it_is_wrong(make_run):
    done = CliRunner().invoke(report, [str(make_run([OK])), "--slo", "p99<800"])

    assert done.exit_code == 2
    assert "its limit needs a unit" in done.output


def test_github_gets_annotations_and_the_page_of_the_step(make_run, tmp_path):
    """Text from the run stands between two lines that keep it from being a command."""
    page = tmp_path / "step_summary"
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    run = make_run([OK], name="::error::json")
    done = CliRunner().invoke(report, [str(run), "--no-plots", "--slo", SLO["missed"]], env=environment)
    lines = done.stdout.splitlines()
    token = lines[1].removeprefix("::stop-commands::")

    assert lines[0] == str(run / "report.html")
    assert lines[2].startswith(": :error::json: ")
    assert len(token) == 32
    assert "::error title=%3A %3Aerror%3A%3Ajson%3A p50<90ms missed::102 ms" in "\n".join(
        lines[lines.index(f"::{token}::") :]
    )
    assert page.read_text().startswith("\n# : :error::json\n\n**Fail.** ")


@pytest.mark.parametrize(
    "environment", [{}, {"GITHUB_ACTIONS": "false", "GITLAB_CI": "false", "GITHUB_STEP_SUMMARY": ""}]
)
def test_nothing_is_for_a_server_that_is_not_there(make_run, environment):
    run = make_run([OK])
    done = CliRunner().invoke(report, [str(run), "--no-plots", "--slo", SLO["missed"]], env=environment)

    assert "::" not in done.stdout
    assert not (run / "metrics.txt").exists()


@pytest.mark.parametrize(("texts", "code"), [([], 0), (["met"], 0), (["missed"], 1)])
def test_a_page_that_cannot_be_written_costs_no_report(make_run, tmp_path, texts, code):
    options = [f"--slo={SLO[text]}" for text in texts]
    run, environment = make_run([OK]), {"GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "a\nb")}
    done = CliRunner().invoke(report, [str(run), "--no-plots", *options], env=environment)

    assert done.exit_code == code
    assert done.stderr.startswith("Warning: ")
    assert done.stderr.count("\n") == 1
    assert (run / "report.html").exists()


def test_gitlab_gets_metrics(make_run):
    run = make_run([OK])
    CliRunner().invoke(report, [str(run), "--no-plots"], env={"GITLAB_CI": "true"})

    assert 'loadgate_response_seconds{percentile="p50"} 0.1024\n' in (run / "metrics.txt").read_text()


@pytest.mark.parametrize(("options", "imported"), [(["--no-plots"], []), ([], ["matplotlib"])])
def test_nothing_is_imported_that_is_not_needed(make_run, options, imported):
    """Matplotlib only for plots and without the global state of pyplot; the load side never."""
    program = (
        "import sys; from analysis.report.command import report; report.main(sys.argv[1:], standalone_mode=False);"
        "names = ('matplotlib', 'matplotlib.pyplot', 'locust', 'gevent', 'loadgate');"
        "print([name for name in names if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(make_run([OK])), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == str(imported)
