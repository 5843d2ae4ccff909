import click
import pytest
from click.testing import CliRunner

from loadgate.click_options import with_options
from loadgate.options import Option, count, positive_duration

WAIT = Option(("--wait",), "wait_s", "how long", positive_duration, 5.0, "5s")
SEEDS = Option(("--seed",), "seeds", "seeds", count, metavar="N", repeatable=True)
LOUD = Option(("-l", "--loud"), "loud", "say more", None, False)


def run(arguments, as_text=False):
    """The values that a command with these options gets, or what it prints and its exit code."""
    taken = {}

    @click.command()
    @with_options(WAIT, SEEDS, LOUD, as_text=as_text)
    def command(**given):
        taken.update(given)

    result = CliRunner().invoke(command, arguments)
    return taken or (result.exit_code, result.output)


def test_a_command_gets_parsed_values():
    arguments = ["--wait", "250ms", "--seed", "1", "--seed", "2", "-l"]

    assert run(arguments) == {"wait_s": 0.25, "seeds": [1, 2], "loud": True}


def test_without_options_a_command_gets_the_defaults():
    assert run([]) == {"wait_s": 5.0, "seeds": [], "loud": False}


def test_as_text_a_command_gets_what_was_given():
    arguments = ["--wait", "250ms", "--seed", "1", "--seed", "2"]

    assert run(arguments, as_text=True) == {"wait_s": "250ms", "seeds": ("1", "2"), "loud": False}


def test_as_text_what_was_not_given_is_left_to_the_other_command_line():
    assert run([], as_text=True) == {"wait_s": None, "seeds": (), "loud": False}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wait", "4parsecs"], "Invalid value for '--wait': '4parsecs' is not a duration"),
        (["--seed", "1", "--seed", "0"], "Invalid value for '--seed': '0' must be a whole number"),
    ],
)
def test_a_wrong_value_is_refused_with_its_option(arguments, words, as_text):
    code, output = run(arguments, as_text)

    assert code == 2
    assert words in output
