"""An existing GeoPackage, as the database it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from regionalize.errors import OutputError, listed
from regionalize.io.source import HELPERS


def refuse_open_database(path: Path) -> None:
    """Refuse to replace a database that another program has open, or has left half written.

    What such a program has not put into the main file yet lies in a second file. Beside a new main file
    that would be taken for the new one's, and spoil it.

    Raises
    ------
    OutputError
    """
    for mark in ("-wal", "-journal"):
        beside = path.with_name(path.name + mark)
        if beside.exists() and beside.stat().st_size:
            raise OutputError(
                f"another program has it open ({beside.name} lies beside it)",
                advice="close it there first, or write to another file",
            )


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)


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


@contextmanager
def staged_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that is not in place yet, for one change: whoever puts it there flushes it to disk."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        yield database


def replacement_note(path: Path, kept: str) -> tuple[str, ...]:
    """Name the layers that go when a GeoPackage is replaced whole by one with the layer `kept`."""
    if not path.is_file():
        return ()
    try:
        there = layer_names(path)
    except OutputError:  # not a GeoPackage: what it is now, nobody can tell
        return ()
    gone = [name for name in there if name.lower() not in {kept.lower(), *HELPERS}]
    if not gone:
        return ()
    what = f"layer {listed(gone)} goes" if len(gone) == 1 else f"layers {listed(gone)} go"
    return (f"{path.name} is replaced whole: its {what}; --output-layer NAME adds to it instead",)


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database with all it holds."""
    try:
        with closing(_open(path)) as database, closing(sqlite3.connect(copy)) as target:
            database.backup(target)
    except sqlite3.Error as error:
        raise OutputError(
            f"the old file cannot be copied ({error})", advice="write to another file"
        ) from error
