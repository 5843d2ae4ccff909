"""Wrong input is one line that says what is wrong, exit code 2, before any load and with nothing left behind."""

import json
import socket
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT

from loadgate.commands import main

SAMPLE = ROOT / "loadgate/samples/iris.json"


@pytest.fixture
def wrong(tmp_path: Path) -> dict[str, Path]:
    """Files that cannot be sent."""
    texts = {"empty.json": "", "broken.json": '{"data": ', "broken.jsonl": '{"a": 1}\n{"b": \n', "blank.txt": " \n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "void").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "run.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument 'URL'"),
        (["{url}", "--rate=0"], "'0' must be a number above 0"),
        (["{url}", "--rate=-5"], "'-5' must be a number above 0"),
        (["{url}", "--rate=fast"], "'fast' must be a number above 0"),
        (["{url}", "--users=0"], "'0' must be a whole number"),
        (["{url}", "--users=2", "--rate=2"], "not both"),
        (["{url}", "--duration=soon"], "'soon' is not a duration; write 250ms, 40s or 1m30s"),
        (["{url}", "--duration=0s"], "must be more than 0"),
        (["{url}", "--timeout=0"], "must be more than 0"),
        (["{url}", "--body-limit=0"], "'0' must be more than 0; write 2kB"),
        (["{url}", "--body-limit=big"], "'big' is not a size; write 2kB, 512KiB or 12MiB"),
        (["{url}", "--arrivals=bursty"], "choose one of constant, poisson"),
        (["{url}", "--rats=5"], "No such option '--rats'"),
        (["{url}", "--base64=x", "--base64-field="], "'--base64-field': it is empty"),
        (["{url}", "--file="], "'--file': it is empty"),
        (["{url}", "--out="], "'--out': it is empty"),
        (["{url}", "--rate=1e9"], "up to 1,000,000"),
        (["{url}", "--users=1000000000000"], "from 1 to 1,000,000,000"),
        (["{url}", "--users=1000000"], "at most 100,000"),
        (["{url}", "--ramp=60s", "--duration=1s"], "--ramp must be shorter than --duration"),
    ],
)
def test_a_wrong_option_is_named(monkeypatch, capsys, arguments: list[str], words: str):
    monkeypatch.setattr(
        sys, "argv", ["loadgate", "run", *(text.format(url="http://127.0.0.1:1/") for text in arguments)]
    )

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert words in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://host/x"], "must start with http:// or https://"),
        (["http://"], "must start with http:// or https://"),
        (["http://127.0.0.1:99999/"], "a port that is not a number from 1 to 65535"),
        (["http://user:secret@127.0.0.1:1/"], "must not hold a user or password"),
        (["{url}", "--gateway=mine"], "choose one of aws-apigateway-http"),
        (["{url}", "--json=nowhere.json"], "file 'nowhere.json' does not exist"),
        (["{url}", "--json={wrong}/empty.json"], "is empty"),
        (["{url}", "--json={wrong}/broken.json"], "is not valid JSON"),
        (["{url}", "--json={wrong}/broken.jsonl"], "line 2 is not valid JSON"),
        (["{url}", "--file={wrong}/void"], "holds no file"),
        (["{url}", f"--out={300 * 'n'}"], "File name too long"),
        (["{url}", "--json={wrong}/blank.txt"], "is empty"),
        (["{url}", "--token-file=nowhere"], "--token-file 'nowhere' cannot be read"),
        (["{url}", "--token-file={wrong}/empty.json"], "is empty"),
        (["{url}", "--token-file={wrong}/empty.json", "--auth=none"], "--token-file goes with --auth token or bearer"),
        (["{url}", "--out={wrong}/empty.json"], "is a file"),
        (["{url}", "--out={wrong}/taken"], "holds a run already"),
        (["{url}", "--out=/proc/nowhere/run"], "cannot be written"),
        (["{url}", "--cacert=nowhere.pem", "--insecure"], None),
        (["https://127.0.0.1:1/", "--cacert=nowhere.pem"], "--cacert 'nowhere.pem' cannot be read"),
        (["http://no-such-host.invalid/"], "does not resolve"),
        (["{closed}"], "Connection refused"),
    ],
)
def test_a_wrong_value_is_named(command, wrong, tmp_path: Path, arguments: list[str], words: str | None):
    closed = f"http://127.0.0.1:{_closed_port()}/v1/infers/x"
    given = [text.format(url=closed, closed=closed, wrong=wrong) for text in arguments]

    finished = command("loadgate", "run", *given, token="a-token", out=False)

    assert finished.code == 2
    assert len(finished.stderr.splitlines()) == 1, finished.stderr
    assert finished.stderr.startswith("Error: ")
    assert (words or "Connection refused") in finished.stderr
    assert list((tmp_path / "cwd").iterdir()) == []


def test_no_token_is_named(command):
    finished = command("loadgate", "run", "http://127.0.0.1:1/", out=False)

    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr.startswith("Error: no credential: set LOADGATE_TOKEN, LOADGATE_IAM_PASSWORD, LOADGATE_AK, ")


def test_processes_of_a_refused_run_do_not_stay(command):
    """Locust would leave them waiting for a master for a minute, with our output open."""
    began = time.monotonic()
    finished = command("loadgate", "run", "http://127.0.0.1:1/", "--processes=2", token="a-token", out=False)

    assert finished.code == 2
    assert "Connection refused" in finished.stderr
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("shell", ["loadgate", "locust"])
def test_a_refused_token_stops_before_the_load_with_the_gateways_words(stand_in, command, tmp_path: Path, shell: str):
    service = stand_in()
    words = {
        "loadgate": ("loadgate", "run", service.url, "--rate=50"),
        "locust": ("locust", f"-f={ROOT / 'locustfiles'}", "--headless", f"--host={service.url}", "--loglevel=ERROR"),
    }

    finished = command(*words[shell], token="MIISnonsense")

    assert finished.code == 2
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert "401 APIG.0301 Incorrect IAM authentication information: decrypt token fail" in finished.stderr
    assert [row["status"] for row in service.truth()] == ["401"]
    assert not finished.run.exists()


def test_send_names_what_is_wrong(stand_in, command, tmp_path: Path):
    service = stand_in("--body-limit=64KiB", "--timeout=200ms", "--service-time=constant:10ms")
    (tmp_path / "big.bin").write_bytes(bytes(100_000))
    cases = [
        ((), service.token, 0, "200 OK (ok)"),
        ((), "MIISnonsense", 1, "The gateway cannot decrypt the token"),
        (
            (f"--file={tmp_path / 'big.bin'}",),
            service.token,
            1,
            "413 Request Entity Too Large (oversize by the gateway)",
        ),
        ((f"--base64={SAMPLE}",), service.token, 1, "400 Bad Request (client_error by the model)"),
    ]
    for options, token, code, words in cases:
        finished = command("loadgate", "send", service.url, *options, token=token, out=False)

        assert (finished.code, words in finished.stderr) == (code, True), finished.stderr
        json.loads(finished.stdout)


def test_report_of_nothing_is_named(command, tmp_path: Path):
    for run in (tmp_path / "nowhere", tmp_path):
        for shell in (("loadgate", "report"), ("analysis",)):
            finished = command(*shell, str(run), out=False)

            assert finished.code == 2
            assert finished.stderr.count("\n") == 1, finished.stderr
            assert str(run) in finished.stderr


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
