"""A picture as files: PNG, and SVG that is a part of the page it stands in."""

import re
from dataclasses import dataclass
from io import BytesIO

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analysis.plots.style import CSS_COLOURS

PNG_DPI = 110
DIGITS = 2  # after the point of a coordinate: a hundredth of a point is finer than any screen


@dataclass(frozen=True)
class Plot:
    name: str
    title: str  # a short heading
    reading: str  # what this picture shows, in one plain sentence with its figures
    svg: str
    png: bytes


@dataclass(frozen=True)
class Picture:
    """A drawing that has not been saved yet."""

    title: str
    reading: str
    figure: Figure


def rendered(name: str, picture: Picture) -> Plot:
    """Save *picture* in both formats; the same picture always gives the same bytes."""
    FigureCanvasAgg(picture.figure)
    png, svg = BytesIO(), BytesIO()
    picture.figure.savefig(png, format="png", dpi=PNG_DPI, facecolor="white", metadata={"Software": None})
    with mpl.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        picture.figure.savefig(svg, format="svg", transparent=True, metadata=nothing)
    return Plot(name, picture.title, picture.reading, inlined(svg.getvalue().decode(), name), png.getvalue())


def inlined(svg: str, name: str) -> str:
    """Make *svg* a part of a page: no prolog, ids of its own, no rule for its elements, its colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # One or the other, by matplotlib's version; the page's own font then holds.
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r"font: (\w*) ?\b([\d.]+px) [^;\"]*", r"font-weight: \1; font-size: \2", svg)
    svg = re.sub(r' d="([^"]*)"', lambda match: f' d="{short_path(match[1])}"', svg)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    names = {one or other for one, other in used}
    svg = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in names else "", svg)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in CSS_COLOURS.items():
        svg = svg.replace(colour, variable)
    return re.sub(r"\s*\n\s*", "\n", svg)


def short_path(path: str) -> str:
    """Write the same *path* in fewer letters: rounded, and `H` and `V` for lines along an axis."""
    words, before = [], ("", "")
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        points = [_short(number) for number in numbers.split()]
        after = (points[-2], points[-1]) if len(points) > 1 else before
        if command == "L" and after[1] == before[1]:
            words.append(f"H{after[0]}")
        elif command == "L" and after[0] == before[0]:
            words.append(f"V{after[1]}")
        else:
            words.append(command + " ".join(points))
        before = after
    return "".join(words)


def _short(number: str) -> str:
    return f"{float(number):.{DIGITS}f}".rstrip("0").rstrip(".")
