"""`write_layer`: the layer as it came, with columns added; `check_output`: whether that can be done."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import OutputError, listed, located
from regionalize.io import gdal
from regionalize.io.atomic import move_into_place, output_error, staging, target_of, writable_folder
from regionalize.io.columns import fit_columns
from regionalize.io.formats import (
    CSV,
    FLATGEOBUF,
    GEODATABASE,
    GEOJSON,
    GEOPACKAGE,
    GEOPARQUET,
    SHAPEFILE,
    ZIPPED_SHAPEFILE,
    Format,
    find_format,
)
from regionalize.io.geojson import write_geojson
from regionalize.io.geopackage import copy_database, layer_names
from regionalize.io.parquet import free_name, write_parquet
from regionalize.io.sample import sample_path
from regionalize.io.shapes import fit_shapes
from regionalize.io.verify import verify

if TYPE_CHECKING:
    import pyarrow as pa

    from regionalize.model.layer import Layer

_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SHAPEFILE_LEFTOVERS = (".sbn", ".sbx", ".qix", ".idm", ".ind", ".qpj", ".prj", ".cpg", ".shx", ".dbf")
"""What of an old shapefile would contradict a new one."""
_NAMED_LAYERS = (GEOPACKAGE, GEODATABASE, FLATGEOBUF, GEOJSON)
_LITTLE_SPACE = 1 << 16
"""A write that failed with less than this left on the device failed for want of space."""


@dataclass(frozen=True)
class _Fitted:
    """A layer in the shape a format takes."""

    attributes: pa.Table
    wkb: pa.ChunkedArray | None
    declared: str | None
    options: dict[str, str]
    notes: tuple[str, ...]


def check_output(
    path: str | Path,
    *,
    layer_name: str | None = None,
    added_names: tuple[str, ...] = (),
    layer: Layer | None = None,
    input_path: str | Path | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Refuse an output that cannot or must not be written, before any work is done.

    Called first with `layer` None, for the path alone; again when the layer has been read, for what the
    format cannot hold. What only changes form is a note: names cut at 10 bytes that stay apart, date-times
    as text. What would lose values or columns is refused: names that become one, text or numbers that are
    cut.

    Parameters
    ----------
    path : path or ``"-"``
        Output; the extension says the format.
    layer_name : str, optional
        Name of the layer. Given together with an existing GeoPackage, the layer is added to it.
    added_names : tuple of str
        Columns that will be added.
    layer : Layer, optional
        The layer to be written.
    input_path : path, ``"-"`` or None
        Where the layer is read from (None: the bundled sample). An output is never part of the input.
    overwrite : bool
        Whether an existing file, or layer of that name, may be replaced.

    Returns
    -------
    tuple of str
        What will change form; `write_layer` returns the same sentences again.

    Raises
    ------
    OutputError
    """
    form = find_format(path)
    if str(path) != "-":
        with located(str(path)):
            _check_path(path, form, layer_name, overwrite)
            check_not_input(target_of(path), sample_path() if input_path is None else input_path)
    if layer is None:
        return ()
    with located(str(path)):
        return _fit(layer, _empty_columns(layer, added_names), form, layer_name).notes


def _empty_columns(layer: Layer, names: tuple[str, ...]) -> dict[str, Any]:
    import pyarrow as pa

    return {name: pa.nulls(len(layer), pa.int32()) for name in names}


def _check_path(path: str | Path, form: Format, layer_name: str | None, overwrite: bool) -> None:
    target = target_of(path)
    writable_folder(target.parent, shown=path)
    present = [target.with_suffix(suffix) for suffix in _SHAPEFILE_PARTS] if form is SHAPEFILE else [target]
    present = [file for file in present if file.exists()]
    if not present:
        return
    if target.is_dir() and form is not GEODATABASE:
        raise OutputError("is a folder", advice="name a file to write")
    if form is GEODATABASE and not _is_geodatabase(target):
        raise OutputError("exists and is not a File Geodatabase", advice="choose another name")
    if form is GEOPACKAGE and layer_name is not None:
        with located(layer=layer_name):
            if layer_name.lower() in {name.lower() for name in layer_names(target)} and not overwrite:
                raise OutputError(
                    f"already has a layer '{layer_name}'",
                    advice="use --overwrite to replace it, or choose another --output-layer",
                )
        return
    if not overwrite:
        what = "already exists" if target.exists() else f"{present[0].name} already exists"
        raise OutputError(what, advice="use --overwrite to replace it, or choose another name")


