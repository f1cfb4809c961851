"""Read back what was written, in outline: GDAL can fail on a full disk without saying so."""

from __future__ import annotations

from pathlib import Path

from regionalize.errors import DataError, OutputError
from regionalize.io import damage, gdal
from regionalize.io.formats import (
    CSV,
    FLATGEOBUF,
    GEODATABASE,
    GEOJSON,
    GEOPACKAGE,
    GEOPARQUET,
    SHAPEFILE,
    ZIPPED_SHAPEFILE,
    Format,
)
from regionalize.io.source import Source
from regionalize.io.written import check_crs, check_encoding, check_layer, check_rows, check_table, plainly


def verify(
    path: Path, form: Format, layer: str, names: list[str], rows: int, crs: str | None = None
) -> dict[str, str]:
    """Check that a written file is whole, with all rows and columns; return what columns are called there.

    Returns
    -------
    dict of str to str
        New names by old ones, of columns that GDAL renamed.

    Raises
    ------
    OutputError
        If it is not.
    """
    if form in (CSV, GEOJSON):  # not written by GDAL: every failed write is reported
        return {}
    if form is GEOPARQUET:
        import pyarrow.parquet as pq

        _compare(pq.read_metadata(path).num_rows, rows)
        return {}
    if form is GEOPACKAGE:
        found, there = _stored(path, layer, rows)
        _compare(there, rows)
        return _renamed(found, names, form)
    import pyogrio

    try:
        with gdal.quiet() as said:
            if form in (SHAPEFILE, ZIPPED_SHAPEFILE):
                damage.check_shapefile(Source(path.name, str(path), "shapefile", path))
                check_table(path.with_suffix(".dbf"))
                check_encoding(path, "UTF-8")
                if crs is not None:
                    check_crs(path, crs)
            if form is FLATGEOBUF:
                check_rows(path, rows)
            # a geodatabase may have renamed the layer; it holds only the one
            about = pyogrio.read_info(gdal.readable(path), layer=0, force_feature_count=True)
            if form is GEODATABASE:  # of a table whose header is not sound GDAL warns, and takes what it can
                pyogrio.raw.read(
                    gdal.readable(path), layer=0, columns=[], read_geometry=False, return_fids=True
                )
        if form is GEODATABASE and (said.warnings or said.faults):
            raise DataError("a table of the geodatabase is not sound")
    except (DataError, ValueError, RuntimeError, OSError) as error:
        raise _not_whole(plainly(error, path)) from error
    _compare(int(about["features"]), rows)
    return _renamed([str(name) for name in about["fields"]], names, form)


def _stored(path: Path, layer: str, wanted: int) -> tuple[list[str], int]:
    """Return the names of a GeoPackage's columns and the number of its rows, as SQLite finds them."""
    import sqlite3

    from regionalize.io.database import quoted_name, read_only

    table = quoted_name(layer)
    try:
        with read_only(path) as database:
            rows = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            about = database.execute(f"PRAGMA table_info({table})").fetchall()
            geometry = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
            shapes = {name for (name,) in database.execute(geometry, (layer,))}
            if rows == wanted:
                check_layer(database, layer, rows)
    except (sqlite3.Error, DataError) as error:
        raise _not_whole(plainly(error, path)) from error
    return [str(name) for _, name, _, _, _, key in about if not key and name not in shapes], int(rows)


def _renamed(found: list[str], names: list[str], form: Format) -> dict[str, str]:
    if form.driver == "LIBKML":  # its own columns come first, and 'name' becomes 'Name'
        lower = {name.lower() for name in found}
        found = [name for name in names if name.lower() in lower]
    if len(found) < len(names):
        raise _not_whole(f"{len(names) - len(found)} of {len(names)} columns are missing")
    return {old: new for old, new in zip(names, found, strict=False) if old != new}


def _compare(found: int, rows: int) -> None:
    if found != rows:
        raise _not_whole(f"{found:,} of {rows:,} rows are in the file")


def _not_whole(reason: str) -> OutputError:
    return OutputError(
        f"could not be written whole: {reason}", advice="check the space on the disk, or write elsewhere"
    )
