"""Latitude and longitude of items and of the places they are ranked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError, UsageError, counted, listed, located, nearest
from regionalize.io.gdal_layer import LATITUDE, LONGITUDE
from regionalize.model.layer import Layer
from regionalize.studies.rank.degrees import TRANSFORM, check_places, parse_place

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Users:
    """Places that items are ranked for.

    Attributes
    ----------
    ids : (u,) array
        Names: whole numbers or text.
    places : (u, 2) float64
        Latitude and longitude in degrees.
    notes : tuple of str
        What was noticed while reading.
    """

    ids: NDArray[Any]
    places: FloatArray
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Items:
    """What is ranked.

    Attributes
    ----------
    ids : (n,) array
        Names: whole numbers or text. Items that score alike and are as far go by them.
    places : (n, 2) float64
        Latitude and longitude in degrees.
    attribute : (n,) float64, optional
        The more the better; NaN where it is not known.
    notes : tuple of str
        What was noticed while reading.
    """

    ids: NDArray[Any]
    places: FloatArray
    attribute: FloatArray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def precedence(self) -> IntArray:
        """Where each item stands in the order of ids, shape (n,); equal ids stay in row order.

        Examples
        --------
        >>> Items(np.array(["c", "a", "b"]), np.zeros((3, 2))).precedence.tolist()
        [2, 0, 1]
        """
        rows = np.arange(len(self))
        if np.all(self.ids[:-1] <= self.ids[1:]):
            return rows
        place = np.empty(len(self), dtype=np.int64)
        place[np.argsort(self.ids, kind="stable")] = rows
        return place


def read_items(layer: Layer, id_column: str | None = None, attribute: str | None = None) -> Items:
    """Take every row of a layer as an item.

    Parameters
    ----------
    layer : Layer
        n rows: see `item_places`.
    id_column : str, optional
        Names the items; else they are numbered from 1.
    attribute : str, optional
        Column of numbers that scores may take into account.

    Examples
    --------
    >>> import pyarrow as pa
    >>> layer = Layer(pa.table({"name": ["x", "y"], "lat": [10.0, 20.0], "lng": [1.0, 2.0]}), None, None)
    >>> read_items(layer, "name").places.tolist()
    [[10.0, 1.0], [20.0, 2.0]]
    """
    with located(layer.origin.file, layer.origin.layer):
        places, notes = item_places(layer, id_column)
        values = None if attribute is None else _numbers(layer, attribute)
        if values is not None and np.isinf(values).any():
            row = int(np.isinf(values).argmax()) + 1
            raise DataError("the value is not finite", column=attribute or "", row=row, advice="correct it")
        missing = 0 if values is None else int(np.isnan(values).sum())
        if missing:
            notes += (f"{counted(missing, 'item')} without a value of '{attribute}' count as the least",)
        ids, more = _named(layer, id_column, "item")
        return Items(ids, places, values, (*notes, *more))


def read_users(
    at: Sequence[str] = (),
    at_file: str | Path | None = None,
    *,
    layer: str | None = None,
    id_column: str | None = None,
) -> Users:
    """Read the places that items are ranked for.

    Parameters
    ----------
    at : sequence of str
        Texts ``"LAT,LON"`` in degrees.
    at_file : path, optional
        In place of them, a table with columns of latitude and longitude, or any layer.
    layer : str, optional
        Layer of the file.
    id_column : str, optional
        Names the places of the file; else they are numbered from 1.

    Raises
    ------
    UsageError, DataError
        With the text, or the file and the row, that is no place.

    Examples
    --------
    >>> read_users(["40.7128,-74.0060"]).places.tolist()
    [[40.7128, -74.006]]
    """
    if bool(at) == (at_file is not None):
        what = "places are given twice" if at else "there is no place to rank for"
        raise UsageError(what, advice="give --at LAT,LON or --at-file FILE")
    if at_file is None:
        places = np.array([parse_place(text) for text in at], dtype=np.float64)
        return Users(np.arange(1, len(places) + 1), places)
    from regionalize.io.read import read_layer

    return users_of(read_layer(at_file, layer=layer), id_column)


def users_of(layer: Layer, id_column: str | None = None) -> Users:
    """Take every row of a layer as a place that items are ranked for."""
    with located(layer.origin.file, layer.origin.layer):
        if id_column is not None and id_column not in layer.column_names:
            raise UsageError(
                f"there is no column '{id_column}' for --at-id",
                advice=nearest(id_column, layer.column_names) or f"use one of {listed(layer.column_names)}",
            )
        places, notes = item_places(layer, id_column)
        ids, more = _named(layer, id_column, "place")
        return Users(ids, places, (*layer.notes, *notes, *more))


def item_places(layer: Layer, id_column: str | None = None) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the latitude and longitude of every row, and notes.

    Points are taken as they are, polygons and lines by their centroid: on the sphere where the layer is in
    degrees, else in its plane. A table without geometry, and one made of text, has columns called ``lat`` or
    ``latitude`` and ``lon``, ``long``, ``lng`` or ``longitude``, in any case.

    Parameters
    ----------
    layer : Layer
        n rows.
    id_column : str, optional
        Names rows in messages.

    Returns
    -------
    places : (n, 2) float64
        Degrees, WGS 84.
    notes : tuple of str

    Raises
    ------
    DataError
        For the first row without a place, or out of range; no coordinates at all; coordinates that are no
        degrees in a layer without coordinate reference system.

    Examples
    --------
    >>> import pyarrow as pa, shapely
    >>> shapes = shapely.points([[500_000.0, 0.0]])
    >>> layer = Layer(pa.table({"a": [1]}), None, "EPSG:32631", shapes=shapes)
    >>> item_places(layer)[0].round(6).tolist()
    [[0.0, 3.0]]
    """
    pair = _degree_columns(layer)
    if pair is not None:
        places = np.column_stack([_numbers(layer, name) for name in pair])
        check_places(places, _ids(layer, id_column))
        return places, ()
    if not layer.has_geometry:
        raise DataError(
            "the table has neither geometry nor columns of latitude and longitude",
            advice=f"call them lat and lon; the columns are {listed(layer.column_names)}",
        )
    plain = _plain_degrees(layer)
    if plain is not None:
        check_places(plain, _ids(layer, id_column))
        return plain, ()
    shapes = layer.geometry
    names = _ids(layer, id_column)
    _check_geometry(shapes, names)
    if layer.projection is None:
        return _without_system(shapes, names)
    return _located(layer, shapes, names), ()


