"""How large units are on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.features.centroids import project_geometry, sphere_points
from regionalize.model.layer import Layer

if TYPE_CHECKING:
    import pyproj

TRUE_AREA = 0.01
"""A plane is measured on as it is where it shows areas this truly."""


def ground_areas(layer: Layer) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the area of every unit in square metres.

    A layer in a plane that shows areas within 1 % of their size on the ground is measured as it is. Longitude
    and latitude, and planes that do not (Web Mercator), are measured in Lambert's cylindrical equal-area
    projection. Without a coordinate reference system the areas are in square map units, and a note says so.

    Parameters
    ----------
    layer : Layer
        n rows with geometry.

    Returns
    -------
    areas : (n,) float64
        0 for points and lines, NaN where there is no geometry.
    notes : tuple of str
        What they are measured in, where that is not the layer's own plane in metres.

    Raises
    ------
    DataError
        If coordinates cannot be projected.

    Examples
    --------
    >>> import pyarrow as pa
    >>> square = np.array([shapely.box(0, 0, 200, 100)])
    >>> ground_areas(Layer(pa.table({"a": [1]}), None, "EPSG:3035", shapes=square))[0].tolist()
    [20000.0]
    """
    system = layer.projection
    if system is None:
        note = "the layer has no coordinate reference system: areas are in square map units"
        return _sizes(layer.geometry), (note,)
    if not system.is_geographic and _shows_areas(system, shapely.total_bounds(layer.geometry)):
        metres = float(system.axis_info[0].unit_conversion_factor)
        return _sizes(layer.geometry) * metres**2, ()
    degrees = layer
    if not system.is_geographic:
        placed = _moved(layer.geometry, system)
        degrees = Layer(layer.attributes, None, "EPSG:4326", layer.origin, shapes=placed)
    west, _, east, _ = shapely.total_bounds(shapely.points(sphere_points(degrees)))
    middle = float(west + east) / 2 if np.isfinite(west) else 0.0
    target = f"+proj=cea +lon_0={(middle + 180) % 360 - 180:.1f} +datum=WGS84 +units=m +type=crs"
    note = "areas are measured in a cylindrical equal-area projection"
    return _sizes(project_geometry(degrees, target).geometry), (note,)


def _sizes(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = shapely.area(shapes)
    return areas


def _shows_areas(system: pyproj.CRS, bounds: NDArray[np.float64]) -> bool:
    """Whether a plane shows areas truly, at nine places of what it shows."""
    import pyproj

    if not np.isfinite(bounds).all():
        return True
    west, south, east, north = bounds
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3)))
    try:
        plane = pyproj.Proj(system)
        factors = plane.get_factors(*plane(x, y, inverse=True), errcheck=True)
    except pyproj.exceptions.ProjError:  # such as a plane that nobody knows the place of
        return True
    return bool(np.all(np.abs(np.asarray(factors.areal_scale) - 1) < TRUE_AREA))


def _moved(shapes: NDArray[np.object_], system: pyproj.CRS) -> NDArray[np.object_]:
    import pyproj

    to_degrees = pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    moved: NDArray[np.object_] = shapely.transform(
        shapes, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))
    )
    return moved
