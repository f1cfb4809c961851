"""Files that take the rows of a layer some at a time, one class per way of writing them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from regionalize.errors import OutputError
from regionalize.io import gdal
from regionalize.io.batch_fit import no_shapes
from regionalize.io.drivers import csv_file, gdal_columns, rising, write_through_gdal
from regionalize.io.formats import CSV, FLATGEOBUF, GEODATABASE, GEOJSON, GEOPACKAGE, GEOPARQUET, Format
from regionalize.io.geojson import geojson_file
from regionalize.io.parquet import free_name, parquet_metadata
from regionalize.io.shapes import PlainShapes, fit_together
from regionalize.io.wkb import read_headers
from regionalize.model.layer import Layer

if TYPE_CHECKING:
    import pyarrow as pa

IN_BATCHES = (GEOPARQUET, GEOPACKAGE, FLATGEOBUF, GEOJSON, CSV, GEODATABASE)
"""Formats that can be written so."""
_GROUP_ROWS = 1 << 16
"""Rows of a Parquet file that are stored together."""
_GROUP_BYTES = 1 << 26
"""They are fewer where they are long."""
_INDEX_BYTES = str(1 << 27)
"""Memory in which GDAL sorts the spatial index of a GeoPackage; a larger one is made on the disk, slowly."""


@dataclass(frozen=True)
class Destination:
    """What a file of rows is to be.

    Attributes
    ----------
    head : Layer
        The layer without rows: reference system and origin.
    form : Format
    schema : pyarrow.Schema
        Columns but the geometry, as the format can hold them.
    wkb : pyarrow.DataType or None
        Type of the geometry, None where none is written.
    path : Path
    name : str
        Of the layer.
    history : str
        What is kept of the runs that made columns.
    """

    head: Layer
    form: Format
    schema: pa.Schema
    wkb: pa.DataType | None
    path: Path
    name: str
    history: str


class BatchFile(Protocol):
    """A file that is being written."""

    def write(self, table: pa.Table, wkb: pa.ChunkedArray | None, fids: pa.ChunkedArray | None) -> None:
        """Take attributes, geometry and row identifiers of rows, after those that it took before."""
        ...

    def finish(self, whole: PlainShapes | None) -> None:
        """Write what is left, when there are no more rows; of the geometry of all, `whole` is known."""
        ...

    def close(self) -> None:
        """Let go of the file, which is to be thrown away."""
        ...


def batch_file(to: Destination) -> BatchFile:
    """Open a file for rows."""
    if to.form is GEOPARQUET:
        return ParquetFile(to)
    if to.form in (CSV, GEOJSON):
        return TextFile(to)
    return SpooledFile(to)


class TextFile:
    """CSV or GeoJSON: text that is written as rows come."""

    def __init__(self, to: Destination) -> None:
        self._open = ExitStack()
        self._is_csv = to.form is CSV
        self._write: Any
        if self._is_csv:
            self._write = self._open.enter_context(csv_file(to.schema, to.path))
        else:
            file = self._open.enter_context(to.path.open("wb"))
            self._write = self._open.enter_context(geojson_file(to.head, to.name, file, to.history))

    def write(self, table: pa.Table, wkb: pa.ChunkedArray | None, fids: pa.ChunkedArray | None) -> None:
        """Take rows."""
        if self._is_csv:
            self._write(table)
        else:
            self._write(table, wkb)

    def finish(self, whole: PlainShapes | None) -> None:
        """Write the end."""
        self._open.close()

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()


class ParquetFile:
    """GeoParquet: rows are gathered until they are enough to be stored together."""

    def __init__(self, to: Destination) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._to = to
        self._schema = to.schema
        if to.wkb is not None:
            name = free_name(to.head.origin.geometry_name or "geometry", to.schema.names)
            self._schema = to.schema.append(pa.field(name, to.wkb))
        self._writer = pq.ParquetWriter(to.path, self._schema, store_schema=False)
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = 0

    def write(self, table: pa.Table, wkb: pa.ChunkedArray | None, fids: pa.ChunkedArray | None) -> None:
        """Take rows."""
        if wkb is not None:
            table = table.append_column(self._schema.field(len(self._schema) - 1), wkb)
        self._waiting.append(table)
        self._rows += len(table)
        self._bytes += table.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._write_group()

    def finish(self, whole: PlainShapes | None) -> None:
        """Write the rows that are left, and the metadata, which tell of all."""
        if self._rows:
            self._write_group()
        to = self._to
        headers = None if whole is None else whole.headers
        about = parquet_metadata(to.schema.names, headers, to.head.crs, to.head.origin, to.history)
        # what is known at the end only goes into the schema that pyarrow reads, as it writes it itself
        schema = (self._schema.with_metadata(about) if about else self._schema.remove_metadata()).serialize()
        self._writer.add_key_value_metadata({**about, "ARROW:schema": base64.b64encode(schema)})
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=_GROUP_ROWS)
        self._waiting, self._rows, self._bytes = [], 0, 0


class SpooledFile:
    """A format that GDAL writes in one go, and that may need to know of all rows before the first.

    Rows are put into a file beside it as they come, in Arrow's own format, and given to GDAL from there.
    """

    def __init__(self, to: Destination) -> None:
        import pyarrow as pa

        self._to = to
        self._columns = gdal_columns(to.schema, to.head.origin, to.form, geometry=to.wkb is not None)
        self._schema = to.schema
        if to.wkb is not None:
            self._schema = self._schema.append(pa.field(self._columns.geometry, to.wkb))
        fids = to.head.origin.metadata.get("fids")
        self._with_fids = fids is not None and self._columns.fid is not None
        self._last_fid: int | None = None
        self._rising = self._with_fids
        if self._with_fids:
            self._schema = self._schema.append(pa.field(self._columns.fid, pa.int64()))
        self._spool = to.path.with_name("rows.arrow")
        codec = "lz4" if pa.Codec.is_available("lz4") else None
        options = pa.ipc.IpcWriteOptions(compression=codec)
        self._writer = pa.ipc.new_stream(str(self._spool), self._schema, options=options)

    def write(self, table: pa.Table, wkb: pa.ChunkedArray | None, fids: pa.ChunkedArray | None) -> None:
        """Take rows."""
        import pyarrow as pa

        if wkb is not None:
            table = table.append_column(self._schema.field(self._columns.geometry), wkb)
        if self._with_fids:
            if fids is None or len(fids) != len(table):
                fids, self._rising = pa.chunked_array([pa.nulls(len(table), pa.int64())]), False
            self._rising = self._rising and rising(fids, self._last_fid)
            if self._rising and len(table):
                self._last_fid = fids[-1].as_py()
            table = table.append_column(self._schema.field(self._columns.fid), fids.cast(pa.int64()))
        self._writer.write_table(table)

    def finish(self, whole: PlainShapes | None) -> None:
        """Have GDAL write all rows."""
        import pyarrow as pa

        self._writer.close()
        to, columns = self._to, self._columns
        if not self._rising and self._with_fids:
            self._schema = self._schema.remove(len(self._schema) - 1)
        declared = None
        if whole is not None:
            fitted = fit_together(to.head, no_shapes(whole), whole, to.form)
            declared = fitted.declared
            columns.options.update(fitted.options)
        faults: list[Exception] = []
        rows = pa.RecordBatchReader.from_batches(self._schema, self._again(whole, faults))
        try:
            with gdal.setting("OGR_GPKG_MAX_RAM_USAGE_RTREE", _INDEX_BYTES):
                write_through_gdal(
                    rows, columns, to.form, to.path, to.name, declared, to.head.crs, to.history
                )
        except OutputError as error:
            raise (faults[0] if faults else error) from error
        self._spool.unlink()

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()

    def _again(self, whole: PlainShapes | None, faults: list[Exception]) -> Iterator[pa.RecordBatch]:
        """Give all rows again, fitted to each other; keep what goes wrong, of which GDAL tells little."""
        import pyarrow as pa

        try:
            with pa.OSFile(str(self._spool)) as spool, pa.ipc.open_stream(spool) as reader:
                for batch in reader:
                    table = pa.Table.from_batches([batch]).select(self._schema.names)
                    if whole is not None and self._to.form is FLATGEOBUF:
                        table = self._together(table, whole)
                    yield from table.to_batches()
        except Exception as error:
            faults.append(error)
            raise

    def _together(self, table: pa.Table, whole: PlainShapes) -> pa.Table:
        """Bring the geometry of some rows into the shape that it has with all the others."""
        to, at = self._to, table.column_names.index(self._columns.geometry)
        wkb = table.column(at)
        plain = PlainShapes(wkb, read_headers(wkb))
        rows = Layer(table.select([]), wkb, to.head.crs, to.head.origin)
        fitted = fit_together(rows, plain, whole, to.form).wkb
        assert fitted is not None
        if fitted.null_count > wkb.null_count:
            raise OutputError("FlatGeobuf cannot hold curves with and without heights", advice="write .gpkg")
        return table.set_column(at, table.field(at), fitted.cast(to.wkb))
