import socket

import pytest

from loadgate import target as targets
from loadgate.errors import ConfigError
from loadgate.target import Target


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example/v1/infers/1", Target("h.example", 443, "/v1/infers/1", True)),
        ("http://h.example", Target("h.example", 80, "/", False)),
        ("HTTP://H.Example/Path", Target("h.example", 80, "/Path", False)),
        ("https://h:8443/", Target("h", 8443, "/", True)),
        ("https://h:/", Target("h", 443, "/", True)),
        ("http://h?a=1&b=2", Target("h", 80, "/?a=1&b=2", False)),
        ("http://h/p?q=%20#part", Target("h", 80, "/p?q=%20", False)),
        ("http://[::1]:8080/p", Target("::1", 8080, "/p", False)),
    ],
)
def test_a_url_is_taken_apart(url, expected):
    assert targets.parse(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "no URL"),
        ("", "no URL"),
        ("h.example/v1", "must start with http:// or https://"),
        ("ftp://h/", "must start with http:// or https://"),
        ("http:///path", "name a host"),
        ("http://h:0/", "port that is not a number from 1 to 65535"),
        ("http://h:65536/", "port that is not a number from 1 to 65535"),
        ("http://h:http/", "port that is not a number from 1 to 65535"),
        ("http://[::1/", "cannot be read"),
        ("http://h/a b", "percent-encoded"),
        ("http://h/é", "percent-encoded"),
        ("http://h/\x7f", "percent-encoded"),
        ("http://h/?q=ü", "percent-encoded"),
    ],
)
def test_a_url_that_cannot_be_a_services_is_refused(url, words):
    with pytest.raises(ConfigError, match=words):
        targets.parse(url)


@pytest.mark.parametrize("url", ["https://me:hunter2@h/", "https://:hunter2@h/", "ftp://me:hunter2@h/"])
def test_a_password_in_the_url_is_refused_and_not_repeated(url):
    with pytest.raises(ConfigError, match="must not hold a user or password") as refused:
        targets.parse(url)

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://h/", "h"),
        ("http://h:80/", "h"),
        ("https://h:443/", "h"),
        ("http://h:443/", "h:443"),
        ("https://h:80/", "h:80"),
        ("http://[::1]/", "[::1]"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_the_host_header_has_a_port_only_where_it_is_not_the_schemes_own(url, authority):
    assert targets.parse(url).authority == authority


def test_the_shown_url_leaves_the_query_out():
    assert targets.parse("https://h:8443/p?code=secret").shown == "https://h:8443/p?..."


def test_the_shown_url_is_the_url_where_there_is_no_query():
    assert targets.parse("http://[::1]:8080/p").shown == "http://[::1]:8080/p"


def test_a_literal_address_resolves_to_itself():
    assert targets.resolve(targets.parse("http://127.0.0.1:8123/")) == [(socket.AF_INET, ("127.0.0.1", 8123))]


@pytest.mark.parametrize("host", ["nothing.invalid", "a" * 64 + ".invalid"])
def test_a_host_that_does_not_resolve_is_named(host):
    with pytest.raises(ConfigError, match=f"'{host}' does not resolve"):
        targets.resolve(Target(host, 80, "/", False))


def _of_two_addresses(monkeypatch, port):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_an_address_that_takes_no_connection_is_left_out(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _of_two_addresses(monkeypatch, port := listener.getsockname()[1])

        assert targets.resolve(targets.parse(f"http://localhost:{port}/")) == [(socket.AF_INET, ("127.0.0.1", port))]


def test_where_no_address_takes_a_connection_all_are_kept(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _of_two_addresses(monkeypatch, port := unused.getsockname()[1])

        assert len(targets.resolve(targets.parse(f"http://localhost:{port}/"))) == 2
