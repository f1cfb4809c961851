"""An existing GeoPackage, as the database it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from regionalize.errors import OutputError


def _open(path: Path) -> sqlite3.Connection:
    busy = any(path.with_name(path.name + mark).exists() for mark in ("-wal", "-journal"))
    flags = "mode=ro" if busy else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{flags}", uri=True)


def layer_names(path: Path) -> list[str]:
    """Return the names of a GeoPackage's layers and attribute tables.

    Raises
    ------
    OutputError
        If the file is not a GeoPackage.
    """
    try:
        with closing(_open(path)) as database:
            return [str(row[0]) for row in database.execute("SELECT table_name FROM gpkg_contents")]
    except sqlite3.Error as error:
        raise OutputError(
            "exists and is not a sound GeoPackage", file=str(path), advice="choose another name"
        ) from error


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database with all it holds, also what another program has not yet put into the main file."""
    try:
        with closing(_open(path)) as database, closing(sqlite3.connect(copy)) as target:
            database.backup(target)
    except sqlite3.Error as error:
        raise OutputError(
            f"the old file cannot be copied ({error})", advice="write to another file"
        ) from error
