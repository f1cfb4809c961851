"""A layer as GDAL gives it: how it is asked, and what is made of the answer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.io import damage, gdal
from regionalize.io.gdal_messages import Messages
from regionalize.io.geojson_head import read_head
from regionalize.io.geopackage_metadata import stored_history
from regionalize.io.history import kept_beside, kept_in_geojson, kept_in_metadata, understood_history
from regionalize.io.layers import choose_layer
from regionalize.io.refusals import understood
from regionalize.io.source import Source
from regionalize.io.systems import check_system
from regionalize.io.text import copy_as_utf8
from regionalize.io.wkb import BEYOND_GEOS, read_headers
from regionalize.model.layer import LayerOrigin, shapes_of
from regionalize.model.record import History

if TYPE_CHECKING:
    import pyarrow as pa

LONGITUDE = ("lon", "long", "longitude", "lng")
LATITUDE = ("lat", "latitude")
CSV_OPTIONS = {
    "AUTODETECT_TYPE": "YES",
    "AUTODETECT_SIZE_LIMIT": "0",  # look at every row: a late 0.5 must not be cut to an integer
    "EMPTY_STRING_AS_NULL": "YES",
    "X_POSSIBLE_NAMES": ",".join(("x", *LONGITUDE)),
    "Y_POSSIBLE_NAMES": ",".join(("y", *LATITUDE)),
    "GEOM_POSSIBLE_NAMES": "wkt,geometry,geom,the_geom,wkt_geom",
}
_ROUTINE = ("WAL-enabled", "Measured (M) geometry", "GFS file saving")
"""Warnings of GDAL that say nothing a person needs to hear."""


@contextmanager
def prepared(source: Source, codec: str | None) -> Iterator[tuple[str | bytes, tuple[str, ...]]]:
    """Check a shapefile's parts; give what GDAL is to open: a temporary copy where the file won't do."""
    if source.member:
        damage.check_archive(source)
    if source.format == "CSV" and codec not in {None, "utf-8"}:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(source.member or source.shown).name
            copy_as_utf8(source, str(codec), copy)
            yield gdal.readable(copy), ()
        return
    if source.format == "CSV":
        damage.check_lines(source)
    notes = damage.check_shapefile(source) if source.format == "shapefile" else ()
    if not notes:
        yield source.dataset, ()
        return
    import pyogrio

    # GDAL can rebuild a missing index, but writes it beside the shapefile: let it do that to a copy
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(source.member or source.shown).stem
        for suffix in (".shp", ".dbf", ".prj", ".cpg"):
            part = source.open(suffix)
            if part is not None:
                with part, (Path(folder) / f"{stem}{suffix}").open("wb") as copied:
                    shutil.copyfileobj(part, copied)
        dataset = gdal.readable(Path(folder) / f"{stem}.shp")
        with understood(source, None), gdal.setting("SHAPE_RESTORE_SHX", "YES"), gdal.quiet():
            pyogrio.read_info(dataset)
        yield dataset, notes


def stream_options(
    source: Source, layer: str | None, where: str | None, encoding: str | None
) -> dict[str, Any]:
    """Return what GDAL is to be told about a layer that it reads."""
    told = {
        "layer": layer,
        "where": where,
        "encoding": encoding,
        "return_fids": source.format == "GeoPackage",
    }
    return told | (CSV_OPTIONS if source.format == "CSV" else {})


@contextmanager
def heard(source: Source, where: str | None, layer: str | None) -> Iterator[Messages]:
    """Turn what GDAL says while it reads into errors; what it warns of is there when the block ends.

    Raises
    ------
    DataError
        Also where GDAL goes on after a fault: rows or geometries are then fewer than the file holds.
    """
    # GDAL's own Arrow reader for FlatGeobuf gives garbage after a null geometry; the generic one does not.
    # What GDAL says in threads of its own nobody hears, and with them it is no faster.
    with (
        understood(source, where, layer),
        gdal.setting("OGR_FLATGEOBUF_STREAM_BASE_IMPL", "YES"),
        gdal.setting("OGR_GPKG_NUM_THREADS", "1"),
    ):
        with gdal.quiet() as said:
            yield said
        if said.forget("More than one layer"):
            choose_layer(replace(source, format="other"), None)
        for mark in _ROUTINE:
            said.forget(mark)
        damage.check_messages(said)


@dataclass(frozen=True)
class Description:
    """What is known of a layer before its rows are read.

    Attributes
    ----------
    origin : LayerOrigin
    crs : str or None
    history : tuple of RunRecord
    notes : tuple of str
    count : int or None
        Number of rows that the header of the file states, None where there is none.
    """

    origin: LayerOrigin
    crs: str | None
    history: History
    notes: tuple[str, ...]
    count: int | None


def describe(source: Source, layer: str | None, meta: dict[str, Any], encoding: str | None) -> Description:
    """Describe a layer by what GDAL says of it, and by what it does not."""
    head = read_head(source) if source.format == "GeoJSON" else {}
    name = layer if layer is not None else _default_layer(source, head)
    kept: Any = None
    count: int | None = None
    notes: tuple[str, ...] = ()
    if source.format == "GeoPackage" and not source.member:
        with damage.database(source) as connection:
            kept, notes = stored_history(connection, name)
            count = damage.stated_rows(connection, name)
    elif source.format in {"GeoPackage", "FlatGeobuf", "File Geodatabase"}:
        count, metadata = damage.stated(source, layer)
        kept = kept_in_metadata(metadata)
    elif source.format == "shapefile":
        count = damage.rows_of_table(source)
    elif source.format == "GeoJSON":
        kept = kept_in_geojson(source, head)
    history, said = understood_history(kept or kept_beside(source))
    crs = meta["crs"] or None
    noticed = check_system(source, crs, head)
    if head.get("crs", crs) is None:
        crs = None  # said outright; GDAL takes it for longitude and latitude
    origin = LayerOrigin(
        file=source.shown,
        layer=name,
        driver=source.format,
        encoding=encoding,
        geometry_type=meta["geometry_type"],
        geometry_name=meta["geometry_name"] or "geometry",
    )
    return Description(origin, crs, history, (*notes, *said, *noticed), count)


def _default_layer(source: Source, head: dict[str, Any]) -> str:
    if source.path is None and source.format == "GeoJSON":
        return str(head.get("name") or "")
    return Path(source.member or source.shown).stem


def split(
    table: pa.Table, meta: dict[str, Any], source: Source
) -> tuple[pa.Table, pa.ChunkedArray | None, pa.ChunkedArray | None]:
    """Take geometry and row identifiers out of a table, by position: names may occur twice."""
    import pyarrow as pa

    schema, wkb, fids, keep = table.schema, None, None, []
    for at, column in enumerate(schema):
        marked = (column.metadata or {}).get(b"ARROW:extension:name", b"") in {b"geoarrow.wkb", b"ogc.wkb"}
        if wkb is None and (marked or getattr(column.type, "extension_name", "") == "geoarrow.wkb"):
            wkb = table.column(at)
        elif fids is None and source.format == "GeoPackage" and column.name == meta["fid_column"]:
            fids = table.column(at)
        else:
            keep.append(at)
    if wkb is not None and isinstance(wkb.type, pa.BaseExtensionType):
        wkb = pa.chunked_array([chunk.storage for chunk in wkb.chunks], type=wkb.type.storage_type)
    attributes = table.replace_schema_metadata(None).select(keep)  # in this order, or rows are forgotten
    return attributes, wkb, fids


def linear_shapes(
    source: Source, layer: str | None, where: str | None, wkb: pa.ChunkedArray | None, start: int = 0
) -> Any:
    """Return shapes with arcs turned into short lines, or None where GEOS can hold the geometry as it is.

    The geometry is that of the rows from `start` on.
    """
    if wkb is None:
        return None
    headers = read_headers(wkb)
    nested = (headers.kind == 7) & ~headers.empty  # a collection may hold curves
    if not (headers.kind >= BEYOND_GEOS).any() and not nested.any():
        return None
    import pyogrio.raw
    import shapely

    with understood(source, where, layer), gdal.quiet() as said:
        _, _, linear, _ = pyogrio.raw.read(
            source.dataset, layer=layer, where=where, columns=[], skip_features=start, max_features=len(wkb)
        )
    damage.check_messages(said)
    shapes = np.full(len(linear), None, dtype=object)
    for row, raw in enumerate(linear):
        try:
            shape = shapes_of(raw)
            shapely.centroid(shape)  # GEOS takes a collection of curves, but can do little with it
            shapes[row] = shape
        except (NotImplementedError, shapely.GEOSException):  # a surface of triangles, say
            shapes[row] = None
    return shapes


def csv_geometry(names: Sequence[str], crs: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Say where a CSV file's geometry is from; longitude and latitude are taken as WGS 84."""
    lower = {name.lower(): name for name in names}
    x = next((lower[name] for name in ("x", *LONGITUDE) if name in lower), None)
    y = next((lower[name] for name in ("y", *LATITUDE) if name in lower), None)
    wkt = [name for name in CSV_OPTIONS["GEOM_POSSIBLE_NAMES"].split(",") if name in lower]
    if x is None or y is None or wkt:
        return crs, (f"Geometry was read from column '{lower[wkt[0]]}'.",) if wkt else ()
    if x.lower() in LONGITUDE and y.lower() in LATITUDE:
        return "EPSG:4326", (f"Points were made from columns '{x}' and '{y}', taken as WGS 84 degrees.",)
    return crs, (f"Points were made from columns '{x}' and '{y}', in an unknown coordinate system.",)
