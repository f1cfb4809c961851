"""The outline of polygons taken together, quickly where borders match and soundly where they do not."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]

SNAP_SHARE = 1e-4
"""Borders nearer than this share of the width of a typical polygon are taken for the same border."""

GAP_SHARE = 1e-4
"""A hole smaller than this share of the mean polygon is a gap between borders drawn twice."""

SMALL_UNION = 8
"""Polygons joined by the general union, without looking for a part that is clean."""


def dissolved_size(polygons: Shapes) -> tuple[float, float]:
    """Return the area of the union of some polygons and the length of its outline.

    The outline is every ring of the union: the outer ones and those around what it encloses. Where
    borders match vertex for vertex both figures are exact. Where they do not, the narrow gaps between
    them are closed or passed over, since their two long sides would otherwise outweigh the outline
    itself, and the figures are good to about four digits.

    Parameters
    ----------
    polygons : (m,) object
        Polygons and multipolygons, valid or not.

    Returns
    -------
    tuple of float
        Area and length, in units of the coordinates.

    Examples
    --------
    >>> dissolved_size(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]))
    (2.0, 6.0)
    """
    shapes = _repaired(polygons)
    if not len(shapes):
        return 0.0, 0.0
    areas = shapely.area(shapes)
    hole = GAP_SHARE * float(areas.mean())
    grid = SNAP_SHARE * float(np.sqrt(np.median(areas)))
    snapped = shapely.set_precision(shapes, grid, mode="pointwise")
    exact, near = _clean_union(shapes), _clean_union(snapped)
    if exact is not None:
        area, length = _size(exact)
        # borders that never touch are a clean coverage too: believe it only if snapping changes little
        if near is None or _size(near, hole)[1] > (1 - 100 * SNAP_SHARE) * length:
            return area, length
    return _size(_union(shapes, snapped, grid) if near is None else near, hole)


def _repaired(polygons: Shapes) -> Shapes:
    """Make invalid polygons valid and keep what has an area."""
    invalid = ~shapely.is_valid(polygons)
    if not invalid.any():
        return polygons
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(polygons[invalid])))
    parts = parts[shapely.get_dimensions(parts) == 2]
    return np.concatenate([polygons[~invalid], parts])


def _clean_union(shapes: Shapes) -> shapely.Geometry | None:
    """Join polygons by leaving out the borders they share, or return None where borders do not match."""
    try:
        union = shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:
        return None
    # polygons drawn twice cancel each other out, so the area has to be there too
    expected = float(shapely.area(shapes).sum())
    return union if shapely.is_valid(union) and abs(union.area - expected) <= 1e-6 * expected else None


def _union(shapes: Shapes, snapped: Shapes, grid: float) -> shapely.Geometry:
    """Join polygons that do not all match: tile by tile, so that only the tiles in fault cost time."""
    if len(shapes) <= SMALL_UNION:
        return shapely.union_all(shapes, grid_size=grid)
    tiles = []
    for rows in _tiles(shapes):
        clean = _clean_union(snapped[rows])
        tiles.append(_union(shapes[rows], snapped[rows], grid) if clean is None else clean)
    whole = _clean_union(np.array(tiles, dtype=object))
    return shapely.union_all(tiles, grid_size=grid) if whole is None else whole


def _tiles(shapes: Shapes) -> list[NDArray[np.int64]]:
    """Cut polygons into about as many tiles as each tile has members: in strips, then across."""
    west, south, east, north = shapely.bounds(shapes).T
    strips = max(2, round(len(shapes) ** 0.25))
    return [
        strip[tile]
        for strip in np.array_split(np.argsort(west + east, kind="stable"), strips)
        for tile in np.array_split(np.argsort((south + north)[strip], kind="stable"), strips)
    ]


def _size(union: shapely.Geometry, hole: float = 0.0) -> tuple[float, float]:
    """Return the area of a union, and the length of its rings without the holes smaller than `hole`."""
    parts = shapely.get_parts(union)
    length = float(shapely.length(shapely.get_exterior_ring(parts)).sum())
    rings = [ring for part in parts[shapely.get_num_interior_rings(parts) > 0] for ring in part.interiors]
    if rings:
        holes = np.array(rings, dtype=object)
        length += float(shapely.length(holes)[shapely.area(shapely.polygons(holes)) >= hole].sum())
    return float(shapely.area(union)), length
