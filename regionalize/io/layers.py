"""Which layer of a dataset is read: its only one, or the one that was named."""

from __future__ import annotations

from pathlib import Path

from regionalize.errors import DataError, listed, nearest
from regionalize.io import gdal
from regionalize.io.source import SINGLE, Source

HELPERS = frozenset({"layer_styles", "qgis_projects", "data_licenses"})
"""Tables that programs keep beside the layers of a GeoPackage, never data to read."""


def choose_layer(source: Source, layer: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the layer to read, and notes on what is left unread.

    A dataset with one spatial layer needs no choice; attribute tables beside it are mentioned.

    Raises
    ------
    DataError
        If there is no layer, none of that name, or several and none was named.
    """
    if source.format in {*SINGLE.values(), "GeoParquet"} and layer is None:
        return None, ()
    found = list_layers(source)
    spatial = [name for name, with_geometry in found if with_geometry]
    tables = [name for name, with_geometry in found if not with_geometry and name not in HELPERS]
    names = [*spatial, *tables]
    if layer is not None:
        if layer in names or layer in HELPERS & {name for name, _ in found}:
            return layer, ()
        advice = nearest(layer, names) or f"it holds {listed(names)}"
        raise DataError(f"there is no layer '{layer}'", advice=advice)
    if not names:
        raise DataError("holds no layer", advice="name another file")
    if len(spatial) == 1 or len(names) == 1:
        left = [name for name in names if name != names[0]]
        note = f"Read layer '{names[0]}'; left {listed(left)} (no geometry) unread." if left else ""
        return names[0], (note,) if note else ()
    shown = [*spatial, *(f"{name} (no geometry)" for name in tables)]
    raise DataError(f"holds {len(names)} layers: {listed(shown)}", advice="choose one with --layer")


def list_layers(source: Source) -> list[tuple[str, bool]]:
    """Return the names of all layers and tables, each with whether it has geometry."""
    found = _registered_layers(source.path) if source.format == "GeoPackage" and not source.member else None
    if found is not None:
        return found
    import pyogrio

    with gdal.quiet():
        return [(str(name), kind is not None) for name, kind in pyogrio.list_layers(source.dataset)]


def _registered_layers(path: Path | None) -> list[tuple[str, bool]] | None:
    """Ask a GeoPackage itself, which is faster; None where GDAL may know more than is registered there."""
    import sqlite3

    from regionalize.io.database import read_only

    assert path is not None
    try:
        with read_only(path) as database:
            rows = database.execute(
                "SELECT c.table_name, c.data_type, g.column_name FROM gpkg_contents AS c "
                "LEFT JOIN gpkg_geometry_columns AS g USING (table_name) ORDER BY c.rowid"
            ).fetchall()
            there = database.execute(
                r"SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'gpkg\_%' "
                r"ESCAPE '\' AND name NOT LIKE 'rtree\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
            ).fetchall()
    except sqlite3.Error:  # for GDAL to tell
        return None
    found = [(str(name), column is not None) for name, _, column in rows]
    kinds = {"features": True, "attributes": False}
    plain = all(kinds.get(kind) is (column is not None) for _, kind, column in rows)
    return found if plain and sorted(name for name, _ in found) == sorted(name for (name,) in there) else None
