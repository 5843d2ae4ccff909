from dataclasses import replace

import pytest
from levels_by_hand import ERRORS, P99, level, record
from made_by_hand import manifest_of

from analysis.capacity.answer import UNFINISHED, answer, withdrawn
from analysis.capacity.search import (
    CHANGED,
    CONFIRMATION,
    FOUND,
    GENERATOR,
    HIGHEST,
    LOWEST_MISSED,
    NEAR,
    NEVER_MISSED,
    NOT_DECIDED,
    NOT_MEASURED,
    next_step,
)

UP = (level(50.0), level(100.0), level(200.0), level(400.0, beyond=4000, mean_s=0.2))
AROUND = (level(290.0, beyond=60, kind=NEAR), level(310.0, beyond=180, kind=NEAR))
CONFIRMED = (*UP, *AROUND, *AROUND, level(285.0, beyond=60, kind=CONFIRMATION, mean_s=0.02))


def answered(*levels, **changes):
    return answer(record(*levels, **changes), manifest_of(counts=None))


def test_a_rate_that_was_found_comes_as_an_interval_with_what_gave_way_and_a_plan():
    found = answered(*CONFIRMED, target_per_s=1000.0, instances=2)

    assert (found["why"], found["verdict"]) == (FOUND, "pass")
    rate = found["rate_per_s"]
    assert 285 < rate["low"] < rate["value"] < rate["high"] < 320
    assert "95 % interval" in found["sentence"]
    assert found["gave_way"]["how"] == "latency"
    assert (
        f"({P99}): at 310/s 1.8 % of the requests took longer than 100 ms, where 1 % may."
        in (found["gave_way"]["sentence"])
    )
    assert found["confirmed"] == {"rate_per_s": 285.0, "length_s": 40.0, "result": "undecided"}
    assert found["plan"]["each_per_s"] == pytest.approx(rate["low"] / 2 * 0.8)
    assert found["limits"]["all_hanging"] == pytest.approx(rate["low"] * 40)


def test_the_limits_of_the_generator_are_those_of_all_its_processes():
    manifest = manifest_of(workers=3)

    assert answer(record(*CONFIRMED), manifest)["limits"]["generator_holds"] == 30_000


@pytest.mark.parametrize(
    ("outcomes", "how", "words"),
    [
        ({"ok": 5000, "throttled": 5000}, "throttling", "50 % of the requests failed, most of them throttled"),
        ({"ok": 5000, "gateway_timeout": 2000, "client_timeout": 2900, "throttled": 100}, "timeouts", "50 %"),
        ({"ok": 5000, "server_error": 5000}, "errors", "most of them server_error"),
    ],
)
def test_failures_that_give_way_have_their_kind(outcomes, how, words):
    over = [level(rate, errors=5000, outcomes=outcomes) for rate in (400.0, 310.0)]
    levels = (*UP[:3], over[0], level(290.0, errors=5, kind=NEAR), over[1], level(280.0, kind=CONFIRMATION))
    found = answered(*levels)

    assert found["gave_way"]["how"] == how
    assert found["gave_way"]["objective"] == ERRORS
    assert words in found["gave_way"]["sentence"]


@pytest.mark.parametrize(
    ("levels", "search", "why", "verdict", "words"),
    [
        (
            [level(50.0, beyond=4000)],
            {},
            LOWEST_MISSED,
            "fail",
            "missed at 50 requests/s, and no lower rate was seen to keep them: 40 % of the requests took longer than",
        ),
        (
            [level(50.0), level(60.0, kind=HIGHEST)],
            {"to_per_s": 60.0},
            NEVER_MISSED,
            "pass",
            "All objectives hold up to 60 requests/s",
        ),
        (
            [level(50.0), level(60.0, kind=HIGHEST, beyond=80)],
            {"to_per_s": 60.0},
            NEVER_MISSED,
            "undecided",
            "is not sure",
        ),
        ([level(50.0, spoiled="1 % left late")] * 2, {}, GENERATOR, "invalid", "at 50/s 1 % left late"),
        (
            [level(50.0, spoiled="late"), level(50.0, beyond=300, n=6000)],
            {},
            LOWEST_MISSED,
            "fail",
            "missed at 50 requests/s",
        ),
        (
            (*UP, level(120.0, kind=NEAR, errors=9000), level(90.0, kind=NEAR, errors=9000)),
            {},
            CHANGED,
            "undecided",
            "200/s looked good, and at 90/s 90 % of the requests failed, most of them throttled, where 1 % may.",
        ),
        ((), {}, UNFINISHED, "undecided", "No level was seen to its end."),
        (
            [level(50.0)],
            {"budget_s": 51.0},
            NOT_DECIDED,
            "undecided",
            "too small to find where the objectives give way. The objectives looked kept up to 50/s. Give it",
        ),
        ([level(rate, n=0) for rate in (50.0, 100.0, 200.0)], {}, NOT_MEASURED, "undecided", f"that {P99} is about"),
        (UP[:2], {}, UNFINISHED, "undecided", "The objectives looked kept up to 100/s."),
        (UP, {}, UNFINISHED, "undecided", "up to 200/s, and not at 400/s."),
    ],
)
def test_what_is_no_rate_says_why(levels, search, why, verdict, words):
    found = answered(*levels, search=search)

    assert (found["why"], found["verdict"]) == (why, verdict)
    assert words in found["sentence"]
    assert found["rate_per_s"] is None
    assert (found["plan"] is None) is (verdict != "pass")


