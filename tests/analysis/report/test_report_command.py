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
