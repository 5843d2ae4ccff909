import re

import pytest

from analysis.plots.plot import inlined, short_path


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 10.123456 20 \nL 30.5 20 \nL 30.5 41.999 \nz", "M10.12 20H30.5V42z"),
        ("M 1 2 L 3 4 L 3 4", "M1 2L3 4H3"),
        ("M 0 0 C 1.111 2.222 3.333 4.444 5.555 6.666 L 5.555 9", "M0 0C1.11 2.22 3.33 4.44 5.55 6.67V9"),
        ("M -0.001 100 L 100 -0.5", "M-0 100L100 -0.5"),
    ],
)
def test_a_path_is_written_in_fewer_letters(path, short):
    assert short_path(path) == short


@pytest.mark.parametrize(
    "style",
    ["font-size: 10px; font-family: 'A', sans-serif; fill: #0072b2", "font: 10px 'A', sans-serif; fill: #0072b2"],
)
def test_text_has_the_font_and_the_colours_of_the_page(style):
    """However this version of matplotlib writes it."""
    svg = inlined(
        f'<?xml version="1.0"?><svg><defs><style>*{{}}</style></defs><text style="{style}">a</text></svg>', "x"
    )

    assert svg.startswith("<svg>")
    assert "font-size: 10px" in svg
    assert "fill: var(--blue)" in svg
    assert not re.search("sans-serif|<style|'A'", svg)


def test_only_what_is_referred_to_keeps_its_name_and_that_is_the_pictures_own():
    svg = inlined('<svg><g id="axes_1"><path id="m1" d="M 1 1"/><use xlink:href="#m1"/></g></svg>', "heatmap")

    assert 'id="heatmap-m1"' in svg
    assert 'href="#heatmap-m1"' in svg
    assert "axes_1" not in svg
