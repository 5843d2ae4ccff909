"""Eight hours, in simulated time: what a run holds in memory is the same in the end as it was after two."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HOURS, AFTER_H = 8, 2
BLOCKS = 2_000  # of Python's memory: something kept for each report of these six hours is 3,600, for each second 21,600
GROWTH_BYTES = 4 << 20
PROGRAM = Path(__file__).with_name("eight_hours.py")


@pytest.fixture(scope="module")
def hours(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    command = [sys.executable, "-P", str(PROGRAM), str(folder / "run"), str(HOURS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"folder": folder / "run"}


def test_memory_is_flat(hours):
    assert len(hours["blocks"]) == HOURS
    assert max(hours["blocks"][AFTER_H - 1 :]) - hours["blocks"][AFTER_H - 1] < BLOCKS
    assert hours["bytes"][-1] - hours["bytes"][AFTER_H - 1] < GROWTH_BYTES


def test_it_was_a_whole_run(hours):
    run = hours["folder"]
    with (run / "timeline.csv").open() as file:
        assert sum(1 for _ in file) > 3600 * HOURS
    assert hours["planned"] > 3600 * HOURS * 0.95  # by the pacer, one a second on average
    assert hours["requests"] > 10 * 3600 * HOURS


def test_what_failed_in_new_words_each_time_is_few_rows_of_its_own(hours):
    """Three requests a second fail in words that no other has."""
    with (hours["folder"] / "failures.csv").open() as file:
        words = {line.rsplit(",", 2)[-2] for line in file}
    assert len(words) < 250
    assert hours["errors"] < 20
    with (hours["folder"] / "notable.csv").open() as file:
        assert sum(1 for _ in file) < 200


def test_the_history_of_the_charts_takes_what_the_docs_say(hours):
    assert hours["charts_bytes_per_h"] < 1_500_000
