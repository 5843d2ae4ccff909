import pytest

from analysis import wording


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (0.0, "0 ms"),
        (0.0000853, "0.0853 ms"),
        (0.10249, "102 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.2399, "1.24 s"),
        (40.0, "40 s"),
        (999.6, "1000 s"),
    ],
)
def test_a_time_has_three_digits_and_a_unit(seconds, text):
    assert wording.time_text(seconds) == text


def test_a_censored_estimate_is_at_least():
    assert wording.estimate_text({"value_s": 40.0, "censored": True}) == ">= 40 s"
    assert wording.estimate_text({"value_s": None, "censored": False}) == "-"


@pytest.mark.parametrize(
    ("low_s", "high_s", "text"),
    [
        (0.0981, 0.106, "98.1 to 106 ms"),
        (0.98, 1.06, "980 ms to 1.06 s"),
        (0.98, None, "980 ms or more"),
        (None, None, ""),
    ],
)
def test_an_interval_says_its_unit_once(low_s, high_s, text):
    assert wording.interval_text({"low_s": low_s, "high_s": high_s}) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 5, "0 %"),
        (0, 0, "0 %"),
        (5, 5, "100 %"),
        (1, 3, "33.33 %"),
        (1, 10**6, "< 0.01 %"),
        (10**6 - 1, 10**6, "> 99.99 %"),
    ],
)
def test_a_share_never_hides_the_last_request(part, whole, text):
    assert wording.share_text(part, whole) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.2, "8 s"), (120, "120 s"), (121, "3 min"), (7201, "3 h"), (10**8, "27,778 h")]
)
def test_a_length_of_run_is_rounded_up(seconds, text):
    assert wording.length_text(seconds) == text


@pytest.mark.parametrize(("per_s", "text"), [(None, "-"), (49.96, "50"), (12345.6, "12,346"), (0.5, "0.5")])
def test_a_rate_is_short(per_s, text):
    assert wording.rate_text(per_s) == text


@pytest.mark.parametrize(("size", "text"), [(420, "420 B"), (12582912, "12 MiB"), (1536, "1.5 KiB")])
def test_a_size_has_a_unit(size, text):
    assert wording.size_text(size) == text


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (
            {"model": "open", "rate_per_s": 50.0, "arrivals": "constant", "duration_s": 20.0, "ramp_s": 0.0},
            "50 requests/s, constant arrivals, 20 s",
        ),
        (
            {"model": "open", "rate_per_s": None, "arrivals": "poisson", "duration_s": None, "ramp_s": 5.0},
            "a rate set while running, poisson arrivals, of which 5 s ramp",
        ),
        ({"model": "closed", "users": 50, "duration_s": 20}, "50 users, each sending again on its answer, 20 s"),
        (
            {"model": "closed", "users": 2, "think_time_s": 0.5, "duration_s": 1},
            "2 users, thinking 0.5 s after each answer, 1 s",
        ),
    ],
)
def test_a_load_is_said_in_words(load, text):
    assert wording.load_text(load) == text


def test_a_text_from_outside_stays_on_its_line():
    assert wording.one_line("a\x1b[31mb\r\n\tc\u2028d") == "a [31mb c d"


def test_a_text_from_outside_is_no_markdown():
    hostile = "a|b `c` *d* [e](f) <script>\n# x & y_z\\"

    assert wording.markdown_text(hostile) == r"a\|b \`c\` \*d\* \[e\](f) &lt;script> \# x &amp; y\_z\\"
