import subprocess
import sys

import pytest
from click.testing import CliRunner
from made_by_hand import write_run

from analysis.comparison.command import compare


def rows(value_us, per_s=40, seconds=10):
    return [(second, "json", "ok", "response", value_us, per_s) for second in range(seconds)]


@pytest.fixture
def make(tmp_path):
    def write(name, value_us=100_000, **manifest):
        (tmp_path / name).mkdir()
        return str(write_run(tmp_path / name, rows(value_us), **manifest))

    return write


def called(*arguments):
    return CliRunner().invoke(compare, [*arguments, "--no-plots"])


def refused(*arguments):
    """As a program of its own, which turns every error into exit code 2."""
    command = [sys.executable, "-m", "loadgate", "compare", *arguments, "--no-plots"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    return done.stderr


def test_a_regression_exits_with_1_and_says_so_first(make, tmp_path):
    done = called(make("one"), make("two", 130_000))

    assert done.exit_code == 1
    assert done.output.splitlines()[0].startswith("p99 of response is 30 % slower") or "30 % slower" in done.output
    assert done.output.splitlines()[-1] == str(tmp_path / "two-against-one" / "compare.html")


@pytest.mark.parametrize(("value_us", "options"), [(100_000, []), (70_000, []), (130_000, ["--tolerance", "40%"])])
def test_what_is_not_worse_exits_with_0(make, value_us, options):
    assert called(make("one"), make("two", value_us), *options).exit_code == 0


def test_a_run_against_itself_exits_with_0(make):
    run = make("one")

    assert called(run, run).exit_code == 0


def test_what_decides_nothing_exits_with_0_and_says_so_first(tmp_path):
    pair = []
    for name, unit_us in (("one", 1_000), ("two", 1_100)):
        few = [(0, "json", "ok", "response", unit_us * number, 1) for number in range(1, 11)]
        (tmp_path / name).mkdir()
        pair.append(str(write_run(tmp_path / name, few)))
    done = called(*pair)

    assert done.exit_code == 0
    assert done.output.startswith("Nothing can be decided: ")
    assert "0 nothing is worse, or nothing can be decided;" in " ".join(called("--help").output.split())


def test_pages_go_where_they_are_told(make, tmp_path):
    done = called(make("one"), make("two"), "--out", str(tmp_path / "a" / "b"))

    assert done.output.splitlines()[-1] == str(tmp_path / "a" / "b" / "compare.html")
    assert not (tmp_path / "two-against-one").exists()


def test_what_is_not_comparable_exits_with_2_unless_forced(make):
    pair = make("one"), make("two", target="http://other/")

    assert "target is" in refused(*pair)
    assert called(*pair, "--force").exit_code == 0


def test_an_invalid_run_exits_with_3_unless_forced(make):
    pair = make("one"), make("two", counts=None)
    done, forced = called(*pair), called(*pair, "--force")

    assert (done.exit_code, done.output.count("\n")) == (3, 1)
    assert done.output.startswith("Error: the run two is invalid: ")
    assert forced.exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tolerance", "5"], "'5' is not a tolerance"),
        (["--percentiles", "p100"], "'p100' is not a percentile"),
        (["--confidence", "100%"], "'100%' is not a confidence"),
        (["--window", "9s..", "--warmup", "3s"], "give one of them"),
    ],
)
def test_a_wrong_option_exits_with_2(make, options, words):
    done = called(make("one"), make("two"), *options)

    assert done.exit_code == 2
    assert words in done.output


def test_one_run_alone_is_no_comparison(make):
    assert called(make("one")).exit_code == 2


def test_what_is_no_run_exits_with_2_in_one_line(make, tmp_path):
    assert "No such file" in refused(make("one"), str(tmp_path / "none"))
