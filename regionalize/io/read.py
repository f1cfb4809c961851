"""`read_layer`: a vector layer from a file, as it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import DataError, listed, located, quoted
from regionalize.io import damage, gdal
from regionalize.io.geojson_head import read_head
from regionalize.io.geopackage_metadata import stored_history
from regionalize.io.history import kept_beside, kept_in_geojson, kept_in_metadata, understood_history
from regionalize.io.parquet import read_parquet
from regionalize.io.refusals import understood
from regionalize.io.source import Source, choose_layer, find_source
from regionalize.io.text import (
    as_utf8,
    codec_name,
    decoded,
    fallback_encoding,
    misread_utf8,
    unreadable_column,
)
from regionalize.io.wkb import BEYOND_GEOS, read_headers
from regionalize.model.layer import Layer, LayerOrigin
from regionalize.model.record import history_of

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
_ROUTINE = ("More than one layer", "WAL-enabled", "Measured (M) geometry")
"""Warnings of GDAL that say nothing a person needs to hear."""


def read_layer(
    path: str | Path | None,
    *,
    layer: str | None = None,
    where: str | None = None,
    encoding: str | None = None,
) -> Layer:
    """Read one layer: rows, order, columns, types, nulls and geometry bytes as they are in the file.

    Parameters
    ----------
    path : path, ``"-"`` or None
        Shapefile, GeoPackage, GeoJSON, FlatGeobuf, File Geodatabase, KML, GeoParquet, CSV or whatever else
        GDAL reads; any of them in a zip archive; ``"-"`` for GeoJSON on standard input; None for the bundled
        sample. The file is not changed, and nothing is made beside it.
    layer : str, optional
        Layer to read where there are several.
    where : str, optional
        OGR attribute filter, such as ``"state = 'CE' AND pop > 1000"``.
    encoding : str, optional
        Encoding of a shapefile's or CSV file's text, where the file does not say or says it wrongly.

    Returns
    -------
    Layer

    Raises
    ------
    DataError
        If the file is not there, damaged or not a layer; if the layer or encoding is wrong, or `where` cannot
        be understood or selects nothing; if there are no rows.

    Examples
    --------
    >>> layer = read_layer(None, where="tot_pop > 500000")
    >>> len(layer), layer.crs, layer.origin.layer
    (2, 'EPSG:26716', 'georgia')
    >>> layer.attributes["name"].to_pylist()
    ['DeKalb', 'Fulton']
    """
    source, layer = find_source(path, layer)
    with located(source.shown, layer or ""):
        codec = None if encoding is None else codec_name(encoding, source.format)
        if source.format == "GeoParquet":
            return _checked(read_parquet(source, layer, where), where)
        with understood(source, where):
            chosen, notes = choose_layer(source, layer)
        with located("", chosen or ""), _prepared(source, codec) as (dataset, more):
            found = _read(replace(source, dataset=dataset), chosen, where, codec)
            return _checked(replace(found, notes=(*notes, *more, *found.notes)), where)


def _checked(layer: Layer, where: str | None) -> Layer:
    names = layer.column_names
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(
            f"{len(twice)} column names occur twice: {listed(twice)}", advice="rename one of each"
        )
    if not len(layer):
        if where is not None:
            raise DataError(f"no row satisfies --where {quoted(where)}", advice="check names and values")
        raise DataError("the layer is empty (0 rows)", advice="name another file or layer")
    return layer


@contextmanager
def _prepared(source: Source, codec: str | None) -> Iterator[tuple[str | bytes, tuple[str, ...]]]:
    """Check a shapefile's parts; give what GDAL is to open: a temporary copy where the file won't do."""
    if source.member:
        damage.check_archive(source)
    if source.format == "CSV" and codec not in {None, "utf-8"}:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(source.member or source.shown).name
            copy.write_bytes(as_utf8(source, str(codec)))
            yield gdal.readable(copy), ()
        return
    notes = damage.check_shapefile(source) if source.format == "shapefile" else ()
    if not notes:
        yield source.dataset, ()
        return
    # GDAL can rebuild a missing index, but writes it beside the shapefile: let it do that to a copy
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(source.member or source.shown).stem
        for suffix in (".shp", ".dbf", ".prj", ".cpg"):
            part = source.open(suffix)
            if part is not None:
                with part, (Path(folder) / f"{stem}{suffix}").open("wb") as copied:
                    shutil.copyfileobj(part, copied)
        with gdal.setting("SHAPE_RESTORE_SHX", "YES"):
            yield gdal.readable(Path(folder) / f"{stem}.shp"), notes


def _read(source: Source, layer: str | None, where: str | None, codec: str | None) -> Layer:
    meta, table, notes, encoding = _read_text(source, layer, where, codec)
    table, wkb, fids = _split(table, meta, source)
    head = read_head(source) if source.format == "GeoJSON" else {}
    name = layer if layer is not None else _default_layer(source, head)
    nulls = 0 if wkb is None else wkb.null_count
    filtered = where is not None
    kept: Any = None
    if source.format == "shapefile":
        damage.check_shapes_read(source, nulls, filtered=filtered)
    elif source.format == "GeoPackage" and not source.member:
        with damage.database(source) as connection:
            damage.check_database(connection, name, len(table), nulls, filtered=filtered)
            kept, unread = stored_history(connection, name)
            notes += unread
    elif source.format in {"GeoPackage", "FlatGeobuf", "File Geodatabase"}:
        rows = len(_open_arrow(source, layer, None, None, columns=[])[1]) if filtered else len(table)
        kept = kept_in_metadata(damage.check_count(source, layer, rows))
    if source.format == "GeoJSON":
        kept = kept_in_geojson(source, head)
    history, said = understood_history(kept or kept_beside(source))
    crs = meta["crs"] or None
    if head.get("crs", crs) is None:
        crs = None  # said outright; GDAL takes it for longitude and latitude
    if source.format == "CSV":
        wkb, crs, more = _csv_geometry(table, wkb, crs)
        notes += more
    elif source.format == "KML":
        table = _without_kml_defaults(table)
    origin = LayerOrigin(
        file=source.shown,
        layer=name,
        driver=source.format,
        encoding=encoding,
        geometry_type=meta["geometry_type"],
        geometry_name=meta["geometry_name"] or "geometry",
        fid_name=meta["fid_column"] if fids is not None else None,
        metadata={} if fids is None else {"fids": fids},
    )
    shapes = _linear_shapes(source, layer, where, wkb)
    history = history_of(history, table.column_names)
    return Layer(table, wkb, crs, origin, (*notes, *said), shapes=shapes, history=history)


def _default_layer(source: Source, head: dict[str, Any]) -> str:
    if source.path is None and source.format == "GeoJSON":
        return str(head.get("name") or "")
    return Path(source.member or source.shown).stem


def _read_text(
    source: Source, layer: str | None, where: str | None, codec: str | None
) -> tuple[dict[str, Any], pa.Table, list[str], str | None]:
    """Read attributes and geometry, with text in the encoding given, stated or likely."""
    if source.format != "shapefile" or codec == "utf-8":
        given = codec if source.format == "shapefile" else None
        bad: str | None = ""
        try:
            meta, table, notes = _open_arrow(source, layer, where, given)
            bad = unreadable_column(table) if source.format in {"shapefile", "CSV", "other"} else None
        except UnicodeDecodeError:  # a column name
            pass
        if bad is not None:
            raise DataError("the text is not UTF-8", column=bad, advice="say its encoding with --encoding")
        return meta, table, notes, codec
    if codec is None:
        try:
            meta, table, notes = _open_arrow(source, layer, where, None)
            if unreadable_column(table) is None:
                if misread_utf8(source, table):
                    notes.append(
                        "The text looks like UTF-8, but the shapefile does not say so: see --encoding."
                    )
                return meta, table, notes, None
        except UnicodeDecodeError:
            pass
    # GDAL knows few encodings and passes on the rest as they are; Latin-1 maps bytes one to one
    chosen, guessed = (codec, False) if codec is not None else fallback_encoding(source)
    try:
        raw_where = None if where is None else where.encode(chosen).decode("latin-1")
    except UnicodeEncodeError as error:
        raise DataError(f"--where has letters that {chosen} lacks", advice="check --encoding") from error
    meta, table, notes = _open_arrow(source, layer, raw_where, "ISO-8859-1")
    table = decoded(table, chosen)
    if guessed:
        notes.append(
            f"The text is not in the encoding the file says; it was read as {chosen} (see --encoding)."
        )
    return meta, table, notes, chosen


def _open_arrow(
    source: Source, layer: str | None, where: str | None, encoding: str | None, **options: Any
) -> tuple[dict[str, Any], pa.Table, list[str]]:
    """Read an Arrow table through GDAL; return its description, itself, and GDAL's warnings as notes."""
    import pyogrio.raw

    if source.format == "CSV":
        options.update(CSV_OPTIONS)
    # GDAL's own Arrow reader for FlatGeobuf gives garbage after a null geometry; the generic one does not
    with understood(source, where, layer), gdal.setting("OGR_FLATGEOBUF_STREAM_BASE_IMPL", "YES"):
        with gdal.quiet() as said:
            meta, table = pyogrio.raw.read_arrow(
                source.dataset,
                layer=layer,
                where=where,
                encoding=encoding,
                return_fids=source.format == "GeoPackage",
                **options,
            )
        if any("More than one layer" in text for text in said):
            choose_layer(replace(source, format="other"), None)
    texts = dict.fromkeys(text for text in said if not any(mark in text for mark in _ROUTINE))
    return meta, table, [f"GDAL says: {text}" for text in texts]


