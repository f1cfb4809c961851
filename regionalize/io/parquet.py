"""GeoParquet in and out, by its specification 1.0 and 1.1 (https://geoparquet.org)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import DataError
from regionalize.io import gdal
from regionalize.io.column_choice import check_names, named_in
from regionalize.io.content import check_rows
from regionalize.io.history import understood_history
from regionalize.io.parquet_metadata import geo_metadata, unnamed_index
from regionalize.io.refusals import where_error
from regionalize.io.source import Source
from regionalize.io.wkb import BEYOND_GEOS, KINDS, Headers, read_headers
from regionalize.model.layer import Layer, LayerOrigin
from regionalize.model.record import KEY, History, history_of

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "1.0.0"
"""What is written is the same in 1.0 and 1.1, and more programs read 1.0."""
_DEFAULT_CRS = "OGC:CRS84"  # what a missing crs means


@dataclass(frozen=True)
class ParquetSchema:
    """What a Parquet file says of its columns.

    Attributes
    ----------
    geo : dict or None
        The metadata of GeoParquet, None where there is none.
    geometry : str or None
        The column that is the geometry.
    history : tuple of RunRecord
        The runs that made columns.
    unnamed : tuple of str
        Columns that are an index without a name, as pandas stores it: no columns of the layer.
    notes : tuple of str
        What was noticed, for the person.
    """

    geo: dict[str, Any] | None
    geometry: str | None
    history: History
    unnamed: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def about(self) -> dict[str, Any]:
        """What the metadata says of the geometry."""
        return {} if self.geo is None else dict(self.geo["columns"][self.geometry])

    @cached_property
    def crs(self) -> str | None:
        """The coordinate reference system, None when unknown."""
        return None if self.geo is None else _crs(self.about)


def read_parquet(source: Source, layer: str | None, where: str | None) -> Layer:
    """Read a Parquet file with its geometry, if its metadata says it has any."""
    import pyarrow.parquet as pq

    name = parquet_layer_name(source, layer)
    with parquet_understood(), opened(source) as content, pq.ParquetFile(content, pre_buffer=False) as file:
        check_names(file.schema_arrow.names)  # pyarrow could not tell which is meant
        check_rows(file.metadata.num_rows, source.size())
        table = file.read()
    schema = parquet_schema(table.schema)
    found = parquet_layer(table, schema, parquet_origin(schema, source, name))
    found = replace(found, notes=schema.notes, history=history_of(schema.history, found.column_names))
    return found if where is None else parquet_filtered(found, where)


def opened(source: Source) -> pa.NativeFile:
    """Open a file, or a member of an archive, for Arrow alone.

    Arrow's threads may still hold a file of Python's when a short run ends, and the process is aborted then.
    """
    import pyarrow as pa

    file = source.open()  # what cannot be opened is told by Python
    assert file is not None
    assert source.path is not None
    with file:
        return pa.BufferReader(file.read()) if source.member else pa.OSFile(os.fsencode(source.path))


def parquet_layer_name(source: Source, layer: str | None) -> str:
    """Return the name of the one layer of a Parquet file, or refuse another that was asked for."""
    name = Path(source.member or source.shown).stem
    if layer is not None and layer != name:
        raise DataError(f"there is no layer '{layer}'", advice=f"a Parquet file holds one; it is '{name}'")
    return name


@contextmanager
def parquet_understood() -> Iterator[None]:
    """Turn what pyarrow raises for a damaged file into an error for the person."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).split("\n")[0].split(". ")[0].rstrip(".")
        raise DataError(f"cannot be read as Parquet: {reason}", advice="get the file again") from error


def parquet_schema(schema: pa.Schema) -> ParquetSchema:
    """Read the metadata of a Parquet file.

    Raises
    ------
    DataError
        If its metadata speak of a geometry that is not there, or cannot be understood.
    """
    geo = geo_metadata(schema)
    history, said = understood_history((schema.metadata or {}).get(KEY.encode()))
    notes: tuple[str, ...] = ()
    column = None
    if geo is None:
        notes = ("The Parquet file has no 'geo' metadata: it was read as a table without geometry.",)
    else:
        column = geo.get("primary_column")
        known = isinstance(column, str) and column in (geo.get("columns") or {})
        if not known or column not in schema.names:
            raise DataError(f"its geometry column '{column}' is missing", advice="get the file again")
    return ParquetSchema(geo, column, history, unnamed_index(schema), (*notes, *said))


