import click
import pytest

from analysis.choice_options import RunPath, chosen, limit, read_by


def test_an_empty_name_is_not_the_current_folder():
    """As of a variable of the shell that is not set."""
    with pytest.raises(click.BadParameter, match="an empty name is no file and no run"):
        RunPath().convert("", None, None)

    assert str(RunPath().convert("a/b", None, None)) == "a/b"


def test_a_time_limit_is_more_than_nothing():
    assert limit("40s") == 40.0
    with pytest.raises(ValueError, match="'0s' is not a time limit; leave it out where there is none"):
        limit("0s")


def test_a_wrong_text_is_told_as_the_users_mistake():
    assert read_by(limit)(None, None, None) is None
    with pytest.raises(click.BadParameter, match="'soon' is not a duration"):
        read_by(limit)(None, None, "soon")


def test_a_warm_up_and_a_window_exclude_each_other():
    others = {"percentiles": {}, "confidence": 0.9}

    assert chosen(warmup=3.0, window=None, **others).warmup_s == 3.0
    with pytest.raises(click.UsageError, match="give one of them"):
        chosen(warmup=3.0, window=(0.0, None), **others)
