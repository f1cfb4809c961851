"""Notice damaged files, which GDAL's fast readers take for shorter or emptier ones.

Reading Arrow batches, GDAL ends a table early or leaves a geometry null where the file is cut short or
overwritten, and reports nothing. The structure of each format says how much there should be.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regionalize.errors import DataError
from regionalize.io import gdal
from regionalize.io.content import BROKEN_ARCHIVE
from regionalize.io.gdal_messages import Messages
from regionalize.io.source import Source
from regionalize.io.systems import ABOUT, not_understood

if TYPE_CHECKING:
    import sqlite3

AGAIN = "get the file again"
_SHAPE_HEADER = 100
_POINT_COUNT_AT = {3: 40, 5: 40, 13: 40, 15: 40, 23: 40, 25: 40, 8: 36, 18: 36, 28: 36}
"""Where a record of each shape type (lines, polygons, multipoints; plain, Z and M) says how many points."""


def check_archive(source: Source) -> None:
    """Compare the checksums of a dataset's parts in a zip archive, which GDAL does not."""
    try:
        with zipfile.ZipFile(source.path or "") as archive:
            for entry in source.entries():
                with archive.open(entry) as part:
                    while part.read(1 << 20):
                        pass
    except BROKEN_ARCHIVE as error:
        raise DataError("the archive is damaged", advice=AGAIN) from error


def check_lines(source: Source) -> None:
    """Refuse a CSV file in which GDAL would take a line for ended, or for none, before its end."""
    file, line = source.open(), 1
    if file is None:
        return
    with file:
        while block := file.read(1 << 20):
            at = block.find(b"\0")
            line += block.count(b"\n", 0, at if at >= 0 else None)
            if at >= 0:
                raise DataError(
                    f"line {line} holds the character of code 0, which is in no text",
                    advice="say its encoding with --encoding, such as utf-16, or get the file again",
                )


def check_shapefile(source: Source) -> tuple[str, ...]:
    """Compare a shapefile's headers with the sizes of its files.

    Returns notes. Raises `DataError` for a missing table, a file cut short, or files of different layers.
    """
    if not source.size(".shp"):  # a dBASE table on its own
        return ()
    shapes = _records_by_index(source)
    rows = rows_of_table(source)
    _check_length(source, ".shp")
    if shapes is not None and shapes != rows:
        raise DataError(
            f"the .shx counts {shapes} shapes, the .dbf {rows} rows: the files do not belong together",
            advice="get all files of the shapefile again",
        )
    if shapes is None:
        return ("The index (.shx) is missing; it was rebuilt in memory from the shapes.",)
    return ()


def _head(source: Source, suffix: str, length: int) -> bytes:
    file = source.open(suffix)
    if file is None:
        return b""
    with file:
        return file.read(length)


def _check_length(source: Source, suffix: str) -> int:
    """Check the header all shape files share; return the length in bytes that it states."""
    head, size = _head(source, suffix, _SHAPE_HEADER), source.size(suffix)
    if len(head) < _SHAPE_HEADER:
        raise DataError(f"the {suffix} is cut short: {size} bytes, less than its header", advice=AGAIN)
    code, words = struct.unpack(">i20xi", head[:28])
    if code != 9994:
        raise DataError(f"the {suffix} is not part of a shapefile", advice=AGAIN)
    if size < words * 2:
        raise DataError(f"the {suffix} is cut short: {size:,} of {words * 2:,} bytes", advice=AGAIN)
    return int(words) * 2


def _records_by_index(source: Source) -> int | None:
    if not source.size(".shx"):
        return None
    return (_check_length(source, ".shx") - _SHAPE_HEADER) // 8


def rows_of_table(source: Source) -> int:
    """Return the number of rows that a shapefile's table states; refuse one that has fewer."""
    size = source.size(".dbf")
    if not size:
        raise DataError(
            "the .dbf, which holds the columns, is missing",
            advice="put it beside the .shp, with the same name",
        )
    head = _head(source, ".dbf", 12)
    if len(head) < 12:
        raise DataError(f"the .dbf is cut short: {size} bytes, less than its header", advice=AGAIN)
    rows, header, width = struct.unpack("<IHH", head[4:12])
    if size < header + rows * width:
        raise DataError(
            f"the .dbf is cut short: {max(0, size - header) // max(width, 1):,} of {rows:,} rows",
            advice=AGAIN,
        )
    return int(rows)