def _is_geodatabase(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("*.gdbtable"))


def check_not_input(target: Path, source: str | Path) -> None:
    """Refuse to write the input, whatever link or path leads to it, or a part of it.

    Parameters
    ----------
    target : Path
        Resolved path of an output.
    source : path or ``"-"``
        The input as it was named.
    """
    if str(source) == "-" or not Path(source).exists():
        return
    read, written = _parts(Path(source).resolve()), _parts(target)
    for one in written:
        for other in read:
            same = one == other or (one.exists() and other.exists() and one.samefile(other))
            inside = (other.is_dir() and other in one.parents) or (one.is_dir() and one in other.parents)
            if same or inside:
                raise OutputError(
                    "is the input"
                    if one == target
                    else f"would write {one.name}, which is part of the input",
                    advice="the input is never changed: choose another name",
                )


def _parts(path: Path) -> list[Path]:
    """Return a file and, of a shapefile, its companions."""
    if path.suffix.lower() not in {".shp", ".dbf", ".shx"}:
        return [path]
    parts = [path.with_suffix(suffix) for suffix in {*_SHAPEFILE_PARTS, *_SHAPEFILE_LEFTOVERS}]
    return [path, *sorted(part for part in parts if part != path)]


def _fit(layer: Layer, added: Mapping[str, Any], form: Format, layer_name: str | None) -> _Fitted:
    """Bring attributes, added columns and geometry into the shape a format takes, or refuse."""
    table = layer.attributes
    existing = {name.lower() if form.one_case else name for name in table.column_names}
    for name, column in added.items():
        if (name.lower() if form.one_case else name) in existing:
            raise OutputError(
                f"the layer already has a column '{name}'",
                column=name,
                advice="choose another name with --label-column",
            )
        table = table.append_column(name, column)
    shapes = fit_shapes(layer, form)
    covering = _covering(layer, form)
    notes = list(shapes.notes)
    if covering in table.column_names:
        table = table.drop_columns([covering])
        notes.append(f"Column '{covering}', the bounding boxes GeoParquet keeps, is left out.")
    table, more = fit_columns(table, form)
    if layer_name is not None and form not in _NAMED_LAYERS:
        notes.append(f"The layer of a {form.name} is named like its file: '{layer_name}' was not used.")
    return _Fitted(table, shapes.wkb, shapes.declared, shapes.options, (*notes, *more))


def _covering(layer: Layer, form: Format) -> str | None:
    """Name the column of bounding boxes of a GeoParquet file, which no other format has a use for."""
    about = layer.origin.metadata.get("geo", {}).get("columns", {}).get(layer.origin.geometry_name, {})
    bbox = about.get("covering", {}).get("bbox", {}) if form is not GEOPARQUET else {}
    return bbox["xmin"][0] if bbox else None


