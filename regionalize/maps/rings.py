"""Polygons as rings on the grid of a page: cleaned, turned and made into paths.

Rounding to the grid is what simplifies a map: two units that share a border round it alike, so that it stays
shared and nothing opens between them, whatever the state of the topology, and it costs less than reading.
Simplifying further is for vector files, which are heavy by the vertex.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.maps.arcs import Arcs
from regionalize.maps.paths import GRID, Parts, Window, split_paths

if TYPE_CHECKING:
    from matplotlib.path import Path

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_MOVE, _LINE, _CLOSE = 1, 2, 79  # matplotlib path codes


@dataclass(frozen=True)
class Rings:
    """Open rings of polygons on the integer grid.

    Shells run counter-clockwise and holes clockwise, so that a unit lies to the left of its edges: fills
    follow the non-zero winding rule, by which a hole is a hole, an enclave in it is filled, and two
    overlapping units of one cluster do not cancel out. No vertex repeats the one before.

    Attributes
    ----------
    grid : (v, 2) int64
        Vertices, in units of `GRID` points.
    ring : (v,) int64
        Ring of each vertex, ascending; a ring has at least one.
    part : (r,) int64
        Polygon that each ring is of.
    hole : (r,) bool
        Whether it is a hole.
    """

    grid: IntArray
    ring: IntArray
    part: IntArray
    hole: BoolArray

    @staticmethod
    def place(polygons: Parts, window: Window) -> Rings:
        """Put polygons onto the grid of a page."""
        _, xy, (ring_offset, part_offset) = shapely.to_ragged_array(polygons.shapes, include_z=False)
        n_rings = len(ring_offset) - 1
        ring = np.repeat(np.arange(n_rings), np.diff(ring_offset))
        part = np.repeat(np.arange(len(polygons)), np.diff(part_offset))
        hole = np.ones(n_rings, dtype=bool)
        hole[part_offset[:-1]] = False
        grid = np.rint(window.place(xy, polygons.shift[part[ring]]) / GRID).astype(np.int64)
        closing = np.zeros(len(ring), dtype=bool)
        closing[ring_offset[1:] - 1] = True  # the last vertex repeats the first
        return Rings(grid[~closing], ring[~closing], part, hole)._without_repeats()._turned()

    @property
    def around(self) -> tuple[IntArray, IntArray]:
        """The vertex before and the vertex after each on its ring."""
        first = np.flatnonzero(np.diff(self.ring, prepend=-1))
        last = np.append(first[1:], len(self.ring)) - 1
        before, after = np.arange(-1, len(self.ring) - 1), np.arange(1, len(self.ring) + 1)
        before[first], after[last] = last, first
        return before, after

    def corners(self) -> Rings:
        """Return the rings without vertices on a straight line, and without holes that have no area."""
        before, after = self.around
        back, ahead = self.grid - self.grid[before], self.grid[after] - self.grid
        cross = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0]
        found = self._take((cross != 0) | ((back * ahead).sum(axis=1) <= 0))
        flat = found.hole & (np.bincount(found.ring, minlength=len(self.part)) < 3)
        return found._take(~flat[found.ring])

    def simplified(self, tolerance: float) -> Rings:
        """Drop vertices within `tolerance` units of the grid of the line without them.

        A border that two polygons share is simplified once, for both, so that it stays shared.
        """
        first = np.flatnonzero(np.diff(self.ring, prepend=-1))
        start = np.append(first, len(self.ring))
        closed = np.insert(np.arange(len(self.ring)), start[1:], first)
        rings = self.ring[first]
        arcs = Arcs.cut(self.grid[closed], start + np.arange(len(start)), self.hole[rings])
        arcs = arcs.simplified(tolerance)
        arc = np.where(arcs.refs < 0, ~arcs.refs, arcs.refs)
        count = np.diff(arcs.start)[arc] - 1  # where an arc ends the next begins
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        back = np.repeat(arcs.refs < 0, count)
        arc = np.repeat(arc, count)
        vertex = np.where(back, arcs.start[arc + 1] - 1 - step, arcs.start[arc] + step)
        ring = np.repeat(np.repeat(rings, np.diff(arcs.ring)), count)
        return Rings(arcs.points[vertex], ring, self.part, self.hole)

    def _take(self, which: BoolArray) -> Rings:
        return Rings(self.grid[which], self.ring[which], self.part, self.hole)

    def _without_repeats(self) -> Rings:
        before, _ = self.around
        keep = (self.grid != self.grid[before]).any(axis=1)
        shrunk = np.bincount(self.ring, keep, minlength=len(self.part)) == 0  # to one point: its first stays
        first = np.diff(self.ring, prepend=-1) != 0
        return self._take(keep | (first & shrunk[self.ring]))

    def _turned(self) -> Rings:
        _, after = self.around
        count = np.bincount(self.ring, minlength=len(self.part))
        twice = self.grid[:, 0] * self.grid[after, 1] - self.grid[:, 1] * self.grid[after, 0]
        area = np.bincount(self.ring, twice, minlength=len(self.part))
        wrong = np.where(self.hole, area > 0, area < 0)[self.ring]
        position = np.arange(len(self.ring))
        ends = (2 * (np.cumsum(count) - count) + count - 1)[self.ring]
        position[wrong] = ends[wrong] - position[wrong]
        return Rings(self.grid[position], self.ring, self.part, self.hole)


def ring_paths(rings: Rings, labels: IntArray) -> Iterator[tuple[int, Path]]:
    """Yield one compound path per label (ascending) that holds all rings of its polygons.

    Parameters
    ----------
    rings : Rings
        Without vertices that are no corners.
    labels : (m,) int64
        Label of each polygon.
    """
    if not len(rings.ring):
        return
    label_of_ring = labels[rings.part]
    order = np.argsort(label_of_ring[rings.ring], kind="stable")
    grid, ring = rings.grid[order], rings.ring[order]
    # one more vertex per ring, for the command that closes it
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    length = np.diff(np.append(first, len(ring)))
    place = np.arange(len(ring)) + np.repeat(np.arange(len(first)), length)
    close = first + length + np.arange(len(first))
    vertices = np.empty((len(ring) + len(first), 2))
    vertices[place], vertices[close] = grid * GRID, grid[first] * GRID
    codes = np.full(len(vertices), _LINE, dtype=np.uint8)
    codes[place[first]], codes[close] = _MOVE, _CLOSE
    yield from split_paths(vertices, codes, np.repeat(label_of_ring[ring[first]], length + 1))
