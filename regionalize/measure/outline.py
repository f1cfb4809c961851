"""The outline of very many polygons, from those that lie along it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.kernels.compiler import compiled
from regionalize.kernels.outline import Keys, edge_keys, unpaired
from regionalize.measure.dissolve import dissolved_size

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Shapes = NDArray[np.object_]

FILTER_BITS = 20
"""First bits of a key that tell most edges apart from those that are asked for."""


class Outline(NamedTuple):
    """About the area of a union and the length of its outline, and how many vertices were joined for it."""

    area: float
    length: float
    joined: int


def estimated_outline(polygons: Shapes, most: int) -> Outline | None:
    """Return about the area of the union of some polygons and the length of its outline.

    A polygon whose every edge one other has too, the other way round, lies inside: only the others are
    joined, as `dissolved_size` does it, and the edges where those inside are missing are taken off again.
    Where borders match, the figures are those of `dissolved_size`; a polygon that lies over others without
    sharing edges with them counts by itself. Time and memory are linear in the vertices.

    Parameters
    ----------
    polygons : (m,) object
        Polygons and multipolygons, in plane coordinates.
    most : int
        Vertices that are joined at most: more are left where borders do not match.

    Returns
    -------
    Outline or None
        In units of the coordinates; None where more would have to be joined.

    Examples
    --------
    Nine squares, of which the one in the middle is left out.

    >>> squares = shapely.box(*np.mgrid[0:3, 0:3].reshape(2, -1), *np.mgrid[1:4, 1:4].reshape(2, -1))
    >>> estimated_outline(squares, 8 * 5)
    Outline(area=9.0, length=12.0, joined=40)
    """
    owner, length = open_edges(polygons)
    along = np.zeros(len(polygons), dtype=np.bool_)
    along[owner] = True
    kept = polygons[along]
    joined = int(shapely.get_num_coordinates(kept).sum())
    if joined > most:
        return None
    area, outline = dissolved_size(kept)
    missing = float(open_edges(kept)[1].sum()) - float(length.sum())
    return Outline(float(shapely.area(polygons[~along]).sum()) + area, outline - missing, joined)


def open_edges(polygons: Shapes) -> tuple[IntArray, FloatArray]:
    """Find the edges that are not those of two polygons, once either way round.

    Parameters
    ----------
    polygons : (m,) object
        Polygons and multipolygons, their rings running either way.

    Returns
    -------
    owner : (e,) int64
        Polygon of each.
    length : (e,) float64

    Examples
    --------
    >>> owner, length = open_edges(shapely.box([0, 1], 0, [1, 2], 1))
    >>> np.bincount(owner).tolist(), float(length.sum())
    ([3, 3], 6.0)
    """
    plain = shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON
    plain[plain] = shapely.get_num_interior_rings(polygons[plain]) == 0
    blocks = [(np.flatnonzero(plain), polygons[plain], np.zeros(int(plain.sum()), dtype=np.bool_))]
    if not plain.all():
        blocks.append(_rings(polygons, np.flatnonzero(~plain)))
    points, starts = zip(*(_vertices(shapes) for _, shapes, _ in blocks), strict=True)
    make, pick = compiled(edge_keys), compiled(unpaired)
    with np.errstate(over="ignore"):  # wrapping round is what a hash does, where there is no compiler
        keys = [
            make(xy, xy.view(np.uint64), first, hole)
            for xy, first, (_, _, hole) in zip(points, starts, blocks, strict=True)
        ]
    alone = pick(np.sort(np.concatenate(keys)))
    maybe = np.zeros(1 << FILTER_BITS, dtype=np.bool_)  # small enough to stay near the processor
    maybe[alone >> np.uint64(64 - FILTER_BITS)] = True
    owners, lengths = [], []
    for xy, first, key, (polygon, _, _) in zip(points, starts, keys, blocks, strict=True):
        start = np.flatnonzero(maybe[key >> np.uint64(64 - FILTER_BITS)])
        start = start[_among(key[start], alone)]
        step = xy[start + 1] - xy[start]
        owners.append(polygon[np.searchsorted(first, start, side="right") - 1])
        lengths.append(np.hypot(step[:, 0], step[:, 1]))
    return np.concatenate(owners), np.concatenate(lengths)


def _rings(polygons: Shapes, rows: IntArray) -> tuple[IntArray, Shapes, BoolArray]:
    """Return the rings of some polygons, the row of each, and whether it bounds a hole."""
    parts, polygon = shapely.get_parts(polygons[rows], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    return rows[polygon[part]], rings, np.concatenate([[False], part[1:] == part[:-1]])[: len(part)]


def _vertices(shapes: Shapes) -> tuple[FloatArray, IntArray]:
    """Return the vertices (N, 2) of rings, none of them -0.0, and where each begins, (r + 1,)."""
    points = shapely.get_coordinates(shapes)
    points += 0.0  # -0.0 becomes 0.0: equal numbers, equal bits
    return points, np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(shapes))])


def _among(keys: Keys, known: Keys) -> BoolArray:
    """Tell which keys are among those known, which rise."""
    place = np.searchsorted(known, keys)
    found: BoolArray = place < len(known)
    found[found] = known[place[found]] == keys[found]
    return found
