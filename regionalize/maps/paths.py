"""Geometries as paths on a page: map units become points (1/72 inch), rings become drawing commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.path import Path

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ObjectArray = NDArray[np.object_]

GRID = 0.05
"""Vertices are rounded to this many points: a seventh of a pixel, 0.02 mm on paper. Two units that share a
border round it alike, so nothing opens between them, whatever the state of the topology."""

_POINT, _LINES, _POLYGON = 0, (1, 2), 3  # GEOS type numbers of single parts
_MOVE, _LINE = 1, 2  # matplotlib path codes


@dataclass(frozen=True)
class Parts:
    """Single-part geometries and the row each came from.

    Attributes
    ----------
    shapes : (m,) object
        Points, lines and polygons; no collections, nothing null or empty.
    row : (m,) int64
        Row of the layer.
    shift : (m,) float64
        Degrees to add to x, for a layer that straddles the antimeridian.
    """

    shapes: ObjectArray
    row: IntArray
    shift: FloatArray

    @staticmethod
    def explode(geometry: ObjectArray, around_the_world: bool = False) -> Parts:
        """Take collections apart, drop what is null, empty or not finite, and join what ±180° separates."""
        shapes, row = shapely.get_parts(geometry, return_index=True)
        while np.any(shapely.get_type_id(shapes) > _POLYGON):
            shapes, inner = shapely.get_parts(shapes, return_index=True)
            row = row[inner]
        shapes, row = _turned_inside_out(shapes, row)
        bounds = shapely.bounds(shapes)  # of an empty part: NaN
        there = np.isfinite(bounds).all(axis=1)
        shapes, row, bounds = shapes[there], row[there].astype(np.int64), bounds[there]
        return Parts(shapes, row, _unwrap(bounds) if around_the_world else np.zeros(len(row)))

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def bounds(self) -> FloatArray:
        """Bounds of each part in map units, shape (m, 4)."""
        bounds: FloatArray = shapely.bounds(self.shapes)
        bounds[:, [0, 2]] += self.shift[:, None]
        return bounds

    def kind(self, name: str) -> Parts:
        """Return the ``"points"``, ``"lines"`` or ``"polygons"`` among the parts."""
        code = shapely.get_type_id(self.shapes)
        wanted = {"points": code == _POINT, "lines": np.isin(code, _LINES), "polygons": code == _POLYGON}[
            name
        ]
        return self.take(wanted)

    def take(self, which: NDArray[Any]) -> Parts:
        """Return some of the parts."""
        return Parts(self.shapes[which], self.row[which], self.shift[which])


def _turned_inside_out(shapes: ObjectArray, row: IntArray) -> tuple[ObjectArray, IntArray]:
    """Mend polygons with a hole that reaches beyond the shell: some files give the shell as a hole.

    Their bounds tell only of what is called the shell. Other faults do not matter to a picture.
    """
    holed = np.flatnonzero(shapely.get_num_interior_rings(shapes) > 0)
    rings, owner = shapely.get_rings(shapes[holed], return_index=True)
    own, shell = shapely.bounds(rings).reshape(-1, 4), shapely.bounds(shapes[holed]).reshape(-1, 4)[owner]
    beyond = (own[:, :2] < shell[:, :2]).any(axis=1) | (own[:, 2:] > shell[:, 2:]).any(axis=1)
    faulty = holed[np.unique(owner[beyond])]
    if not len(faulty):
        return shapes, row
    mended, inner = shapely.get_parts(shapely.make_valid(shapes[faulty]), return_index=True)
    mended, part = shapely.get_parts(mended, return_index=True)
    areas = shapely.get_dimensions(mended) == 2
    sound = np.ones(len(shapes), dtype=bool)
    sound[faulty] = False
    new_row = np.concatenate([row[sound], row[faulty][inner[part[areas]]]])
    order = np.argsort(new_row, kind="stable")
    return np.concatenate([shapes[sound], mended[areas]])[order], new_row[order]


def _unwrap(bounds: FloatArray) -> FloatArray:
    """Degrees to add to each part so that a layer across the antimeridian lies in one piece.

    The widest empty stretch of longitude is where the map is cut; parts left of it move 360° east.
    """
    shift = np.zeros(len(bounds))
    if len(bounds) < 2 or bounds[:, 2].max() - bounds[:, 0].min() <= 180:
        return shift
    order = np.argsort(bounds[:, 0], kind="stable")
    reach = np.maximum.accumulate(bounds[order, 2])
    gaps = bounds[order[1:], 0] - reach[:-1]
    widest = int(np.argmax(gaps))
    if gaps[widest] > 360 - (reach[-1] - bounds[order[0], 0]):
        shift[order[: widest + 1]] = 360.0
    return shift


@dataclass(frozen=True)
class Window:
    """Where map units fall on the page: ``point = origin + (unit - corner) * scale``."""

    corner: tuple[float, float]
    scale: tuple[float, float]
    origin: tuple[float, float]

    def place(self, xy: FloatArray, shift: FloatArray) -> FloatArray:
        """Return page coordinates in points of map coordinates, shape (n, 2)."""
        placed = np.asarray(xy, dtype=np.float64) - self.corner
        placed[:, 0] += shift
        return placed * self.scale + self.origin

    def locate(self, xy: FloatArray) -> FloatArray:
        """Return map coordinates of page coordinates, shape (n, 2): the way back, but for the shift."""
        located: FloatArray = (xy - np.asarray(self.origin)) / self.scale + self.corner
        return located


def line_paths(parts: Parts, window: Window, labels: IntArray) -> Iterator[tuple[int, Path]]:
    """Yield one compound path per label (ascending) that holds all its lines."""
    if not len(parts):
        return
    xy, part = shapely.get_coordinates(parts.shapes, return_index=True)
    vertices = np.rint(window.place(xy, parts.shift[part]) / GRID) * GRID
    label = labels[parts.row[part]]
    order = np.argsort(label, kind="stable")
    vertices, part, label = vertices[order], part[order], label[order]
    codes = np.where(np.r_[True, part[1:] != part[:-1]], _MOVE, _LINE).astype(np.uint8)
    yield from split_paths(vertices, codes, label)


def split_paths(
    vertices: FloatArray, codes: NDArray[np.uint8], label: IntArray
) -> Iterator[tuple[int, Path]]:
    """Yield a path for each run of vertices with one label."""
    from matplotlib.path import Path

    start = np.flatnonzero(np.r_[True, label[1:] != label[:-1]])
    for begin, end in zip(start, np.r_[start[1:], len(label)], strict=True):
        yield int(label[begin]), Path(vertices[begin:end], codes[begin:end])
