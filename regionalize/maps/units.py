"""Units as matplotlib artists: areas, lines and markers in the colour and sign of their cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.maps.colors import cluster_color, cluster_turn
from regionalize.maps.page import Parts, Window, line_paths, polygon_paths

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.path import Path
    from matplotlib.transforms import Transform

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

HATCHES = ("", "/////", "....", "\\\\\\\\\\", "xxxx")
DASHES = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v")
"""The second sign of clusters beyond the palette, by `cluster_turn`: of areas, lines and points."""

_MOST_VERTICES = 400_000
_MOST_MARKERS = 20_000
"""Above these a vector file would be many megabytes and slow to open: the units go in as an image."""

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


def draw_units(
    parts: Parts, window: Window, labels: IntArray, map_area: float, points: Transform, maps: int = 1
) -> tuple[list[Artist], str, int, bool]:
    """Return artists, the kind most are, how many polygons became dots, and if a vector file is too heavy.

    Parameters
    ----------
    parts, window
        What to draw, and where it falls.
    labels : (n,) int64
        Label of every row of the layer.
    map_area : float
        Of the map, in square points: sets the size of markers.
    points : Transform
        From points on the page to the device.
    maps : int
        How many maps the page holds.
    """
    polygons, lines, dots = (parts.kind(name) for name in ("polygons", "lines", "points"))
    bounds = polygons.bounds
    across = np.hypot(*((bounds[:, 2:] - bounds[:, :2]) * window.scale).T)
    typical = float(np.median(across)) if len(polygons) else 0.0
    speck = np.zeros(len(polygons), dtype=bool)
    if typical < _SPECK and 3 * typical < np.sqrt(map_area / max(len(polygons), 1)):
        speck = across < _SPECK  # buildings of a country: true to scale they would not be seen at all
    specks, polygons = polygons.take(speck), polygons.take(~speck)

    artists: list[Artist] = []
    vertices = 0
    for label, path in polygon_paths(polygons, window, labels):
        vertices += len(path)
        artists += area(path, points, label, float(np.median(across[~speck])), name_of(label))
    thickness = float(np.clip(25 / np.sqrt(max(len(lines), 1)), 0.4, 1.8))
    for label, path in line_paths(lines, window, labels):
        vertices += len(path)
        artists.append(stroke(path, points, label, thickness, name_of(label)))
    row = np.concatenate([dots.row, specks.row])
    if len(row):
        size = float(np.clip(0.4 * np.sqrt(map_area / len(row)), 1.0, 8.0))
        centres = np.concatenate([_centres(some, window) for some in (dots, specks)])
        artists += markers(centres, labels[row], points, size, "markers")
    counts = {"areas": len(polygons), "lines": len(lines), "markers": len(row)}
    kind = max(counts, key=lambda name: counts[name])
    heavy = maps * vertices > _MOST_VERTICES or maps * len(row) > _MOST_MARKERS
    return artists, kind, len(specks), heavy


def _centres(parts: Parts, window: Window) -> FloatArray:
    """Middle of each part's bounding box on the page: the point itself, or a speck's place."""
    bounds = shapely.bounds(parts.shapes).reshape(-1, 4)
    return window.place((bounds[:, :2] + bounds[:, 2:]) / 2, parts.shift)


def area(path: Path, points: Transform, label: int, across: float, name: str) -> Iterator[Artist]:
    """Yield the polygons of one cluster, with thin white lines between units `across` points wide."""
    from matplotlib.patches import PathPatch

    color = cluster_color(label)
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
            edgecolor=_on(color),
            linewidth=0,
            hatch=HATCHES[cluster_turn(label) % len(HATCHES)],
            zorder=1,
        )


def stroke(path: Path, points: Transform, label: int, thickness: float, name: str) -> Artist:
    """Return the lines of one cluster."""
    from matplotlib.patches import PathPatch

    return PathPatch(
        path,
        transform=points,
        fill=False,
        edgecolor=cluster_color(label),
        linewidth=thickness,
        linestyle=DASHES[cluster_turn(label) % len(DASHES)],
        joinstyle="round",
        capstyle="butt",
        gid=name,
        zorder=2,
    )


def markers(
    centres: FloatArray, labels: IntArray, points: Transform, size: float, name: str
) -> Iterator[Artist]:
    """Yield markers, `size` points wide, in row order, so that no cluster lies on top of all others."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_rgba_array
    from matplotlib.markers import MarkerStyle
    from matplotlib.transforms import IdentityTransform

    values, inverse = np.unique(labels, return_inverse=True)
    colors = to_rgba_array([cluster_color(int(value)) for value in values])
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
            facecolors=colors[inverse[chosen]],
            edgecolors="white" if size > 3 else "none",
            linewidths=0.3,
            gid=name,
            zorder=3,
        )


def symbol(
    kind: str, corner: tuple[float, float], size: tuple[float, float], label: int, points: Transform
) -> list[Artist]:
    """Return the legend's sign of a label, in a box given by its lower left corner and size."""
    from matplotlib.path import Path

    (x, y), (width, height) = corner, size
    middle = y + height / 2
    if kind == "markers":
        centre = np.array([[x + width / 2, middle]])
        return list(markers(centre, np.array([label]), points, min(height, 7.0), f"legend-{name_of(label)}"))
    if kind == "lines":
        path = Path([(x, middle), (x + width, middle)])
        return [stroke(path, points, label, 1.8, f"legend-{name_of(label)}")]
    path = Path([(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)], closed=True)
    return list(area(path, points, label, 0.0, f"legend-{name_of(label)}"))


def scale_bar(x: float, y: float, length: float, points: Transform) -> Artist:
    """Return a bar with upright ends, its left end at (x, y)."""
    from matplotlib.lines import Line2D

    return Line2D(
        [x, x, x + length, x + length],
        [y + 3.5, y, y, y + 3.5],
        transform=points,
        color="#666666",
        linewidth=0.9,
        solid_joinstyle="miter",
        solid_capstyle="butt",
        gid="scale-bar",
    )


def _on(color: str) -> str:
    """Black or white lines, whichever are seen on `color` without drowning it."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#00000099" if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else "#ffffffb3"
