import re
import xml.etree.ElementTree as ET
from fractions import Fraction

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from viewed_by_hand import measured, run_of, timeline_of, view

from analysis.choices import Choices
from analysis.outcomes import Outcome
from analysis.plots import PICTURES, plots_of
from analysis.plots.style import CSS_COLOURS, STYLE
from analysis.run import Source
from analysis.window import Cut, Window

ALL = ["percentiles", "heatmap", "over_time", "distribution", "lateness", "outcomes"]
JMETER = Source("JMeter JTL", ("results.jtl",))
LOCUST = Source("Locust stats", ("locust_stats.csv",), known=(Fraction(1, 2), Fraction(9, 10), Fraction(1)))
MANY_KB, MOST_KB = 400, 150
TIMES = np.random.default_rng(1).lognormal(np.log(80_000), 0.4, 3_600).astype(int)


def ordinary():
    """A minute of 60 requests/s with some timeouts and refusals."""
    rows = [row for number, time_us in enumerate(TIMES) for row in measured(number // 60, "ok", int(time_us), 1)]
    rows += [row for second in (3, 40, 41) for row in measured(second, "gateway_timeout", 40_000_000, 20)]
    return [*rows, (5, "json", "throttled", "response", 1_000, 3)]


def of_service(second, time_us):
    """What a tool without a plan knows of a request."""
    return [(second, "json", "ok", "response", -1, 1), (second, "json", "ok", "service", time_us, 1)]


def every_outcome():
    taken = {Outcome.DROPPED: -1, Outcome.GATEWAY_TIMEOUT: 40_000_000, Outcome.CLIENT_TIMEOUT: 45_000_000}
    return [
        (second, "json", str(outcome), "response", taken.get(outcome, 5_000), number + 1)
        for number, outcome in enumerate(Outcome)
        for second in range(number, 60, number + 1)
    ]


def rows_of(seconds, per_s, time_us, outcome="ok", step_s=1):
    return [row for second in range(0, seconds, step_s) for row in measured(second, outcome, time_us(second), per_s)]


WIDE_US = [int(10**power) for power in np.linspace(0, 7.6, 60)]
ODD = {
    "ordinary": (run_of(ordinary(), timeline_of(60, 60)), ALL),
    "one second": (run_of(measured(0, "ok", 80_000, 50), timeline_of(1, 50)), ALL),
    "one request": (run_of(measured(0, "ok", 80_000, 1), timeline_of(1, 1)), ALL[1:]),
    "no request": (run_of([]), []),
    "no success": (
        run_of([(s, "json", "throttled", "response", 900, 5) for s in range(20)], timeline_of(20)),
        ["over_time", "lateness", "outcomes"],
    ),
    "every outcome": (run_of(every_outcome(), timeline_of(60, 40)), ALL),
    "24 h": (run_of(rows_of(86_400, 20, lambda s: 80_000 + s // 2, step_s=60), timeline_of(86_400, 20)), ALL),
    "constant latency": (run_of(rows_of(30, 50, lambda _: 100_000), timeline_of(30, 50)), ALL),
    "no time taken": (run_of(rows_of(30, 50, lambda _: 0), timeline_of(30, 50, lateness_ms=np.zeros(30))), ALL),
    "microseconds and 40 s": (run_of(rows_of(60, 20, lambda s: WIDE_US[37 * s % 60]), timeline_of(60, 20)), ALL),
    "a censored median": (
        run_of(
            rows_of(60, 10, lambda s: 100_000 + 7 * s) + rows_of(60, 15, lambda s: 40_000_000 + s, "gateway_timeout"),
            timeline_of(60, 25),
        ),
        ALL,
    ),
    "unfinished at any age": (
        run_of(rows_of(30, 9, lambda s: 100_000 + s) + rows_of(30, 3, lambda s: (30 - s) * 1_000_000, "unfinished")),
        ALL,
    ),
    "a gap of minutes": (run_of(rows_of(600, 1, lambda s: 100_000 + s, step_s=60), timeline_of(600, 0)), ALL),
    "of a tool without a plan": (
        run_of(
            [row for n, us in enumerate(TIMES) for row in of_service(n // 60, int(us) // 1000 * 1000)], source=JMETER
        ),
        ["percentiles", "heatmap", "over_time", "distribution", "outcomes"],
    ),
    "a timeline of nothing known": (
        run_of(
            [row for n, us in enumerate(TIMES) for row in of_service(n // 60, int(us))],
            timeline_of(
                60, **{name: np.full(60, np.nan) for name in ("target_per_s", "lateness_ms")}, planned=np.zeros(60)
            ),
            JMETER,
        ),
        ["percentiles", "heatmap", "over_time", "distribution", "outcomes"],
    ),
    "an aggregate": (
        run_of(
            [(0, "json", "ok", "response", -1, 1000)]
            + [(0, "json", "ok", "service", us, n) for us, n in ((50_000, 500), (90_000, 400), (120_000, 100))],
            source=LOCUST,
        ),
        ["percentiles"],
    ),
}
CUT = Window(20, 55, (Cut(0, 5, "ramp"), Cut(5, 20, "warm-up"), Cut(55, 60, "warm-up")))


@pytest.fixture(scope="module")
def drawn():
    """Draw the ordinary run once; tests share it, because drawing is slow."""
    return plots_of(ODD["ordinary"][0], Choices(), Window(0, 60))


def test_the_pictures_come_in_the_order_of_the_report(drawn):
    assert [plot.name for plot in drawn] == [name for name in PICTURES if name != "capacity"] == ALL


def test_a_picture_has_a_title_a_reading_of_one_line_and_two_formats(drawn):
    for plot in drawn:
        assert re.fullmatch(r"[A-Z][\w ]{4,30}", plot.title)
        assert re.fullmatch(r"[A-Z0-9][^\n<>]{10,200}\.", plot.reading)
        assert plot.png.startswith(b"\x89PNG")
        assert ET.fromstring(plot.svg).tag.endswith("svg")  # noqa: S314 - reads what we drew


def test_the_same_run_gives_the_same_bytes(drawn):
    assert plots_of(run_of(ordinary(), timeline_of(60, 60)), Choices(), Window(0, 60)) == drawn


def test_pictures_share_no_id_so_that_one_page_can_hold_all(drawn):
    ids = re.findall(r'\bid="([^"]+)"', "".join(plot.svg for plot in drawn))

    assert len(ids) > 10
    assert len(ids) == len(set(ids))


def test_every_reference_in_a_picture_is_to_a_part_of_itself(drawn):
    for plot in drawn:
        found = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', plot.svg)
        targets = {(one or other).strip("\"'") for one, other in found}

        assert targets
        assert targets <= {f"#{name}" for name in re.findall(r'\bid="([^"]+)"', plot.svg)}
        assert set(re.findall(r"https?://[^\"]+", plot.svg)) <= {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }


def test_a_picture_takes_its_colours_and_font_from_the_page_and_rules_nothing_there(drawn):
    for plot in drawn:
        colours = set(re.findall(r"(?:fill|stroke): ?([^;\"]+)", plot.svg))

        assert {colour for colour in colours if not colour.startswith("url(")} <= {"none", *CSS_COLOURS.values()}
        assert not re.findall(r"#[0-9a-f]{6}\b", plot.svg)
        assert "font-family" not in plot.svg
        assert "font-size: 10px" in plot.svg
        assert not re.search(r"<style|<script|\bon\w+=|<image|<!", plot.svg)


def test_the_pictures_of_a_page_are_small(drawn):
    sizes_kb = [len(plot.svg) / 1000 for plot in drawn]

    assert max(sizes_kb) < MOST_KB
    assert sum(sizes_kb) < MANY_KB


def test_drawing_leaves_no_state(drawn):
    before = {key: mpl.rcParams[key] for key in (*STYLE, "svg.hashsalt")}
    plots_of(ODD["one request"][0], Choices(), Window(0, 1))

    assert {key: mpl.rcParams[key] for key in before} == before


@pytest.mark.parametrize(("run", "names"), ODD.values(), ids=ODD)
def test_whatever_the_run_is_like_its_pictures_are_whole_and_none_is_empty(run, names):
    """No text lies on another or outside its picture, no axes are without marks, and nothing warns."""
    seen = view(run, CUT if len(run.timeline.second) == 60 else None)
    with mpl.rc_context(STYLE):
        pictures = {name: picture for name, draw in PICTURES.items() if (picture := draw(seen))}

        assert list(pictures) == names
        for name, picture in pictures.items():
            FigureCanvasAgg(picture.figure).draw()
            assert overlaps(picture.figure) == [], name
            assert outside(picture.figure) == [], name
            for axes in picture.figure.axes:
                assert axes.has_data() or axes.artists, name
            assert re.fullmatch(r"[A-Z0-9].*[^.]\.", picture.reading)
            assert not re.search(r"nan|None|inf\b", picture.reading)


def texts(figure):
    renderer = figure.canvas.get_renderer()
    hidden = {id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in beyond(axis)}
    shown = [text for text in figure.findobj(Text) if text.get_visible() and id(text) not in hidden]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown if text.get_text().strip()]


def beyond(axis):
    """Labels of ticks outside the axis exist, but are not drawn."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]


def overlaps(figure):
    boxes = texts(figure)
    return [
        (one, other)
        for number, (one, box) in enumerate(boxes)
        for other, other_box in boxes[number + 1 :]
        if min(box.x1, other_box.x1) - max(box.x0, other_box.x0) > 1
        and min(box.y1, other_box.y1) - max(box.y0, other_box.y0) > 2
    ]


def outside(figure):
    page = figure.bbox
    return [
        text
        for text, box in texts(figure)
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]
