import numpy as np
import pytest
from made_by_hand import samples_of
from viewed_by_hand import timeline_of

from analysis.capacity.level import Against, Level, against, level_of
from analysis.objectives.figures import Part
from analysis.objectives.objective import objective

SECONDS = 20


def part_of(*rows, seconds=SECONDS, from_s=5):
    """The same rows in every second: (outcome, value_us, count)."""
    everything = [(from_s + at, "a", outcome, "response", us, n) for at in range(seconds) for outcome, us, n in rows]
    return Part(samples_of(*everything), None, from_s, from_s + seconds)


MIXED = part_of(("ok", 100_000, 90), ("ok", 900_000, 6), ("gateway_timeout", 40_000_000, 3), ("throttled", 500, 1))


@pytest.mark.parametrize(
    ("text", "beyond", "n", "allowed"),
    [
        ("p90<500ms", 9, 99, 0.1),  # a refusal is no latency
        ("p90>500ms", 90, 99, 0.9),
        ("p99<=900ms", 3, 99, 0.01),
        ("errors<5%", 4, 100, 0.05),
        ("timeouts<=2%", 3, 100, 0.02),
        ("ok>95%", 4, 100, 0.05),
    ],
)
def test_the_requests_beyond_a_limit_are_counted(text, beyond, n, allowed):
    [found] = against([objective(text)], MIXED)

    assert (found.beyond, found.n) == (SECONDS * beyond, SECONDS * n)
    assert found.allowed == pytest.approx(allowed)


def test_requests_that_come_in_waves_count_for_less():
    """All of every fourth second's are too slow, or the same number spread evenly."""
    rows = [(at, "a", "ok", "response", 900_000 if at % 8 < 2 else 100_000, 40) for at in range(80)]
    waves = Part(samples_of(*rows), None, 0, 80)
    even = part_of(("ok", 900_000, 10), ("ok", 100_000, 30), seconds=80, from_s=0)

    [in_waves], [evenly] = (against([objective("p50<500ms")], part) for part in (waves, even))

    assert (in_waves.beyond, in_waves.n) == (evenly.beyond, evenly.n)
    assert in_waves.effect > 10
    assert evenly.effect == pytest.approx(1.0)


def test_a_part_of_few_seconds_cannot_tell_how_requests_depend_on_each_other():
    [found] = against([objective("p50<500ms")], part_of(("ok", 900_000, 10), seconds=9))

    assert found.effect == 1.0


@pytest.mark.parametrize(
    ("results", "expected", "looks_good"),
    [
        (("met", "met"), "met", True),
        (("met", "undecided"), "undecided", True),
        (("undecided", "missed"), "missed", False),
    ],
)
def test_a_level_is_as_good_as_its_worst_objective(results, expected, looks_good):
    level = Level("doubling", 10.0, 20.0, 25.0, tuple(Against("p99<1s", each, 1, 1000, 0.01) for each in results))

    assert (level.result, level.looks_good) == (expected, looks_good)


def test_an_open_level_looks_as_its_figures_do():
    found = [Against("p99<1s", "undecided", beyond, 1000, 0.01).looks_good for beyond in (9, 10, 11)]

    assert found == [True, True, False]
    assert np.isfinite(against([objective("errors<5%")], part_of())[0].effect)


def level(*rows, seconds=SECONDS, per_s=100.0, timeline=None):
    return level_of("doubling", per_s, 30.0, part_of(*rows, seconds=seconds), [objective("errors<5%")], timeline)


def test_what_the_generator_dropped_is_no_error_of_the_service():
    found = level(("ok", 100_000, 80), ("dropped", -1, 20))

    assert (found.against[0].beyond, found.against[0].n, found.against[0].result) == (0, 80 * SECONDS, "met")
    assert "--max-in-flight" in found.spoiled
    assert found.outcomes == {"ok": 80 * SECONDS, "dropped": 20 * SECONDS}


def test_what_is_in_flight_is_neither_well_nor_badly_answered_yet():
    found = level(("ok", 100_000, 80), ("unfinished", 5_000_000, 20))

    assert (found.against[0].beyond, found.against[0].n) == (0, 80 * SECONDS)


def test_a_level_counts_what_ended_in_its_seconds_and_what_was_in_flight():
    """Seconds 5 to 24 are judged; those around them are not its own."""
    timeline = timeline_of(40, finished=np.arange(40), in_flight=2 * np.arange(40))
    found = level(("ok", 100_000, 60), ("throttled", 1_000, 40), timeline=timeline)

    assert found.finished_per_s == np.arange(5, 25).mean()
    assert found.in_flight == 2 * np.arange(5, 25).mean()
    assert found.ok_per_s == pytest.approx(0.6 * found.finished_per_s)
