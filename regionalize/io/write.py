"""`write_layer`: the layer as it came, with columns added."""

from __future__ import annotations

import errno
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import OutputError, listed, located
from regionalize.io.atomic import (
    move_into_place,
    output_error,
    staging,
    target_of,
)
from regionalize.io.check_output import SHAPEFILE_LEFTOVERS, check_path
from regionalize.io.drivers import Fitted, write_csv, write_gdal
from regionalize.io.fit import fit_layer
from regionalize.io.formats import (
    CSV,
    GEOJSON,
    GEOPACKAGE,
    GEOPARQUET,
    SHAPEFILE,
    ZIPPED_SHAPEFILE,
    Format,
    find_format,
    layer_name_of,
    stem_of,
)
from regionalize.io.geojson import write_geojson
from regionalize.io.geopackage import copy_database, layer_names
from regionalize.io.geopackage_metadata import store_history
from regionalize.io.history import history_text
from regionalize.io.lock import alone
from regionalize.io.parquet import write_parquet
from regionalize.io.styles import renamed_style, store_styles, style_beside
from regionalize.io.verify import verify
from regionalize.model.record import History, RunRecord, history_of, record_file, renamed
from regionalize.model.style import Style

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer

_LITTLE_SPACE = 1 << 16
"""A write that failed with less than this left on the device failed for want of space."""


def write_layer(
    layer: Layer,
    path: str | Path,
    *,
    added: Mapping[str, pa.Array | pa.ChunkedArray],
    layer_name: str | None = None,
    overwrite: bool = False,
    styles: Sequence[Style] = (),
    qml: bool = False,
    record: RunRecord | None = None,
) -> tuple[str, ...]:
    """Write a layer as it came, with columns added at the end.

    The output is the old file or the whole new one, never a part: everything is written beside the target,
    read back in outline, flushed, and then renamed into place.

    Parameters
    ----------
    layer : Layer
        Rows, order, columns, types, nulls and geometry bytes are kept wherever the format can.
    path : path or ``"-"``
        GeoPackage, shapefile (also zipped), GeoJSON, FlatGeobuf, File Geodatabase, KML, GeoParquet or CSV,
        by extension; ``"-"`` writes GeoJSON to standard output.
    added : mapping of str to pyarrow array
        Columns to append, n values each.
    layer_name : str, optional
        Name of the layer (the file's by default). Given together with an existing GeoPackage, the layer is
        added to it and its other tables stay as they are.
    overwrite : bool
        Replace an existing file, or the layer of that name.
    styles : sequence of Style
        How columns are shown, the default first: stored in a GeoPackage, in table ``layer_styles``, where
        QGIS finds them.
    qml : bool
        Write the default style into a file beside the layer, ``NAME.qml``, where QGIS finds it, too.
    record : RunRecord, optional
        How columns were made: kept with the layer after ``layer.history``, in a file ``NAME.run.json``
        beside those of formats that have no place for it.

    Returns
    -------
    tuple of str
        What changed form on the way.

    Raises
    ------
    OutputError
        If the output must not or cannot be written; what was there is then as it was.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> from regionalize.io.read import read_layer
    >>> layer = read_layer(None)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder) / "out.gpkg"
    ...     notes = write_layer(layer, out, added={"cluster": pa.array([1] * 159, pa.int32())})
    ...     read_layer(out).column_names[-2:]
    ['pct_black', 'cluster']
    """
    if str(path) == "-":
        with located("standard output"):
            fitted = fit_layer(layer, added, find_format(path), layer_name)
            name = layer_name or layer.origin.layer or "regions"
            kept = history_text(history_of(layer.history, fitted.names, record))
            write_geojson(layer, fitted.attributes, fitted.wkb, name, sys.stdout.buffer, kept)
            sys.stdout.buffer.flush()
            return fitted.notes
    about: dict[str, Any] = {"layer_name": layer_name, "overwrite": overwrite, "styles": styles, "qml": qml}
    with staged_layer(layer, path, added=added, record=record, **about) as notes:
        return notes


@contextmanager
def staged_layer(
    layer: Layer,
    path: str | Path,
    *,
    added: Mapping[str, pa.Array | pa.ChunkedArray],
    layer_name: str | None = None,
    overwrite: bool = False,
    styles: Sequence[Style] = (),
    qml: bool = False,
    record: RunRecord | None = None,
) -> Iterator[tuple[str, ...]]:
    """Write a layer as `write_layer` does, but put it in place only when the block ends well.

    Yields
    ------
    tuple of str
        What changed form on the way.
    """
    with located(str(path)):
        target = target_of(path)
    about: dict[str, Any] = {"layer_name": layer_name, "overwrite": overwrite, "styles": styles, "qml": qml}
    with alone(target), _staged_alone(layer, path, added=added, record=record, **about) as notes:
        yield notes


