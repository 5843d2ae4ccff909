import re

import pytest
from made_by_chance import random_run, side_of
from test_compare import CENSORED

from analysis.plots.comparison_curves import comparison_plot

RUNS = [random_run(seed, seconds=10, scale_s=scale_s) for seed, scale_s in ((1, 0.1), (2, 0.2))]


def draw(runs, labels):
    return comparison_plot({label: side_of(run) for label, run in zip(labels, runs, strict=True)})


def test_every_run_has_its_curve_and_its_name():
    plot = draw(RUNS, ["before", "after"])

    assert (plot.name, plot.png[:4]) == ("compare", b"\x89PNG")
    assert {">before<", ">after<"} <= set(re.findall(r">[^<]*<", plot.svg))
    assert plot.reading == "Half of the requests took 99.9 ms in before, 194 ms in after."
    assert {"var(--blue)", "var(--vermillion)"} <= set(re.findall(r"var\(--\w+\)", plot.svg))


def test_runs_with_timeouts_are_drawn_as_bounds():
    assert "slow: at least" in draw([RUNS[0], CENSORED], ["fast", "slow"]).svg


def test_service_time_stands_in_where_there_is_no_response():
    service = [random_run(1, seconds=10, measures=("service",)) for _ in range(2)]

    assert draw(service, ["one", "two"]).title == "Percentiles of service"


def test_nothing_measured_is_no_picture():
    nothing = random_run(1, seconds=10, failed=1.0)

    assert draw([nothing, nothing], ["one", "two"]) is None


@pytest.mark.parametrize("label", ["<b>&x", "$\\frac{1}", "_hidden", "\u4e2d\u6587", "\x1b[2J\u202ey", "x" * 300])
def test_any_name_can_be_drawn(label):
    plot = draw(RUNS, [f"A {label}", f"B {label}"])

    assert "<b>" not in plot.svg
    assert "\x1b" not in plot.svg