def parquet_origin(schema: ParquetSchema, source: Source, name: str) -> LayerOrigin:
    """Say where the layer of a Parquet file is from."""
    about = schema.about
    kind = next(iter(about.get("geometry_types") or ["Unknown"])) if _one_kind(about) else "Unknown"
    return LayerOrigin(
        file=source.shown,
        layer=name,
        driver=source.format,
        geometry_type=None if schema.geo is None else kind,
        geometry_name=schema.geometry or "geometry",
        metadata={} if schema.geo is None else {"geo": schema.geo},
    )


def parquet_layer(table: pa.Table, schema: ParquetSchema, origin: LayerOrigin) -> Layer:
    """Return rows of a Parquet file as a layer; a table that lacks the geometry becomes one without."""
    with parquet_understood():
        table.validate(full=True)  # text that is not UTF-8, and whatever else no reader has looked at
    table = table.drop_columns([name for name in schema.unnamed if name in table.column_names])
    table = table.replace_schema_metadata(None)
    wkb = None
    if schema.geometry is not None and schema.geometry in table.column_names:
        wkb = _as_wkb(table.column(schema.geometry), str(schema.about.get("encoding", "WKB")))
        table = table.drop_columns([schema.geometry])
    return Layer(table, wkb, schema.crs, origin)


def _one_kind(about: dict[str, Any]) -> bool:
    return len(about.get("geometry_types") or []) == 1


def _crs(about: dict[str, Any]) -> str | None:
    if "crs" not in about:
        return _DEFAULT_CRS
    if about["crs"] is None:
        return None
    import pyproj

    try:
        crs = pyproj.CRS.from_json_dict(about["crs"])
    except pyproj.exceptions.CRSError as error:
        raise DataError("its coordinate system cannot be understood", advice="get the file again") from error
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.to_wkt()


