"""The command is read back by `loadgate run` itself."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_by_hand import manifest_of

from analysis import units
from analysis.report.again import again, ramp_argument_s
from loadgate import manifest
from loadgate.commands.run import run as run_command

OPEN = {"rate_per_s": 40.0, "users": 40, "duration_s": 110.0}
CLOSED = {"model": "closed", "arrivals": None, "users": 8, "think_time_s": 0.5, "duration_s": 90.0}
FILES = [
    {"name": "iris.json", "kind": "json"},
    {"name": "cats and dogs", "kind": "file"},
    {"name": "it's.png (base64)", "kind": "base64"},
]


def run_of(**changes):
    """The `run` of a summary."""
    return {"seed": None, "credential": None, "duration_s": 20.0} | manifest_of(**changes)


def read_back(command):
    """What `loadgate run` understands by *command*."""
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:2] == ["loadgate", "run"]
    return run_command.make_context("run", words[2:]).params


def test_an_open_load_is_run_again_as_it_was():
    params = read_back(again(run_of(load=OPEN | {"arrivals": "poisson"}, payloads=FILES, seed=7)).command)

    assert params["url"] == "http://127.0.0.1:8080/v1/infers/1"
    assert (params["rate"], params["users"], params["duration"], params["ramp"]) == (40.0, None, 110.0, None)
    assert (params["arrivals"], params["seed"]) == ("poisson", "7")
    assert params["json_paths"] == ("iris.json",)
    assert params["file_paths"] == ("cats and dogs",)
    assert params["base64_paths"] == ("it's.png",)


def test_a_closed_load_is_run_again_as_it_was():
    params = read_back(again(run_of(load=CLOSED)).command)

    assert (params["rate"], params["users"], params["duration"]) == (None, 8, 90.0)
    assert units.duration(params["think_time_s"]) == 0.5


def test_limits_and_the_way_in_are_said_as_they_were():
    gateway = {
        "name": "nginx",
        "timeout_s": 2.5,
        "grace_s": 1.0,
        "body_limit_bytes": 1_048_577,
        "latency_asked": True,
    }
    payloads = [{"name": "photos", "kind": "file", "skipped": 3}]
    params = read_back(again(run_of(load=OPEN, gateway=gateway, credential="bearer", payloads=payloads)).command)

    assert (params["gateway"], params["auth"]) == ("nginx", "bearer")
    assert (params["timeout_s"], params["grace_s"], params["body_limit_bytes"]) == ("2.5s", "1s", "1048577")
    assert params["gateway_latency"]
    assert params["skip_oversize"]


@pytest.mark.parametrize(("size", "text"), [(12582912, "12MiB"), (2048, "2KiB"), (1000, "1000")])
def test_a_body_limit_is_exact(size, text):
    gateway = {"name": "none", "timeout_s": 40.0, "body_limit_bytes": size}
    params = read_back(again(run_of(load=OPEN, gateway=gateway)).command)

    assert params["body_limit_bytes"] == text
    assert units.size(text) == size


def test_what_is_as_it_would_be_anyway_is_left_out():
    command = again(run_of(load=OPEN, workers=1)).command

    assert not {"--processes", "--grace", "--max-in-flight", "--ramp", "--gateway-latency"} & set(shlex.split(command))


def test_processes_and_the_limit_in_flight_are_said():
    shared = {"sharing": {"by": "processes", "count": 4}, "lost_worker": "invalid"}
    params = read_back(again(run_of(load=OPEN | {"max_in_flight": 800}, **shared)).command)

    assert (params["processes"], params["max_in_flight"], params["lost_worker"]) == (4, "800", None)


def test_workers_are_said_as_many_as_were_asked_for_with_what_a_lost_one_means():
    found = again(run_of(load=OPEN, workers=5, sharing={"by": "workers", "count": 3}, lost_worker="redistribute"))
    params = read_back(found.command)

    assert (params["workers"], params["lost_worker"], params["processes"]) == (3, "redistribute", None)
    assert any("loadgate worker" in note for note in found.notes)


def test_a_run_without_an_end_of_its_own_is_as_long_as_it_was():
    found = again(run_of(load=OPEN | {"duration_s": None}, duration_s=31.0))

    assert read_back(found.command)["duration"] == 31.0
    assert any("no duration of its own" in note for note in found.notes)


@given(st.integers(1, 200), st.integers(1, 120_000))
def test_a_ramp_is_that_of_the_run(users, ramp_ms):
    """By the function with which loadgate writes run.json."""
    recorded_s = manifest._ramp_s(users, users / (ramp_ms / 1000))
    argument_s = ramp_argument_s(recorded_s, users) if recorded_s else 0.0

    assert not recorded_s or manifest._ramp_s(users, users / argument_s) == pytest.approx(recorded_s, abs=2e-5)


def test_a_ramp_that_no_option_makes_is_said_as_it_is():
    assert ramp_argument_s(7.0, 1) == 7.0


def test_the_ramp_of_ten_seconds_is_said_as_ten_seconds():
    assert read_back(again(run_of(load=OPEN | {"ramp_s": manifest._ramp_s(40, 4.0)})).command)["ramp"] == 10.0


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ({"rate_per_s": None}, "set by hand"),
        (CLOSED | {"users": None}, "set by hand"),
        (CLOSED | {"think_time_s": None}, "a locustfile's own tasks"),
    ],
)
def test_a_load_that_no_command_repeats_has_none(load, words):
    found = again(run_of(load=load))

    assert found.command is None
    assert words in found.notes[0]


def test_a_load_of_another_tool_has_no_command():
    found = again(run_of(load={"model": "recorded"}, target=""))

    assert (found.command, found.notes) == (None, ())


def test_what_run_json_never_holds_is_told():
    notes = " ".join(again(run_of(load=OPEN, target="https://h/x?...", credential="token")).notes)

    assert "The URL had a query" in notes
    assert "(token) comes from the environment" in notes
    assert "names, not paths" in notes
    assert "https://h/x " in again(run_of(load=OPEN, target="https://h/x?...")).command + " "


@pytest.mark.parametrize("text", ["$(reboot)", "a; b", "`x`", "'\"", "-x", "a\x1b[2J\u202eb\nc", "a  b"])
def test_a_hostile_name_is_one_word_of_a_shell(text):
    command = again(run_of(load=OPEN, payloads=[{"name": text, "kind": "json"}])).command

    assert read_back(command)["json_paths"] == ("".join(c if c.isprintable() else "\ufffd" for c in text),)
    assert command.count("\n") == 3


def test_values_of_a_run_json_written_by_hand_are_no_traceback():
    gateway = {"name": 5, "timeout_s": None, "grace_s": "x", "body_limit_bytes": None}
    load = OPEN | {"arrivals": ["a"], "ramp_s": 3.0, "users": 10**12, "duration_s": 0}

    assert again(run_of(load=load, gateway=gateway, seed={}, workers="many", payloads=None)).command
    assert again(run_of(load=CLOSED | {"users": 10**12, "ramp_s": 3.0})).command


def test_a_load_shape_is_no_steady_load_to_be_run_again():
    found = again(run_of(load=OPEN | {"shape": "Ramp"}))

    assert found.command is None
    assert "the shape Ramp" in found.notes[0]
