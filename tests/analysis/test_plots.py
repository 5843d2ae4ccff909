import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import pytest
from made_by_hand import write_run

from analysis.choices import Choices
from analysis.plots import CSS_COLOURS, MOST_POINTS, STYLE, _Steps, plots_of
from analysis.readers.run_directory import read_run
from analysis.window import window_of

ROWS = [
    *[(s, "json", "ok", m, 80_000 + 1000 * s, 50) for s in range(20) for m in ("response", "service")],
    (3, "json", "gateway_timeout", "response", 40_000_000, 30),
    (5, "json", "throttled", "response", 1_000, 3),
]
TIMELINE = [(s, 1, 50, 50, 50, 50, 0, 0, 4, 0.1, 0.2, 0.3, 0.0) for s in range(20)]


def second(n):
    return (n, 1, 1, 5, 5, 5, 0, 0, 4, 0.1, 0.2, 0.3, 0.0)


def draw(run_dir):
    run, choices = read_run(run_dir), Choices()
    return {plot.name: plot for plot in plots_of(run, choices, window_of(run, choices))}


@pytest.fixture
def plots(make_run):
    """Draw a run. Drawing is slow: tests of any picture share `drawn`."""
    return lambda rows, timeline=TIMELINE, **run: draw(make_run(rows, timeline=timeline, **run))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(write_run(tmp_path_factory.mktemp("run"), ROWS, timeline=TIMELINE))


def test_a_run_has_two_pictures_in_two_formats(drawn):
    found = drawn

    assert list(found) == ["percentiles", "timeline"]
    for plot in found.values():
        assert plot.png.startswith(b"\x89PNG")
        assert ET.fromstring(plot.svg).tag.endswith("svg")  # noqa: S314 - reads what we drew


def test_the_same_run_gives_the_same_bytes(drawn, plots):
    assert plots(ROWS) == drawn


def test_pictures_share_no_id_so_that_one_page_can_hold_both(drawn):
    ids = re.findall(r' id="([^"]+)"', "".join(plot.svg for plot in drawn.values()))

    assert len(ids) > 20
    assert len(ids) == len(set(ids))


def test_every_reference_in_a_picture_has_its_target(drawn):
    for plot in drawn.values():
        references = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', plot.svg))

        assert references
        assert {one or other for one, other in references} <= set(re.findall(r' id="([^"]+)"', plot.svg))


def test_a_picture_takes_its_colours_from_the_page_and_rules_nothing_there(drawn):
    for plot in drawn.values():
        assert "var(--blue)" in plot.svg
        assert "<style" not in plot.svg
        assert not any(colour in plot.svg for colour in CSS_COLOURS)
        assert "#000000" not in plot.svg


def test_bounds_and_the_gateway_limit_are_drawn(drawn):
    svg = drawn["percentiles"].svg

    assert "response: at least (timeouts)" in svg
    assert ">gateway limit 40 s<" in svg


def test_a_run_without_failures_says_so_and_notes_the_limit_far_above(plots):
    found = plots([row for row in ROWS if row[2] == "ok"])
    svg = found["percentiles"].svg

    assert "gateway limit 40 s: above this picture" in svg
    assert "at least" not in svg
    assert "every request was ok" in found["timeline"].svg


def test_failures_are_named_in_the_timeline(drawn):
    svg = drawn["timeline"].svg

    assert "gateway_timeout" in svg
    assert "throttled" in svg
    assert "every request was ok" not in svg


def test_a_run_without_requests_has_no_pictures(plots):
    assert plots([], timeline=[]) == {}


@pytest.mark.parametrize(("count", "names"), [(1, ["timeline"]), (9, ["percentiles", "timeline"])])
def test_a_few_requests_that_took_no_time_behind_no_limit_can_be_drawn(plots, count, names):
    """One request supports no percentile."""
    rows = [(0, "json", "ok", "response", 0, count)]

    assert list(plots(rows, timeline=[second(0)], gateway={"name": "none", "timeout_s": None})) == names


def test_drawing_leaves_no_state(plots):
    before = {key: mpl.rcParams[key] for key in (*STYLE, "svg.hashsalt")}
    plots(ROWS)

    assert {key: mpl.rcParams[key] for key in before} == before


def test_a_long_run_is_drawn_in_steps(plots):
    """1,000 s are 334 steps of 3 s: 5 requests in seconds 0 and 2 are 10 in 3 s."""
    steps = _Steps(1000)
    run = plots([], timeline=[second(0), second(2), second(999)])

    assert len(steps.start_s) <= MOST_POINTS
    assert steps.width_s == 3
    assert "in steps of 3 s" in run["timeline"].svg
