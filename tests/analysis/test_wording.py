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


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0.0 s"), (12.34, "12.3 s"), (float("nan"), "-")])
def test_a_moment_is_to_the_tenth_of_a_second(seconds, text):
    assert wording.clock_text(seconds) == text


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


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (420, "420 B"),
        (1023, "1023 B"),
        (12582912, "12 MiB"),
        (1536, "1.5 KiB"),
        (1048383, "1,024 KiB"),
        (1023 << 10, "1,023 KiB"),
        (5000 << 20, "5,000 MiB"),
    ],
)
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
        (
            {"model": "open", "shape": "Ramp", "rate_per_s": 50.0, "arrivals": "constant", "duration_s": 600.0},
            "shape Ramp up to 50 requests/s, constant arrivals, 600 s",
        ),
        (
            {"model": "closed", "shape": "Soak", "users": 50, "duration_s": 3600, "ramp_s": 60.0},
            "shape Soak up to 50 users, each sending again on its answer, 3600 s, of which 60 s ramp",
        ),
        ({"model": "open", "shape": "Our\nOwn", "arrivals": "poisson"}, "shape Our Own, poisson arrivals"),
        ({"model": "recorded", "recorded_by": "k6 CSV", "duration_s": None}, "as k6 CSV recorded it"),
    ],
)
def test_a_load_is_said_in_words(load, text):
    assert wording.load_text(load) == text


def test_a_text_from_outside_stays_on_its_line():
    assert wording.one_line("a\x1b[31mb\r\n\tc\u2028d") == "a [31mb c d"


def test_a_text_from_outside_is_no_markdown():
    hostile = "a|b `c` *d* [e](f) <script>\n# x & y_z\\"

    assert wording.markdown_text(hostile) == r"a\|b \`c\` \*d\* \[e\](f) &lt;script> \# x &amp; y\_z\\"


def test_a_text_from_outside_tells_nobody():
    assert wording.markdown_text("@team") == "@&#8203;team"


@pytest.mark.parametrize(
    ("size", "text"), [(None, "-"), (420, "420 B"), (12582912, "12 MiB (12,582,912 B)"), (1024, "1 KiB (1,024 B)")]
)
def test_a_size_beside_a_limit_is_exact(size, text):
    assert wording.exact_size_text(size) == text


@pytest.mark.parametrize(
    ("smallest", "largest", "text"),
    [(420, 1536, "420 B to 1.5 KiB"), (420, 420, "420 B"), (None, 420, "420 B"), (None, None, "-")],
)
def test_a_range_of_sizes_has_both_ends(smallest, largest, text):
    assert wording.size_range_text(smallest, largest) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "13 gateway_timeout by the gateway: backend timeout (504 ModelArts.4503)"),
        ({"reason": ""}, f"13 gateway_timeout by the gateway: {'w' * 80} (504 ModelArts.4503)"),
        ({"answered_by": "model", "error_code": ""}, "13 gateway_timeout by the model: backend timeout (504)"),
        ({"answered_by": "", "reason": "", "status": None, "error_code": "", "message": ""}, "13 gateway_timeout"),
        ({"reason": "a\x1b\nb"}, "13 gateway_timeout by the gateway: a b (504 ModelArts.4503)"),
    ],
)
def test_a_failure_is_one_line(changes, text):
    failure = {
        "outcome": "gateway_timeout",
        "answered_by": "gateway",
        "reason": "backend timeout",
        "status": 504,
        "error_code": "ModelArts.4503",
        "message": "w" * 200,
        "count": 13,
    }

    assert wording.failure_text(failure | changes) == text


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({}, ""),
        ({"over_limit": 3, "over": []}, ""),
        ({"over_limit": 1, "over": [{"file": "a", "wire_bytes": 420}]}, "a (420 B)"),
        ({"over": [{"file": "a", "wire_bytes": 1}, {"file": "b"}]}, "a (1 B), b (- B)"),
        (
            {"over_limit": 22, "over": [{"file": "a", "wire_bytes": 1024}] * 2},
            "a (1,024 B), a (1,024 B) and 20 more",
        ),
    ],
)
def test_bodies_over_the_limit_are_named(payload, text):
    assert wording.over_limit_text(payload) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("http://a.example/b", "http:&#8203;//a.example/b"),
        ("see WWW.a.example", "see WWW&#8203;.a.example"),
        ("12:30 // wwwx", "12:30 // wwwx"),
    ],
)
def test_a_text_from_outside_is_no_link(text, written):
    assert wording.markdown_text(text) == written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        (" \t::set-output name=a::b", ": :set-output name=a::b"),
        ("##[error]x", "# #[error]x"),
        ("it says ##vso[task.setvariable variable=a]b", "it says # #vso[task.setvariable variable=a]b"),
        ("##teamcity[message]", "# #teamcity[message]"),
        ("###[x]", "## #[x]"),
        ("::1 refused", "::1 refused"),
        ("std::vector::at", "std::vector::at"),
        ("## heading", "## heading"),
    ],
)
def test_a_text_from_outside_is_no_command_of_a_ci_server(text, shown):
    assert wording.one_line(text) == shown


def test_each_line_of_a_longer_text_is_no_command():
    assert wording.inert("a\n ::stop-commands::x\nb") == "a\n : :stop-commands::x\nb"