def _plain_degrees(layer: Layer) -> FloatArray | None:
    """Return latitude and longitude of points in degrees, None of others: a million need no geometries."""
    from regionalize.io.wkb import read_points

    if layer.shapes is not None or layer.wkb is None or not _in_degrees(layer):
        return None
    points = read_points(layer.wkb)
    return points[:, ::-1] if points is not None and np.isfinite(points).all() else None


def _in_degrees(layer: Layer) -> bool:
    """Whether coordinates are degrees from Greenwich; datums differ by less than a unit's own extent."""
    system = layer.projection
    if system is None or not layer.is_geographic:
        return False
    meridian = system.prime_meridian
    in_degrees = all(axis.unit_name == "degree" for axis in system.axis_info[:2])
    return in_degrees and (meridian is None or meridian.longitude == 0)


def _degree_columns(layer: Layer) -> tuple[str, str] | None:
    """Return the columns of latitude and longitude of a table, None where there is a geometry of its own."""
    if layer.has_geometry and layer.origin.driver != "CSV":
        return None
    lower = {name.lower(): name for name in reversed(layer.column_names)}
    latitude = next((lower[name] for name in LATITUDE if name in lower), None)
    longitude = next((lower[name] for name in LONGITUDE if name in lower), None)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _check_geometry(shapes: NDArray[np.object_], names: NDArray[Any]) -> None:
    from regionalize.weights.build import usable

    lost = np.flatnonzero(~usable(shapes))
    if len(lost):
        raise DataError(
            f"{counted(len(lost), 'row')} without a place: the geometry is missing, empty or not finite",
            advice="remove them, or give them one",
            row=str(names[lost[0]]),
        )


def _without_system(shapes: NDArray[np.object_], names: NDArray[Any]) -> tuple[FloatArray, tuple[str, ...]]:
    """Take coordinates of an unknown system as degrees, where they can be."""
    import shapely

    west, south, east, north = shapely.total_bounds(shapes)
    if max(abs(west), abs(east)) > 360 or max(abs(south), abs(north)) > 180:
        raise DataError(
            "the layer has no coordinate reference system, and its coordinates are no degrees",
            advice="set one (ogr2ogr -a_srs)",
        )
    said = "the layer has no coordinate reference system: its coordinates are taken as degrees (WGS 84)"
    return _from_degrees(shapes, names), (said,)