def check_shapes_read(source: Source, nulls: int, *, filtered: bool) -> None:
    """Refuse null geometries that the shapefile itself does not hold: its index points at something else."""
    if not nulls or not source.size(".shx"):
        return
    with source.open(".shx") as index, source.open(".shp") as file:  # type: ignore[union-attr]  # both exist
        records = index.read()[_SHAPE_HEADER:]
        raw = np.frombuffer(records[: len(records) // 8 * 8], dtype=">i4")
        if source.member:
            shapes = np.frombuffer(file.read(), dtype=np.uint8)
        else:  # no more of it than is looked at
            shapes = np.memmap(file, dtype=np.uint8, mode="r")
    start, length = raw[: len(raw) // 2 * 2].reshape(-1, 2).T.astype(np.int64) * 2
    start += 8
    there = (start >= _SHAPE_HEADER) & (start + 4 <= len(shapes))
    start, length = start[there], length[there]
    kind = _integers(shapes, start)
    without = (kind == 0) & (length == 4)  # a longer one had points once
    for code, at in _POINT_COUNT_AT.items():
        rows = np.flatnonzero((kind == code) & (start + at + 4 <= len(shapes)))
        without[rows] = _integers(shapes, start[rows] + at) == 0
    held = int(without.sum())
    if nulls > held or (filtered and not held):
        raise DataError(
            f"{nulls - held} of its shapes cannot be read: the .shp or .shx is damaged", advice=AGAIN
        )


def _integers(data: NDArray[np.uint8], start: NDArray[np.int64]) -> NDArray[Any]:
    return np.ascontiguousarray(data[start[:, None] + np.arange(4)]).view("<i4")[:, 0]


@contextmanager
def database(source: Source) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage on the disk, past GDAL; what SQLite cannot read is a fault of the file."""
    import sqlite3

    from regionalize.io.database import read_only

    assert source.path is not None
    try:
        with read_only(source.path) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise DataError(f"the database cannot be checked ({error})", advice=AGAIN) from error


def stated_rows(connection: sqlite3.Connection, layer: str) -> int | None:
    """Return the number of rows that a GeoPackage states; None for one that was made without GDAL."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_ogr_contents'"
    count = "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?"
    found = connection.execute(known).fetchone()[0]
    stated = connection.execute(count, (layer,)).fetchone() if found else None
    return None if stated is None or stated[0] is None else int(stated[0])


def check_database(
    connection: sqlite3.Connection, layer: str, stated: int | None, rows: int, nulls: int, *, doubt: bool
) -> None:
    """Have SQLite check a GeoPackage when what was read may be other than what is there.

    The check reads the whole file (about 2 ms per MB), so it is made only if the number of rows differs
    from the number the file states, a geometry came out null, or there is doubt: a filter hides both, or
    rows are not in their order, as where a damaged page has some of them twice. GDAL's threads do not tell
    of a geometry that they cannot read.
    """
    if stated == rows and not nulls and not doubt:
        return
    of_all = f" of {stated:,}" if stated is not None else ""
    check_pages(connection, f"{rows:,} rows could be read{of_all}")
    known = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
    column = connection.execute(known, (layer,)).fetchone() if nulls else None
    if column is None:
        return
    from regionalize.io.database import quoted_name

    shape, table = quoted_name(str(column[0])), quoted_name(layer)
    empty = f"SELECT count(*) FROM {table} WHERE {shape} IS NULL OR length({shape}) = 0"
    held = int(connection.execute(empty).fetchone()[0])
    if nulls > held:
        raise DataError(f"the file is damaged: {nulls - held} geometries cannot be read", advice=AGAIN)


def check_pages(connection: sqlite3.Connection, found: str) -> None:
    """Have SQLite check a whole database; what was found when it was read goes into the message."""
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise DataError(f"the database is damaged: {found}", advice=AGAIN)


def stated(source: Source, layer: str | None) -> tuple[int | None, dict[str, str]]:
    """Return the number of rows that a header states (None where none does), and the metadata beside it."""
    import pyogrio

    with gdal.quiet():
        about = pyogrio.read_info(source.dataset, layer=layer)
    count = int(about["features"])
    return (count if count >= 0 else None), dict(about.get("layer_metadata") or {})


def check_count(stated: int | None, rows: int) -> None:
    """Refuse to go on with fewer rows than the format's own header states (FlatGeobuf, File Geodatabase)."""
    if stated and stated != rows:
        raise DataError(f"the file is damaged: {rows:,} of {stated:,} rows could be read", advice=AGAIN)


def check_messages(said: Messages) -> None:
    """Refuse to go on with what GDAL read after it told of a fault.

    Raises
    ------
    DataError
    """
    everything = [text for text, _ in (*said.warnings.values(), *said.faults.values())]
    of_system = [text for text in everything if any(mark in text for mark in ABOUT)]
    if of_system:
        raise not_understood(of_system[0].rstrip("."))
    texts = [text for text, _ in said.faults.values()]
    plain = [text for text in texts if not text.startswith("Error occurred in")]  # a place in GDAL's sources
    if texts:
        what = f": {plain[0].rstrip('.')}" if plain else ""
        raise DataError(f"the file is damaged, and GDAL cannot read all of it{what}", advice=AGAIN)
