"""One place per unit: its centroid, in the plane or on the sphere."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.weights.repair import repaired

FloatArray = NDArray[np.float64]
Geometries = NDArray[np.object_]

EARTH_RADIUS = 6_371_008.8
"""Mean radius of the Earth in metres."""


def places(geometry: Geometries, *, geographic: bool) -> FloatArray:
    """Return the place that stands for each unit.

    Parameters
    ----------
    geometry : (n,) array of Shapely geometries
        None of them missing or empty; invalid ones are repaired first, since the centroid of a polygon that
        crosses itself may lie anywhere.
    geographic : bool
        Whether coordinates are longitude and latitude in degrees.

    Returns
    -------
    (n, 2) or (n, 3) float64
        Centroids in map units, or on the unit sphere, where no meridian and no pole is special: the chord
        between two places grows with their great-circle distance.

    Examples
    --------
    A unit cut in two by the antimeridian lies there, not at Greenwich.

    >>> both = shapely.union_all(shapely.box([179, -180], [-1, -1], [180, -179], [1, 1]))
    >>> np.abs(places(np.array([both]), geographic=True)).round(6).tolist()
    [[1.0, 0.0, 0.0]]
    """
    geometry = repaired(geometry)
    if not geographic:
        return np.asarray(
            shapely.get_coordinates(shapely.centroid(geometry)).reshape(-1, 2), dtype=np.float64
        )
    parts, unit = shapely.get_parts(geometry, return_index=True)
    deeper, part = shapely.get_parts(parts, return_index=True)  # of a collection, parts may have parts
    unit = unit[part]
    deeper = unwrapped(deeper)
    centers = shapely.get_coordinates(shapely.centroid(deeper))
    found = ~shapely.is_empty(deeper)
    deeper, unit = deeper[found], unit[found]
    # as in the plane: areas speak if there are any, else lengths, else points count alike
    dimension = shapely.get_dimensions(deeper)
    highest = np.full(len(geometry), -1)
    np.maximum.at(highest, unit, dimension)
    size = np.select([dimension == 2, dimension == 1], [shapely.area(deeper), shapely.length(deeper)], 1.0)
    weight = np.where(dimension == highest[unit], size * np.cos(np.radians(centers[:, 1])), 0.0)
    points = on_sphere(centers)
    mean = np.stack([np.bincount(unit, weight * axis, len(geometry)) for axis in points.T], axis=1)
    length = np.linalg.norm(mean, axis=1)
    first = np.full(len(geometry), len(unit))
    np.minimum.at(first, unit, np.arange(len(unit)))
    lost = ~(length > 1e-9 * np.bincount(unit, weight, len(geometry)))  # no weight, or parts that cancel out
    mean[lost], length[lost] = points[first[lost]], 1.0
    return np.asarray(mean / length[:, None], dtype=np.float64)


def on_sphere(degrees: FloatArray) -> FloatArray:
    """Turn longitude and latitude, shape (n, 2), into points of the unit sphere, shape (n, 3)."""
    longitude, latitude = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )


def from_sphere(points: FloatArray) -> FloatArray:
    """Turn points in space, shape (n, 3), into the longitude and latitude that each lies at, shape (n, 2).

    Examples
    --------
    >>> from_sphere(np.array([[0.0, 2.0, 0.0], [0.0, 0.0, -1.0]])).tolist()
    [[90.0, 0.0], [0.0, -90.0]]
    """
    x, y, z = points.T
    return np.asarray(np.degrees(np.column_stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))])))


def chord(angle: float) -> float:
    """Return the straight line under an angle (radians) on the unit sphere."""
    return float(2 * np.sin(min(angle, np.pi) / 2))


def ground_metres(chords: FloatArray) -> FloatArray:
    """Return great-circle metres of chords of the unit sphere."""
    return np.asarray(2 * np.arcsin(np.minimum(chords / 2, 1.0)) * EARTH_RADIUS)


def unwrapped(parts: Geometries) -> Geometries:
    """Undo the leap of polygons and lines that cross the antimeridian without being cut there.

    Their longitudes leap from near 180 to near -180 between two vertices. A ring that leaps once only winds
    round a pole, and an edge of 360 degrees is the rim of a world map: both stay as they are.
    """
    bounds = shapely.bounds(parts)
    simple = np.isin(
        shapely.get_type_id(parts), [shapely.GeometryType.POLYGON, shapely.GeometryType.LINESTRING]
    )
    wide = np.flatnonzero(simple & (bounds[:, 2] - bounds[:, 0] > 180))
    if not len(wide):
        return parts
    parts = parts.copy()
    for place in wide:
        part = parts[place]
        lines = shapely.get_rings(part) if shapely.get_dimensions(part) == 2 else [part]
        steps = np.concatenate([np.diff(shapely.get_coordinates(line)[:, 0]) for line in lines])
        leaps = np.abs(steps) > 180
        is_ring = shapely.get_dimensions(part) == 2
        if not leaps.any() or (np.abs(steps) == 360).any() or (is_ring and np.sign(steps[leaps]).sum() != 0):
            continue
        parts[place] = shapely.transform(
            part, lambda xy: np.where(xy[:, :1] < 0, xy + np.array([360.0, 0.0]), xy)
        )
    return parts
