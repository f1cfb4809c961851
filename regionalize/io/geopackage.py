"""An existing GeoPackage, as the database it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from regionalize.errors import DataError, OutputError, listed
from regionalize.io.database import is_held, open_journals, quoted_name, read_only
from regionalize.io.layers import HELPERS


def refuse_open_database(path: Path) -> None:
    """Refuse to replace a database that another program has open, or has left half written.

    What such a program has not put into the main file yet lies in a second file. Beside a new main file
    that would be taken for the new one's, and spoil it.

    Raises
    ------
    OutputError
    """
    for beside in open_journals(path):
        raise OutputError(
            f"another program has it open ({beside.name} lies beside it)",
            advice="close it there first, or write to another file",
        )
    if is_held(path):
        raise OutputError(
            "another program has it open", advice="close it there first, or write to another file"
        )


def layer_names(path: Path) -> list[str]:
    """Return the names of a GeoPackage's layers and attribute tables.

    Raises
    ------
    OutputError
        If the file is not a GeoPackage.
    """
    try:
        with read_only(path) as database:
            return [str(row[0]) for row in database.execute("SELECT table_name FROM gpkg_contents")]
    except (sqlite3.Error, DataError) as error:
        raise OutputError(
            "exists and is not a sound GeoPackage", file=str(path), advice="choose another name"
        ) from error


@contextmanager
def staged_database(path: Path, what: str) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage that is not in place yet, for one change: whoever puts it there flushes it to disk.

    Parameters
    ----------
    path : Path
        GeoPackage.
    what : str
        What is stored in it, for the message.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        with _changing(path) as database:
            triggers = _take_triggers(database)
            yield database
            _put_back(database, triggers)
    except sqlite3.Error as error:
        raise OutputError(f"{what} could not be stored ({error})", advice="write to another file") from error


@contextmanager
def without_triggers(path: Path) -> Iterator[None]:
    """Let a staged GeoPackage, if there is one, do nothing of its own while GDAL writes a layer into it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    triggers: list[str] = []
    try:
        if path.exists():
            with _changing(path) as database:
                triggers = _take_triggers(database)
        yield
        if triggers:
            with _changing(path) as database:
                _put_back(database, triggers)
    except sqlite3.Error as error:
        raise OutputError(f"cannot be changed ({error})", advice="write to another file") from error


@contextmanager
def _changing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        yield database


def _take_triggers(database: sqlite3.Connection) -> list[str]:
    """Take away the triggers of all tables but layers, which could change any layer, and return them.

    Those of tiles stay, which GDAL makes ten of: nothing is written there, so that they do nothing.
    """
    ours = (
        r"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
        r"AND (tbl_name LIKE 'gpkg\_%' ESCAPE '\' OR tbl_name LIKE 'layer\_styles' ESCAPE '\') "
        r"AND tbl_name NOT LIKE 'gpkg\_tile\_%' ESCAPE '\'"
    )
    found = database.execute(ours).fetchall()
    for name, _ in found:
        database.execute(f"DROP TRIGGER {quoted_name(name)}")
    return [str(sql) for _, sql in found]


def _put_back(database: sqlite3.Connection, triggers: list[str]) -> None:
    for sql in triggers:
        database.execute(sql)


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
        with read_only(path) as database, closing(sqlite3.connect(copy)) as target:
            database.backup(target)
    except (sqlite3.Error, DataError) as error:
        raise OutputError(
            f"the old file cannot be copied ({error})", advice="write to another file"
        ) from error
