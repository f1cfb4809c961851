"""Neighbours of a tile's rows: whom of other tiles they must be compared with, and who they are.

A tile is any part of a layer's rows, in any order, wherever they lie; tiles may cover each other. What is
found is what `contiguity_links` and `nearest_links` find in the whole layer, because these decide about a
pair of units by these two alone. The functions take and return arrays, for a loop over a file as for tasks
on many machines.

Contiguity: `unit_boxes` of every tile; `tiles_meeting` by their outlines; `rows_seen`, the halo, by boxes;
`contiguity_of_tile`, by geometries. Nearest neighbours: `nearest_within` each tile; `nearer` with the others
in the order of `by_distance`, so that the reach has shrunk before the farther ones are asked; `nearest_tile`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.model.tile_links import TileLinks
from regionalize.weights.build import usable
from regionalize.weights.contiguity import contiguity_links, within_bounds
from regionalize.weights.nearest import ROUNDING, kernel_values, nearest_links

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
IntArray = NDArray[np.int64]

BLOCK = 50_000
"""Boxes that are compared at one time."""

NOBODY = np.iinfo(np.int64).max
"""Stands for a neighbour that is not known yet; behind all others where distances are equal."""


def unit_boxes(geometry: Geometries) -> FloatArray:
    """Return the box around each unit, shape (n, 4): low x, low y, high x, high y.

    NaN for a unit without a place (missing, empty, coordinates that are not finite). A hole outside its shell
    counts, since it becomes area when repaired.

    Examples
    --------
    >>> unit_boxes(np.array([shapely.box(0, 1, 2, 3), None])).tolist()
    [[0.0, 1.0, 2.0, 3.0], [nan, nan, nan, nan]]
    """
    boxes = np.full((len(geometry), 4), np.nan)
    rows = np.flatnonzero(usable(geometry))
    placed = geometry[rows]
    found = shapely.bounds(placed).reshape(-1, 4)
    coords, unit = shapely.get_coordinates(placed, return_index=True)
    within_bounds(placed, found, coords, unit)  # sets `found` right
    boxes[rows] = found
    return boxes


def outline(boxes: FloatArray) -> FloatArray:
    """Return the box around boxes (n, 4), shape (4,); NaN where there is none.

    Examples
    --------
    >>> outline(np.array([[0.0, 0, 1, 1], [2, -1, 3, 0]])).tolist()
    [0.0, -1.0, 3.0, 1.0]
    """
    known = boxes[~np.isnan(boxes[:, 0])]
    if not len(known):
        return np.full(4, np.nan)
    return np.concatenate([known[:, :2].min(axis=0), known[:, 2:].max(axis=0)])


def tiles_meeting(outlines: FloatArray, snap: float = 0.0) -> list[IntArray]:
    """Say of each tile which others may hold neighbours of its rows by contiguity.

    Parameters
    ----------
    outlines : (t, 4) float64
        `outline` of each tile.
    snap : float
        Distance that counts as touching.

    Returns
    -------
    list of t arrays of int64
        Tile numbers, ascending, never the tile itself.

    Examples
    --------
    >>> [tiles.tolist() for tiles in tiles_meeting(np.array([[0.0, 0, 1, 1], [1, 0, 2, 1], [3, 0, 4, 1]]))]
    [[1], [0], []]
    """
    wide = _widened(outlines, snap)
    found = []
    for number, box in enumerate(wide):
        meets = _meet(wide, box)
        meets[number] = False
        found.append(np.flatnonzero(meets))
    return found


def rows_seen(others: FloatArray, own: FloatArray, snap: float = 0.0) -> IntArray:
    """Say which rows of another tile a tile must see to find its neighbours by contiguity.

    Parameters
    ----------
    others : (m, 4) float64
        Boxes of the other tile's units.
    own : (n, 4) float64
        Boxes of the tile's own.
    snap : float
        Distance that counts as touching.

    Returns
    -------
    (s,) int64
        Positions in `others`, ascending: those whose box meets one of `own`. How many they are depends on
        where the units lie, and not on how many tiles or rows there are.

    Examples
    --------
    >>> rows_seen(np.array([[0.0, 0, 1, 1], [5, 0, 6, 1]]), np.array([[1.0, 1, 2, 2]])).tolist()
    [0]
    """
    others, own = _widened(others, snap), _widened(own, snap)
    asked = np.flatnonzero(_meet(others, outline(own)))
    own = own[_meet(own, outline(others[asked]))]
    if not len(own):
        return asked[:0]
    tree = shapely.STRtree(shapely.box(*own.T))
    seen = np.zeros(len(others), dtype=np.bool_)
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        seen[block[tree.query(shapely.box(*others[block].T))[0]]] = True
    return np.flatnonzero(seen)


def contiguity_of_tile(
    geometry: Geometries,
    rows: IntArray,
    halo: Geometries,
    halo_rows: IntArray,
    *,
    rook: bool = False,
    snap: float = 0.0,
) -> TileLinks:
    """Find the neighbours of a tile's rows by contiguity.

    Parameters
    ----------
    geometry : (n,) array of Shapely geometries
        The tile's own; those without a place have no neighbours.
    rows : (n,) int64
        Their row numbers in the layer.
    halo, halo_rows : (h,)
        The same of units of other tiles: at least those that `rows_seen` names, each once.
    rook, snap
        As `contiguity_links` takes them.

    Examples
    --------
    >>> squares = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> contiguity_of_tile(squares[1:2], np.array([1]), squares[[0, 2]], np.array([0, 2])).neighbor.tolist()
    [0, 2]
    """
    everyone, number = np.concatenate([geometry, halo]), np.concatenate([rows, halo_rows])
    place = np.flatnonzero(usable(everyone))
    place = place[np.argsort(number[place])]  # as in the whole layer: the lower row comes first
    own = place < len(geometry)
    first, second = contiguity_links(everyone[place], rook=rook, snap=snap, asked=own)
    there, back = own[first], own[second]
    start = np.concatenate([first[there], second[back]])
    end = np.concatenate([second[there], first[back]])
    return TileLinks.from_links(len(geometry), place[start], number[place[end]])


@dataclass(frozen=True)
class Nearest:
    """The nearest units that a tile's n rows have found so far.

    Attributes
    ----------
    neighbor : (n, k) int64
        Row numbers in the layer, by rising distance, equal distances by row number; `NOBODY` where none is
        known.
    distance : (n, k) float64
        Straight-line distances; infinite where none is known.
    """

    neighbor: IntArray
    distance: FloatArray

    @property
    def reach(self) -> FloatArray:
        """How far away a unit may be and still be one of the k nearest, shape (n,)."""
        return self.distance[:, -1]

    @staticmethod
    def nobody(n: int, k: int) -> Nearest:
        """Return what n rows know before anybody is asked."""
        return Nearest(np.full((n, k), NOBODY), np.full((n, k), np.inf))


def points_outline(points: FloatArray) -> FloatArray:
    """Return the low and the high corner of points (n, d), shape (2, d); NaN where there are none."""
    if not len(points):
        return np.full((2, points.shape[1]), np.nan)
    return np.stack([points.min(axis=0), points.max(axis=0)])


def within_reach(points: FloatArray, reach: FloatArray, box: FloatArray) -> BoolArray:
    """Say which points (n, d) may have one of their nearest within a tile's `points_outline` (2, d).

    Examples
    --------
    >>> within_reach(np.array([[0.0, 0], [3, 0]]), np.ones(2), np.array([[4.0, 0], [9, 9]])).tolist()
    [False, True]
    """
    aside = np.maximum(np.maximum(box[0] - points, points - box[1]), 0.0)
    near: BoolArray = np.sqrt((aside**2).sum(axis=1)) <= reach * (1 + ROUNDING)  # NaN is never near
    return near


def apart(one: FloatArray, other: FloatArray) -> float:
    """Return the distance of two outlines (2, d), rather too little than too much; NaN of nothing.

    Examples
    --------
    >>> round(apart(np.array([[0.0, 0], [1, 1]]), np.array([[4.0, 5], [9, 9]])), 6)
    5.0
    """
    aside = np.maximum(np.maximum(other[0] - one[1], one[0] - other[1]), 0.0)
    return float(np.sqrt((aside**2).sum())) * (1 - ROUNDING)


def by_distance(boxes: FloatArray, number: int) -> IntArray:
    """Return the other tiles that hold points, by the distance of their outlines (t, 2, d) from one's.

    Examples
    --------
    >>> by_distance(np.array([[[0.0], [1.0]], [[8.0], [9.0]], [[2.0], [3.0]]]), 0).tolist()
    [2, 1]
    """
    aside = np.maximum(np.maximum(boxes[:, 0] - boxes[number, 1], boxes[number, 0] - boxes[:, 1]), 0.0)
    order = np.argsort((aside**2).sum(axis=1), kind="stable")
    return np.asarray(order[(order != number) & ~np.isnan(boxes[order, 0, 0])])


def nearest_within(points: FloatArray, rows: IntArray, k: int) -> Nearest:
    """Find the nearest among a tile's own units.

    Parameters
    ----------
    points : (n, d) float64
        Their places, as `regionalize.weights.places.places` gives them.
    rows : (n,) int64
        Their row numbers in the layer.
    k : int
        How many are wanted, 1 or more; the tile may hold fewer.

    Examples
    --------
    >>> nearest_within(np.array([[0.0, 0], [4, 0], [5, 0]]), np.array([0, 2, 7]), 1).neighbor.tolist()
    [[2], [7], [2]]
    """
    found = Nearest.nobody(len(points), k)
    if len(points) < 2:
        return found
    order = np.argsort(rows)  # ties go by row number in the layer
    row, other, distance = nearest_links(points[order], min(k, len(points) - 1), threads=1)
    return _merged(found, order[row], rows[order[other]], distance)


def nearer(
    points: FloatArray, rows: IntArray, found: Nearest, others: FloatArray, other_rows: IntArray
) -> Nearest:
    """Look for nearer units among those of another tile.

    Parameters
    ----------
    points, rows : (n, d) float64, (n,) int64
        The tile's own.
    found : Nearest
        What they know so far: `nearest_within`, and other tiles.
    others, other_rows : (m, d) float64, (m,) int64
        The other tile, not asked yet.

    Returns
    -------
    Nearest
        The nearest of those known and those asked, ties as in `nearest_links`.

    Examples
    --------
    >>> points, rows = np.array([[0.0, 0], [4, 0]]), np.array([0, 2])
    >>> found = nearest_within(points, rows, 1)
    >>> nearer(points, rows, found, np.array([[1.0, 0]]), np.array([1])).neighbor.tolist()
    [[1], [1]]
    """
    k = found.neighbor.shape[1]
    asked = np.flatnonzero(within_reach(points, found.reach, points_outline(others)))
    if not len(asked):
        return found
    farthest = np.full(len(others), found.reach[asked].max())
    near = within_reach(others, farthest, points_outline(points[asked]))
    others, other_rows = others[near], other_rows[near]
    if not len(others):
        return found
    everyone, number = np.concatenate([points[asked], others]), np.concatenate([rows[asked], other_rows])
    order = np.argsort(number)
    asking = np.flatnonzero(order < len(asked))
    count = min(k, len(everyone) - 1)
    row, other, distance = nearest_links(everyone[order], count, asked=asking, threads=1)
    row, other = order[row], order[other]
    new = other >= len(asked)  # what the tile's own are to each other is known
    return _merged(found, asked[row[new]], number[other[new]], distance[new])


def nearest_tile(
    n: int, placed: IntArray, found: Nearest, *, kernel: str | None = None, sphere: bool = False
) -> TileLinks:
    """Turn the k nearest of a tile's placed rows into links.

    Parameters
    ----------
    n : int
        Rows of the tile.
    placed : (q,) int64
        Positions of those that have a place.
    found : Nearest
        Theirs, complete.
    kernel : str, optional
        Weigh the links by this kernel (`regionalize.weights.nearest.kernel_values`).
    sphere : bool
        Distances are chords of the unit sphere, and the kernel goes by the arcs above them.
    """
    k = found.neighbor.shape[1]
    values = None
    if kernel is not None:
        distance = found.distance.ravel()
        if sphere:
            distance = 2 * np.arcsin(np.minimum(distance / 2, 1.0))
        values = kernel_values(distance, k, kernel)
    return TileLinks.from_links(n, np.repeat(placed, k), found.neighbor.ravel(), values)


def _merged(found: Nearest, row: IntArray, neighbor: IntArray, distance: FloatArray) -> Nearest:
    """Keep the k nearest of those known and new candidates, none of them known yet."""
    k = found.neighbor.shape[1]
    touched, row = np.unique(row, return_inverse=True)
    row = np.concatenate([np.repeat(np.arange(len(touched)), k), row])
    neighbor = np.concatenate([found.neighbor[touched].ravel(), neighbor])
    distance = np.concatenate([found.distance[touched].ravel(), distance])
    order = np.lexsort((neighbor, distance, row))
    row = row[order]
    kept = order[np.arange(len(row)) - np.searchsorted(row, np.arange(len(touched)))[row] < k]
    neighbors, distances = found.neighbor.copy(), found.distance.copy()
    neighbors[touched] = neighbor[kept].reshape(-1, k)
    distances[touched] = distance[kept].reshape(-1, k)
    return Nearest(neighbors, distances)


def _widened(boxes: FloatArray, snap: float) -> FloatArray:
    """Widen boxes by `snap`: both of two, so that no rounding hides a pair that the whole layer compares."""
    return np.concatenate([boxes[:, :2] - snap, boxes[:, 2:] + snap], axis=1)


def _meet(boxes: FloatArray, box: FloatArray) -> BoolArray:
    """Say which boxes (n, 4) meet one (4,); none that is NaN does."""
    return np.asarray((boxes[:, :2] <= box[2:]).all(axis=1) & (boxes[:, 2:] >= box[:2]).all(axis=1))
