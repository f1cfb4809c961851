"""The history of a layer in a GeoPackage: a row in the tables of the standard's metadata extension."""

from __future__ import annotations

import sqlite3

STANDARD = "urn:regionalize:runs"
"""How our rows are told from those of other programs."""
_DEFINITION = "http://www.geopackage.org/spec120/#extension_metadata"
_TABLES = {
    "gpkg_metadata": {
        "id": "INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL",
        "md_scope": "TEXT NOT NULL DEFAULT 'dataset'",
        "md_standard_uri": "TEXT NOT NULL",
        "mime_type": "TEXT NOT NULL DEFAULT 'text/xml'",
        "metadata": "TEXT NOT NULL DEFAULT ''",
    },
    "gpkg_metadata_reference": {
        "reference_scope": "TEXT NOT NULL",
        "table_name": "TEXT",
        "column_name": "TEXT",
        "row_id_value": "INTEGER",
        "timestamp": "DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))",
        "md_file_id": "INTEGER NOT NULL CONSTRAINT crmr_mfi_fk REFERENCES gpkg_metadata(id)",
        "md_parent_id": "INTEGER CONSTRAINT crmr_mpi_fk REFERENCES gpkg_metadata(id)",
    },
}
"""As the standard has them (GeoPackage 1.2, annex F.8)."""
_EXTENSIONS = (
    "CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, "
    "extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL, "
    "CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))"
)


LONGEST = 1 << 25
"""Bytes of a history that are read: no number of runs comes near."""


def stored_history(database: sqlite3.Connection, layer: str) -> tuple[str | None, tuple[str, ...]]:
    """Return what is stored of the runs that made a layer, None where there is nothing, and notes."""
    before = database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    try:
        found = database.execute(
            "SELECT metadata FROM gpkg_metadata_reference JOIN gpkg_metadata ON md_file_id = id "
            "WHERE md_standard_uri = ? AND reference_scope = 'table' AND lower(table_name) = lower(?) "
            "ORDER BY id DESC LIMIT 1",
            (STANDARD, layer),
        ).fetchone()
    except sqlite3.OperationalError:  # most files have no such tables
        return None, ()
    except sqlite3.DataError:
        return None, ("how its columns were made is kept with the layer, but is too long to be so: not read",)
    finally:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
    return str(found[0]) if found else None, ()


def store_history(database: sqlite3.Connection, layer: str, text: str) -> tuple[str, ...]:
    """Store the history of a layer, in place of what was stored of it before; other metadata is kept.

    Parameters
    ----------
    database : sqlite3.Connection
        GeoPackage, not in place yet, with the layer in it.
    layer : str
        Name of the layer.
    text : str
        As `regionalize.io.history.history_text` writes it, empty for none.

    Returns
    -------
    tuple of str
        What a person should know of it.
    """
    there = {
        name: {str(row[1]) for row in database.execute(f"PRAGMA table_info({name})")} for name in _TABLES
    }
    if any(there.values()):
        odd = [name for name, columns in there.items() if not columns >= set(_TABLES[name])]
        if odd:
            said = f"table {odd[0]} is not as the standard has it: how the columns were made is not stored"
            return (said,) if text else ()
        _forget(database, layer)
    elif text:
        _make_tables(database)
    if text:
        table, changed = database.execute(
            "SELECT table_name, last_change FROM gpkg_contents WHERE lower(table_name) = lower(?)", (layer,)
        ).fetchone()
        added = database.execute(
            "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
            "VALUES ('dataset', ?, 'application/json', ?)",
            (STANDARD, text),
        )
        database.execute(
            "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, timestamp, md_file_id) "
            "VALUES ('table', ?, ?, ?)",
            (table, changed, added.lastrowid),  # as the layer's: no clock but GDAL's is asked
        )
    return ()


def _forget(database: sqlite3.Connection, layer: str) -> None:
    """Take away what was stored of a layer of this name."""
    ours = (
        "SELECT id FROM gpkg_metadata JOIN gpkg_metadata_reference ON md_file_id = id "
        "WHERE md_standard_uri = ? AND reference_scope = 'table' AND lower(table_name) = lower(?)"
    )
    for (number,) in database.execute(ours, (STANDARD, layer)).fetchall():
        database.execute("DELETE FROM gpkg_metadata_reference WHERE md_file_id = ?", (number,))
        database.execute("DELETE FROM gpkg_metadata WHERE id = ?", (number,))


def _make_tables(database: sqlite3.Connection) -> None:
    """Make the tables and register them, as the standard demands."""
    database.execute(_EXTENSIONS)
    for name, columns in _TABLES.items():
        database.execute(f"CREATE TABLE {name} ({', '.join(' '.join(one) for one in columns.items())})")
        known = database.execute(
            "SELECT count(*) FROM gpkg_extensions WHERE table_name = ? AND extension_name = 'gpkg_metadata'",
            (name,),
        ).fetchone()[0]
        if not known:
            database.execute(
                "INSERT INTO gpkg_extensions (table_name, extension_name, definition, scope) "
                "VALUES (?, 'gpkg_metadata', ?, 'read-write')",
                (name, _DEFINITION),
            )
