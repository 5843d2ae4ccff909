import pytest

from loadgate import tokens
from loadgate.errors import ConfigError
from loadgate.iam import LoginRefusedError, Token
from loadgate.tokens import IamTokens, TokenFile


class Iam:
    """A login whose answers are given: a token, or what is raised instead."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def token(self, trust):
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def time(monkeypatch):
    """A clock to be set."""
    now = [100.0]
    monkeypatch.setattr(tokens, "clock", lambda: now[0])
    return now


# ---- a file


def test_a_file_is_read_again_only_when_it_changed(tmp_path):
    path = tmp_path / "token"
    path.write_text("first\n")
    source = TokenFile(str(path))

    assert [source.token(), source.token(), source.token(refused=True)] == ["first", None, None]
    path.write_text("second-one")
    assert [source.token(), source.token()] == ["second-one", None]


def test_a_file_put_in_place_of_the_old_is_seen(tmp_path):
    path, new = tmp_path / "token", tmp_path / "new"
    path.write_text("first")
    source = TokenFile(str(path))
    source.token()
    new.write_text("other")
    new.replace(path)

    assert source.token() == "other"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"cannot be read \(No such file"),
        (b"\xff\xfe", r"cannot be read \(not text\)"),
        (b" \n", "is empty"),
        (b"line\nbreak", "has characters that no credential has"),
    ],
)
def test_a_file_without_a_token_is_named_and_not_repeated(content, words, tmp_path):
    if content is not None:
        (tmp_path / "token").write_bytes(content)

    with pytest.raises(ConfigError, match=f"--token-file '.*token' {words}") as refused:
        TokenFile(str(tmp_path / "token")).token()

    assert "break" not in str(refused.value)


def test_a_file_that_somebody_is_writing_is_read_when_it_is_whole(tmp_path):
    path = tmp_path / "token"
    path.write_text("first")
    source = TokenFile(str(path))
    source.token()
    path.write_text("")
    with pytest.raises(ConfigError, match="is empty"):
        source.token()
    path.write_text("second")

    assert source.token() == "second"


def test_a_file_that_cannot_be_read_for_a_while_is_read_after(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("first")
    source = TokenFile(str(path))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as shut:
        shut.setattr(type(path), "read_text", refuse)
        with pytest.raises(ConfigError, match="Permission denied"):
            source.token()

    assert source.token() == "first"


# ---- IAM


def test_a_token_is_renewed_ahead_of_its_end_and_not_before(time):
    source = IamTokens(Iam(Token("a", 1800.0), Token("b", 1800.0)), None)

    assert (source.token(), source.wait_s()) == ("a", 1620.0)
    time[0] += 1619.0
    assert (source.token(), source.wait_s()) == (None, 1.0)
    time[0] += 1.0
    assert (source.token(), source.wait_s()) == ("b", 1620.0)


def test_tokens_that_are_over_at_once_make_no_storm_of_logins(time):
    source = IamTokens(Iam(Token("a", 0.001), Token("b", 0.001)), None)

    assert (source.token(), source.wait_s()) == ("a", 1.0)
    time[0] += 0.5
    assert source.token() is None


def test_a_refused_token_is_renewed_at_once():
    source = IamTokens(Iam(Token("a", 1800.0), Token("b", 1800.0)), None)
    source.token()

    assert source.token(refused=True) == "b"


def test_a_login_that_is_refused_is_never_tried_again(time):
    iam = Iam(Token("a", 10.0), LoginRefusedError("no"))
    source = IamTokens(iam, None)
    source.token()
    time[0] += 10.0
    with pytest.raises(LoginRefusedError):
        source.token()
    time[0] += 1e6

    assert [source.token(), source.token(refused=True)] == [None, None]
    assert (source.wait_s(), iam.asked) == (float("inf"), 2)


def test_an_iam_that_does_not_answer_is_asked_again_ever_more_seldom(time):
    source = IamTokens(Iam(Token("a", 10.0), *[ConfigError("no answer")] * 9, Token("b", 10.0)), None)
    source.token()
    time[0] += 9.0
    waits = []
    for _ in range(9):
        with pytest.raises(ConfigError):
            source.token()
        waits.append(source.wait_s())
        time[0] += source.wait_s()

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert source.token() == "b"
