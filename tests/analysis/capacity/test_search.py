"""A search finds what is known in closed form, and says what it cannot find. Time is simulated, ten minutes of it."""

import math
from dataclasses import replace

import pytest
from queue_in_theory import Queue, capacity, searched

from analysis.capacity import search as searches
from analysis.capacity.level import Against, Level
from analysis.capacity.search import CONFIRMATION, DOUBLING, NEAR, Search, next_step
from analysis.objectives.objective import objective

BUDGET_S = 600.0
MEAN_S = {1: 0.002, 4: 0.01, 16: 0.03}
P99 = {1: 15.0, 4: 10.0, 16: 7.0}  # times the mean service time


def search(seed=1, **changes):
    return Search(**({"from_per_s": 1.0, "to_per_s": 10_000.0, "budget_s": BUDGET_S, "seed": seed} | changes))


def question(c, kind):
    """An objective of that kind, its limit in seconds, the share that may be beyond it, and the time limit."""
    p50_s, p99_s = 1.8 * MEAN_S[c], P99[c] * MEAN_S[c]
    if kind == "p50":
        return f"p50<{1000 * p50_s:g}ms", p50_s, 0.5, 40.0
    if kind == "p99":
        return f"p99<{1000 * p99_s:g}ms", p99_s, 0.01, 40.0
    return "timeouts<1%", 1.1 * p99_s, 0.01, 1.1 * p99_s


@pytest.mark.parametrize("kind", ["p50", "p99", "timeouts"])
@pytest.mark.parametrize("c", [1, 4, 16])
def test_the_interval_has_the_true_rate_and_is_narrow(c, kind):
    """Of ten seeds each."""
    text, limit_s, allowed, timeout_s = question(c, kind)
    truth = capacity(limit_s, allowed, MEAN_S[c], c)
    found = [
        searched(search(seed), Queue(seed, MEAN_S[c], c, timeout_s=timeout_s), [objective(text)]) for seed in range(10)
    ]

    edges = [done.edge for done, _ in found]
    assert sum(edge.low <= truth <= edge.high for edge in edges) >= 9
    assert sum(edge.half_width <= 0.1 for edge in edges) >= 9
    assert max(sum(level.took_s for level in levels) for _, levels in found) <= 1.1 * BUDGET_S


@pytest.mark.parametrize("cap_per_s", [20, 50, 200])
def test_a_fixed_cap_is_found_within_two_percent(cap_per_s):
    """At most 1 % may be refused: that is at 1/0.99 of the cap."""
    done, _ = searched(search(), Queue(1, 0.001, 1, cap_per_s=cap_per_s), [objective("errors<1%")])

    assert done.edge.value == pytest.approx(cap_per_s / 0.99, rel=0.02)
    assert done.edge.low <= cap_per_s / 0.99 <= done.edge.high


def test_the_first_objective_to_give_way_decides():
    slack, tight = capacity(0.15, 0.01, 0.01, 4), capacity(0.08, 0.01, 0.01, 4)
    done, _ = searched(search(), Queue(1, 0.01, 4), [objective("p99<150ms"), objective("p99<80ms")])

    assert done.edge.low <= tight <= done.edge.high < slack


def test_levels_near_the_edge_come_in_mixed_order_and_the_rate_found_is_confirmed_last():
    done, levels = searched(search(), Queue(1, 0.01, 4), [objective("p99<100ms")])

    kinds = [level.kind for level in levels]
    assert kinds == sorted(kinds, key=[DOUBLING, NEAR, CONFIRMATION].index)
    assert kinds.count(CONFIRMATION) == 1
    near = [level.rate_per_s for level in levels if level.kind == NEAR]
    pairs = {one < two for one, two in zip(near[::2], near[1::2], strict=False)}
    assert pairs == {True, False}
    assert done.why == searches.FOUND


@pytest.mark.parametrize(
    ("changes", "text", "why"),
    [
        ({}, "p50<1ms", searches.LOWEST_MISSED),
        ({"to_per_s": 100.0}, "p99<400ms", searches.NEVER_MISSED),
        ({"budget_s": 20.0}, "p99<400ms", searches.NOT_DECIDED),
    ],
)
def test_what_cannot_be_found_is_said(changes, text, why):
    done, _ = searched(search(**changes), Queue(1, 0.01, 4), [objective(text)])

    assert (done.why, done.edge) == (why, None)


def level_of(kind, rate_per_s, beyond, n=1000, result="undecided"):
    return Level(kind, rate_per_s, 40.0, 50.0, (Against("p99<1s", result, beyond, n, 0.01),))


def test_no_rate_above_the_highest_is_tried():
    step = next_step(search(to_per_s=100.0), [level_of(DOUBLING, 64.0, 0)])

    assert step.rate_per_s == 100.0


def test_a_level_near_the_edge_goes_on_to_its_end_though_it_is_decided():
    steps = [searches.Step(kind, 10.0, 2.0, 40.0) for kind in (DOUBLING, NEAR, CONFIRMATION)]

    assert [step.is_over(level_of(step.kind, 10.0, 900, result="missed")) for step in steps] == [True, False, True]


def test_levels_near_the_edge_that_the_generator_spoiled_tell_nothing():
    """With most of them spoiled, there is nothing to confirm."""
    up = [level_of(DOUBLING, 50.0, 0), level_of(DOUBLING, 100.0, 500, result="missed")]
    sound, spoiled = level_of(NEAR, 70.0, 8), replace(level_of(NEAR, 70.0, 900, result="missed"), spoiled="late")
    asked = search(budget_s=50.0 * 6)  # that they took, and so used up

    assert next_step(asked, [*up, sound, spoiled, spoiled, spoiled]) == searches.Done(searches.GENERATOR)
    assert next_step(asked, [*up, sound, sound, sound, spoiled]).kind == CONFIRMATION


def test_the_closed_form_is_that_of_one_server():
    """P(T > t) = exp(-(mu - lambda) t)."""
    assert capacity(0.5, 0.01, 0.1, 1) == pytest.approx(10 - math.log(100) / 0.5)
