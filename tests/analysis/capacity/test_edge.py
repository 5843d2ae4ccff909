import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.capacity.edge import edge
from analysis.capacity.level import Against, Level

ALLOWED = 0.01


def level_of(rate_per_s, *shares, n=20_000, effect=10.0):
    against = tuple(
        Against(f"objective {at}", "undecided", share * n, n, ALLOWED, effect) for at, share in enumerate(shares)
    )
    return Level("near the edge", rate_per_s, 50.0, 60.0, against)


def of_queue(rate_per_s, edge_per_s, slope=20.0):
    height = math.log(ALLOWED / (1 - ALLOWED)) + slope * math.log(rate_per_s / edge_per_s)
    return 1 / (1 + math.exp(-height))


RATES = (60.0, 85.0, 95.0, 100.0, 105.0, 115.0)


@pytest.mark.parametrize("slope", [5.0, 20.0, 80.0])
def test_the_edge_of_a_queue_is_found_with_its_slope(slope):
    found = edge([level_of(rate, of_queue(rate, 100.0, slope)) for rate in RATES], 0.95)

    assert found.low < 100.0 < found.high
    assert found.value == pytest.approx(100.0, rel=0.01)
    assert found.slope == pytest.approx(slope, rel=0.3)


def test_a_flat_curve_is_no_steep_one():
    """As of a median that hardly rises with the rate: the edge is where it is, and by far not sure."""
    levels = [
        level_of(rate, of_queue(rate, 60.0, slope=0.1), n=45 * rate, effect=3.0)
        for rate in (4.0, 8.0, 16.0, 32.0, 64.0, 70.0, 92.0, 123.0, 135.0)
    ]
    levels = [replace(each, against=(half_of(each.against[0], each.rate_per_s),)) for each in levels]
    found = edge(levels, 0.95)

    assert found.low < 60.0 < found.high
    assert found.half_width > 0.3


def half_of(against, rate_per_s):
    """The same with half of the requests allowed."""
    share = 1 / (1 + math.exp(-0.1 * math.log(rate_per_s / 60.0)))
    return replace(against, allowed=0.5, beyond=share * against.n)


def test_a_cap_is_found_though_its_share_is_no_curve():
    """Nothing is refused below 99/s, and above it all that is over: 1 % at 100/s."""
    found = edge([level_of(rate, max(0.0, 1 - 99 / rate), effect=1.0) for rate in (*RATES, 200.0)], 0.95)

    assert found.value == pytest.approx(100.0, rel=0.005)


def test_more_requests_narrow_the_interval_and_dependent_ones_widen_it():
    widths = [
        edge([level_of(rate, of_queue(rate, 100.0), n=n, effect=effect) for rate in RATES], 0.95).half_width
        for n, effect in ((200_000, 10.0), (20_000, 10.0), (20_000, 40.0))
    ]

    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2]


def test_more_confidence_widens_the_interval():
    levels = [level_of(rate, of_queue(rate, 100.0)) for rate in RATES]

    assert edge(levels, 0.8).half_width < edge(levels, 0.99).half_width


def test_of_several_objectives_the_first_to_give_way_is_the_edge():
    found = edge([level_of(rate, of_queue(rate, 110.0), of_queue(rate, 90.0)) for rate in RATES], 0.95)

    assert found.value == pytest.approx(90.0, rel=0.02)


def test_the_order_of_levels_does_not_matter():
    levels = [level_of(rate, of_queue(rate, 100.0)) for rate in RATES]
    shuffled = [levels[at] for at in np.random.default_rng(1).permutation(len(levels))]

    assert edge(shuffled, 0.95).value == pytest.approx(edge(levels, 0.95).value, rel=1e-9)