def test_all_that_was_carried_is_the_least_to_plan_with():
    found = answered(level(50.0), level(60.0, kind=HIGHEST), search={"to_per_s": 60.0})

    assert found["plan"]["each_per_s"] == pytest.approx(48.0)


def test_a_confirmation_that_the_generator_spoiled_twice_confirms_nothing():
    spoiled = level(285.0, kind=CONFIRMATION, spoiled="1 % left late")
    found = answered(*UP, *AROUND, *AROUND, spoiled, spoiled)

    assert found["why"] == FOUND
    assert found["confirmed"] is None


def test_a_rate_that_missed_when_it_was_held_is_confirmed_lower_or_is_no_answer():
    missed = level(285.0, beyond=250, kind=CONFIRMATION)
    step = next_step(record().search, (*UP, *AROUND, *AROUND, missed))
    assert (step.kind, step.rate_per_s < 285.0) == (CONFIRMATION, True)

    found = answered(*UP, *AROUND, *AROUND, missed, level(step.rate_per_s, beyond=250, kind=CONFIRMATION))
    assert (found["why"], found["verdict"], found["plan"]) == (FOUND, "undecided", None)
    assert "missed an objective" in found["sentence"]

    found = answered(*UP, *AROUND, *AROUND, missed, level(step.rate_per_s, beyond=40, kind=CONFIRMATION))
    assert (found["verdict"], found["confirmed"]["result"]) == ("pass", "met")


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ({"ok": 5000, "oversize": 2500, "client_error": 2500}, "by client_error, oversize, where 1 % may"),
        ({"ok": 5000, "oversize": 4000, "client_error": 1000}, "most of them oversize"),
    ],
)
def test_bodies_over_the_limit_are_to_be_left_out(outcomes, words):
    found = answered(level(50.0, errors=5000, outcomes=outcomes))

    assert words in found["sentence"]
    assert "--skip-oversize" in found["sentence"]


def test_an_interval_that_is_too_wide_is_no_answer():
    found = answered(level(50.0, n=200), level(400.0, beyond=150, n=200), level(40.0, n=200, kind=CONFIRMATION))

    assert found["verdict"] == "undecided"
    assert "too wide to plan with" in found["sentence"]


def test_nothing_gives_way_beyond_the_highest_rate():
    """It looks bad at the highest rate, and what is known by then puts the edge above it."""
    levels = [*UP[:3], level(220.0, kind=HIGHEST, beyond=101), level(215.0, kind=NEAR), level(218.0, kind=NEAR)]
    found = answered(*levels, level(220.0, kind=CONFIRMATION, beyond=80), search={"to_per_s": 220.0})

    assert (found["why"], found["verdict"], found["rate_per_s"]) == (NEVER_MISSED, "undecided", None)


def test_an_edge_beyond_the_highest_rate_is_not_sure_whatever_was_held_there():
    """It was missed while doubling, by a stall, and met ever after."""
    stalled = level(200.0, n=200, beyond=6, result="missed")
    near = [level(rate, n=10_000, beyond=10, kind=NEAR) for rate in (190.0, 200.0, 195.0, 200.0)]
    found = answered(*UP[:2], stalled, *near, level(200.0, kind=CONFIRMATION), search={"to_per_s": 200.0})

    assert (found["why"], found["verdict"], found["rate_per_s"]) == (NEVER_MISSED, "undecided", None)


def test_a_service_that_kept_up_has_no_knee_though_a_stall_made_it_slow():
    over = level(400.0, beyond=4000, mean_s=0.2, finished_per_s=400.0)
    around = [replace(each, finished_per_s=each.rate_per_s) for each in (*UP[:3], *AROUND, *AROUND)]
    found = answered(*around[:3], over, *around[3:], level(285.0, kind=CONFIRMATION, finished_per_s=285.0))

    assert (found["gave_way"]["how"], found["knee_per_s"], found["servers"]) == ("latency", None, None)


def test_a_cap_is_no_number_of_servers_and_has_no_knee():
    over = [level(rate, errors=5000, outcomes={"ok": 5000, "throttled": 5000}, mean_s=0.01) for rate in (400.0, 310.0)]
    found = answered(*UP[:3], over[0], level(290.0, errors=5, kind=NEAR), over[1], level(280.0, kind=CONFIRMATION))

    assert (found["knee_per_s"], found["servers"]) == (None, None)


def test_an_answer_that_is_withdrawn_says_nothing_of_the_service():
    found = withdrawn(answered(*CONFIRMED, target_per_s=1000.0))

    assert found["verdict"] == "invalid"
    assert {found[key] for key in ("rate_per_s", "plan", "limits", "gave_way", "confirmed")} == {None}
    assert "carries." in found["sentence"]
