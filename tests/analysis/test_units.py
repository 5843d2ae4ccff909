import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("40", 40.0),
        ("2.5", 2.5),
        ("40s", 40.0),
        ("250ms", 0.25),
        ("15us", 15e-6),
        ("1m", 60.0),
        ("3min", 180.0),
        ("1.5h", 5400.0),
        ("1m30s", 90.0),
        ("1h2m3s4ms", 3723.004),
    ],
)
def test_a_duration_is_numbers_with_units_and_a_bare_number_is_seconds(text, seconds):
    assert units.duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "s", "40 s", "4parsecs", "1.2.3s", "40S", "-1", "-5s", "5s-", "nan", "inf", "1e999", "9" * 400 + "s"]
)
def test_what_is_not_a_duration_is_refused_with_the_text_itself(text):
    with pytest.raises(ValueError) as refused:
        units.duration(text)

    assert str(refused.value).startswith(f"{text!r} is not a duration")


@given(st.integers(0, 10**9), st.sampled_from(list(units.SECONDS)))
def test_every_unit_multiplies(number, unit):
    assert units.duration(f"{number}{unit}") == pytest.approx(number * units.SECONDS[unit])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("420", 420),
        ("7b", 7),
        ("2kB", 2000),
        ("2KB", 2000),
        ("2k", 2048),
        ("12MiB", 12 * 1024 * 1024),
        ("12 mib", 12 * 1024 * 1024),
        ("1MB", 1_000_000),
        ("1.5KiB", 1536),
        ("1.001kB", 1001),
        ("1GiB", 2**30),
        ("3gb", 3 * 10**9),
    ],
)
def test_a_size_is_a_number_with_a_unit_and_exact(text, count):
    assert units.size(text) == count


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1e3", "12 parsecs", "1.2.3kB", "0x10", "1MiB2kB", ".5kB", "inf"])
def test_what_is_not_a_size_is_refused_with_the_text_itself(text):
    with pytest.raises(ValueError) as refused:
        units.size(text)

    assert str(refused.value).startswith(f"{text!r} is not a size")


def test_a_size_that_no_float_holds_is_still_a_whole_number():
    assert units.size("9" * 400) == int("9" * 400)
