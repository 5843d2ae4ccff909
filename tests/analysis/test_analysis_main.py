import subprocess
import sys

import pytest
from click.testing import CliRunner

from analysis.__main__ import report

OK = (0, "json", "ok", "response", 102_400, 400)


def called(*arguments):
    command = [sys.executable, "-m", "analysis", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_report_and_its_table_are_printed(make_run):
    run = make_run([OK])
    done = called(run, "--no-plots")

    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == str(run / "report.html")
    assert any(line.startswith("response  400  102 ms") for line in done.stdout.splitlines())
    assert not list(run.glob("*.png"))


def test_an_invalid_run_exits_with_3(make_run):
    assert CliRunner().invoke(report, [str(make_run([OK], counts=None)), "--no-plots"]).exit_code == 3


def test_a_report_goes_where_it_is_told(make_run, tmp_path):
    run, out = make_run([OK]), tmp_path / "a" / "b"
    done = CliRunner().invoke(report, [str(run), "--no-plots", "--out", str(out)])

    assert done.output.splitlines()[0] == str(out / "report.html")
    assert not (run / "report.html").exists()


def test_what_is_no_run_is_one_line_and_exits_with_2(tmp_path):
    done = called(tmp_path / "none")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--plot"], "--plot"),
        (["--percentiles", "p100"], "'p100' is not a percentile"),
        (["--confidence", "100%"], "'100%' is not a confidence"),
        (["--warmup", "soon"], "'soon' is not a duration"),
        (["--window", "9s..3s"], "it ends before it begins"),
        (["--window", "9s..", "--warmup", "3s"], "give one of them"),
    ],
)
def test_a_wrong_option_is_one_line_and_exits_with_2(make_run, options, words):
    done = called(make_run([OK]), *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("options", "imported"), [(["--no-plots"], []), ([], ["matplotlib"])])
def test_nothing_is_imported_that_is_not_needed(make_run, options, imported):
    """Matplotlib only for plots and without the global state of pyplot; the load side never."""
    program = (
        "import sys; from analysis.__main__ import report; report.main(sys.argv[1:], standalone_mode=False);"
        "names = ('matplotlib', 'matplotlib.pyplot', 'locust', 'gevent', 'loadgate');"
        "print([name for name in names if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(make_run([OK])), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == str(imported)
