"""The report's pictures, each as SVG (to be inlined) and PNG. All that knows matplotlib is in this folder.

Each picture has a module of its own: what is drawn is worked out as plain numbers first, then drawn. Built with
matplotlib's object API: no pyplot, so no state is left behind.
"""

import matplotlib as mpl

from analysis.choices import Choices
from analysis.plots import capacity, distribution, heatmap, lateness, outcomes_by_time, over_time, percentile_curves
from analysis.plots.plot import Picture, Plot, rendered
from analysis.plots.style import STYLE
from analysis.plots.view import view_of
from analysis.run import Run
from analysis.window import Window

PICTURES = {
    "capacity": capacity.picture,
    "percentiles": percentile_curves.picture,
    "heatmap": heatmap.picture,
    "over_time": over_time.picture,
    "distribution": distribution.picture,
    "lateness": lateness.picture,
    "outcomes": outcomes_by_time.picture,
}

__all__ = ["PICTURES", "Picture", "Plot", "plots_of"]


def plots_of(run: Run, choices: Choices, window: Window) -> list[Plot]:
    """Draw *run*, each picture that has something to show; times are of the *window*, what goes by time of all."""
    view = view_of(run, choices, window)
    with mpl.rc_context(STYLE):
        pictures = {name: draw(view) for name, draw in PICTURES.items()}
        return [rendered(name, picture) for name, picture in pictures.items() if picture]
