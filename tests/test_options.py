import re

import pytest

from loadgate import options
from loadgate.options import HOW, LIMITS, LOCUST_ONLY, SEARCH, WHAT

EVERY = (*WHAT, *LIMITS, *HOW, *LOCUST_ONLY, *SEARCH)


@pytest.mark.parametrize(("text", "number"), [("1", 1.0), ("0.5", 0.5), ("1e3", 1000.0)])
def test_a_positive_number_is_read(text, number):
    assert options.positive(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e999", "", "ten", "1,5"])
def test_what_is_not_a_positive_number_is_refused(text):
    with pytest.raises(ValueError, match=f"^'{text}' must be a number above 0, up to 1,000,000$"):
        options.positive(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("10000", 10_000)])
def test_a_count_is_read(text, number):
    assert options.count(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "", "1e3", "\u0663", "\u00b2", " 1"])
def test_what_is_not_a_count_is_refused(text):
    with pytest.raises(ValueError, match=r"must be a whole number from 1 to 1,000,000,000$"):
        options.count(text)


@pytest.mark.parametrize("text", ["0", "0s", "0ms"])
def test_a_positive_duration_is_not_zero(text):
    with pytest.raises(ValueError, match=f"^'{text}' must be more than 0"):
        options.positive_duration(text)


def test_a_positive_duration_is_read_as_every_duration():
    assert options.positive_duration("1m30s") == 90.0


def test_a_word_is_one_of_the_choices():
    assert options.one_of("open", "closed")("closed") == "closed"


def test_another_word_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"^'ajar' is not known; choose one of open, closed$"):
        options.one_of("open", "closed")("ajar")


def test_no_two_options_share_a_flag_or_a_name():
    flags = [flag for option in EVERY for flag in option.flags]
    names = [option.name for option in EVERY]

    assert len(set(flags)) == len(flags)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("option", EVERY, ids=lambda option: option.name)
def test_the_default_of_an_option_is_what_its_own_parser_gives(option):
    if option.parse is None:
        assert option.default is False
    elif option.default is not None:
        parsed = option.parse(str(option.default))
        assert (parsed, type(parsed)) == (option.default, type(option.default))


@pytest.mark.parametrize("option", [*WHAT, *HOW, *LIMITS, *LOCUST_ONLY, *SEARCH], ids=lambda option: option.name)
def test_the_help_ends_with_the_default(option):
    found = re.fullmatch(r".+\.(?: \[(.+)\])?", option.help)

    assert found
    if option.parse is not None and option.default is not None:
        assert option.parse(found[1]) == option.default
