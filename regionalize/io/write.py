"""`write_layer`: the layer as it came, with columns added."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import located
from regionalize.io.atomic import staging, target_of
from regionalize.io.check_output import check_path
from regionalize.io.drivers import Fitted, write_csv, write_gdal
from regionalize.io.fit import fit_layer
from regionalize.io.formats import CSV, GEOJSON, GEOPARQUET, ZIPPED_SHAPEFILE, Format, find_format
from regionalize.io.geojson import write_geojson
from regionalize.io.history import history_text
from regionalize.io.lock import alone
from regionalize.io.parquet import write_parquet
from regionalize.io.staged import complete_layer, place_layer, put_in_place, short_of_space, told
from regionalize.io.styles import renamed_style, style_beside
from regionalize.model.record import History, RunRecord, history_of, renamed
from regionalize.model.style import Style

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer


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
        with told(path):
            history = renamed(history_of(layer.history, fitted.names, record), fitted.names)
            named = [renamed_style(style, fitted.names) for style in styles]
            staged, shown, notes = _write(layer, fitted, form, target, folder, layer_name, history, named)
        with style_beside(Path(path), shown[0] if qml and shown else None, overwrite):
            yield (*fitted.notes, *notes)
            with told(path):
                put_in_place(staged, form, target, folder)


def _write(
    layer: Layer,
    fitted: Fitted,
    form: Format,
    target: Path,
    folder: Path,
    layer_name: str | None,
    history: History,
    styles: Sequence[Style],
) -> tuple[Path, Sequence[Style], tuple[str, ...]]:
    """Write into the staging folder and verify; return the file, the styles by its names, and notes."""
    staged, name = place_layer(form, target, folder, layer_name)
    kept = history_text(history)
    with short_of_space(folder):
        if form is GEOPARQUET:
            write_parquet(fitted.attributes, fitted.wkb, layer.crs, layer.origin, staged, kept)
        elif form is CSV:
            write_csv(fitted.attributes, staged)
        elif form is GEOJSON:
            with staged.open("wb") as file:
                write_geojson(layer, fitted.attributes, fitted.wkb, name, file, kept)
        else:
            write_gdal(layer, fitted, form, staged, name, kept)
        columns = fitted.attributes.column_names
        about = form, name, columns, len(layer), history, styles
        styles, notes = complete_layer(staged, *about, layer.crs if fitted.wkb is not None else None)
    if form is ZIPPED_SHAPEFILE:
        parts = sorted(folder.iterdir())
        staged = folder / target.name
        try:
            with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as archive:
                for part in parts:
                    archive.write(part, part.name)
        except ValueError as error:  # a part that there was no memory for keeps it from closing
            if not isinstance(error.__context__, MemoryError):
                raise
            raise error.__context__ from None
    return staged, styles, notes
