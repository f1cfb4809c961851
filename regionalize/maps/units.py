"""Units as matplotlib artists: areas, lines and markers in the colour and sign of their cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.maps.borders import region_borders
from regionalize.maps.colors import cluster_turn
from regionalize.maps.paths import GRID, Parts, Window, line_paths
from regionalize.maps.rings import Rings, ring_paths
from regionalize.maps.sheet import INK
from regionalize.model.style import ink_on

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.path import Path
    from matplotlib.transforms import Transform

    from regionalize.maps.ground import Ground

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Colors = Callable[[int], str]
"""From a label to its hex colour."""

HATCHES = ("", "/////", "....", "\\\\\\\\\\", "xxxx")
DASHES = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v")
"""The second sign of clusters beyond the palette, by `cluster_turn`: of areas, lines and points."""

_MOST_VERTICES = 400_000
_MOST_MARKERS = 20_000
"""Above these a vector file would be many megabytes and slow to open: the units go in as an image."""

_MOST_SIMPLIFIED = 1_200_000
"""Vertices of a heavy layer up to which simplifying its borders is likely to be enough …"""
_TOLERANCE = 0.15
"""… when they move by up to so many points."""

_OUTLINED = 4.0
"""Units at least this many points across have a white line between them."""
_SPECK = 1.5
"""Polygons of fewer points across, and far from each other, are drawn as dots."""


def name_of(label: int) -> str:
    """Return the name of a label's artist, which an SVG keeps as the group's id.

    Examples
    --------
    >>> name_of(3), name_of(0), name_of(-1)
    ('cluster-3', 'not-clustered', 'no-data')
    """
    return f"cluster-{label}" if label > 0 else "no-data" if label else "not-clustered"


@dataclass(frozen=True)
class Units:
    """The units of a layer on the page, in points from the lower left corner of any map.

    Attributes
    ----------
    polygons, lines : Parts
        Areas and lines as they are.
    rings : Rings or None
        Outlines of the polygons on the grid; None where there is none.
    across : float
        Width of a typical polygon, in points.
    row, centres : (d,) int64, (d, 2) float64
        Row and place of each marker: points, and polygons too small to be seen.
    size : float
        Diameter of a marker.
    specks : int
        Polygons that became markers.
    window : Window
        Where map units fall.
    """

    polygons: Parts
    lines: Parts
    rings: Rings | None
    across: float
    row: IntArray
    centres: FloatArray
    size: float
    specks: int
    window: Window

    @staticmethod
    def place(ground: Ground, width: float, height: float) -> Units:
        """Put the units of a layer onto a map of a size in points."""
        window, map_area = ground.window(0.0, 0.0, height), width * height
        polygons, lines, dots = (ground.parts.kind(name) for name in ("polygons", "lines", "points"))
        bounds = polygons.bounds
        across = np.hypot(*((bounds[:, 2:] - bounds[:, :2]) * window.scale).T)
        typical = float(np.median(across)) if len(polygons) else 0.0
        speck = np.zeros(len(polygons), dtype=bool)
        if typical < _SPECK and 3 * typical < np.sqrt(map_area / max(len(polygons), 1)):
            speck = across < _SPECK  # buildings of a country: true to scale they would not be seen at all
        specks, polygons = polygons.take(speck), polygons.take(~speck)
        row = np.concatenate([dots.row, specks.row])
        return Units(
            polygons,
            lines,
            Rings.place(polygons, window) if len(polygons) else None,
            float(np.median(across[~speck])) if len(polygons) else 0.0,
            row,
            np.concatenate([_centres(some, window) for some in (dots, specks)]),
            float(np.clip(0.4 * np.sqrt(map_area / max(len(row), 1)), 1.0, 8.0)),
            len(specks),
            window,
        )

    @property
    def kind(self) -> str:
        """What most units are: ``"areas"``, ``"lines"`` or ``"markers"``."""
        counts = {"areas": len(self.polygons), "lines": len(self.lines), "markers": len(self.row)}
        return max(counts, key=lambda name: counts[name])

    def heavy(self, maps: int) -> bool:
        """Whether a vector file with so many maps of them would be too heavy."""
        vertices = int(shapely.get_num_coordinates(self.lines.shapes).sum())
        vertices += len(self.corners.ring) if self.corners is not None else 0
        return maps * vertices > _MOST_VERTICES or maps * len(self.row) > _MOST_MARKERS

    def lighter(self, maps: int) -> Units:
        """Return them with borders simplified, where that makes so many maps light enough for a vector file.

        Borders move by less than half a pixel of the PNG.
        """
        if self.rings is None or maps * len(self.rings.ring) > _MOST_SIMPLIFIED:
            return self
        simple = replace(self, rings=self.rings.simplified(_TOLERANCE / GRID))
        return self if simple.heavy(maps) else simple

    @cached_property
    def corners(self) -> Rings | None:
        """Outlines of the polygons without vertices on a straight line."""
        return None if self.rings is None else self.rings.corners()

    def draw(self, labels: IntArray, points: Transform, colors: Colors) -> list[Artist]:
        """Return artists of all units.

        Parameters
        ----------
        labels : (n,) int64
            Label of every row of the layer.
        points : Transform
            From points from the map's lower left corner to the device.
        colors : callable
            Colour of a label.
        """
        artists: list[Artist] = []
        if self.corners is not None:
            for label, path in ring_paths(self.corners, labels[self.polygons.row]):
                artists += area(path, points, label, self.across, name_of(label), colors)
        thickness = float(np.clip(25 / np.sqrt(max(len(self.lines), 1)), 0.4, 1.8))
        for label, path in line_paths(self.lines, self.window, labels):
            artists.append(stroke(path, points, label, thickness, name_of(label), colors))
        if len(self.row):
            artists += markers(self.centres, labels[self.row], points, self.size, "markers", colors)
        return artists

    def outline(self, labels: IntArray, points: Transform) -> list[Artist]:
        """Return the lines that bound the regions of polygons: dark ones on white, to be seen on any fill."""
        from matplotlib.patches import PathPatch

        if self.rings is None:
            return []
        label = labels[self.polygons.row]
        path = region_borders(self.rings, self.polygons, label, self.window)
        if path is None:
            return []
        regions = len(np.unique(label[label > 0]))
        region = self.across * np.sqrt(np.count_nonzero(label > 0) / regions)
        thickness = float(np.clip(0.02 * region, 0.3, 0.9))
        return [
            PathPatch(
                path,
                transform=points,
                fill=False,
                edgecolor=color,
                linewidth=width,
                joinstyle="round",
                capstyle="round",
                gid=name,
                zorder=2,
                rasterized=len(path) > _MOST_VERTICES,
            )
            for name, color, width in (
                ("borders-light", "white", 2 * thickness),
                ("borders", INK, thickness),
            )
        ]


def _centres(parts: Parts, window: Window) -> FloatArray:
    """Middle of each part's bounding box on the page: the point itself, or a speck's place."""
    bounds = shapely.bounds(parts.shapes).reshape(-1, 4)
    return window.place((bounds[:, :2] + bounds[:, 2:]) / 2, parts.shift)


def area(
    path: Path, points: Transform, label: int, across: float, name: str, colors: Colors
) -> Iterator[Artist]:
    """Yield the polygons of one cluster, with thin white lines between units `across` points wide."""
    from matplotlib.patches import PathPatch

    color = colors(label)
    outlined = across >= _OUTLINED
    yield PathPatch(
        path,
        transform=points,
        facecolor=color,
        edgecolor="white" if outlined else color,  # its own colour closes the seams between tiny units
        linewidth=min(0.05 + 0.016 * across, 0.7) if outlined else 0.2,
        joinstyle="round",
        capstyle="round",
        gid=name,
        zorder=1,
    )
    if cluster_turn(label):
        yield PathPatch(
            path,
            transform=points,
            facecolor="none",
            edgecolor=ink_on(color),
            linewidth=0,
            hatch=HATCHES[cluster_turn(label) % len(HATCHES)],
            zorder=1,
        )


def stroke(path: Path, points: Transform, label: int, thickness: float, name: str, colors: Colors) -> Artist:
    """Return the lines of one cluster."""
    from matplotlib.patches import PathPatch

    return PathPatch(
        path,
        transform=points,
        fill=False,
        edgecolor=colors(label),
        linewidth=thickness,
        linestyle=DASHES[cluster_turn(label) % len(DASHES)],
        joinstyle="round",
        capstyle="butt",
        gid=name,
        zorder=2,
    )


def markers(
    centres: FloatArray, labels: IntArray, points: Transform, size: float, name: str, colors: Colors
) -> Iterator[Artist]:
    """Yield markers, `size` points wide, in row order, so that no cluster lies on top of all others."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_rgba_array
    from matplotlib.markers import MarkerStyle
    from matplotlib.transforms import IdentityTransform

    values, inverse = np.unique(labels, return_inverse=True)
    fills = to_rgba_array([colors(int(value)) for value in values])
    sign = np.array([cluster_turn(int(value)) % len(MARKERS) for value in values])
    for turn in np.unique(sign):
        style = MarkerStyle(MARKERS[turn])
        chosen = sign[inverse] == turn
        yield PathCollection(
            [style.get_path().transformed(style.get_transform())],
            sizes=[size**2],
            transform=IdentityTransform(),  # of the marker itself: its size is set above
            offsets=centres[chosen],
            offset_transform=points,
            facecolors=fills[inverse[chosen]],
            edgecolors="white" if size > 3 else "none",
            linewidths=0.3,
            gid=name,
            zorder=3,
        )


def symbol(
    kind: str,
    corner: tuple[float, float],
    size: tuple[float, float],
    label: int,
    points: Transform,
    colors: Colors,
) -> list[Artist]:
    """Return the legend's sign of a label, in a box given by its lower left corner and size."""
    from matplotlib.path import Path

    (x, y), (width, height) = corner, size
    middle, name = y + height / 2, f"legend-{name_of(label)}"
    if kind == "markers":
        centre = np.array([[x + width / 2, middle]])
        return list(markers(centre, np.array([label]), points, min(height, 7.0), name, colors))
    if kind == "lines":
        path = Path([(x, middle), (x + width, middle)])
        return [stroke(path, points, label, 1.8, name, colors)]
    path = Path([(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)], closed=True)
    return list(area(path, points, label, 0.0, name, colors))
