"""What a file holds, whatever it is called: archives that burst, databases and tables that read elsewhere."""

from __future__ import annotations

import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from regionalize.errors import DataError

try:
    from lzma import LZMAError
except ImportError:  # Python may be built without it, and then zipfile does without
    LZMAError = zlib.error  # type: ignore[assignment,misc]  # it stands for damage too

if TYPE_CHECKING:
    import sqlite3

    from regionalize.io.source import Source

MOST_BYTES = 1 << 30
"""What an archive may always hold."""
MOST_TIMES = 200
"""How many times its own size it may hold beyond that: layers are packed to a half or a tenth of theirs."""
MOST_ROWS = 1 << 24
"""What a Parquet file may always hold; beyond that, `MOST_ROWS_PER_BYTE`."""
MOST_ROWS_PER_BYTE = 8
"""Rows that are not all alike take more."""
BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, struct.error),
    *(EOFError, OSError, NotImplementedError, ValueError),
)
"""What Python raises of an archive that is damaged; `ValueError` also for names that are not UTF-8."""
_HEAD = 1 << 12
_DATABASE = b"SQLite format 3\0"
_ELSEWHERE = re.compile(
    r"\b(virtual(ogr|shape|dbf|text|xl|geojson|gpkg|fdo)|fsdir|readfile|load_extension|ogr_(geocode|get|set|datasource)\w*|"
    r"gdal_get\w*)\b",
    re.IGNORECASE,
)
"""In the schema of a database: tables that are other files, and functions that read or ask elsewhere."""
_OTHER_TABLES = re.compile(rb"\\isseamless|create\s+view", re.IGNORECASE)
"""In a table of MapInfo: it has no rows of its own."""


def is_gml(head: bytes) -> bool:
    """Whether GDAL takes what begins like this for GML, beside which it would write what it found in it.

    Examples
    --------
    >>> is_gml(b'<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">'), is_gml(b"<kml>")
    (True, False)
    """
    return b"opengis.net/gml" in head


def beginning(source: Source) -> bytes:
    """Return the first bytes of a dataset; none of a folder."""
    if source.path is not None and not source.member and not source.path.is_file():
        return b""
    file = _opened(source)
    if file is None:
        return b""
    try:
        with file:
            return file.read(_HEAD)
    except OSError:  # the disk's
        raise
    except BROKEN_ARCHIVE:  # which is told of later
        return b""


def check_content(source: Source, head: bytes) -> None:
    """Refuse what would fill memory or the disk, and what reads other files than those that were named.

    Parameters
    ----------
    source : Source
    head : bytes
        Its first bytes.

    Raises
    ------
    DataError
    """
    if source.member:
        check_unpacked(source.entries())
    if head.startswith(b"PK\3\4"):  # of a spreadsheet, say, or of compressed KML
        file = _opened(source)
        assert file is not None
        try:
            with file, zipfile.ZipFile(file) as archive:
                check_unpacked(archive.infolist())
        except BROKEN_ARCHIVE:
            return  # for the reader to tell
    if head.startswith(_DATABASE):
        check_schema(source)
    name = "" if source.path is None else (source.member or source.path.name)
    if name.lower().endswith(".tab") and _OTHER_TABLES.search(head):
        raise DataError("this table of MapInfo is made of other tables", advice="name one of those")


def check_unpacked(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse parts of an archive that are far larger than they look.

    Examples
    --------
    >>> whole = zipfile.ZipInfo("a.shp")
    >>> whole.compress_size, whole.file_size = 10 * 2**20, 8 * 2**30
    >>> check_unpacked([whole])
    Traceback (most recent call last):
    regionalize.errors.DataError: 10 MB in the archive unpack to 8,192 MB, which is more than layers do; \
unpack it first if you trust it, and name the file inside
    """
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MOST_BYTES and unpacked > MOST_TIMES * packed:
        raise DataError(
            f"{packed / 2**20:,.0f} MB in the archive unpack to {unpacked / 2**20:,.0f} MB, "
            "which is more than layers do",
            advice="unpack it first if you trust it, and name the file inside",
        )


def check_rows(rows: int, size: int) -> None:
    """Refuse a Parquet file of very many rows that are all alike, in next to no bytes.

    Examples
    --------
    >>> check_rows(50_000_000, size=40 * 2**20)
    >>> check_rows(50_000_000, size=2**20)
    Traceback (most recent call last):
    regionalize.errors.DataError: it holds 50,000,000 rows in 1,048,576 bytes, which is more than layers do; \
name another file
    """
    if rows > MOST_ROWS and rows > MOST_ROWS_PER_BYTE * size:
        raise DataError(
            f"it holds {rows:,} rows in {size:,} bytes, which is more than layers do",
            advice="name another file",
        )


def check_schema(source: Source) -> None:
    """Refuse a database whose tables or views are made of other files, or of what servers answer."""
    import sqlite3

    try:
        if isinstance(source.dataset, bytes):
            with closing(sqlite3.connect(":memory:")) as database:
                database.deserialize(source.dataset)
                found = _elsewhere(database)
        elif source.member:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "database"
                with cast(IO[bytes], source.open()) as file, copy.open("wb") as copied:
                    shutil.copyfileobj(file, copied)
                found = _schema_of(copy)
        else:
            found = _schema_of(cast(Path, source.path))
    except (sqlite3.Error, *BROKEN_ARCHIVE):  # for the reader to tell
        return
    if found:
        raise DataError(
            f"its tables are made of other files or addresses ({found})",
            advice="copy the tables themselves to a GeoPackage",
        )


def _schema_of(path: Path) -> str:
    from regionalize.io.database import read_only

    with read_only(path) as database:
        return _elsewhere(database)


def _elsewhere(database: sqlite3.Connection) -> str:
    for (text,) in database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        found = _ELSEWHERE.search(str(text))
        if found is not None:
            return found[0]
    return ""


def _opened(source: Source) -> IO[bytes] | None:
    return BytesIO(source.dataset) if isinstance(source.dataset, bytes) else source.open()
