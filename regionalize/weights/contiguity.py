"""Queen and rook: geometric truth at the speed of comparing coordinates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.kernels.contiguity import contact_search
from regionalize.weights.repair import repaired

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]
IntArray = NDArray[np.int64]

BLOCK = 50_000
"""Units whose candidate pairs are held in memory at one time."""

ASKED_OFTEN = 2
"""Pairs per unit from which preparing a geometry costs less than it saves."""

BORDER_RUN = 4.0
"""Times `snap` that borders must run within `snap` of each other to be a rook's border. Two units that
meet at a right-angled corner run 2 times `snap` there."""


def contiguity_links(
    geometry: Geometries, *, rook: bool = False, snap: float = 0.0, asked: BoolArray | None = None
) -> tuple[IntArray, IntArray]:
    """Find all pairs of contiguous units.

    Queen: the units intersect. Rook: their intersection has a length or an area (a shared border, whole or
    in part, or an overlap), not only points. With `snap`, queen: their distance is at most `snap`; rook: the
    same and, where they do not touch along a length, each border runs within `snap` of the other for more
    than 4 times `snap`.

    Most neighbours in real layers share a vertex exactly, and sharing a vertex settles the question. So pairs
    whose boxes meet are settled by comparing coordinates where possible, and only the rest is asked of GEOS.

    Parameters
    ----------
    geometry : (n,) array of Shapely geometries
        Missing and empty ones have no neighbours. Invalid ones are repaired for the comparison only.
    rook : bool
        Ask for a border instead of a point.
    snap : float
        Distance in map units that counts as touching.
    asked : (n,) bool, optional
        Only pairs with at least one of these units.

    Returns
    -------
    first, second : (m,) int64
        Each pair once, ``first < second``, in ascending order.

    Examples
    --------
    >>> squares = shapely.box([0, 1, 2], [0, 0, 1], [1, 2, 3], [1, 1, 2])
    >>> [ends.tolist() for ends in contiguity_links(squares)]
    [[0, 1], [1, 2]]
    >>> [ends.tolist() for ends in contiguity_links(squares, rook=True)]
    [[0], [1]]
    """
    coords, unit = shapely.get_coordinates(geometry, return_index=True)
    bounds = shapely.bounds(geometry)
    geometry = within_bounds(geometry, bounds, coords, unit)
    ring = None
    if rook:
        parts, unit_of_part = shapely.get_parts(geometry, return_index=True)
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        coords, ring = shapely.get_coordinates(rings, return_index=True)
        unit = unit_of_part[part_of_ring][ring]
    offsets = np.searchsorted(unit, np.arange(len(geometry) + 1))
    in_contact = contact_search(coords, offsets, ring)
    found = []
    for first, second in _box_pairs(geometry, bounds, snap, asked):
        linked = in_contact(first, second)
        rest = np.flatnonzero(~linked)
        linked[rest] = _touch(geometry, bounds, first[rest], second[rest], rook=rook, snap=snap)
        found.append((first[linked], second[linked]))
    first, second = (np.concatenate(ends) for ends in zip(*found, strict=True))
    order = np.lexsort((second, first))
    return first[order], second[order]


def within_bounds(geometry: Geometries, bounds: FloatArray, coords: FloatArray, unit: IntArray) -> Geometries:
    """Repair geometries with vertices outside their bounds, and set the bounds right.

    A hole outside its shell becomes area when repaired; its bounds did not know of it.
    """
    if not len(coords):
        return geometry
    starts = np.flatnonzero(np.diff(unit, prepend=-1))
    low, high = np.minimum.reduceat(coords, starts), np.maximum.reduceat(coords, starts)
    here = unit[starts]
    beyond = here[(low < bounds[here, :2]).any(axis=1) | (high > bounds[here, 2:]).any(axis=1)]
    if len(beyond):
        geometry = geometry.copy()
        geometry[beyond] = shapely.make_valid(geometry[beyond])
        bounds[beyond] = shapely.bounds(geometry[beyond])
    return geometry


def _box_pairs(
    geometry: Geometries, bounds: FloatArray, snap: float, asked: BoolArray | None
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the pairs first < second whose boxes meet, of units asked, block after block of units."""
    tree = shapely.STRtree(geometry)
    for start in range(0, max(len(geometry), 1), BLOCK):
        block = geometry[start : start + BLOCK]
        if snap:
            low, high = bounds[start : start + BLOCK, :2] - snap, bounds[start : start + BLOCK, 2:] + snap
            block = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
        first, second = tree.query(block)
        first = first + start
        once = first < second
        if asked is not None:
            once &= asked[first] | asked[second]
        yield first[once], second[once]


def _touch(
    geometry: Geometries, bounds: FloatArray, first: IntArray, second: IntArray, *, rook: bool, snap: float
) -> BoolArray:
    """Ask GEOS about the pairs that coordinates did not settle; of each for itself, whoever else is asked."""
    doubted = _doubtful(geometry, bounds, first, second)
    sound = repaired(geometry, np.concatenate([first[doubted[0]], second[doubted[1]]]))
    a, b = (
        np.where(doubt, sound[ends], geometry[ends])
        for doubt, ends in zip(doubted, (first, second), strict=True)
    )
    try:
        near = _near(a, b, first, snap)
    except shapely.errors.GEOSException:  # older GEOS refuses some invalid pairs
        sound = repaired(geometry, np.concatenate([first, second]))
        near = _near(sound[first], sound[second], first, snap)
    if rook:
        asked = np.flatnonzero(near)
        geometry = repaired(geometry, np.concatenate([first[asked], second[asked]]))
        near[asked] = _share_border(geometry[first[asked]], geometry[second[asked]], snap)
    return near