@contextmanager
def _staged_alone(
    layer: Layer,
    path: str | Path,
    *,
    added: Mapping[str, pa.Array | pa.ChunkedArray],
    layer_name: str | None,
    overwrite: bool,
    styles: Sequence[Style],
    qml: bool,
    record: RunRecord | None,
) -> Iterator[tuple[str, ...]]:
    """Stage a layer while no other process writes that file: what is there now is there until the end."""
    form = find_format(path)
    with located(str(path)):
        check_path(path, form, layer_name, overwrite)
        fitted = fit_layer(layer, added, form, layer_name)
        target = target_of(path)
    with staging(target) as folder:
        with _told(path):
            name = layer_name_of(target.name, form, layer_name)
            history = renamed(history_of(layer.history, fitted.names, record), fitted.names)
            staged, names, notes = _write(layer, fitted, form, target, folder, layer_name, history)
            shown = [renamed_style(style, fitted.names, names) for style in styles]
            if form is GEOPACKAGE and shown:
                with _short_of_space(folder):
                    notes += store_styles(staged, name, shown)
        with style_beside(Path(path), shown[0] if qml and shown else None, overwrite):
            yield (*fitted.notes, *notes)
            with _told(path):
                _put_in_place(staged, form, target, folder)


@contextmanager
def _told(path: str | Path) -> Iterator[None]:
    """Say of what goes wrong which output it is about."""
    try:
        with located(str(path)):
            yield
    except OSError as error:
        raise output_error(error, path) from error


def _write(
    layer: Layer,
    fitted: Fitted,
    form: Format,
    target: Path,
    folder: Path,
    layer_name: str | None,
    history: History,
) -> tuple[Path, dict[str, str], tuple[str, ...]]:
    """Write into the staging folder and verify; return the file, columns GDAL renamed, and notes on these."""
    name = layer_name_of(target.name, form, layer_name)
    # in an archive, a backslash ends the name of a folder
    member = f"{stem_of(target.name, form)}.shp".replace("\\", "-")
    staged = folder / (member if form is ZIPPED_SHAPEFILE else target.name)
    if form is GEOPACKAGE and layer_name is not None and target.exists():
        copy_database(target, staged)
        name = next((there for there in layer_names(target) if there.lower() == name.lower()), name)
    kept = history_text(history)
    with _short_of_space(folder):
        if form is GEOPARQUET:
            write_parquet(fitted.attributes, fitted.wkb, layer.crs, layer.origin, staged, kept)
        elif form is CSV:
            write_csv(fitted.attributes, staged)
        elif form is GEOJSON:
            with staged.open("wb") as file:
                write_geojson(layer, fitted.attributes, fitted.wkb, name, file, kept)
        else:
            write_gdal(layer, fitted, form, staged, name, kept)
        names = verify(staged, form, name, fitted.attributes.column_names, len(layer))
        kept = history_text(renamed(history, names)) if names else kept
        beside = record_file(staged)
        notes = store_history(staged, name, kept) if form is GEOPACKAGE else ()
        if beside is not None and kept:
            beside.write_text(f"{kept}\n", encoding="utf-8")
    if form is ZIPPED_SHAPEFILE:
        parts = sorted(folder.iterdir())
        staged = folder / target.name
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in parts:
                archive.write(part, part.name)
    changed = [f"{old} -> {new}" for old, new in names.items()]
    said = f"Columns renamed by the {form.name}: {listed(changed, limit=len(changed))}."
    return staged, names, (*notes, said) if changed else notes


def _put_in_place(staged: Path, form: Format, target: Path, folder: Path) -> None:
    """Move what was written over the old version."""
    moves, leftovers = [(staged, target)], []
    beside, record = record_file(staged), record_file(target)
    if form is SHAPEFILE:
        parts = [part for part in sorted(folder.iterdir()) if part != beside]
        moves = [(part, target.with_suffix(part.suffix)) for part in parts]
        moves.sort(key=lambda move: move[0].suffix == ".shp")
        leftovers = [target.with_suffix(suffix) for suffix in SHAPEFILE_LEFTOVERS]
    if beside is not None and record is not None:
        leftovers.append(record)
        moves = [*([(beside, record)] if beside.exists() else []), *moves]
    new = {place for _, place in moves}
    move_into_place(moves, folder, obsolete=[old for old in leftovers if old not in new and old.exists()])


@contextmanager
def _short_of_space(folder: Path) -> Iterator[None]:
    """Say of a write that failed for want of space that it did."""
    try:
        yield
    except OutputError as error:
        full = "disk is full" in error.reason or "No space left" in error.reason
        if not full and shutil.disk_usage(folder).free >= _LITTLE_SPACE:
            raise
        raise output_error(OSError(errno.ENOSPC, ""), error.file) from error
