"""The gaps between components: the nearest way across, and gaps too narrow to be meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.kernels.threads import threads
from regionalize.weights.places import EARTH_RADIUS, ground_metres, on_sphere, unwrapped
from regionalize.weights.repair import repaired

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
IntArray = NDArray[np.int64]

HINT_SHARE = 0.02
"""Widest gap worth a hint, as a share of a typical unit's width: beyond, it may well be water."""

MOST_VERTICES = 4_000_000
"""Vertices to which borders on the sphere are cut up at most."""


@dataclass(frozen=True)
class Links:
    """Undirected links between units: both ends and how far apart they are."""

    first: IntArray
    second: IntArray
    distance: FloatArray

    def shortest_per(self, component: IntArray) -> Links:
        """Keep, for every component of the first ends, its shortest link; ties by row numbers."""
        order = np.lexsort((self.second, self.first, self.distance, component[self.first]))
        of = component[self.first][order]
        best = order[np.diff(of, prepend=-1) != 0]
        return Links(self.first[best], self.second[best], self.distance[best])


def ways_across(geometry: Geometries, component: IntArray, *, geographic: bool) -> Links:
    """Find the shortest way from every component but the largest to a unit of another one.

    Parameters
    ----------
    geometry : (n,) array of Shapely geometries
        None of them missing or empty; invalid ones are repaired first.
    component : (n,) int64
        Component numbers 0, 1, …, at least two different ones.
    geographic : bool
        Whether coordinates are degrees; distances are then great-circle metres.

    Returns
    -------
    Links
        One per component but the largest (of equals, the first), from its unit to the other's.
    """
    largest = int(np.argmax(np.bincount(component)))
    geometry = repaired(geometry)
    search = _SphereSearch(geometry) if geographic else _PlaneSearch(geometry)
    found = []
    # Two different components differ in some bit, so one search per bit and side meets every nearest unit.
    for bit in range(int(component.max()).bit_length()):
        side = (component >> bit) & 1
        for value in (0, 1):
            asking = np.flatnonzero((side == value) & (component != largest))
            others = np.flatnonzero(side != value)
            if len(asking) and len(others):
                found.append(search.nearest(asking, others, component))
    links = Links(
        *(np.concatenate([getattr(part, end) for part in found]) for end in ("first", "second", "distance"))
    )
    return links.shortest_per(component)


class _PlaneSearch:
    """Nearest units by distance between geometries in map units."""

    def __init__(self, geometry: Geometries) -> None:
        self.geometry = geometry

    def nearest(self, asking: IntArray, others: IntArray, component: IntArray) -> Links:
        tree = shapely.STRtree(self.geometry[others])
        (place, hit), distance = tree.query_nearest(self.geometry[asking], return_distance=True)
        return Links(asking[place], others[hit], distance).shortest_per(component)


class _SphereSearch:
    """Nearest units by great-circle metres between geometries in degrees.

    Borders are cut into short pieces, whose ends are searched on the unit sphere; the candidates that remain
    are measured between whole borders, on a map centred between them.
    """

    def __init__(self, geometry: Geometries) -> None:
        self.geometry = geometry = unwrapped(geometry)
        length = shapely.length(geometry).sum()
        pieces = max(MOST_VERTICES - int(shapely.get_num_coordinates(geometry).sum()), MOST_VERTICES // 4)
        typical = np.median(np.maximum(np.ptp(shapely.bounds(geometry).reshape(-1, 2, 2), axis=1), 1e-9)) / 8
        self.step = float(max(typical, length / pieces))
        coords, self.unit = shapely.get_coordinates(
            shapely.segmentize(geometry, self.step), return_index=True
        )
        self.points = on_sphere(coords)

    def nearest(self, asking: IntArray, others: IntArray, component: IntArray) -> Links:
        from scipy.spatial import KDTree

        mine, theirs = (np.flatnonzero(np.isin(self.unit, units)) for units in (asking, others))
        chord, hit = KDTree(self.points[theirs]).query(self.points[mine], workers=threads())
        metres = ground_metres(np.asarray(chord))
        first, second = self.unit[mine], self.unit[theirs[hit]]
        # Half a piece is lost at either end, so whatever is within a piece of the best may be the nearest.
        best = np.full(int(component.max()) + 1, np.inf)
        np.minimum.at(best, component[first], metres)
        near = metres <= best[component[first]] + np.radians(self.step) * EARTH_RADIUS + 1e-6
        first, second, metres = first[near], second[near], metres[near]
        middle = self.points[mine][near] + self.points[theirs[hit]][near]
        order = np.lexsort((metres, second, first))
        pair = first[order] * len(self.geometry) + second[order]
        order = order[np.diff(pair, prepend=-1) != 0]
        measured = np.array(
            [
                self._measure(int(a), int(b), center)
                for a, b, center in zip(first[order], second[order], middle[order], strict=True)
            ]
        )
        return Links(first[order], second[order], np.minimum(measured, metres[order])).shortest_per(component)

    def _measure(self, a: int, b: int, center: FloatArray) -> float:
        """Measure two units on an equidistant map about `center`, a point of the sphere."""
        up = center / np.linalg.norm(center)
        east = np.array([-up[1], up[0], 0.0])
        east = east / np.linalg.norm(east) if east.any() else np.array([0.0, 1.0, 0.0])
        north = np.cross(up, east)

        def flatten(degrees: FloatArray) -> FloatArray:
            points = on_sphere(degrees)
            x, y = points @ east, points @ north
            radius = np.hypot(x, y)
            scale = np.where(
                radius > 0, ground_metres(np.linalg.norm(points - up, axis=1)) / np.maximum(radius, 1e-300), 0
            )
            return np.asarray(np.stack([x * scale, y * scale], axis=1))

        mine, theirs = (
            shapely.transform(shapely.segmentize(self.geometry[unit], self.step), flatten) for unit in (a, b)
        )
        return float(shapely.distance(mine, theirs))


def narrow_gaps(geometry: Geometries, component: IntArray) -> Links:
    """Find the gaps between components that look like accidents of drawing, narrowest first.

    A gap counts when it is narrower than `HINT_SHARE` of the width of a typical unit (the square root of the
    median area).

    Returns
    -------
    Links
        ``first < second``, distances in map units, more than 0.

    Examples
    --------
    >>> squares = shapely.box([0, 1.001, 5], [0, 0, 0], [1, 2.001, 6], [1, 1, 1])
    >>> gaps = narrow_gaps(squares, np.array([0, 1, 2]))
    >>> gaps.first.tolist(), gaps.second.tolist(), gaps.distance.round(9).tolist()
    ([0], [1], [0.001])
    """
    areas = shapely.area(geometry)
    widest = HINT_SHARE * float(np.sqrt(np.median(areas[areas > 0]))) if (areas > 0).any() else 0.0
    asking = np.flatnonzero(component != np.argmax(np.bincount(component)))
    low, high = (
        shapely.bounds(geometry[asking])[:, :2] - widest,
        shapely.bounds(geometry[asking])[:, 2:] + widest,
    )
    place, second = shapely.STRtree(geometry).query(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
    first = asking[place]
    across = component[first] != component[second]
    pair = np.stack([first[across], second[across]])
    first, second = np.unique(np.sort(pair, axis=0), axis=1)
    distance = shapely.distance(geometry[first], geometry[second])
    near = np.flatnonzero((distance > 0) & (distance <= widest))
    near = near[np.argsort(distance[near], kind="stable")]
    return Links(first[near], second[near], distance[near])
