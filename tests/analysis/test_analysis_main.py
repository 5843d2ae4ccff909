import subprocess
import sys

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


def test_what_is_no_run_is_one_line_and_exits_with_2(tmp_path):
    done = called(tmp_path / "none")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_a_wrong_option_is_one_line_and_exits_with_2(make_run):
    done = called(make_run([OK]), "--plot")

    assert (done.returncode, done.stdout) == (2, "")
    assert "--plot" in done.stderr
    assert done.stderr.count("\n") == 1
