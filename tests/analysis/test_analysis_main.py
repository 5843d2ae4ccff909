import subprocess
import sys

import pytest

from analysis.__main__ import main

OK = (0, "json", "ok", "response", 102_400, 400)


def test_the_report_and_its_table_are_printed(make_run, capsys):
    run = make_run([OK])

    assert main([str(run), "--no-plots"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == str(run / "report.html")
    assert any(line.startswith("response  400  102 ms") for line in out)
    assert not (run / "timeline.png").exists()


def test_an_invalid_run_exits_with_3(make_run):
    assert main([str(make_run([OK], counts=None)), "--no-plots"]) == 3


def test_what_is_no_run_is_one_line_and_exits_with_2(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"Error: {tmp_path / 'none'} is not a run: it has no run.json\n"


def test_a_wrong_option_exits_with_2(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--plot"])

    assert error.value.code == 2


@pytest.mark.parametrize(("options", "imported"), [(["--no-plots"], []), ([], ["matplotlib"])])
def test_nothing_is_imported_that_is_not_needed(make_run, options, imported):
    """Matplotlib only for plots and without the global state of pyplot; the load side never."""
    program = (
        "import sys; from analysis.__main__ import main; main(sys.argv[1:]);"
        "names = ('matplotlib', 'matplotlib.pyplot', 'locust', 'gevent', 'loadgate');"
        "print([name for name in names if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(make_run([OK])), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == str(imported)
