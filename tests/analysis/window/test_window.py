import numpy as np
import pytest
from made_by_hand import manifest_of, samples_of

from analysis.choices import Choices
from analysis.errors import BadRun
from analysis.readers.run_directory import read_run
from analysis.run import Run, Source
from analysis.run_format import TIMELINE_COLUMNS
from analysis.samples import OUTCOMES, Samples
from analysis.timeline import merged
from analysis.window import Cut, Drift, Window, reading, window_of

TIMELINE = merged({name: np.zeros(0) for name in TIMELINE_COLUMNS})


def run_of(level, *, ramp_s=0.0, duration_s=None, state="complete", measure=0, outcome="ok", source=None):
    """A run in which each second has one request, of 100 ms x *level*, after the ramp's seconds at the same level."""
    n = len(level)
    zeros = np.zeros(n, np.int64)
    codes = np.full(n, OUTCOMES.index(outcome))
    value_us = (100_000 * np.asarray(level)).astype(np.int64)
    samples = Samples(np.arange(n), zeros, codes, np.full(n, measure), value_us, zeros + 1, ("a",))
    load = {"duration_s": float(n) if duration_s is None else duration_s, "ramp_s": ramp_s}
    return Run(manifest_of(load=load, state=state), samples, TIMELINE, [], source=source or Source("loadgate", ()))


def noise(seconds, cv=0.03, seed=1):
    return np.exp(cv * np.random.default_rng(seed).standard_normal(seconds))


def warming(seconds, tau_s=10):
    return noise(seconds, cv=0.01) * (1 + np.exp(-np.arange(seconds) / tau_s))


def window(run, **choices):
    return window_of(run, Choices(**choices))


def test_a_steady_run_is_left_whole():
    found = window(run_of(noise(60)))

    assert (found.from_s, found.to_s, found.cut, found.steady) == (0, 60, (), True)
    assert abs(found.drift.share) < 0.1


def test_the_ramp_and_the_warmup_are_cut():
    level = np.concatenate([np.linspace(0.1, 2, 9), warming(120)])
    found = window(run_of(level, ramp_s=8.5))

    assert found.cut == (Cut(0, 9, "ramp"), Cut(9, 39, "warm-up"))
    assert (found.from_s, found.to_s, found.steady) == (39, 129, True)


def test_a_run_that_ended_in_its_ramp_is_kept_whole_and_is_not_steady():
    found = window(run_of(noise(60), ramp_s=59.2))

    assert (found.from_s, found.to_s, found.cut, found.steady) == (0, 60, (), False)


@pytest.mark.parametrize(("seconds", "steady"), [(49, None), (50, True)])
def test_less_than_fifty_seconds_cannot_be_called_steady(seconds, steady):
    found = window(run_of(noise(seconds, cv=0.01)))

    assert (found.cut, found.steady) == ((), steady)


def test_a_drift_is_found_in_a_run_that_is_too_short_to_be_called_steady():
    found = window(run_of(np.linspace(1, 2, 20)))

    assert found.steady is False
    assert found.drift.share == pytest.approx(20 / 19 / 1.5, rel=1e-3)
    assert found.drift.p_value < 1e-4


@pytest.mark.parametrize(("seconds", "is_told"), [(9, False), (10, True)])
def test_a_drift_takes_ten_batches(seconds, is_told):
    assert (window(run_of(noise(seconds))).drift is not None) is is_told


@pytest.mark.parametrize(
    ("share", "p_value", "found"),
    [(0.1, 0.001, False), (0.101, 0.001, True), (-0.101, 0.0099, True), (0.5, 0.01, False)],
)
def test_a_drift_counts_if_it_is_clear_and_large_enough(share, p_value, found):
    assert Drift(share, p_value).found is found


