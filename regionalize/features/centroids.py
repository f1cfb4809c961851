"""Place units on a plane: projection and geometric centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, listed
from regionalize.model.layer import Layer

if TYPE_CHECKING:
    import pyproj

FloatArray = NDArray[np.float64]
ShapeArray = NDArray[np.object_]

_UTM_WIDTH = 9.0
"""Degrees of longitude one UTM zone is trusted with: its own six and a quarter of a zone on each side."""
_SMALL = 10_000
"""Units up to which projected geometry is kept for whoever asks again."""
_HEMISPHERE = 80.0
"""Degrees from the centre up to which an azimuthal projection keeps shapes recognisable."""


class Projected(NamedTuple):
    """Geometry on a plane: shapes (n,), the coordinate reference system as text, notes."""

    geometry: ShapeArray
    crs: str | None
    notes: tuple[str, ...]


def project_geometry(layer: Layer, project: str = "auto", id_column: str | None = None) -> Projected:
    """Return the layer's geometry in plane coordinates.

    A geographic layer is projected: to its UTM zone when it spans no more than nine degrees of longitude,
    else to a Lambert azimuthal equal-area projection centred on it, or, when it spans most of the
    globe, to Equal Earth. A layer across the 180° meridian is joined there first. Anything else is
    returned as it is.

    Parameters
    ----------
    layer : Layer
        n rows with geometry.
    project : str
        ``"auto"``, ``"none"`` or a projected system such as ``"EPSG:5880"``.
    id_column : str, optional
        Names rows in messages.

    Returns
    -------
    Projected
        Missing and empty shapes stay so.

    Raises
    ------
    UsageError
        ``"none"`` on a geographic layer; an unknown or geographic target.
    DataError
        No geometry; a layer without coordinate reference system that looks like degrees (or is to be
        projected); coordinates that the projection cannot take.

    Examples
    --------
    >>> import pyarrow as pa
    >>> points = shapely.points([[-39.0, -5.0], [-38.5, -4.0]])
    >>> layer = Layer(pa.table({"a": [1, 2]}), None, "EPSG:4326", shapes=points)
    >>> project_geometry(layer).crs
    'EPSG:32724'
    """
    if not layer.has_geometry:
        raise DataError(
            "the table has no geometry", advice="read a layer with geometry, or leave out centroids"
        )
    target = project.strip()
    automatic, untouched = target.lower() == "auto", target.lower() == "none"
    if layer.projection is None:
        return Projected(layer.geometry, None, _without_crs(layer, automatic, untouched, target))
    if untouched or (automatic and not layer.is_geographic):
        if layer.is_geographic:
            raise UsageError(
                "centroids and distances need plane coordinates, and the layer is in longitude and latitude",
                advice="leave out --project none, or name a system with --project EPSG:n",
            )
        return Projected(layer.geometry, layer.crs, ())
    if target in layer.planes:
        kept: Projected = layer.planes[target]
        return kept
    asked = target
    shapes, source = _joined(layer) if layer.is_geographic else (layer.geometry, layer.projection)
    title = target
    if automatic:
        target, title = _suitable(shapes)
    projected = _projected(shapes, source, _target_system(target))
    outside = ~shapely.is_empty(shapes) & np.isinf(shapely.bounds(projected)).any(axis=1)
    if outside.any():
        raise DataError(
            f"{np.count_nonzero(outside)} of {len(layer)} rows lie outside {title}: "
            f"{listed(layer.names(id_column)[outside])}",
            advice="use --project auto, or a system that covers the layer",
        )
    found = Projected(projected, target, (f"projected to {title} for centroids and distances",))
    if len(layer) <= _SMALL:  # what is done next may need it again; of a large layer memory counts for more
        layer.planes[asked] = found
    return found


def plane_system(layer: Layer, project: str = "auto") -> str | None:
    """Return the system that `project_geometry` measures a layer in, as text; None without any.

    Examples
    --------
    >>> import pyarrow as pa
    >>> points = shapely.points([[-39.0, -5.0], [-38.5, -4.0]])
    >>> plane_system(Layer(pa.table({"a": [1, 2]}), None, "EPSG:4326", shapes=points))
    'EPSG:32724'
    """
    target = project.strip()
    if layer.projection is None:
        return None
    if target.lower() not in {"auto", "none"}:
        return target
    return _suitable(_joined(layer)[0])[0] if layer.is_geographic else layer.crs


def centroids(
    layer: Layer, project: str = "auto", id_column: str | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the geometric centroid of every unit, in plane coordinates.

    Parameters
    ----------
    layer : Layer
        n rows with geometry.
    project : str
        As `project_geometry`; a layer without coordinate reference system needs ``"none"``.
    id_column : str, optional
        Names rows in messages.

    Returns
    -------
    xy : (n, 2) float64
        East and north in map units; NaN where the geometry is null or empty.
    notes : tuple of str
        What was projected.

    Raises
    ------
    UsageError, DataError
        As `project_geometry`; and no coordinate reference system under ``"auto"``.

    Examples
    --------
    >>> import pyarrow as pa
    >>> square = shapely.box(0, 0, 2, 4)
    >>> layer = Layer(pa.table({"a": [1]}), None, "EPSG:3035", shapes=np.array([square]))
    >>> centroids(layer)[0].tolist()
    [[1.0, 2.0]]
    """
    if layer.has_geometry and layer.projection is None and project.strip().lower() == "auto":
        raise DataError(
            "the layer has no coordinate reference system, so its centroids cannot be placed",
            advice="set one (ogr2ogr -a_srs), or take its coordinates as plane with --project none",
        )
    shapes, _, notes = project_geometry(layer, project, id_column)
    xy = centroid_points(shapes)
    lost = ~(np.isfinite(xy).all(axis=1) | shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if lost.any():
        raise DataError(
            f"{np.count_nonzero(lost)} of {len(layer)} rows have coordinates that are infinite, too large or "
            f"no numbers, so no centroid: {listed(layer.names(id_column)[lost])}",
            advice="correct them, or leave the rows out with --where",
        )
    return xy, notes


def centroid_points(shapes: ShapeArray) -> FloatArray:
    """Return the centroid of every shape, shape (n, 2); NaN where there is none.

    Examples
    --------
    >>> centroid_points(np.array([shapely.Point(3, 4), None])).tolist()
    [[3.0, 4.0], [nan, nan]]
    """
    with np.errstate(invalid="ignore", over="ignore"):  # of coordinates that are no finite numbers
        xy: FloatArray = shapely.bounds(shapely.centroid(shapes))[:, :2]  # NaN where null or empty
    return xy


def sphere_points(layer: Layer) -> FloatArray:
    """Return centroids of a geographic layer as longitude and latitude in degrees, shape (n, 2).

    Good enough for distances between units; a unit across the 180° meridian is taken whole.

    Examples
    --------
    >>> import pyarrow as pa
    >>> two_parts = shapely.union(shapely.box(179, 0, 180, 2), shapely.box(-180, 0, -179, 2))
    >>> shapes = np.array([two_parts, shapely.Point(-178, 1)])
    >>> layer = Layer(pa.table({"a": [1, 2]}), None, "EPSG:4326", shapes=shapes)
    >>> sphere_points(layer).tolist()
    [[180.0, 1.0], [182.0, 1.0]]
    """
    return centroid_points(_joined(layer)[0])


def _joined(layer: Layer) -> tuple[ShapeArray, pyproj.CRS]:
    """Return a geographic layer's shapes in degrees, cut where no unit is, and their system.

    Longitudes west of the widest empty stretch of the globe are raised by 360°, so that units on either
    side of the 180° meridian, and the parts of one unit, lie next to each other. A layer no wider than
    half the globe, or without an empty stretch, comes back as it is.
    """
    shapes, system = _in_degrees(layer)
    west, south, east, north = shapely.total_bounds(shapes)
    if max(abs(west), abs(east)) > 540 or max(abs(south), abs(north)) > 90 + 1e-6:
        raise DataError(
            f"coordinates such as {_far(west, east):.6g}, {_far(south, north):.6g} are no longitude and "
            f"latitude, though the layer's system is {system.name}",
            advice="give the layer the system its coordinates are in (ogr2ogr -a_srs)",
        )
    if not east - west > 180:
        return shapes, system
    cut = _widest_gap(shapes)
    if cut is None:
        return shapes, system

    def raise_west(lonlat: FloatArray) -> FloatArray:
        return np.column_stack([cut + (lonlat[:, 0] - cut) % 360.0, lonlat[:, 1]])

    return shapely.transform(shapes, raise_west), system


def _widest_gap(shapes: ShapeArray) -> float | None:
    """Return the longitude in the middle of the widest stretch that no edge crosses, None without one.

    An edge spans the shorter way round, so that a ring drawn across 180° without being split there
    is understood; one that goes all the way round leaves no gap.
    """
    coordinates, owner = shapely.get_coordinates(_lines_of(shapes), return_index=True)
    longitude = coordinates[:, 0]
    start, end = longitude[:-1], longitude[1:]
    same = owner[:-1] == owner[1:]
    step = np.where(same, end - start, 0.0)
    if np.any(np.abs(step) >= 360 - 1e-9):
        return None
    step = (step + 180) % 360 - 180
    first = np.concatenate([np.minimum(start, start + step), longitude[-1:]]) % 360
    width = np.concatenate([np.abs(step), [0.0]])
    order = np.argsort(first, kind="stable")
    first, reach = first[order], np.maximum.accumulate((first + width)[order])
    # the first arc comes round again after the last; what reaches past 360 covers the beginning too
    gap = np.append(first[1:], first[0] + 360) - reach
    wrapped = reach[-1] - 360
    gap[:-1] = np.minimum(gap[:-1], first[1:] - np.maximum(reach[:-1], wrapped))
    widest = int(np.argmax(gap))
    if gap[widest] <= 0:
        return None
    middle = float(first[widest + 1] if widest + 1 < len(first) else first[0] + 360) - float(gap[widest]) / 2
    return (middle + 180) % 360 - 180


def _lines_of(shapes: ShapeArray) -> ShapeArray:
    """Return rings, lines and points one by one, so that consecutive vertices of one are an edge."""
    parts = shapely.get_parts(shapely.get_parts(shapes[~shapely.is_missing(shapes)]))
    polygonal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    lines: ShapeArray = np.concatenate([shapely.get_rings(parts[polygonal]), parts[~polygonal]])
    return lines


def _in_degrees(layer: Layer) -> tuple[ShapeArray, pyproj.CRS]:
    """Return shapes in degrees east of Greenwich, whatever unit or meridian the layer counts in."""
    import pyproj

    system = layer.projection
    assert system is not None
    plain = all(axis.unit_name == "degree" for axis in system.axis_info[:2])
    meridian = system.prime_meridian
    if plain and (meridian is None or meridian.longitude == 0):
        return layer.geometry, system
    usual = pyproj.CRS.from_user_input("EPSG:4326")
    return _projected(layer.geometry, system, usual), usual


def _suitable(shapes: ShapeArray) -> tuple[str, str]:
    """Choose a projection for shapes in degrees: its definition and its name."""
    west, south, east, north = shapely.total_bounds(shapes)
    if np.isnan(west):
        raise DataError("no row has a geometry", advice="leave out centroids and distances")
    longitude, latitude = (west + east) / 2, (south + north) / 2
    if east - west <= _UTM_WIDTH and south >= -80 and north <= 84:
        zone = int((longitude + 180) // 6) % 60 + 1
        code = (32600 if latitude >= 0 else 32700) + zone
        return f"EPSG:{code}", f"UTM zone {zone}{'N' if latitude >= 0 else 'S'} (EPSG:{code})"
    longitude, latitude = (round(longitude, 1) + 180) % 360 - 180, round(latitude, 1)
    meridian = f"{abs(longitude):.1f}°{'E' if longitude >= 0 else 'W'}"
    parallel = f"{abs(latitude):.1f}°{'N' if latitude >= 0 else 'S'}"
    if _farthest(shapes, longitude, latitude) <= _HEMISPHERE:
        definition = (
            f"+proj=laea +lat_0={latitude:.1f} +lon_0={longitude:.1f} +datum=WGS84 +units=m +type=crs"
        )
        return definition, f"a Lambert azimuthal equal-area projection centred on {meridian} {parallel}"
    definition = f"+proj=eqearth +lon_0={longitude:.1f} +datum=WGS84 +units=m +type=crs"
    return definition, f"the Equal Earth projection about {meridian}"


def _farthest(shapes: ShapeArray, longitude: float, latitude: float) -> float:
    """Return the largest angle, in degrees, between any shape's corner and a centre."""
    bounds = np.radians(shapely.bounds(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]))
    corner_lon, corner_lat = bounds[:, [0, 0, 2, 2]], bounds[:, [1, 3, 1, 3]]
    lon0, lat0 = np.radians([longitude, latitude])
    cosine = np.sin(lat0) * np.sin(corner_lat) + np.cos(lat0) * np.cos(corner_lat) * np.cos(corner_lon - lon0)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1).min())))