def _as_wkb(column: pa.ChunkedArray, encoding: str) -> pa.ChunkedArray:
    """Return geometry as WKB, whether it is stored so or as nested lists of coordinates."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], type=column.type.storage_type)
    if encoding.upper() == "WKB":
        if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
            column = column.cast(pa.large_binary())
        return column
    depth = {
        "point": 0,
        "linestring": 1,
        "polygon": 2,
        "multipoint": 1,
        "multilinestring": 2,
        "multipolygon": 3,
    }
    if encoding not in depth:
        raise DataError(
            f"its geometry encoding '{encoding}' is unknown", advice="write it again with encoding WKB"
        )
    return pa.chunked_array(
        [_nested_to_wkb(chunk, encoding, depth[encoding]) for chunk in column.chunks]
        or [pa.array([], pa.binary())]
    )


def _nested_to_wkb(chunk: pa.Array, encoding: str, depth: int) -> pa.Array:
    """Turn lists of x, y (and z) into WKB, following each level's offsets."""
    import pyarrow as pa
    import shapely

    missing = np.asarray(chunk.is_null())
    offsets, values = [], chunk
    for _ in range(depth):
        # flatten() leaves out what lies under nulls, so offsets are counted from the lengths
        lengths = values.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        offsets.append(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
        values = values.flatten()
    names = [field.name for field in values.type] if pa.types.is_struct(values.type) else []
    if names[:2] != ["x", "y"]:
        raise DataError("its coordinates are not x and y", advice="write the file again with encoding WKB")
    axes = [
        values.field(name).to_numpy(zero_copy_only=False) for name in names[:3] if name in {"x", "y", "z"}
    ]
    coordinates = np.column_stack(axes).astype(np.float64)
    if depth == 0:
        shapes = shapely.points(coordinates)
    else:
        kind = shapely.GeometryType[encoding.upper()]
        shapes = shapely.from_ragged_array(kind, coordinates, tuple(reversed(offsets)))
    raw = shapely.to_wkb(shapes, flavor="iso")
    raw[missing] = None
    return pa.array(raw, pa.binary())


def parquet_filtered(layer: Layer, where: str) -> Layer:
    """Keep the rows a filter selects: SQLite, through a GeoPackage in memory, decides which."""
    import pyarrow as pa
    import pyogrio.raw

    plain = [
        field.name
        for field in layer.attributes.schema
        if not (
            pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_null(field.type)
        )
        and named_in(field.name, where)
    ]
    chosen = layer.attributes.select(plain)
    row_name = "row"
    while any(row_name == name.lower() for name in layer.column_names):
        row_name += "_"
    chosen = chosen.append_column(row_name, pa.array(np.arange(len(layer)), pa.int64()))
    buffer = BytesIO()
    try:
        with gdal.quiet():
            pyogrio.raw.write_arrow(chosen, buffer, driver="GPKG", layer="rows", FID="fid_of_row")
            _, kept = pyogrio.raw.read_arrow(buffer.getvalue(), where=where, columns=[row_name])
    except (ValueError, OSError) as error:
        raise where_error(where, " ".join(str(error).split()), layer.column_names) from error
    return layer.take(kept[row_name].to_numpy())


def write_parquet(
    attributes: pa.Table,
    wkb: pa.ChunkedArray | None,
    crs: str | None,
    origin: LayerOrigin,
    path: Path,
    history: str = "",
) -> None:
    """Write attributes and geometry as GeoParquet; the geometry column comes last.

    `history` is what is kept of the runs that made columns, as `regionalize.io.history.history_text` has it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = attributes.replace_schema_metadata(None)
    if wkb is not None:
        name = free_name(origin.geometry_name or "geometry", attributes.column_names)
        table = table.append_column(pa.field(name, wkb.type), wkb)
    headers = None if wkb is None else read_headers(wkb)
    kept = parquet_metadata(attributes.column_names, headers, crs, origin, history)
    pq.write_table(table.replace_schema_metadata(kept) if kept else table, path)


def parquet_metadata(
    names: list[str], headers: Headers | None, crs: str | None, origin: LayerOrigin, history: str
) -> dict[str, str]:
    """Return the metadata of a Parquet file.

    Parameters
    ----------
    names : list of str
        The attributes.
    headers : Headers or None
        Of all geometries; None for a table without.
    crs, origin, history
        As for `write_parquet`.
    """
    kept = {KEY: history} if history else {}
    if headers is None:
        return kept
    name = free_name(origin.geometry_name or "geometry", names)
    columns = {name: _about(headers, crs)}
    before = origin.metadata.get("geo", {}).get("columns", {})
    columns |= {other: about for other, about in before.items() if other in names}
    covering = before.get(origin.geometry_name, {}).get("covering")
    if covering and covering["bbox"]["xmin"][0] in names:
        columns[name]["covering"] = covering
    version = VERSION if len(columns) == 1 and not covering else "1.1.0"
    geo = {"version": version, "primary_column": name, "columns": columns}
    return {"geo": json.dumps(geo), **kept}


def _about(headers: Headers, crs: str | None) -> dict[str, Any]:
    kinds: list[str] = []
    if not headers.has_m.any() and not (headers.kind >= BEYOND_GEOS).any():
        flat = read_names(headers.kind[~headers.has_z])
        kinds = sorted([*flat, *(f"{name} Z" for name in read_names(headers.kind[headers.has_z]))])
    projjson = None
    if crs is not None:
        import pyproj

        projjson = pyproj.CRS.from_user_input(crs).to_json_dict()
    return {"encoding": "WKB", "geometry_types": kinds, "crs": projjson}


def read_names(codes: Any) -> list[str]:
    """Name the geometry kinds among codes, nulls left out."""
    return [KINDS[int(code)] for code in np.unique(codes) if int(code)]


def free_name(wanted: str, taken: list[str]) -> str:
    """Return `wanted`, or the first variation of it that no column has (in any case)."""
    lower = {name.lower() for name in taken}
    name, number = wanted, 1
    while name.lower() in lower:
        number += 1
        name = f"{wanted}_{number}"
    return name
