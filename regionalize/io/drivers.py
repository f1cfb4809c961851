"""The two writers that are not ours: GDAL through its Arrow interface, and pyarrow's CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, listed
from regionalize.io import gdal
from regionalize.io.formats import FLATGEOBUF, GEODATABASE, GEOPACKAGE, SHAPEFILE, ZIPPED_SHAPEFILE, Format
from regionalize.io.geopackage import without_triggers
from regionalize.io.parquet import free_name
from regionalize.io.written import plainly
from regionalize.model.record import KEY

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer, LayerOrigin


@dataclass(frozen=True)
class Fitted:
    """A layer in the shape a format takes."""

    attributes: pa.Table
    wkb: pa.ChunkedArray | None
    declared: str | None
    options: dict[str, str]
    notes: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)
    """What the format makes of each column's name."""


@dataclass(frozen=True)
class GdalColumns:
    """What columns besides the attributes are called in a file that GDAL writes.

    Attributes
    ----------
    geometry : str or None
        Column of the geometry, None for a table without.
    fid : str or None
        Column of the row identifiers, None where they cannot be kept.
    options : dict of str to str
        Layer creation options.
    """

    geometry: str | None
    fid: str | None
    options: dict[str, str]


def gdal_columns(schema: pa.Schema, origin: LayerOrigin, form: Format, *, geometry: bool) -> GdalColumns:
    """Name the columns besides the attributes, which have `schema`."""
    taken = list(schema.names)
    options: dict[str, str] = {}
    named = free_name(_geometry_name(origin, form), taken) if geometry else None
    fid = None
    if form is GEOPACKAGE:
        wanted = origin.fid_name or "fid"
        options["FID"] = free_name(wanted, [*taken, named or ""])
        fid = wanted if options["FID"] == wanted else None
        if named is not None:
            options["GEOMETRY_NAME"] = named
    elif form is FLATGEOBUF:
        options["SPATIAL_INDEX"] = "NO"  # with one, rows would be put in another order
    elif form is GEODATABASE:
        options |= _geodatabase_options(schema)
    return GdalColumns(named, fid, options)


def write_gdal(layer: Layer, fitted: Fitted, form: Format, path: Path, name: str, history: str = "") -> None:
    """Write through GDAL's Arrow interface, with what is kept of the runs that made columns."""
    table = fitted.attributes
    columns = gdal_columns(table.schema, layer.origin, form, geometry=fitted.wkb is not None)
    if columns.geometry is not None:
        table = table.append_column(columns.geometry, fitted.wkb)
    fids = layer.origin.metadata.get("fids")
    if columns.fid is not None and fids is not None and len(fids) == len(table) and rising(fids):
        table = table.append_column(columns.fid, fids)
    columns.options.update(fitted.options)
    write_through_gdal(table, columns, form, path, name, fitted.declared, layer.crs, history)


def rising(fids: pa.ChunkedArray, least: int | None = None) -> bool:
    """Whether row identifiers are there and rise, from above `least` on: rows come back in their order."""
    values = None if fids.null_count else fids.to_numpy()
    if values is None or not np.all(np.diff(values) > 0):
        return False
    return least is None or not len(values) or bool(values[0] > least)


def write_through_gdal(
    rows: pa.Table | pa.RecordBatchReader,
    columns: GdalColumns,
    form: Format,
    path: Path,
    name: str,
    declared: str | None,
    crs: str | None,
    history: str = "",
) -> None:
    """Let GDAL write rows, as it takes them.

    Parameters
    ----------
    rows : pyarrow.Table or pyarrow.RecordBatchReader
        Attributes, geometry and row identifiers; of a reader, a batch at a time is held.
    columns : GdalColumns
        What they are called.
    form, path, name
        The format, the file and the layer.
    declared : str or None
        The kind of geometry.
    crs : str or None
    history : str
        What is kept of the runs that made columns.

    Raises
    ------
    OutputError
    """
    import pyogrio.errors
    import pyogrio.raw

    more: dict[str, Any] = {"encoding": "UTF-8"} if form in (SHAPEFILE, ZIPPED_SHAPEFILE) else {}
    more |= {"layer_metadata": {KEY: history}} if form is FLATGEOBUF and history else {}
    try:
        # warnings: all of it is said in our own words beforehand, or verified
        with (
            without_triggers(path),
            _journal(path),
            gdal.quiet() as said,
            gdal.writable(path) as plain,
        ):
            pyogrio.raw.write_arrow(
                rows,
                plain,
                layer=name,
                driver=form.driver,
                geometry_name=columns.geometry,
                geometry_type=declared,
                crs=crs if columns.geometry is not None else None,
                layer_options=columns.options,
                **more,
            )
    except (ValueError, RuntimeError, OSError, pyogrio.errors.DataSourceError) as error:
        raise OutputError(
            f"could not be written: {plainly(error, path)}",
            advice="write another format, or elsewhere",
        ) from error
    for text, _ in said.faults.values():  # after which GDAL went on
        raise OutputError(
            f"could not be written whole: {plainly(ValueError(text), path)}",
            advice="check the space on the disk, or write elsewhere",
        )


def _journal(path: Path) -> AbstractContextManager[None]:
    """Let a new database be written without a journal: one that is not whole is thrown away."""
    return nullcontext() if path.exists() else gdal.setting("OGR_SQLITE_JOURNAL", "OFF")


def _geometry_name(origin: LayerOrigin, form: Format) -> str:
    own = origin.geometry_name
    return "geom" if form is GEOPACKAGE and own in {"", "geometry", "wkb_geometry"} else own or "geometry"


def _geodatabase_options(schema: pa.Schema) -> dict[str, str]:
    import pyarrow as pa

    options = {"FID": free_name("OBJECTID", list(schema.names))}
    recent = any(
        pa.types.is_int64(kind)
        or pa.types.is_uint32(kind)
        or pa.types.is_date(kind)
        or pa.types.is_temporal(kind)
        for kind in schema.types
    )
    return options | ({"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"} if recent else {})


def write_csv(table: pa.Table, path: Path) -> None:
    """Write columns as CSV, numbers in the shortest text that reads back as the same."""
    with csv_file(table.schema, path) as write:
        write(table)


@contextmanager
def csv_file(schema: pa.Schema, path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Give a function that writes rows into a CSV file, after those that it wrote before.

    Raises
    ------
    OutputError
        If there are no columns, or one that CSV has no text for.
    """
    import pyarrow as pa
    import pyarrow.csv

    if not schema.names:
        raise OutputError("there are no columns to write", advice="write another format")
    try:
        options = pyarrow.csv.WriteOptions(quoting_style="needed")
        with pyarrow.csv.CSVWriter(path, schema, write_options=options) as writer:
            yield writer.write_table
    except pa.ArrowException as error:
        raise OutputError(
            f"could not be written: {error}", advice=f"leave out {listed(schema.names)}"
        ) from error
