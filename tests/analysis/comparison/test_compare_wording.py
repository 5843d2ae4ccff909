import pytest

from analysis.comparison.compare import DOES_NOT_VARY
from analysis.comparison.wording import (
    difference_text,
    finding_text,
    headline,
    interval_text,
    judgement_text,
    name_text,
    share_of_baseline_text,
    value_text,
)


def ends(value=None, low=None, high=None):
    return {"value": value, "low": low, "high": high}


def figure(judgement="slower", kind="response", name="p99", difference=None, share=None, **changes):
    return {
        "kind": kind,
        "name": name,
        "baseline": 0.252,
        "other": 0.306,
        "baseline_censored": False,
        "other_censored": False,
        "difference": difference or ends(0.0531, 0.0189, 0.0831),
        "share": share or ends(0.211, 0.12, 0.3),
        "matters": 0.0126,
        "judgement": judgement,
        "worse": judgement == "slower",
        "longer": None,
        "note": "",
    } | changes


RATE = {"kind": "rate", "name": "ok_per_s", "baseline": 50.0, "other": 45.0}
SHARE = {"kind": "outcome", "name": "throttled", "baseline": 0.0, "other": 0.0153, "share": ends()}
BOUND = {"other": 40.0, "other_censored": True, "difference": ends(39.7, 39.6), "share": ends(157.7, 157.0)}


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({}, ("p99 of response", "306 ms", "+53.1 ms", "+18.9 to +83.1 ms", "+21 % (+12 to +30 %)")),
        (
            {"difference": ends(-0.0002, -0.9, 1.2), "share": ends(-0.0008, -3.5, 4.8)},
            ("p99 of response", "306 ms", "-0.2 ms", "-900 ms to +1.2 s", "-0.08 % (-350 to +480 %)"),
        ),
        (
            RATE | {"difference": ends(-5.0, -6.0, -4.0), "share": ends(-0.1, -0.12, -0.08)},
            ("ok requests/s", "45", "-5 /s", "-6 to -4 /s", "-10 % (-12 to -8 %)"),
        ),
        (
            SHARE | {"difference": ends(0.0153, 0.0098, 0.021)},
            ("throttled", "1.53 %", "+1.5 points", "+0.98 to +2.1 points", "-"),
        ),
        (BOUND, ("p99 of response", ">= 40 s", "at least +39.7 s", "+39.6 s or more", "-")),
        (
            {"difference": ends(-39.7, None, -39.6), "baseline_censored": True, "share": ends(-0.99, None, -0.98)},
            ("p99 of response", "306 ms", "at most -39.7 s", "-39.6 s or less", "-"),
        ),
        (
            {"other": 40.0, "baseline_censored": True, "other_censored": True}
            | {"difference": ends(0.0, 0.0, 0.0), "share": ends(0.0, 0.0, 0.0), "judgement": "same"},
            ("p99 of response", ">= 40 s", "0 ms", "0 to 0 ms", "0 % (0 to 0 %)"),
        ),
        ({"other": None, "difference": ends(), "share": ends()}, ("p99 of response", "-", "-", "", "-")),
    ],
)
def test_a_figure_is_written_with_its_unit(changes, texts):
    found = figure(**changes)

    assert (
        name_text(found),
        value_text(found, "other"),
        difference_text(found),
        interval_text(found),
        share_of_baseline_text(found),
    ) == texts


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (figure(), "p99 of response is 21 % slower (12 to 30 %)."),
        (figure("faster", share=ends(-0.211, -0.3, -0.12)), "p99 of response is 21 % faster (12 to 30 %)."),
        (figure("fewer", **RATE, share=ends(-0.1, -0.12, -0.08)), "ok requests/s are 10 % fewer (8 to 12 %)."),
        (
            figure("more", **SHARE, difference=ends(0.0153, 0.0098, 0.021)),
            "throttled is 1.5 percentage points more (0.98 to 2.1 percentage points).",
        ),
        (figure(**BOUND), "p99 of response is slower: >= 40 s, was 252 ms."),
        (figure("same"), "p99 of response is the same."),
        (figure("not decided"), "p99 of response is not decided."),
    ],
)
def test_a_finding_is_a_sentence(found, sentence):
    assert finding_text(found) == sentence


SAME, OPEN = figure("same"), figure("not decided", longer=2.4)
BOTH_BOUNDS = {"difference": ends(), "matters": None, "longer": None, "note": "both are only known to be at least this"}
MISSING = figure("not decided", difference=ends(), other=None)


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (
            [SAME, figure(name="p50", difference=ends(0.02, 0.01, 0.03)), figure()],
            "p99 of response is 21 % slower (12 to 30 %). Worse too: 1 of the 2 other figures.",
        ),
        ([SAME, figure()], "p99 of response is 21 % slower (12 to 30 %)."),
        ([SAME, SAME], "No difference: all 2 figures are the same within 5 %."),
        (
            [SAME, SAME, OPEN],
            "The 2 figures that can be decided are the same within 5 %; 1 is not decided:"
            " runs 3 times as long would decide it.",
        ),
        (
            [SAME, OPEN, OPEN | BOTH_BOUNDS],
            "The figure that can be decided is the same within 5 %; 2 are not decided:"
            " runs 3 times as long would decide 1 of them.",
        ),
        ([OPEN, OPEN, MISSING], "Nothing can be decided: runs 3 times as long would decide all of them."),
        ([OPEN | BOTH_BOUNDS, MISSING], "Nothing can be decided: both are only known to be at least this."),
        (
            [OPEN | {"longer": None}],
            "Nothing can be decided: the intervals are too wide, and those of longer runs are narrower.",
        ),
        (
            [figure("not decided", note=DOES_NOT_VARY), MISSING],
            "Nothing can be decided: an aggregate does not say how its figures vary; a file of single requests does.",
        ),
        (
            [figure("faster", share=ends(-0.211, -0.3, -0.12)), SAME],
            "p99 of response is 21 % faster (12 to 30 %). No figure is worse.",
        ),
        (
            [figure("faster", share=ends(-0.211, -0.3, -0.12)), OPEN],
            "p99 of response is 21 % faster (12 to 30 %). No figure is known to be worse."
            " 1 of 2 figures is not decided: runs 3 times as long would decide it.",
        ),
        ([MISSING], "Nothing can be compared."),
        ([MISSING | {"note": "the other has no latencies"}], "Nothing can be compared: the other has no latencies."),
    ],
)
def test_the_headline_says_what_is_worst(figures, sentence):
    assert headline(figures, 0.05) == sentence


@pytest.mark.parametrize(
    ("longer", "text"), [(None, "not decided"), (1.24, "not decided: runs 1.2 times as long would")]
)
def test_an_open_judgement_says_what_would_decide_it(longer, text):
    assert judgement_text(figure("not decided", longer=longer)) == text
