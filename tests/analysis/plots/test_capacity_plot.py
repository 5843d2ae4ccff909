from dataclasses import replace

import pytest
from levels_by_hand import level, record
from made_by_hand import manifest_of
from viewed_by_hand import measured, run_of, view

from analysis.capacity.answer import answer
from analysis.capacity.search import CONFIRMATION, NEAR
from analysis.plots import plots_of
from analysis.plots.capacity import picture
from analysis.window import Window

ROWS = [row for second in range(60) for row in measured(second, "ok", 80_000, 5)]
UP = (level(50.0), level(100.0), level(200.0), level(400.0, beyond=4000, mean_s=0.2))
AROUND = (level(290.0, beyond=60, kind=NEAR), level(310.0, beyond=180, kind=NEAR))
FOUND = (*UP, *AROUND, *AROUND, level(285.0, kind=CONFIRMATION, mean_s=0.02))


def seen(*levels, **changes):
    return view(replace(run_of(ROWS), record=record(*levels, **changes)))


def capacity():
    rates = answer(record(*FOUND), manifest_of())["rate_per_s"]
    return round(rates["low"]), round(rates["high"])


def test_a_run_that_was_no_search_has_no_such_picture():
    assert picture(view(run_of(ROWS))) is None
    assert picture(seen()) is None


def test_the_reading_says_how_latency_rose_and_where_it_gave_way():
    low, high = capacity()

    assert picture(seen(*FOUND)).reading == (
        "Half of the requests took 10 ms at 50/s and 200 ms at 400/s; the objectives give way between"
        f" {low} and {high}/s."
    )


@pytest.mark.parametrize(
    ("levels", "panels"),
    [
        (FOUND, 3),
        (UP[:1], 3),
        ((level(50.0, spoiled="late"),), 1),  # nothing of the service is known
        ((level(50.0, n=0, latency={}, outcomes={}, mean_s=0.0, finished_per_s=None),), 1),
    ],
)
def test_what_is_known_is_drawn(levels, panels):
    assert len(picture(seen(*levels)).figure.axes) == panels


def test_the_levels_are_drawn_at_their_rates_and_the_capacity_is_marked():
    latency, throughput, path = picture(seen(*FOUND)).figure.axes
    limits = {(round(patch.get_x()), round(patch.get_x() + patch.get_width())) for patch in latency.patches}

    assert [round(x) for x in throughput.lines[1].get_xdata()] == sorted(round(each.rate_per_s) for each in FOUND)
    assert limits == {capacity()}
    assert path.get_xlim()[1] == sum(each.took_s for each in FOUND)


def test_it_comes_first_and_is_told_from_the_others():
    run = seen(*FOUND).run
    plots = plots_of(run, view(run).choices, Window(0, 60))

    assert plots[0].name == "capacity"
    assert "The search, level by level" in plots[0].svg