def _target_system(target: str) -> pyproj.CRS:
    import pyproj

    try:
        system = pyproj.CRS.from_user_input(target)
    except pyproj.exceptions.CRSError:
        raise UsageError(
            f"--project {target} is no known coordinate reference system",
            advice="use auto, none or a code such as EPSG:5880",
        ) from None
    if system.is_geographic:
        raise UsageError(
            f"--project {target} is in longitude and latitude", advice="name a projected system, or use auto"
        )
    return system


def _projected(shapes: ShapeArray, source: pyproj.CRS | None, target: pyproj.CRS) -> ShapeArray:
    """Transform every vertex of every shape in one call."""
    import pyproj

    try:
        transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    except pyproj.exceptions.ProjError as error:  # such as another planet
        raise DataError(
            f"there is no way from the layer's system to {target.name}",
            advice="name a system of the same body with --project EPSG:n, or project the layer first",
        ) from error

    def move(points: FloatArray) -> FloatArray:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    moved: ShapeArray = shapely.transform(shapes, move)
    return moved


def _without_crs(layer: Layer, automatic: bool, untouched: bool, target: str) -> tuple[str, ...]:
    """Take coordinates of an unknown system as plane ones, unless they are degrees or to be projected."""
    if not (automatic or untouched):
        raise DataError(
            f"the layer has no coordinate reference system, so it cannot be projected to {target}",
            advice="set one (ogr2ogr -a_srs), or take its coordinates as plane with --project none",
        )
    west, south, east, north = shapely.total_bounds(layer.geometry)
    degrees = west >= -180 and east <= 180 and south >= -90 and north <= 90
    if degrees and automatic:
        raise DataError(
            "the layer has no coordinate reference system and its coordinates look like degrees",
            advice="set one (ogr2ogr -a_srs EPSG:4326), or take them as plane with --project none",
        )
    looks = ", though they look like degrees" if degrees else ""
    return (f"the layer has no coordinate reference system: its coordinates are taken as plane{looks}",)


def _far(low: float, high: float) -> float:
    return low if abs(low) > abs(high) else high
