"""A SQLite database on the disk, past GDAL: what lies beside it, and a reading that leaves it as it is."""

from __future__ import annotations

import os
import sqlite3
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from regionalize.errors import DataError
from regionalize.io.formats import JOURNALS

_LOCK_BYTES, _LOCKS = 0x40000000, 512
"""Where SQLite's locks begin in a file, and how many bytes they are."""
_LOCK = "hhqqi4x"
"""A lock as Linux has it: kind, from where, first byte, how many, whose."""


def open_journals(database: Path) -> list[Path]:
    """Return the journals beside a database that are not empty: it is in use, or was left half written."""
    beside = [database.with_name(database.name + mark) for mark in JOURNALS]
    return [file for file in beside if file.exists() and file.stat().st_size]


def is_held(database: Path) -> bool:
    """Whether another process has SQLite's locks on a database, as far as this system can tell (Linux).

    A program that has it open with a write-ahead log holds one all the time. What it writes later goes into a
    file beside, and would be taken for the log of a new database of that name.
    """
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    asked = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, _LOCK_BYTES, _LOCKS, 0)
    try:
        with database.open("rb") as file:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    except OSError:  # a network drive without locks, or a file that is not there
        return False
    return bool(struct.unpack(_LOCK, answer)[0] != fcntl.F_UNLCK)


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage so that nothing is made beside it, unless another program is writing to it.

    Raises
    ------
    DataError
        If a query stands where the standard has a table of its own: it may never end, and nothing could stop
        it, since GDAL asks it too.
    sqlite3.Error
        If it is no sound database; also where SQLite does not mind that names or texts are not UTF-8.
    """
    path = path.resolve()  # a journal lies beside the file, not beside a link to it
    busy = any(path.with_name(path.name + mark).exists() for mark in JOURNALS)
    flags = "mode=ro" if busy else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?{flags}", uri=True)) as database:
        views = r"SELECT name FROM sqlite_master WHERE type = 'view' AND name LIKE 'gpkg\_%' ESCAPE '\'"
        try:
            found = database.execute(views).fetchone()
            if found is not None:
                raise DataError(
                    f"is not a sound GeoPackage: its table '{found[0]}' is a view",
                    advice="get the file again",
                )
            yield database
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError("its text is not UTF-8") from error


def quoted_name(name: str) -> str:
    """Return a name as SQL has it.

    Examples
    --------
    >>> quoted_name('new "2020" towns')
    '"new ""2020"" towns"'
    """
    return '"' + name.replace('"', '""') + '"'
