"""Polygons as rings of arcs: a border that two neighbours share is kept once, and simplified once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Arcs:
    """Polygons on a grid of whole numbers, their borders cut where three or more meet.

    Attributes
    ----------
    points : (v, 2) int64
        Vertices of all arcs, one arc after the other. Both ends are among them.
    start : (a + 1,) int64
        Where each arc begins among the points.
    refs : (r,) int64
        The arcs of every ring, one ring after the other: the arc's number, or ``~number`` where it is
        walked backwards. Each arc of a ring begins where the one before ends.
    ring : (s + 1,) int64
        Where each ring begins among the refs.
    hole : (s,) bool
        Whether a ring is a hole.
    """

    points: IntArray
    start: IntArray
    refs: IntArray
    ring: IntArray
    hole: NDArray[np.bool_]

    @staticmethod
    def cut(points: IntArray, ring: IntArray, hole: NDArray[np.bool_]) -> Arcs:
        """Cut closed rings into arcs; what two rings have in common becomes one arc.

        Borders are shared where their vertices fall on the same places of the grid, in whatever order and
        direction, valid or not. The work is a few sorts: 2,000,000 vertices take two seconds.

        Parameters
        ----------
        points : (v, 2) int64
            Vertices of all rings, from 0 to below 2³¹, the last of each ring equal to its first.
        ring : (s + 1,) int64
            Where each ring begins.
        hole : (s,) bool
            Whether a ring is a hole.

        Examples
        --------
        Two squares side by side: the border between them, and what is left of each.

        >>> squares = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0], [1, 0], [2, 0], [2, 1], [1, 1], [1, 0]]
        >>> arcs = Arcs.cut(np.array(squares), np.array([0, 5, 10]), np.array([False, False]))
        >>> len(arcs.start) - 1, arcs.refs.tolist()
        (3, [0, 1, 2, -1])
        """
        points, ring = _open_rings(points, ring)
        size = np.diff(ring)
        vertex = _numbered(points)
        before, after = _neighbours(ring)
        cut = _is_junction(vertex, vertex[before], vertex[after])

        # a ring that meets no junction begins at its lowest vertex, so that two such rings begin alike
        ring_of = np.repeat(np.arange(len(size)), size)
        whole = ~np.logical_or.reduceat(cut, ring[:-1])
        lowest = np.minimum.reduceat(vertex, ring[:-1])
        cut |= whole[ring_of] & (vertex == lowest[ring_of])

        # every ring begins at a cut
        place = np.arange(len(points))
        first = np.minimum.reduceat(np.where(cut, place, len(points)), ring[:-1])
        begin = ring[:-1][ring_of]
        moved = begin + (place - begin + (first - ring[:-1])[ring_of]) % size[ring_of]
        points, vertex, cut = points[moved], vertex[moved], cut[moved]

        head = np.flatnonzero(cut)
        of = ring_of[head]  # the ring of each piece
        end = np.r_[head[1:], len(points)]
        last = np.where(end == ring[of + 1], ring[of], end)  # the vertex each piece ends in
        second = np.where(head + 1 == ring[of + 1], ring[of], head + 1)
        ahead = vertex[head] * len(points) + vertex[second]
        back = vertex[last] * len(points) + vertex[end - 1]
        _, kept, inverse = np.unique(np.minimum(ahead, back), return_index=True, return_inverse=True)
        number = np.empty(len(kept), dtype=np.int64)
        number[np.argsort(kept)] = np.arange(len(kept))  # in the order in which rings first need them
        refs = number[inverse]
        kept = np.sort(kept)
        refs = np.where((ahead > back) == (ahead > back)[kept][refs], refs, ~refs)

        length = (end - head)[kept] + 1
        start = np.r_[0, np.cumsum(length)]
        gather = np.arange(start[-1]) - np.repeat(start[:-1] - head[kept], length)
        gather[start[1:] - 1] = last[kept]
        return Arcs(points[gather], start, refs, np.searchsorted(of, np.arange(len(size) + 1)), hole)

    @property
    def twice_area(self) -> IntArray:
        """Twice the signed area of every ring, shape (s,), positive where x to y is a left turn."""
        x, y = self.points[:-1].T
        to_x, to_y = self.points[1:].T
        cross = x * to_y - to_x * y  # may overflow in between; sums modulo 2⁶⁴ still come out right
        cross[self.start[1:-1] - 1] = 0  # from one arc to the next
        of_arc = np.add.reduceat(np.r_[cross, 0], self.start[:-1])
        signed = np.where(self.refs < 0, -of_arc[self.refs ^ (self.refs >> 63)], of_arc[self.refs])
        return np.asarray(np.add.reduceat(signed, self.ring[:-1]), dtype=np.int64)

    def simplified(self, tolerance: float) -> Arcs:
        """Drop vertices that lie within `tolerance` of the line without them (Douglas and Peucker, 1973).

        Ends of arcs stay, and rings that would lose their area keep the arcs they had.
        """
        lines = shapely.linestrings(self.points, indices=_numbers(self.start))
        lines = shapely.simplify(lines, tolerance, preserve_topology=False)
        points, arc = shapely.get_coordinates(lines, return_index=True)
        count = np.bincount(arc, minlength=len(self.start) - 1)
        simple = replace(self, points=points.astype(np.int64), start=np.r_[0, np.cumsum(count)])
        flat = (simple.twice_area == 0) & (self.twice_area != 0)
        if not flat.any():
            return simple
        refs = self.refs[np.repeat(flat, np.diff(self.ring))]
        keep = np.zeros(len(count), dtype=bool)
        keep[refs ^ (refs >> 63)] = True
        return _chosen(self, simple, keep)

    def coarser(self, factor: int) -> Arcs:
        """Round to a grid `factor` times as wide, repeated vertices left out; ends of arcs stay."""
        points = (self.points + factor // 2) // factor
        same = np.r_[False, (points[1:] == points[:-1]).all(axis=1)]
        same[self.start[:-1]] = False
        last = self.start[1:] - 1
        same[last[np.diff(self.start) == 2]] = False
        count = np.add.reduceat(~same, self.start[:-1])
        # an arc that shrank to one place is still two vertices
        lone = count == 1
        same[last[lone]] = False
        start = np.r_[0, np.cumsum(count + lone)]
        return replace(self, points=points[~same], start=start)

    def oriented(self) -> Arcs:
        """Give outer rings a positive area and holes a negative one, for fills by winding number."""
        area = self.twice_area
        turn = np.where(self.hole, area > 0, area < 0)
        size = np.diff(self.ring)
        begin = np.repeat(self.ring[:-1], size)
        turned = np.repeat(turn, size)
        place = np.arange(len(self.refs))
        mirrored = begin + np.repeat(self.ring[1:], size) - 1 - place
        refs = np.where(turned, ~self.refs[mirrored], self.refs)
        return replace(self, refs=refs)


def _open_rings(points: IntArray, ring: IntArray) -> tuple[IntArray, IntArray]:
    """Leave out vertices that repeat the one before, the closing one too; one stays of every ring."""
    keep = np.r_[True, (points[1:] != points[:-1]).any(axis=1)]
    keep[ring[:-1]] = True
    points, ring = points[keep], np.r_[0, np.cumsum(np.add.reduceat(keep, ring[:-1]))]
    closing = np.diff(ring) > 1
    keep = np.ones(len(points), dtype=bool)
    keep[(ring[1:] - 1)[closing]] = False
    return points[keep], ring - np.r_[0, np.cumsum(closing)]


def _numbered(points: IntArray) -> IntArray:
    """Give every place a number, the same for vertices at the same place."""
    return np.asarray(np.unique((points[:, 0] << 32) | points[:, 1], return_inverse=True)[1], dtype=np.int64)


def _neighbours(ring: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of the vertices before and after each within its ring."""
    place = np.arange(ring[-1])
    before, after = place - 1, place + 1
    before[ring[:-1]] = ring[1:] - 1
    after[ring[1:] - 1] = ring[:-1]
    return before, after


