import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from loadgate.commands.serve import fault, number_and_duration, serve, service_time
from loadgate.errors import ConfigError
from loadgate.standin.faults import NAMES
from loadgate.standin.service_time import ServiceTime


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("constant:100ms", ServiceTime("constant", 0.1)),
        ("exponential:2s", ServiceTime("exponential", 2.0)),
        ("lognormal:100ms,0.5", ServiceTime("lognormal", 0.1, 0.5)),
        ("gamma:100ms,2", ServiceTime("gamma", 0.1, 2.0)),
    ],
)
def test_a_service_time_is_read(text, expected):
    assert service_time(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100ms", "write constant:100ms"),
        ("normal:100ms", "one of constant"),
        ("constant:fast", "write 250ms"),
        ("gamma:100ms", "a mean and a shape"),
        ("gamma:100ms,x", "write gamma:100ms,0.5"),
    ],
)
def test_a_bad_service_time_is_told_what_would_be_right(text, message):
    with pytest.raises(ValueError, match=message):
        service_time(text)


@pytest.mark.parametrize(("text", "share"), [("slow:2%", 0.02), ("slow:0.02", 0.02), ("slow:100%", 1.0)])
def test_a_fault_is_read(text, share):
    assert fault(text) == ("slow", pytest.approx(share))


def test_a_fault_is_named_by_its_code_too():
    assert fault("ModelArts.4503/504/ssl:1%") == ("ModelArts.4503/504/ssl", pytest.approx(0.01))


@pytest.mark.parametrize(("text", "expected"), [("5/1s", (5, 1.0)), ("100/1m", (100, 60.0)), ("2/200ms", (2, 0.2))])
def test_a_number_and_a_duration_are_read(text, expected):
    assert number_and_duration(text) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--throttle", "5"], "write 5/1s or 100/1m"),
        (["--throttle", "0/1s"], "whole number from 1"),
        (["--circuit-breaker", "5/0s"], "more than 0"),
        (["--time-out-as", "504"], "choose one of 4503, APIG.0203, 4205"),
        (["--token-life", "0s"], "more than 0"),
        (["--fault", "flood:1%"], "'flood' is not a fault; it must be one of slow, timeout_apig, model_error"),
        (["--fault", "slow"], "write slow:2% or slow:0.02"),
        (["--timeout", "soon"], "write 250ms, 40s or 1m30s"),
        (["--body-limit", "big"], "write 2kB, 512KiB or 12MiB"),
        (["--port", "99999"], "99999"),
        (["--service-time", "x"], "write constant:100ms"),
    ],
)
def test_a_bad_option_is_exit_2_and_a_sentence(arguments, message):
    done = CliRunner().invoke(serve, arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--fault", "slow:1%", "--fault", "slow:2%"], {}, "given twice"),
        (["--fault", "slow:60%", "--fault", "cut:60%"], {}, "at most 1"),
        (["--timeout", "0s"], {}, "more than 0"),
        (["--truth", "/nowhere/truth.csv"], {}, "/nowhere/truth.csv: No such file or directory"),
        (
            ["--port", "0", "--write-token", "/nowhere/token"],
            {},
            "'/nowhere/token' cannot be written (No such file or directory)",
        ),
        (["--tls-cert", "/nowhere/cert"], {}, "/nowhere/cert: No such file"),
        (["--tls-cert", __file__], {}, "is not a certificate with its own unencrypted private key"),
        (["--tls-key", __file__], {}, "needs its certificate"),
        (["--host", "nowhere.invalid"], {}, "cannot listen on nowhere.invalid port 8080"),
        ([], {"LOADGATE_AK": "AKID"}, "set both LOADGATE_AK and LOADGATE_SK"),
        ([], {"LOADGATE_SECURITY_TOKEN": "x"}, "goes with an access key; set LOADGATE_AK and LOADGATE_SK"),
        ([], {"LOADGATE_IAM_USER": "me"}, "set both LOADGATE_IAM_USER and LOADGATE_IAM_PASSWORD"),
    ],
)
def test_what_cannot_work_is_a_config_error(arguments, environment, message):
    done = CliRunner().invoke(serve, arguments, env=environment)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_taken_port_says_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = CliRunner().invoke(serve, ["--port", str(taken.getsockname()[1])])
    assert isinstance(done.exception, ConfigError)
    assert "Address already in use" in str(done.exception)
    assert "port 0 for any free one" in str(done.exception)


def test_help_has_examples_and_every_fault():
    output = CliRunner().invoke(serve, ["--help"]).output
    assert "loadgate serve --port 0 --service-time gamma:80ms,2" in output
    assert "wrong_uuid" in output
    assert "LOADGATE_IAM_PASSWORD" in output
    assert "LOADGATE_APPCODE" in output
    assert max(map(len, output.splitlines())) < 100


def test_every_fault_is_listed_on_a_line_of_its_own():
    done = CliRunner().invoke(serve, ["--list-faults"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.output.splitlines()] == list(NAMES)
    assert "ModelArts.4503/504/ssl" in done.output
    assert "{" not in done.output


def test_nothing_of_the_load_side_is_imported():
    check = (
        "import sys, loadgate.commands.serve, loadgate.standin.server;"
        "print(sorted({'locust', 'gevent', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
