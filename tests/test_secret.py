import stat

import pytest

from loadgate import secret as secrets
from loadgate.errors import ConfigError
from loadgate.secret import checked


@pytest.mark.parametrize("secret", ["two words", "line\nbreak", "t\xf6ken", "tab\there", "nul\0", ""])
def test_what_no_header_can_carry_is_refused_and_not_repeated(secret):
    with pytest.raises(ConfigError, match=r"^the thing (has characters|is empty)") as refused:
        checked(secret, "the thing")

    assert not secret or secret not in str(refused.value)


def test_a_secret_that_can_is_given_back():
    assert checked("MII+/=", "it") == "MII+/="


def test_a_secrets_file_is_its_owners_only_whatever_was_there(tmp_path):
    path, victim = tmp_path / "token", tmp_path / "victim"
    victim.write_text("untouched")
    path.symlink_to(victim)
    secrets.write(path, "the-secret")

    assert (path.read_text(), victim.read_text()) == ("the-secret", "untouched")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["token", "victim"]


@pytest.mark.parametrize(("place", "words"), [("missing/token", "No such file"), ("folder", "Is a directory")])
def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left_there(tmp_path, place, words):
    (tmp_path / "folder").mkdir()

    with pytest.raises(ConfigError, match=f"{place}' cannot be written .{words}"):
        secrets.write(tmp_path / place, "the-secret")

    assert [entry.name for entry in tmp_path.rglob("*")] == ["folder"]


def test_a_process_without_use_for_secrets_is_told_none():
    environ = {"LOADGATE_TOKEN": "t", "LOADGATE_IAM_PASSWORD": "p", "PATH": "/bin"}

    assert secrets.without_secrets(environ) == {"PATH": "/bin"}
