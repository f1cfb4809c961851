"""Styles kept with a layer: in the table QGIS reads them from, or in a file beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from regionalize.errors import OutputError, listed
from regionalize.io.atomic import replacing
from regionalize.io.qml import qml_text
from regionalize.io.sld import sld_text
from regionalize.model.style import Style, style_file

STYLES = "layer_styles"
"""The table in which QGIS keeps the styles of the layers beside it."""
_STYLE_COLUMNS = {
    "id": "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
    "f_table_catalog": "TEXT(256)",
    "f_table_schema": "TEXT(256)",
    "f_table_name": "TEXT(256)",
    "f_geometry_column": "TEXT(256)",
    "styleName": "TEXT(30)",
    "styleQML": "TEXT",
    "styleSLD": "TEXT",
    "useAsDefault": "BOOLEAN",
    "description": "TEXT",
    "owner": "TEXT(30)",
    "ui": "TEXT(30)",
    "update_time": "DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))",
}


def store_styles(database: sqlite3.Connection, layer: str, styles: Sequence[Style]) -> tuple[str, ...]:
    """Store how the columns of a layer are shown; the first style is the one a program opens it with.

    Styles of other layers, and those of this layer under other names, are kept; the latter are no longer
    the default.

    Parameters
    ----------
    database : sqlite3.Connection
        GeoPackage, not in place yet, with the layer in it.
    layer : str
        Name of the layer.
    styles : sequence of Style
        Each is stored under the name of its column, in place of one of that name.

    Returns
    -------
    tuple of str
        What a person should know of it.
    """
    if not styles:
        return ()
    found = database.execute(
        "SELECT table_name, column_name, last_change FROM gpkg_geometry_columns JOIN gpkg_contents "
        "USING (table_name) WHERE lower(table_name) = lower(?)",
        (layer,),
    ).fetchone()
    if found is None:  # a table without geometry is not drawn
        return ()
    table, geometry, changed = found
    columns = {str(row[1]) for row in database.execute(f"PRAGMA table_info({STYLES})")}
    kinds = database.execute("SELECT type FROM sqlite_master WHERE lower(name) = ?", (STYLES,)).fetchall()
    if not columns:
        _make_styles_table(database, changed)
    elif not columns >= set(_STYLE_COLUMNS) or kinds != [("table",)]:
        return (f"table {STYLES} is not as QGIS makes it: no style was stored, and it is as it was",)
    names = [style.column for style in styles]
    others = [
        str(name)
        for (name,) in database.execute(
            f"SELECT styleName FROM {STYLES} WHERE f_table_name = ? AND useAsDefault", (table,)
        )
        if name not in names
    ]
    database.execute(
        f"UPDATE {STYLES} SET useAsDefault = 0 WHERE f_table_name = ? AND useAsDefault", (table,)
    )
    for place, style in enumerate(styles):
        database.execute(
            f"DELETE FROM {STYLES} WHERE f_table_name = ? AND styleName = ?", (table, style.column)
        )
        row = {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": table,
            "f_geometry_column": geometry,
            "styleName": style.column,
            "styleQML": qml_text(style),
            "styleSLD": sld_text(style, table),
            "useAsDefault": int(place == 0),
            "description": style.title,
            "owner": "",
            "update_time": changed,  # as the layer's: no clock but GDAL's is asked
        }
        places = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {STYLES} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))
    _count_styles(database)
    if not others:
        return ()
    return (
        f"layer '{table}' opens with the style '{names[0]}' now; style {listed(others)} is kept beside it",
    )


def _make_styles_table(database: sqlite3.Connection, changed: str) -> None:
    """Make the table as QGIS does, through GDAL, and register it as one without geometry."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _STYLE_COLUMNS.items())
    database.execute(f'CREATE TABLE "{STYLES}" ({columns})')
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES (?, 'attributes', ?, '', ?, 0)",
        (STYLES, STYLES, changed),
    )


def _count_styles(database: sqlite3.Connection) -> None:
    """State the number of rows where GDAL does, as its triggers would."""
    table = "SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_ogr_contents'"
    if database.execute(table).fetchone()[0]:
        database.execute(
            f"UPDATE gpkg_ogr_contents SET feature_count = (SELECT count(*) FROM {STYLES}) "
            "WHERE lower(table_name) = ?",
            (STYLES,),
        )


def renamed_style(style: Style, names: Mapping[str, str]) -> Style:
    """Return a style with the name that its column has in a file."""
    return replace(style, column=names.get(style.column, style.column))


@contextmanager
def style_beside(path: Path, style: Style | None, overwrite: bool) -> Iterator[None]:
    """Write a style, if there is one, beside the layer; it is put in place when the block ends well.

    Raises
    ------
    OutputError
        If the file exists, or cannot be written.
    """
    if style is None:
        yield
        return
    file = style_file(path)
    if file.exists() and not overwrite:
        raise OutputError("already exists", file=str(file), advice="use --overwrite to replace it")
    with replacing(file) as temporary:
        temporary.write_text(qml_text(style), encoding="utf-8")
        yield
