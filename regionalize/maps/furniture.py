"""What helps to read a map: the scale bar and the arrow to north."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regionalize.maps.sheet import ARROW, GREY
from regionalize.maps.text import BASE_FONT

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform


def scale_bar(x: float, y: float, length: float, points: Transform) -> Artist:
    """Return a bar with upright ends, its left end at (x, y)."""
    from matplotlib.lines import Line2D

    return Line2D(
        [x, x, x + length, x + length],
        [y + 3.5, y, y, y + 3.5],
        transform=points,
        color=GREY,
        linewidth=0.9,
        solid_joinstyle="miter",
        solid_capstyle="butt",
        gid="scale-bar",
    )


def north_arrow(x: float, y: float, bearing: float, points: Transform) -> list[Artist]:
    """Return an arrow about (x, y), `bearing` degrees clockwise from upwards, and an N beside it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    turned = Affine2D().rotate_deg(-bearing).translate(x, y) + points
    half, wing = ARROW / 2, ARROW / 3.2
    dart = Path([(0, half), (wing, -half), (0, -half * 0.55), (-wing, -half), (0, half)], closed=True)
    left = Path([(0, half), (-wing, -half), (0, -half * 0.55), (0, half)], closed=True)
    letter = TextPath((0, 0), "N", size=7, prop=FontProperties(family=BASE_FONT, weight="bold"))
    middle = letter.get_extents()
    beside = Affine2D().translate(x + wing + 3.5 - middle.x0, y - (middle.y0 + middle.y1) / 2) + points
    return [
        PathPatch(dart, transform=turned, facecolor="white", edgecolor=GREY, linewidth=0.7, gid="north"),
        PathPatch(left, transform=turned, facecolor=GREY, edgecolor="none", gid="north-shade"),
        PathPatch(letter, transform=beside, facecolor=GREY, edgecolor="none", gid="north-letter"),
    ]
