"""A SQLite database on the disk, past GDAL: what lies beside it, and a reading that leaves it as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from regionalize.errors import DataError
from regionalize.io.formats import JOURNALS


def open_journals(database: Path) -> list[Path]:
    """Return the journals beside a database that are not empty: it is in use, or was left half written."""
    beside = [database.with_name(database.name + mark) for mark in JOURNALS]
    return [file for file in beside if file.exists() and file.stat().st_size]


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage so that nothing is made beside it, unless another program is writing to it.

    Raises
    ------
    DataError
        If a query stands where the standard has a table of its own: it may never end, and nothing could stop
        it, since GDAL asks it too.
    sqlite3.Error
        If it is no sound database.
    """
    path = path.resolve()  # a journal lies beside the file, not beside a link to it
    busy = any(path.with_name(path.name + mark).exists() for mark in JOURNALS)
    flags = "mode=ro" if busy else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?{flags}", uri=True)) as database:
        views = r"SELECT name FROM sqlite_master WHERE type = 'view' AND name LIKE 'gpkg\_%' ESCAPE '\'"
        found = database.execute(views).fetchone()
        if found is not None:
            raise DataError(
                f"is not a sound GeoPackage: its table '{found[0]}' is a view", advice="get the file again"
            )
        yield database


def quoted_name(name: str) -> str:
    """Return a name as SQL has it.

    Examples
    --------
    >>> quoted_name('new "2020" towns')
    '"new ""2020"" towns"'
    """
    return '"' + name.replace('"', '""') + '"'