def _is_junction(vertex: IntArray, before: IntArray, after: IntArray) -> NDArray[np.bool_]:
    """Whether borders part at a vertex: not every ring that comes by has the same two neighbours there."""
    order = np.argsort(vertex, kind="stable")
    group = np.flatnonzero(np.r_[True, np.diff(vertex[order]) > 0])
    parts = np.zeros(len(group), dtype=bool)
    for side in (np.minimum(before, after)[order], np.maximum(before, after)[order]):
        parts |= np.minimum.reduceat(side, group) != np.maximum.reduceat(side, group)
    return np.asarray(parts[vertex])


def _numbers(start: IntArray) -> IntArray:
    """Return the number of the arc that each point belongs to."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def _chosen(full: Arcs, simple: Arcs, keep: NDArray[np.bool_]) -> Arcs:
    """Take the arcs to `keep` from `full`, all others from `simple`."""
    arc = np.r_[_numbers(full.start), _numbers(simple.start)]
    wanted = keep[arc] == (np.arange(len(arc)) < len(full.points))
    points = np.concatenate([full.points, simple.points])[wanted]
    order = np.argsort(arc[wanted], kind="stable")
    count = np.where(keep, np.diff(full.start), np.diff(simple.start))
    return replace(simple, points=points[order], start=np.r_[0, np.cumsum(count)])
