import subprocess
import sys

from click.testing import CliRunner

from loadgate.commands.report import report

OK = (0, "json", "ok", "response", 102_400, 400)


def test_the_report_and_its_table_are_printed(make_run):
    run = make_run([OK])
    done = CliRunner().invoke(report, [str(run)])

    assert done.exit_code == 0
    assert done.output.splitlines()[0] == str(run / "report.html")
    assert "response  400  102 ms" in done.output
    assert (run / "timeline.png").exists()


def test_an_invalid_run_exits_with_3(make_run):
    done = CliRunner().invoke(report, [str(make_run([OK], counts=None)), "--no-plots"])

    assert done.exit_code == 3


def test_what_is_no_run_is_an_error_of_the_user(tmp_path, capsys):
    assert report.main([str(tmp_path)], standalone_mode=False) == 2
    assert capsys.readouterr().err.endswith("is not a run: it has no run.json\n")


def test_the_command_does_not_patch_the_process():
    program = "import sys, loadgate.commands.report; print('locust' in sys.modules or 'gevent' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
