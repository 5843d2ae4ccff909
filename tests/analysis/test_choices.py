from fractions import Fraction

import pytest

from analysis import choices


def test_percentiles_come_back_ascending_each_once():
    assert choices.percentiles("99.9, p50,p99.90,7") == {
        "p7": Fraction(7, 100),
        "p50": Fraction(1, 2),
        "p99.9": Fraction(999, 1000),
    }


@pytest.mark.parametrize("text", ["", "p", "p0", "p100", "100", "-1", "p50;p99", "p50,,p99", "nan", "p99.9999999"])
def test_what_is_not_a_percentile_is_refused(text):
    with pytest.raises(ValueError, match="is not a percentile between 0 and 100; write p50,p99"):
        choices.percentiles(text)


def test_more_percentiles_than_a_table_has_room_for_are_refused():
    with pytest.raises(ValueError, match="13 percentiles are too many"):
        choices.percentiles(",".join(map(str, range(1, 14))))


@pytest.mark.parametrize(
    ("text", "share"), [("95%", 0.95), ("95", 0.95), ("0.95", 0.95), ("99.9 %", 0.999), ("50%", 0.5)]
)
def test_a_confidence_is_a_percentage_or_a_share(text, share):
    assert choices.confidence(text) == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize("text", ["", "100%", "100", "1", "0.4", "49%", "0.95%", "-95", "nan", "95 percent"])
def test_what_is_not_a_confidence_is_refused(text):
    with pytest.raises(ValueError, match="is not a confidence from 50 % up and below 100 %"):
        choices.confidence(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("10s..1m", (10.0, 60.0)), ("10s..", (10.0, None)), ("..90s", (0.0, 90.0))]
)
def test_a_window_has_a_beginning_an_end_or_both(text, expected):
    assert choices.window(text) == expected


@pytest.mark.parametrize("text", ["", "..", "10s", "10s-60s", "60s..10s", "10s..10s", "a..b", "10s...60s"])
def test_what_is_not_a_window_is_refused(text):
    with pytest.raises(ValueError, match="is not a window"):
        choices.window(text)


@pytest.mark.parametrize(("text", "expected"), [("5%", 0.05), ("0%", 0.0), (" 2.5 %", 0.025), ("1000%", 10.0)])
def test_a_tolerance_is_a_percentage(text, expected):
    assert choices.tolerance(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["0.05", "-5%", "1001%", "", "%", "5%%", "nan%"])
def test_what_is_no_tolerance_is_refused(text):
    with pytest.raises(ValueError, match="is not a tolerance"):
        choices.tolerance(text)