def write_layer(
    layer: Layer,
    path: str | Path,
    *,
    added: Mapping[str, pa.Array | pa.ChunkedArray],
    layer_name: str | None = None,
    overwrite: bool = False,
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
    form = find_format(path)
    with located(str(path)):
        if str(path) != "-":
            _check_path(path, form, layer_name, overwrite)
        fitted = _fit(layer, added, form, layer_name)
        if str(path) == "-":
            name = layer_name or layer.origin.layer or "regions"
            write_geojson(layer, fitted.attributes, fitted.wkb, name, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return fitted.notes
        target = target_of(path)
        try:
            with staging(target) as folder:
                return (
                    *fitted.notes,
                    *_write(layer, fitted, form, target, folder=folder, layer_name=layer_name),
                )
        except OSError as error:
            raise output_error(error, path) from error


def _write(
    layer: Layer, fitted: _Fitted, form: Format, target: Path, *, folder: Path, layer_name: str | None
) -> tuple[str, ...]:
    """Write into the staging folder, verify, and move into place."""
    stem = target.name[: -len(next(end for end in form.extensions if target.name.lower().endswith(end)))]
    name = layer_name if layer_name is not None and form in _NAMED_LAYERS else stem
    staged = folder / (f"{stem}.shp" if form is ZIPPED_SHAPEFILE else target.name)
    if form is GEOPACKAGE and layer_name is not None and target.exists():
        copy_database(target, staged)
        name = next((there for there in layer_names(target) if there.lower() == name.lower()), name)
    try:
        if form is GEOPARQUET:
            write_parquet(fitted.attributes, fitted.wkb, layer.crs, layer.origin, staged)
        elif form is CSV:
            _write_csv(fitted.attributes, staged)
        elif form is GEOJSON:
            with staged.open("wb") as file:
                write_geojson(layer, fitted.attributes, fitted.wkb, name, file)
        else:
            _write_gdal(layer, fitted, form, staged, name)
        notes = verify(staged, form, name, fitted.attributes.column_names, len(layer))
    except OutputError as error:
        raise _for_want_of_space(error, folder) from error
    if form is SHAPEFILE:
        moves = [(part, target.with_suffix(part.suffix)) for part in sorted(folder.iterdir())]
        moves.sort(key=lambda move: move[0].suffix == ".shp")
        leftovers = [target.with_suffix(suffix) for suffix in _SHAPEFILE_LEFTOVERS]
        new = {place for _, place in moves}
        move_into_place(moves, folder, obsolete=[old for old in leftovers if old not in new and old.exists()])
        return notes
    if form is ZIPPED_SHAPEFILE:
        parts = sorted(folder.iterdir())
        staged = folder / target.name
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in parts:
                archive.write(part, part.name)
    move_into_place([(staged, target)], folder)
    return notes


def _for_want_of_space(error: OutputError, folder: Path) -> OutputError:
    if shutil.disk_usage(folder).free >= _LITTLE_SPACE:
        return error
    return OutputError(
        "there is no space left on the device", advice="free some space, or write to another one"
    )


def _write_gdal(layer: Layer, fitted: _Fitted, form: Format, path: Path, name: str) -> None:
    """Write through GDAL's Arrow interface."""
    import pyogrio.errors
    import pyogrio.raw

    table, options = fitted.attributes, dict(fitted.options)
    taken = list(table.column_names)
    geometry_name = None
    if fitted.wkb is not None:
        geometry_name = free_name(_geometry_name(layer, form), taken)
        table = table.append_column(geometry_name, fitted.wkb)
    if form is GEOPACKAGE:
        table = _with_fids(table, layer, options, [*taken, geometry_name or ""])
        if geometry_name is not None:
            options["GEOMETRY_NAME"] = geometry_name
    elif form is FLATGEOBUF:
        options["SPATIAL_INDEX"] = "NO"  # with one, rows would be put in another order
    elif form is GEODATABASE:
        options |= _geodatabase_options(table, taken)
    encoding = {"encoding": "UTF-8"} if form in (SHAPEFILE, ZIPPED_SHAPEFILE) else {}
    try:
        with gdal.quiet():  # all of it is said in our own words beforehand, or verified
            pyogrio.raw.write_arrow(
                table,
                path,
                layer=name,
                driver=form.driver,
                geometry_name=geometry_name,
                geometry_type=fitted.declared,
                crs=layer.crs if geometry_name is not None else None,
                layer_options=options,
                **encoding,
            )
    except (ValueError, RuntimeError, OSError, pyogrio.errors.DataSourceError) as error:
        raise OutputError(
            f"could not be written: {' '.join(str(error).split()).rstrip('.')}",
            advice="write another format, or elsewhere",
        ) from error


def _geometry_name(layer: Layer, form: Format) -> str:
    own = layer.origin.geometry_name
    return "geom" if form is GEOPACKAGE and own in {"", "geometry", "wkb_geometry"} else own or "geometry"


def _with_fids(table: pa.Table, layer: Layer, options: dict[str, str], taken: list[str]) -> pa.Table:
    """Keep the row identifiers of a GeoPackage; rows come back in their order, so it must be rising."""
    fids = layer.origin.metadata.get("fids")
    name = layer.origin.fid_name or "fid"
    free = free_name(name, taken)
    options["FID"] = free
    if fids is None or free != name or len(fids) != len(table) or fids.null_count:
        return table
    values = fids.to_numpy()
    return table.append_column(free, fids) if np.all(np.diff(values) > 0) else table


def _geodatabase_options(table: pa.Table, taken: list[str]) -> dict[str, str]:
    import pyarrow as pa

    options = {"FID": free_name("OBJECTID", taken)}
    recent = any(
        pa.types.is_int64(kind)
        or pa.types.is_uint32(kind)
        or pa.types.is_date(kind)
        or pa.types.is_temporal(kind)
        for kind in table.schema.types
    )
    return options | ({"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"} if recent else {})


def _write_csv(table: pa.Table, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv

    if not table.num_columns:
        raise OutputError("there are no columns to write", advice="write another format")
    try:
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="needed"))
    except pa.ArrowException as error:
        raise OutputError(
            f"could not be written: {error}", advice=f"leave out {listed(table.column_names)}"
        ) from error
