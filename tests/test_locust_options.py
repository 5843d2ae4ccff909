"""Locust patches the process that imports it, so its command line is tried in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadgate.options import HOW, LIMITS, LOCUST_ONLY, SEARCH, WHAT

ROOT = Path(__file__).parent.parent


def python(*arguments):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LOADGATE_", "LOCUST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_locusts_parser_lists_our_options_in_a_group_of_their_own():
    """`locust -f FILE --help` itself prints before it reads FILE, so the parser is asked."""
    program = "import loadgate.user; from locust.argument_parser import get_parser; get_parser().print_help()"
    _, _, ours = python("-c", program).stdout.partition("\nloadgate:\n")
    ours, _, _ = ours.partition("\n\n")
    columns = [line.strip().split("  ", 1)[0] for line in ours.splitlines()]
    listed = {word.strip(",") for column in columns for word in column.split() if word.startswith("-")}

    assert listed == {flag for option in (*WHAT, *HOW, *LIMITS, *LOCUST_ONLY, *SEARCH) for flag in option.flags}


def test_json_means_a_body_to_send_and_not_locusts_own_output():
    program = (
        "import loadgate.user; from locust.argument_parser import get_parser; parse = get_parser([]).parse_args\n"
        "given = parse(['--json', 'a.json', '--json', 'b.jsonl'])\n"
        "print(given.json_paths, given.json, parse([]).json_paths)"
    )

    assert python("-c", program).stdout == "['a.json', 'b.jsonl'] False None\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--rate-per-user", "0"], "argument --rate-per-user: '0' must be a number above 0"),
        (["--timeout", "4parsecs"], "argument --timeout: '4parsecs' is not a duration; write 250ms, 40s or 1m30s"),
        (["--arrivals", "uniform"], "argument --arrivals: 'uniform' is not known; choose one of constant, poisson"),
        (["--seed", "1.5"], "argument --seed: '1.5' must be a whole number from 1 to 1,000,000,000"),
        (
            ["--headless", "--host=http://127.0.0.1:9/", "--gateway", "nope"],
            "--gateway 'nope' is not known; choose one of aws-apigateway-http",
        ),
        (["--headless"], "no URL: give the service's URL"),
    ],
)
def test_a_wrong_value_is_one_line_and_exit_code_2(arguments, line):
    locust = ["-m", "locust", "-f", "locustfiles/json_requests.py", "--loglevel=ERROR"]
    refused = python(*locust, *arguments)
    said = [text for text in refused.stderr.splitlines() if text.strip() and not text.startswith("usage:")]

    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(said) == 1
    assert line in said[0]