def test_a_slow_change_over_a_long_run_is_a_drift():
    """An hour in batches of 36 s, a quarter more at its end, in noise of 10 %."""
    found = window(run_of(noise(3600, cv=0.1) * np.linspace(1, 1.25, 3600)))

    assert found.steady is False
    assert found.drift.share == pytest.approx(0.25 / 1.125, abs=0.02)


def test_a_jump_in_the_second_half_is_no_steady_state():
    level = noise(120)
    level[80:] *= 1.5
    found = window(run_of(level))

    assert (found.from_s, found.steady) == (0, False)


def test_a_drift_all_along_is_no_warmup():
    found = window(run_of(noise(120) * np.linspace(1, 2, 120)))

    assert (found.from_s, found.cut, found.steady) == (0, (), False)
    assert found.drift.share == pytest.approx(1 / 1.5, abs=0.05)


def test_a_warmup_before_a_drift_is_still_cut():
    """Halved after 15 s, then up by an eighth in 105 s: over all of it neither way is clear."""
    level = np.concatenate([np.full(15, 2.0), np.linspace(1, 1.12, 105)])
    found = window(run_of(level * noise(120)))

    assert [cut.why for cut in found.cut] == ["warm-up"]
    assert found.steady is False
    assert 0.1 < found.drift.share < 0.12


def test_timeouts_count_at_their_bounds_and_refusals_do_not():
    assert window(run_of(noise(60), outcome="gateway_timeout")).steady
    assert window(run_of(noise(60), outcome="throttled")).steady is None


def test_the_service_time_stands_in_where_no_response_was_measured():
    assert window(run_of(noise(60), measure=1)).steady


def test_an_aggregate_has_no_seconds_to_look_at():
    found = window(run_of(noise(60), source=Source("Locust", (), known=())))

    assert (found.from_s, found.to_s, found.steady, found.drift) == (0, 60, None, None)


def test_times_of_zero_have_no_drift_that_could_be_told():
    found = window(run_of(np.zeros(60)))

    assert (found.steady, found.drift) == (None, None)


@pytest.mark.parametrize(
    ("chosen", "from_s", "to_s", "cut"),
    [
        ((10.0, 100.0), 10, 100, [(0, 10), (100, 120)]),
        ((10.9, 99.1), 10, 100, [(0, 10), (100, 120)]),  # whole seconds that hold what was chosen
        ((0.0, 60.0), 0, 60, [(60, 120)]),
        ((30.0, None), 30, 120, [(0, 30)]),
        ((0.0, 120.0), 0, 120, []),
    ],
)
def test_a_chosen_window_is_kept_and_no_rule_cuts_from_it(chosen, from_s, to_s, cut):
    found = window(run_of(warming(120), ramp_s=20.0), window=chosen)

    assert (found.from_s, found.to_s) == (from_s, to_s)
    assert found.cut == tuple(Cut(*part, "chosen") for part in cut)


@pytest.mark.parametrize(("warmup_s", "from_s"), [(0.0, 0), (30.0, 30), (30.1, 31), (119.0, 119)])
def test_a_chosen_warmup_is_cut_and_no_rule_cuts_more(warmup_s, from_s):
    found = window(run_of(warming(120), ramp_s=20.0), warmup_s=warmup_s)

    assert (found.from_s, found.to_s) == (from_s, 120)
    assert found.cut == ((Cut(0, from_s, "chosen"),) if from_s else ())


def test_what_was_chosen_is_judged_as_well():
    assert window(run_of(noise(120)), window=(10.0, 60.0)).steady
    assert window(run_of(noise(120)), window=(10.0, 59.0)).steady is None
    assert window(run_of(noise(120) * np.linspace(1, 2, 120)), warmup_s=5.0).steady is False


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({"window": (120.0, None)}, "the window 120s.. is not within the run, which is 120 s long"),
        ({"window": (60.0, 120.5)}, "the window 60s..120.5s is not within the run, which is 120 s long"),
        ({"window": (130.0, 140.0)}, "the window 130s..140s is not within the run, which is 120 s long"),
        ({"warmup_s": 119.5}, "the warm-up of 119.5 s leaves nothing of the run, which is 120 s long"),
    ],
)
def test_a_choice_outside_of_the_run_says_how_long_it_is(chosen, text):
    with pytest.raises(BadRun) as raised:
        window(run_of(noise(120)), **chosen)

    assert str(raised.value) == text