def _located(layer: Layer, shapes: NDArray[np.object_], names: NDArray[Any]) -> FloatArray:
    import pyproj
    import shapely

    from regionalize.weights.places import places as centers_of

    system = layer.projection
    assert system is not None
    if _in_degrees(layer):
        return _from_degrees(shapes, names)
    try:
        transformer = pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise DataError(
            "there is no way from the layer's system to latitude and longitude", advice=TRANSFORM
        ) from error
    if layer.is_geographic:
        shapes = shapely.transform(
            shapes, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
        )
        return _from_degrees(shapes, names)
    centers = centers_of(shapes, geographic=False)
    longitude, latitude = transformer.transform(centers[:, 0], centers[:, 1])
    found = np.column_stack([latitude, longitude])
    outside = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(outside):
        raise DataError(
            f"{counted(len(outside), 'row')} outside the layer's coordinate reference system, {system.name}",
            advice="give the layer the system its coordinates are in (ogr2ogr -a_srs)",
            row=str(names[outside[0]]),
        )
    return found


def _from_degrees(shapes: NDArray[np.object_], names: NDArray[Any]) -> FloatArray:
    """Return latitude and longitude of shapes in degrees."""
    import shapely

    from regionalize.weights.places import from_sphere
    from regionalize.weights.places import places as centers_of

    if (shapely.get_type_id(shapes) == shapely.GeometryType.POINT).all():
        found: FloatArray = shapely.get_coordinates(shapes)[:, ::-1].astype(np.float64)
        check_places(found, names)
        return found
    bounds = shapely.bounds(shapes)
    east = np.where(np.abs(bounds[:, 0]) > np.abs(bounds[:, 2]), bounds[:, 0], bounds[:, 2])
    north = np.where(np.abs(bounds[:, 1]) > np.abs(bounds[:, 3]), bounds[:, 1], bounds[:, 3])
    # a polygon across the antimeridian may end beyond it
    check_places(np.column_stack([north, np.where(np.abs(east) <= 360, east / 2, east)]), names)
    return from_sphere(centers_of(shapes, geographic=True))[:, ::-1].copy()


def _ids(layer: Layer, id_column: str | None) -> NDArray[Any]:
    """Return row numbers from 1, a column of whole numbers, or the text of another."""
    import pyarrow as pa

    if id_column is None:
        return np.arange(1, len(layer) + 1)
    if id_column in layer.column_names:
        column = layer.attributes[id_column]
        if pa.types.is_integer(column.type) and not column.null_count:
            return np.asarray(column.to_numpy())
    return layer.names(id_column)


def _named(layer: Layer, id_column: str | None, what: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return ids, empty text where one is missing, and notes on those and on ids that repeat."""
    import pyarrow.compute as pc

    ids = _ids(layer, id_column)
    if id_column is None:
        return ids, ()
    column, notes = layer.attributes[id_column], []
    missing = column.null_count
    if missing:
        ids = ids.copy()
        ids[column.is_null().to_numpy()] = ""
        notes.append(f"{counted(missing, what)} without an id in '{id_column}'")
    again = len(column) - missing - pc.count_distinct(column).as_py()
    if again:
        notes.append(f"ids in '{id_column}' repeat: {counted(again, what)} with that of another before it")
    return ids, tuple(notes)


def _numbers(layer: Layer, column: str) -> FloatArray:
    """Return a column of numbers, or of their text; NaN where missing."""
    if column not in layer.column_names:
        raise UsageError(f"there is no column '{column}'", advice=nearest(column, layer.column_names))
    import pyarrow as pa

    layer.refuse_misread(column)
    values = layer.attributes[column]
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    found = np.full(len(layer), np.nan)
    for row, value in enumerate(values.to_pylist()):
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            found[row] = float(value)
        except (TypeError, ValueError):
            raise DataError(
                f"'{value}' is no number", column=column, row=row + 1, advice="correct it, or leave it empty"
            ) from None
    return found