def _split(
    table: pa.Table, meta: dict[str, Any], source: Source
) -> tuple[pa.Table, pa.ChunkedArray | None, pa.ChunkedArray | None]:
    """Take geometry and row identifiers out of a table, by position: names may occur twice."""
    import pyarrow as pa

    schema, wkb, fids, keep = table.schema, None, None, []
    for at, field in enumerate(schema):
        marked = (field.metadata or {}).get(b"ARROW:extension:name", b"") in {b"geoarrow.wkb", b"ogc.wkb"}
        if wkb is None and (marked or getattr(field.type, "extension_name", "") == "geoarrow.wkb"):
            wkb = table.column(at)
        elif fids is None and source.format == "GeoPackage" and field.name == meta["fid_column"]:
            fids = table.column(at)
        else:
            keep.append(at)
    if wkb is not None and isinstance(wkb.type, pa.BaseExtensionType):
        wkb = pa.chunked_array([chunk.storage for chunk in wkb.chunks], type=wkb.type.storage_type)
    attributes = table.replace_schema_metadata(None).select(keep)  # in this order, or rows are forgotten
    return attributes, wkb, fids


def _linear_shapes(source: Source, layer: str | None, where: str | None, wkb: pa.ChunkedArray | None) -> Any:
    """Return shapes with arcs turned into short lines, or None where GEOS can hold the geometry as it is."""
    if wkb is None:
        return None
    headers = read_headers(wkb)
    nested = (headers.kind == 7) & ~headers.empty  # a collection may hold curves
    if not (headers.kind >= BEYOND_GEOS).any() and not nested.any():
        return None
    import pyogrio.raw
    import shapely

    with gdal.quiet():
        _, _, linear, _ = pyogrio.raw.read(source.dataset, layer=layer, where=where, columns=[])
    shapes = np.full(len(linear), None, dtype=object)
    for row, raw in enumerate(linear):
        try:
            shape = shapely.from_wkb(raw, on_invalid="ignore")
            shapely.centroid(shape)  # GEOS takes a collection of curves, but can do little with it
            shapes[row] = shape
        except (NotImplementedError, shapely.GEOSException):  # a surface of triangles, say
            shapes[row] = None
    return shapes


