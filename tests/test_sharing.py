"""Who sends, in the words of the command line and in Locust's."""

import socket

import click
import pytest

from loadgate import sharing
from loadgate.errors import ConfigError


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def test_alone_is_nothing_to_say():
    assert sharing.arguments(None, None, None, None) == []


def test_processes_meet_on_a_free_port_of_this_machine():
    words = sharing.arguments(3, None, None, None)
    assert {"--processes=3", "--master-bind-host=127.0.0.1", "--master-host=127.0.0.1"} < set(words)
    ports = {word.partition("=")[2] for word in words if "port" in word}
    assert len(ports) == 1
    assert int(ports.pop()) > 1023


def test_workers_are_waited_for_on_loopback_unless_told():
    port = free_port()
    assert sharing.arguments(None, 2, f"127.0.0.1:{port}", None) == [
        "--master-bind-host=127.0.0.1",
        f"--master-bind-port={port}",
        "--master",
        "--expect-workers=2",
    ]
    assert sharing.address("0.0.0.0") == ("0.0.0.0", sharing.PORT)  # noqa: S104
    assert sharing.LOOPBACK == "127.0.0.1"


def test_a_share_is_given_to_others_only_when_asked():
    assert "--enable-rebalancing" in sharing.arguments(2, None, None, "redistribute")
    assert "--enable-rebalancing" not in sharing.arguments(2, None, None, "invalid")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((2, 2, None, None), "not both"),
        ((None, None, "10.0.0.5", None), "--listen is for workers"),
        ((2, None, "10.0.0.5", None), "--listen is for workers"),
        ((None, None, None, "invalid"), "--lost-worker is for"),
        ((None, 1, "example.org", None), "is no IPv4 address"),
        ((None, 1, "10.0.0.5:x", None), "is no IPv4 address"),
        ((None, 1, "10.0.0.5:70000", None), "is no IPv4 address"),
        ((None, 1, "::1", None), "is no IPv4 address"),
        ((None, 1, "", None), "is no IPv4 address"),
        ((None, 1, "127.0.0.1:", None), "is no IPv4 address"),
    ],
)
def test_what_does_not_go_together_is_said(words, sentence):
    with pytest.raises(click.UsageError, match=sentence):
        sharing.arguments(*words)


def test_an_address_that_is_taken_or_not_ours_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="name an address of this machine"):
            sharing.arguments(None, 1, f"127.0.0.1:{taken.getsockname()[1]}", None)
    with pytest.raises(ConfigError, match="name an address of this machine"):
        sharing.arguments(None, 1, "203.0.113.7", None)


@pytest.mark.parametrize(
    ("text", "found"), [("a", ("a", 5557)), ("10.0.0.5:99", ("10.0.0.5", 99)), ("a.b:1", ("a.b", 1))]
)
def test_a_master_is_a_host_with_or_without_a_port(text, found):
    assert sharing.master(text) == found


@pytest.mark.parametrize("text", ["", ":5557", "a b", "a:b", "a:0", "http://a", "user@a", "::1"])
def test_what_is_no_master_is_said(text):
    with pytest.raises(click.UsageError, match="no address of a master"):
        sharing.master(text)
