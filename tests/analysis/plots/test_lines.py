import numpy as np
import pytest

from analysis.plots.axes import figure_of
from analysis.plots.lines import Lines, by_step, draw_lines
from analysis.plots.steps import steps_of


def test_the_values_of_a_step_that_are_there_are_joined():
    second, value = np.arange(6), np.array([1.0, 3, np.nan, np.nan, np.nan, -1])

    assert by_step(steps_of(6, 2), second, value, np.mean).tolist() == pytest.approx([2, np.nan, np.nan], nan_ok=True)
    assert by_step(steps_of(6, 5), second, value, np.max).tolist() == pytest.approx([3, np.nan], nan_ok=True)


def test_a_point_without_neighbours_gets_a_mark():
    line = np.full(150, 1.0)
    line[[3, 5]] = np.nan
    _, (axes,) = figure_of(2)
    draw_lines(axes, Lines("", steps_of(150), {"sent": line}, 2))

    assert axes.get_lines()[0].get_markevery() == [4]