def _doubtful(
    geometry: Geometries, bounds: FloatArray, first: IntArray, second: IntArray
) -> tuple[BoolArray, BoolArray]:
    """Say of which pairs the first's, and the second's, validity may matter to whether they touch.

    Where lines meet, an invalid geometry touches what its repaired form touches, but for the rounding of the
    repair's own corners. Only what lies wholly inside another can be judged differently: a box (of a part, at
    least) within a box. And a single ring holds the same points before and after its repair, so that the
    outer unit must have holes or several parts.
    """
    many = shapely.get_num_geometries(geometry) > 1
    around_first = many[second] | _inside(bounds[second], bounds[first])
    around_second = many[first] | _inside(bounds[first], bounds[second])
    units = np.flatnonzero(
        np.bincount(np.concatenate([first[around_first], second[around_second]]), minlength=len(geometry))
    )
    shells = shapely.get_geometry(geometry[units], 0)
    collection = shapely.get_type_id(geometry[units]) == shapely.GeometryType.GEOMETRYCOLLECTION
    with_holes = shapely.get_num_interior_rings(shells) > 0
    parted = np.zeros(len(geometry), dtype=np.bool_)
    parted[units] = many[units] | collection | with_holes
    return around_first & parted[first], around_second & parted[second]


def _inside(inner: FloatArray, outer: FloatArray) -> BoolArray:
    """Say which boxes lie within which, row by row."""
    low_inside = (inner[:, :2] >= outer[:, :2]).all(axis=1)
    high_inside = (inner[:, 2:] <= outer[:, 2:]).all(axis=1)
    return np.asarray(low_inside & high_inside)


def _near(a: Geometries, b: Geometries, first: IntArray, snap: float) -> BoolArray:
    """Say which pairs intersect, or are within `snap`; `first` (m,) are the rows of `a`."""
    often = len(first) > ASKED_OFTEN * np.count_nonzero(np.bincount(first))
    if often:
        shapely.prepare(a)
    near: BoolArray = shapely.dwithin(a, b, snap) if snap else shapely.intersects(a, b)
    if often:
        shapely.destroy_prepared(a)
    return near


def _share_border(a: Geometries, b: Geometries, snap: float) -> BoolArray:
    """Say which of the near pairs have more than points in common, or run along each other."""
    collection = shapely.GeometryType.GEOMETRYCOLLECTION
    mixed = (shapely.get_type_id(a) == collection) | (shapely.get_type_id(b) == collection)
    share = np.zeros(len(a), dtype=np.bool_)
    share[~mixed] = _meet_in_length(a[~mixed], b[~mixed])
    for pair in np.flatnonzero(
        mixed
    ):  # what repairing left beside an area; few, and GEOS relates no collections
        parts_a, parts_b = (shapely.get_parts(shapely.get_parts(side[pair])) for side in (a, b))
        share[pair] = _meet_in_length(np.repeat(parts_a, len(parts_b)), np.tile(parts_b, len(parts_a))).any()
    if snap:
        rest = np.flatnonzero(~share)
        share[rest] = _run_along(a[rest], b[rest], snap)
    return share


def _meet_in_length(a: Geometries, b: Geometries) -> BoolArray:
    """Say whose interiors or boundaries have an intersection of dimension 1 or 2 (DE-9IM)."""
    if not len(a):
        return np.zeros(0, dtype=np.bool_)
    matrix = shapely.relate(a, b).astype("S9").view(np.uint8).reshape(-1, 9)[:, [0, 1, 3, 4]]
    meet: BoolArray = ((matrix == ord("1")) | (matrix == ord("2"))).any(axis=1)
    return meet


def _run_along(a: Geometries, b: Geometries, snap: float) -> BoolArray:
    """Say where each border runs within `snap` of the other for more than `BORDER_RUN` times `snap`."""
    low = np.maximum(shapely.bounds(a)[:, :2], shapely.bounds(b)[:, :2]) - 2 * snap
    high = np.minimum(shapely.bounds(a)[:, 2:], shapely.bounds(b)[:, 2:]) + 2 * snap
    window = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    border_a, border_b = (shapely.intersection(_borders(side), window) for side in (a, b))
    runs = [
        shapely.length(shapely.intersection(mine, shapely.buffer(other, snap)))
        for mine, other in ((border_a, border_b), (border_b, border_a))
    ]
    along: BoolArray = np.minimum(*runs) > BORDER_RUN * snap
    return along


def _borders(geometry: Geometries) -> Geometries:
    """Return the lines that bound each geometry; of a collection, those that bound its areas."""
    borders = shapely.boundary(geometry)
    for place in np.flatnonzero(shapely.get_type_id(geometry) == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapely.get_parts(geometry[place]))
        borders[place] = shapely.union_all(shapely.boundary(parts[shapely.get_dimensions(parts) == 2]))
    return np.asarray(borders, dtype=object)