@pytest.mark.parametrize("chosen", [{"window": (0.0, None)}, {"warmup_s": 0.0}])
def test_nothing_can_be_chosen_of_a_run_that_has_not_begun(chosen):
    run = Run(manifest_of(load={"ramp_s": 5.0}, state="running"), samples_of(), TIMELINE, [])

    assert window(run) == Window(0, 0)
    with pytest.raises(BadRun, match="which is 0 s long"):
        window(run, **chosen)


def test_the_last_second_of_an_interrupted_run_stays():
    found = window(run_of(noise(60), state="interrupted", duration_s=100.0))

    assert (found.to_s, found.cut) == (60, ())


def test_a_window_is_json():
    assert Window(5, 60, (Cut(0, 5, "warm-up"),), True, Drift(0.01, 0.5)).as_json() == {
        "from_s": 5,
        "to_s": 60,
        "cut": [{"from_s": 0, "to_s": 5, "why": "warm-up"}],
        "steady": True,
        "drift": {"share": 0.01, "p_value": 0.5},
    }


RAMP, WARM_UP = Cut(0, 10, "ramp"), Cut(10, 22, "warm-up")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Window(0, 120, (), True), "Nothing was cut. It is steady: no warm-up, no drift."),
        (
            Window(12, 120, (Cut(0, 12, "warm-up"),), True),
            "The first 12 s were cut: warm-up by MSER-5. The rest is steady: it shows no drift.",
        ),
        (
            Window(22, 1320, (RAMP, WARM_UP), False, None, "drift", 0.354),
            "The first 22 s were cut: 10 s ramp and 12 s warm-up by MSER-5. No steady state: the median changed by"
            " +35 % from its beginning to its end.",
        ),
        (Window(0, 49), "Nothing was cut. Too short to tell a warm-up: that takes 50 s."),
        (Window(10, 59, (RAMP,)), "The first 10 s were cut: ramp. Too short to tell a warm-up: that takes 50 s."),
        (Window(0, 120), "Nothing was cut. Too few latencies to tell a warm-up or a drift."),
        (Window(0, 8, (), False, None, "ramp"), "Nothing was cut. No steady state: it ended in its ramp."),
        (
            Window(0, 120, (), False, None, "warm-up", -0.2),
            "Nothing was cut. No steady state: the median changed by -20 % after more than half of it.",
        ),
        (
            Window(30, 90, (Cut(0, 30, "chosen"), Cut(90, 120, "chosen")), True),
            "Only the part from 30 to 90 s of 120 s, as chosen. The rest is steady: it shows no drift.",
        ),
        (
            Window(30, 120, (Cut(0, 30, "chosen"),), True),
            "The first 30 s were left out, as chosen. The rest is steady: it shows no drift.",
        ),
    ],
)
def test_a_window_says_what_was_cut_and_whether_the_rest_is_steady(found, text):
    assert reading(found, float(max([120, *(cut.to_s for cut in found.cut)]))) == text


def test_timeouts_that_come_at_once_are_no_fast_beginning(make_run):
    """Seconds in which all time out, as soon as others are answered, are slow ones: a warm-up that is cut."""
    rows = [
        (
            second,
            "json",
            *(("gateway_timeout", "response", 100_000) if second < 20 else ("ok", "response", 100_000)),
            20,
        )
        for second in range(120)
    ]
    window = window_of(read_run(make_run(rows)), Choices())

    assert (window.from_s, window.change) == (20, None)
    assert [cut.why for cut in window.cut] == ["warm-up"]
