"""The outline of polygons taken together, quickly where borders match and soundly where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]

SNAP_SHARE = 1e-4
"""Borders nearer than this share of the width of a typical polygon are taken for the same border."""

GAP_SHARE = 1e-4
"""A hole smaller than this share of the mean polygon is a gap between borders drawn twice."""

HAIRLINE_SHARE = 1e-3
"""A hole narrower than this share of the width of a typical polygon is a gap between borders drawn twice."""

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


@dataclass(frozen=True)
class Dissolved:
    """Polygons taken together, group by group.

    Attributes
    ----------
    shapes : (k,) object
        A MultiPolygon for every group, None for one without any area.
    grid : float
        Width, in units of the coordinates, of the grid that borders were put on; 0 where they match and are
        as they came.
    closed : int
        Narrow holes that were closed.
    """

    shapes: Shapes
    grid: float = 0.0
    closed: int = 0


def dissolve(groups: Sequence[Shapes]) -> Dissolved:
    """Join the polygons of every group, without slivers or hairline holes where their borders do not match.

    Where borders match vertex for vertex in all groups, coordinates are those of the polygons. Else those of
    all groups are put on a grid of a ten-thousandth of the width of a typical polygon, so that what is next
    to each other stays so, and holes narrower than a thousandth of that width are closed.

    Parameters
    ----------
    groups : sequence of (m,) object
        Polygons and multipolygons, valid or not.

    Examples
    --------
    >>> row = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    >>> found = dissolve([row[:2], row[2:]])
    >>> [shape.area for shape in found.shapes], found.grid
    ([2.0, 1.0], 0.0)
    """
    repaired = [shapely.force_2d(_repaired(group[~shapely.is_missing(group)])) for group in groups]
    areas = np.concatenate([shapely.area(shapes) for shapes in repaired]) if repaired else np.empty(0)
    if not areas.any():
        return Dissolved(np.full(len(groups), None, dtype=object))
    width = float(np.sqrt(np.median(areas[areas > 0])))
    grid = SNAP_SHARE * width
    snapped = [shapely.set_precision(shapes, grid, mode="pointwise") for shapes in repaired]
    near = [_clean_union(shapes) for shapes in snapped]
    joined = _matching_unions(repaired, near)
    matching = joined is not None
    if joined is None:
        joined = [
            _union(shapes, moved, grid) if clean is None else clean
            for shapes, moved, clean in zip(repaired, snapped, near, strict=True)
        ]
    closed = 0
    found = np.full(len(groups), None, dtype=object)
    for place, union in enumerate(joined):
        parts = shapely.get_parts(union)
        parts = parts[shapely.area(parts) > 0]
        if not matching:
            parts, count = _without_hairlines(parts, HAIRLINE_SHARE * width)
            closed += count
        found[place] = shapely.multipolygons(parts) if len(parts) else None
    return Dissolved(found, 0.0 if matching else grid, closed)


def _matching_unions(
    groups: Sequence[Shapes], near: Sequence[shapely.Geometry | None]
) -> list[shapely.Geometry] | None:
    """Return the unions of polygons as they are, or None where the borders within some group do not match.

    Borders that never touch are a clean coverage too, with a gap all along them: snapping them, as in `near`,
    makes the outline much shorter.
    """
    found = []
    for shapes, snapped in zip(groups, near, strict=True):
        exact = _clean_union(shapes)
        if exact is None:
            return None
        if snapped is not None and snapped.length <= (1 - 100 * SNAP_SHARE) * exact.length:
            return None
        found.append(exact)
    return found


def _without_hairlines(polygons: Shapes, width: float) -> tuple[Shapes, int]:
    """Close the holes that are narrower than `width` on average; return polygons and the number of holes."""
    found, closed = polygons.copy(), 0
    for place in np.flatnonzero(shapely.get_num_interior_rings(polygons)):
        holes = np.array(polygons[place].interiors, dtype=object)
        across = 2 * shapely.area(shapely.polygons(holes)) / shapely.length(holes)
        narrow = across < width
        if narrow.any():
            found[place] = shapely.Polygon(polygons[place].exterior, holes[~narrow])
            closed += int(narrow.sum())
    return found, closed


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