def _csv_geometry(
    table: pa.Table, wkb: pa.ChunkedArray | None, crs: str | None
) -> tuple[pa.ChunkedArray | None, str | None, list[str]]:
    """Say where a CSV file's geometry is from; longitude and latitude are taken as WGS 84."""
    if wkb is None or wkb.null_count == len(wkb):
        return None, None, []
    lower = {name.lower(): name for name in table.column_names}
    x = next((lower[name] for name in ("x", *LONGITUDE) if name in lower), None)
    y = next((lower[name] for name in ("y", *LATITUDE) if name in lower), None)
    wkt = [name for name in CSV_OPTIONS["GEOM_POSSIBLE_NAMES"].split(",") if name in lower]
    if x is None or y is None or wkt:
        return wkb, crs, [f"Geometry was read from column '{lower[wkt[0]]}'."] if wkt else []
    if x.lower() in LONGITUDE and y.lower() in LATITUDE:
        return wkb, "EPSG:4326", [f"Points were made from columns '{x}' and '{y}', taken as WGS 84 degrees."]
    return wkb, crs, [f"Points were made from columns '{x}' and '{y}', in an unknown coordinate system."]


_KML_DEFAULTS: dict[str, set[Any]] = {
    "description": {None},
    "timestamp": {None},
    "begin": {None},
    "end": {None},
    "altitudeMode": {None},
    "tessellate": {None, -1},
    "extrude": {None, 0},
    "visibility": {None, -1},
    "drawOrder": {None},
    "icon": {None},
}
"""Columns GDAL adds to every KML layer, and what they hold when the file says nothing."""


def _without_kml_defaults(table: pa.Table) -> pa.Table:
    unsaid = [
        name
        for name, default in _KML_DEFAULTS.items()
        if name in table.column_names and set(table[name].unique().to_pylist()) <= default
    ]
    return table.drop_columns(unsaid) if len(unsaid) < table.num_columns else table
