"""What GDAL has written, looked at past GDAL: single writes can fail without its saying so.

On a disk that is full for a moment only, a part of a file is missing and the rest is there. What was written
in order is followed from its beginning to its end; what was written here and there is looked at for holes.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

import numpy as np

from regionalize.errors import DataError
from regionalize.io.database import quoted_name

_ROWS = 1 << 22
"""Bytes of a table that are looked at together."""
_MARKS = (ord(" "), ord("*"))
"""What a row of a .dbf begins with: it holds, or it is deleted."""
_END_OF_HEADER, _END = b"\r", b"\x1a"
"""Of a .dbf."""
_FIRST, _SIZE = 12, 4
"""Bytes of a FlatGeobuf before its header, and those that hold the size of a row."""


def check_table(path: Path) -> None:
    """Refuse the .dbf of a shapefile with a hole: text and numbers have no byte that is zero.

    Raises
    ------
    DataError
    """
    with path.open("rb") as file:
        rows, header, width = struct.unpack("<IHH", file.read(12)[4:12])
        file.seek(max(header - 1, 0))
        if not width or file.read(1) != _END_OF_HEADER:
            raise DataError("the header of the .dbf is not whole")
        done = 0
        while done < rows:
            count = min(max(_ROWS // width, 1), rows - done)
            found = np.frombuffer(file.read(count * width), dtype=np.uint8)
            if len(found) < count * width:
                raise DataError(f"the .dbf ends within row {done + len(found) // width + 1:,}")
            table = found.reshape(count, width)
            holed = ~np.isin(table[:, 0], _MARKS) | (table == 0).any(axis=1)
            if holed.any():
                raise DataError(f"row {done + int(holed.argmax()) + 1:,} of the .dbf has a hole")
            done += count
        if file.read() != _END:
            raise DataError("the end of the .dbf is missing")


def check_encoding(path: Path, encoding: str) -> None:
    """Refuse a shapefile whose .cpg does not name the encoding of its texts.

    Raises
    ------
    DataError
    """
    beside = path.with_suffix(".cpg")
    if not beside.exists() or beside.read_text(encoding="ascii", errors="replace").strip() != encoding:
        raise DataError("the .cpg, which names the encoding of texts, is not whole")


def check_crs(path: Path, crs: str) -> None:
    """Refuse a shapefile without its .prj, unless that cannot hold the reference system.

    Raises
    ------
    DataError
    """
    beside = path.with_suffix(".prj")
    if beside.exists() and beside.read_bytes().rstrip().endswith(b"]"):
        return
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        known = CRS.from_user_input(crs).to_wkt("WKT1_ESRI")
    except CRSError:
        known = None
    if known:
        raise DataError("the .prj, which holds the reference system, is not whole")


def check_rows(path: Path, rows: int) -> None:
    """Refuse a FlatGeobuf, without a spatial index, whose rows do not follow each other to its end.

    Raises
    ------
    DataError
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_FIRST)
        if len(start) < _FIRST or not start.startswith(b"fgb"):
            raise DataError("its beginning is missing")
        at, found = _FIRST + struct.unpack("<I", start[8:])[0], 0
        while at < size:
            file.seek(at)
            length = file.read(_SIZE)
            if len(length) < _SIZE:
                break
            at += _SIZE + struct.unpack("<I", length)[0]
            found += 1
    if at != size or found != rows:
        raise DataError(f"{found:,} of {rows:,} rows follow each other in the file")


def check_layer(database: sqlite3.Connection, layer: str, rows: int) -> None:
    """Refuse a GeoPackage of which a page is not sound, or whose bookkeeping lacks rows of a layer.

    Raises
    ------
    DataError, sqlite3.Error
    """
    problem = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise DataError(f"the database is damaged ({problem})")
    stated = "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?"
    counted = database.execute(stated, (layer,)).fetchone()
    if counted is not None and counted[0] is not None and counted[0] != rows:
        raise DataError(f"it states {counted[0]:,} of {rows:,} rows")
    geometry = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
    for (column,) in database.execute(geometry, (layer,)).fetchall():
        shape = quoted_name(column)
        # the fourth byte of a geometry says in its fifth bit that there is nothing in it
        empty = f"instr('13579BDF', substr(hex(substr({shape}, 4, 1)), 1, 1)) > 0"
        wanted = f"SELECT count(*) FROM {quoted_name(layer)} WHERE {shape} IS NOT NULL AND NOT {empty}"
        known = "SELECT count(*) FROM sqlite_master WHERE name = ?"
        index = f"rtree_{layer}_{column}"
        there = bool(database.execute(known, (index,)).fetchone()[0])
        held = f"SELECT count(*) FROM {quoted_name(f'{index}_rowid')}"
        found = database.execute(held).fetchone()[0] if there else 0
        expected = database.execute(wanted).fetchone()[0]
        if found != expected:
            raise DataError(f"{found:,} of {expected:,} shapes are in its spatial index")


def plainly(error: Exception, path: Path) -> str:
    r"""Return what an error says of a file that is not in place yet, without the folder that nobody knows.

    Examples
    --------
    >>> plainly(ValueError("Failed to create /data/.a.gpkg.tmp/a.gpkg.\n"), Path("/data/.a.gpkg.tmp/a.gpkg"))
    'Failed to create a.gpkg'
    """
    text = error.strerror if isinstance(error, OSError) and error.errno and error.strerror else str(error)
    folder = str(path.parent.absolute())
    return " ".join(text.replace(f"{folder}{os.sep}", "").split()).rstrip(".")
