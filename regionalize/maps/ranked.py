"""The map of a ranking: places, the items ranked for them with their numbers, lines between, others grey."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.maps.classes import draw_classes
from regionalize.maps.colors import cluster_color
from regionalize.maps.picture import FileFormat, check_format
from regionalize.maps.sheet import INK, Captions, Entry, compose

if TYPE_CHECKING:
    import pyproj
    from matplotlib.artist import Artist
    from matplotlib.transforms import Transform

    from regionalize.maps.units import Units

OTHERS = -1
MOST_COLORS = 8
"""Places that have a colour of their own each; of more, all have the first."""
_PLACE, _LINE = "#d6006c", "#70757c"
_PIN, _STAR = 12.0, 15.0
"""Width of the signs, in points."""


@dataclass(frozen=True)
class RankedShapes:
    """What is on the map, a row for each thing: first items, then lines, then pins, then places.

    Attributes
    ----------
    geometry : (n,) object
        Shapely geometries; pins and places are points.
    labels : (n,) int64
        Items and pins: the place they are ranked for, from 1, or -1 for others; places and lines: `place` and
        `line`.
    pins : sequence of str
        What stands on each pin.
    places : int
        How many places there are; pins are before these last rows.
    names : sequence of str
        What places are called; one name where there are too many for colours of their own.
    """

    geometry: NDArray[np.object_]
    labels: NDArray[np.int64]
    pins: Sequence[str]
    places: int
    names: Sequence[str]

    @property
    def place(self) -> int:
        """Label of places."""
        return len(self.names) + 1

    @property
    def line(self) -> int:
        """Label of lines."""
        return len(self.names) + 2

    def color(self, label: int) -> str:
        """Return the colour of a label."""
        return {self.place: _PLACE, self.line: _LINE}.get(label) or cluster_color(label)

    def entries(self, *, lines: bool) -> list[Entry]:
        """Return the legend, with lines or without."""
        pinned = self.labels[len(self.labels) - self.places - len(self.pins) : len(self.labels) - self.places]
        found = [Entry(at, name, int((pinned == at).sum())) for at, name in enumerate(self.names, 1)]
        found.append(Entry(self.place, "place" if self.places == 1 else "places", self.places))
        if lines and (self.labels == self.line).any():
            found.append(Entry(self.line, "line to an item", int((self.labels == self.line).sum())))
        others = int((self.labels == OTHERS).sum())
        return [*found, Entry(OTHERS, "other items", others)] if others else found


def draw_ranked(
    shapes: RankedShapes,
    target: Path | IO[bytes],
    *,
    file_format: FileFormat,
    captions: Captions,
    crs: str | pyproj.CRS | None = None,
) -> tuple[str, ...]:
    """Draw the map as a picture.

    Parameters
    ----------
    shapes : RankedShapes
    target, file_format, crs
        As `regionalize.maps.static.draw_map` takes them.
    captions : Captions
        Words around the map.

    Returns
    -------
    tuple of str
        What the person should know of the picture.

    Examples
    --------
    >>> import io, shapely
    >>> geometry = np.array([*shapely.points([[0, 0], [1, 1], [0, 0], [2, 0]])], dtype=object)
    >>> shapes = RankedShapes(geometry, np.array([1, -1, 1, 2]), ["1"], 1, ["ranked"])
    >>> draw_ranked(shapes, io.BytesIO(), file_format="svg", captions=Captions("Nearest"))
    ()
    """
    check_format(file_format, "map")
    return draw_classes(
        shapes.geometry,
        [shapes.labels],
        target,
        file_format=file_format,
        captions=captions,
        entries=shapes.entries(lines=False),
        layout=compose,
        crs=crs,
        colors=shapes.color,
        over=partial(_signs, shapes),
    )


def _signs(shapes: RankedShapes, units: Units, points: Transform) -> Iterator[Artist]:
    """Yield pins with their numbers, the best on top, and stars for places over them."""
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    where = dict(zip(units.row.tolist(), units.centres.tolist(), strict=True))
    rows = len(shapes.geometry)
    first = rows - shapes.places - len(shapes.pins)
    for at in reversed(range(len(shapes.pins))):
        if first + at not in where:  # beyond what the map's system can show
            continue
        x, y = where[first + at]
        color = shapes.color(int(shapes.labels[first + at]))
        yield Line2D(
            [x],
            [y],
            transform=points,
            marker="o",
            markersize=_PIN,
            markerfacecolor="white",
            markeredgecolor=color,
            markeredgewidth=1.6,
            gid=f"item-{at + 1}",
            zorder=5,
        )
        yield Text(
            x,
            y,
            shapes.pins[at],
            transform=points,
            ha="center",
            va="center_baseline",
            fontsize=7 if len(shapes.pins[at]) < 3 else 5.5,
            fontweight="bold",
            color=INK,
            parse_math=False,
            zorder=5,
        )
    for number in range(shapes.places):
        if rows - shapes.places + number not in where:
            continue
        x, y = where[rows - shapes.places + number]
        yield Line2D(
            [x],
            [y],
            transform=points,
            marker="*",
            markersize=_STAR,
            markerfacecolor=_PLACE,
            markeredgecolor="white",
            markeredgewidth=0.8,
            gid=f"place-{number + 1}",
            zorder=6,
        )


def draw_ranked_page(
    shapes: RankedShapes,
    target: Path | IO[bytes],
    *,
    captions: Captions,
    ids: Sequence[str],
    columns: Mapping[str, Sequence[Any]],
    crs: str | pyproj.CRS | None = None,
) -> tuple[str, ...]:
    """Write the map as a page to explore.

    Parameters
    ----------
    shapes, target, captions, crs
        As `draw_ranked` takes them.
    ids : sequence of str
        What every row is found by.
    columns : mapping of str to sequence
        What is told of every row.
    """
    from regionalize.maps.web.page import Coloring, Units, draw_page

    coloring = Coloring(
        "ranking", shapes.labels, shapes.entries(lines=True), shapes.color, legend_title=captions.legend_title
    )
    return draw_page(
        shapes.geometry,
        [coloring],
        target,
        title=captions.title,
        subtitle=captions.subtitle,
        footer=captions.footer,
        units=Units(ids, "item", columns),
        crs=crs,
    )
