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
_MOVE, _LINE, _CLOSE = 1, 2, 79  # matplotlib path codes


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


def _ring_paths(
    grid: IntArray, ring: IntArray, n_rings: int, hole: NDArray[np.bool_]
) -> tuple[IntArray, IntArray]:
    """Clean and orient open rings on the integer grid; return vertices and the ring of each.

    Repeated and collinear vertices go, holes without area go, shells run counter-clockwise and holes
    clockwise: fills follow the non-zero winding rule, so a hole is a hole, an enclave in it is filled, and
    two overlapping units of one cluster do not cancel out.
    """
    for collinear in (False, True):
        count = np.bincount(ring, minlength=n_rings)
        start = np.cumsum(count) - count
        before, after = np.arange(-1, len(ring) - 1), np.arange(1, len(ring) + 1)
        some = count > 0
        before[start[some]] = (start + count - 1)[some]
        after[(start + count - 1)[some]] = start[some]
        back, ahead = grid - grid[before], grid[after] - grid
        if collinear:
            cross = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0]
            keep = (cross != 0) | ((back * ahead).sum(axis=1) <= 0)
        else:
            keep = (back != 0).any(axis=1)
            keep[start[some]] |= np.bincount(ring, keep, minlength=n_rings)[some] == 0  # shrunk to one point
        grid, ring = grid[keep], ring[keep]
    count = np.bincount(ring, minlength=n_rings)
    keep = ~(hole & (count < 3))[ring]
    grid, ring = grid[keep], ring[keep]
    count = np.bincount(ring, minlength=n_rings)
    start = np.cumsum(count) - count
    after = np.arange(1, len(ring) + 1)
    after[(start + count - 1)[count > 0]] = start[count > 0]
    twice = np.bincount(ring, grid[:, 0] * grid[after, 1] - grid[:, 1] * grid[after, 0], minlength=n_rings)
    turn = np.where(hole, twice > 0, twice < 0)[ring]
    position = np.arange(len(ring))
    position[turn] = (2 * start + count - 1)[ring][turn] - position[turn]
    return grid[position], ring


def polygon_paths(parts: Parts, window: Window, labels: IntArray) -> Iterator[tuple[int, Path]]:
    """Yield one compound path per label (ascending) that holds all its polygons with their holes."""
    from matplotlib.path import Path

    if not len(parts):
        return
    _, xy, (ring_offset, part_offset) = shapely.to_ragged_array(parts.shapes, include_z=False)
    n_rings = len(ring_offset) - 1
    size = np.diff(ring_offset)
    ring = np.repeat(np.arange(n_rings), size)
    part_of_ring = np.repeat(np.arange(len(parts)), np.diff(part_offset))
    hole = np.ones(n_rings, dtype=bool)
    hole[part_offset[:-1]] = False
    grid = np.rint(window.place(xy, parts.shift[part_of_ring[ring]]) / GRID).astype(np.int64)
    closing = np.zeros(len(ring), dtype=bool)
    closing[ring_offset[1:] - 1] = True  # the last vertex repeats the first
    grid, ring = _ring_paths(grid[~closing], ring[~closing], n_rings, hole)

    # one more vertex per ring, for the command that closes it
    label_of_ring = labels[parts.row[part_of_ring]]
    order = np.argsort(label_of_ring[ring], kind="stable")
    grid, ring = grid[order], ring[order]
    first = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    length = np.diff(np.r_[first, len(ring)])
    place = np.arange(len(ring)) + np.repeat(np.arange(len(first)), length)
    close = first + length + np.arange(len(first))
    vertices = np.empty((len(ring) + len(first), 2))
    vertices[place], vertices[close] = grid * GRID, grid[first] * GRID
    codes = np.full(len(vertices), _LINE, dtype=np.uint8)
    codes[place[first]], codes[close] = _MOVE, _CLOSE
    label_of_vertex = np.repeat(label_of_ring[ring[first]], length + 1)
    yield from _split(vertices, codes, label_of_vertex, Path)


def line_paths(parts: Parts, window: Window, labels: IntArray) -> Iterator[tuple[int, Path]]:
    """Yield one compound path per label (ascending) that holds all its lines."""
    from matplotlib.path import Path

    if not len(parts):
        return
    xy, part = shapely.get_coordinates(parts.shapes, return_index=True)
    vertices = np.rint(window.place(xy, parts.shift[part]) / GRID) * GRID
    label = labels[parts.row[part]]
    order = np.argsort(label, kind="stable")
    vertices, part, label = vertices[order], part[order], label[order]
    codes = np.where(np.r_[True, part[1:] != part[:-1]], _MOVE, _LINE).astype(np.uint8)
    yield from _split(vertices, codes, label, Path)


def _split(
    vertices: FloatArray, codes: NDArray[np.uint8], label: IntArray, path: type[Path]
) -> Iterator[tuple[int, Path]]:
    start = np.flatnonzero(np.r_[True, label[1:] != label[:-1]])
    for begin, end in zip(start, np.r_[start[1:], len(label)], strict=True):
        yield int(label[begin]), path(vertices[begin:end], codes[begin:end])
