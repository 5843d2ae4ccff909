"""Colours, marks and fonts of all pictures.

Colours are Okabe and Ito's, which colour-blind people tell apart, and every line has a dash of its own and every area
a hatch, for black and white. In the SVG the colours become CSS variables of the page, so one picture serves light and
dark.
"""

from typing import Any

INK = "#333334"  # text and axes; not a grey that matplotlib uses itself
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9"
CSS_COLOURS = {
    INK: "var(--ink)",
    BLUE: "var(--blue)",
    VERMILLION: "var(--vermillion)",
    GREEN: "var(--green)",
    ORANGE: "var(--orange)",
    PURPLE: "var(--purple)",
    SKY: "var(--sky)",
}
DASHED, DOTTED, DASH_DOTTED = (0, (5, 2)), (0, (1, 1.5)), (0, (7, 2, 1.5, 2))
WIDTH_IN = 9.0
FONT_PT, SMALL_PT = 10, 9
Style = dict[str, Any]  # of one mark
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": FONT_PT,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": FONT_PT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # fixed: looking for a free place takes long
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": INK,
    "grid.alpha": 0.15,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": SMALL_PT,
    "lines.linewidth": 1.6,
    "patch.linewidth": 0,
    "hatch.linewidth": 0.8,
}
