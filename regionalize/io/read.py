"""`read_layer`: a vector layer from a file, as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import DataError, legible, located
from regionalize.io.column_choice import check_names
from regionalize.io.database_numbers import NoNumbers
from regionalize.io.gdal_layer import (
    csv_geometry,
    describe,
    heard,
    linear_shapes,
    prepared,
    split,
    stream_options,
)
from regionalize.io.gdal_messages import Messages, misread_notes
from regionalize.io.layers import choose_layer
from regionalize.io.parquet import read_parquet
from regionalize.io.parquet_batches import ParquetRows
from regionalize.io.refusals import refuse_no_rows, understood
from regionalize.io.rows import joined
from regionalize.io.seen import Seen, check_rows, misread_dates
from regionalize.io.source import Source, find_source
from regionalize.io.text import (
    LIKE_UTF8,
    NOT_UTF8,
    codec_name,
    decoded,
    fallback_encoding,
    guessed_encoding,
    latin1_filter,
    mend_text,
    misread_utf8,
    unreadable_column,
)
from regionalize.model.layer import Layer
from regionalize.model.record import history_of

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 16
"""Rows of a layer in several files that are read at a time."""
_BATCH = 1 << 13
"""Rows that GDAL gives at a time: it sets aside memory for as many, a column each, however few there are."""


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
        GDAL reads; any of them in a zip archive; a folder of the parts of one GeoParquet layer; ``"-"`` for
        GeoJSON on standard input; None for the bundled sample. The file is not changed, and nothing is made
        beside it.
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
    with legible(str(path)):
        source, layer = find_source(path, layer)
        return read_source(source, layer, where, encoding)


def read_source(source: Source, layer: str | None, where: str | None, encoding: str | None) -> Layer:
    """Read a layer of a source that is known already: what comes through a pipe comes once.

    Examples
    --------
    >>> len(read_source(*find_source(None, None), None, None))
    159
    """
    with located(source.shown, layer or ""):
        codec = None if encoding is None else codec_name(encoding, source.format)
        if source.format == "GeoParquet" and source.path is not None and source.path.is_dir():
            rows = ParquetRows(source, layer, where, None, True)
            whole = joined(list(rows.pieces(_ROWS)))
            return _checked(replace(whole, notes=rows.head.notes, history=rows.head.history), where)
        if source.format == "GeoParquet":
            return _checked(read_parquet(source, layer, where), where)
        with understood(source, where):
            chosen, notes = choose_layer(source, layer)
        with located("", chosen or ""), prepared(source, codec) as (dataset, more):
            found = _read(replace(source, dataset=dataset), chosen, where, codec)
            return _checked(replace(found, notes=(*notes, *more, *found.notes)), where)


def _checked(layer: Layer, where: str | None) -> Layer:
    check_names(layer.column_names)
    refuse_no_rows(len(layer), where)
    return layer


def _read(source: Source, layer: str | None, where: str | None, codec: str | None) -> Layer:
    meta, table, said, notes, encoding = _read_text(source, layer, where, codec)
    table, wkb, fids = split(table, meta, source)
    misread: Mapping[str, str] = said.misread_columns(table.column_names)
    notes = [*said.notes(), *misread_notes(misread), *notes]
    about = describe(source, layer, meta, encoding)
    notes += about.notes
    seen = Seen()
    seen.add(table, wkb, fids)
    check_rows(source, layer, about, seen, where)
    notes += misread_notes(misread_dates(source, layer, where, seen))
    crs = about.crs
    if source.format == "CSV":
        if wkb is not None and seen.nulls == len(wkb):
            wkb = None
        crs, more = csv_geometry(table.column_names, crs) if wkb is not None else (None, ())
        notes += more
    elif source.format == "KML":
        table = _without_kml_defaults(table)
    origin = about.origin
    if fids is not None:
        origin = replace(origin, fid_name=meta["fid_column"], metadata={"fids": fids})
        if not source.member:  # SQLite reads no archives
            misread = NoNumbers(source, origin.layer, meta["fid_column"], fids, table, misread)
    shapes = linear_shapes(source, layer, where, wkb)
    history = history_of(about.history, table.column_names)
    return Layer(table, wkb, crs, origin, tuple(notes), shapes=shapes, history=history, misread=misread)


def _read_text(
    source: Source, layer: str | None, where: str | None, codec: str | None
) -> tuple[dict[str, Any], pa.Table, Messages, list[str], str | None]:
    """Read attributes and geometry, with text in the encoding given, stated or likely."""
    notes: list[str] = []
    if source.format != "shapefile" or codec == "utf-8":
        given = codec if source.format == "shapefile" else None
        bad: str | None = ""
        try:
            meta, table, said = _read_arrow(source, layer, where, given)
            bad = unreadable_column(table)
        except UnicodeDecodeError:  # a column name
            pass
        if bad is not None:
            raise DataError(NOT_UTF8, column=bad, advice=mend_text(source.format))
        return meta, table, said, notes, codec
    if codec is None:
        try:
            meta, table, said = _read_arrow(source, layer, where, None)
            if unreadable_column(table) is None:
                if misread_utf8(source, table):
                    notes.append(LIKE_UTF8)
                return meta, table, said, notes, None
        except UnicodeDecodeError:
            pass
    # GDAL knows few encodings and passes on the rest as they are; Latin-1 maps bytes one to one
    chosen, guessed = (codec, False) if codec is not None else fallback_encoding(source)
    raw_where = latin1_filter(where, chosen)
    meta, table, said = _read_arrow(source, layer, raw_where, "ISO-8859-1")
    table = decoded(table, chosen)
    if guessed:
        notes.append(guessed_encoding(chosen))
    return meta, table, said, notes, chosen


def _read_arrow(
    source: Source, layer: str | None, where: str | None, encoding: str | None, **options: Any
) -> tuple[dict[str, Any], pa.Table, Messages]:
    """Read an Arrow table through GDAL; return its description, itself, and what GDAL warns of."""
    import pyogrio.raw

    options = {"batch_size": _BATCH} | stream_options(source, layer, where, encoding) | options
    with heard(source, where, layer) as said:
        meta, table = pyogrio.raw.read_arrow(source.dataset, **options)
    return meta, table, said


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
