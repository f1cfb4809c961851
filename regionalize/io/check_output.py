"""`check_output`: refuse an output that cannot or must not be written, before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from regionalize.errors import OutputError, located
from regionalize.io.atomic import target_of, tidy, writable_folder
from regionalize.io.formats import (
    GEODATABASE,
    GEOPACKAGE,
    SHAPEFILE,
    SHAPEFILE_INDEXES,
    SHAPEFILE_PARTS,
    Format,
    find_format,
    layer_name_of,
)
from regionalize.io.geopackage import layer_names, refuse_open_database, replacement_note
from regionalize.io.layers import HELPERS
from regionalize.io.sample import sample_path
from regionalize.model.record import record_file

if TYPE_CHECKING:
    from regionalize.model.layer import Layer

SHAPEFILE_LEFTOVERS = (*SHAPEFILE_INDEXES, *SHAPEFILE_PARTS[1:])
"""What of an old shapefile would contradict a new one."""


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
        What will change form, which `write_layer` returns again, and layers that go with a file replaced.

    Raises
    ------
    OutputError
    """
    form = find_format(path)
    if str(path) != "-":
        with located(str(path)):
            check_path(path, form, layer_name, overwrite)
            check_not_input(target_of(path), sample_path() if input_path is None else input_path)
    if layer is None:
        return ()
    from regionalize.io.fit import fit_layer

    with located("standard output" if str(path) == "-" else str(path)):
        notes = fit_layer(layer, _empty_columns(layer, added_names), form, layer_name).notes
    if form is GEOPACKAGE and layer_name is None and str(path) != "-":
        notes += replacement_note(target_of(path), layer_name_of(Path(path).name, form, None))
    return notes


def _empty_columns(layer: Layer, names: tuple[str, ...]) -> dict[str, Any]:
    import pyarrow as pa

    return {name: pa.nulls(len(layer), pa.int32()) for name in names}


def check_path(path: str | Path, form: Format, layer_name: str | None, overwrite: bool) -> None:
    """Refuse a path that cannot be written, or where there is something that may not be replaced."""
    target = target_of(path)
    writable_folder(target.parent, shown=path)
    tidy(target)  # parts that are to come back count as there
    if form is GEOPACKAGE:
        name = layer_name_of(target.name, form, layer_name).lower()
        whose = "QGIS" if name in HELPERS else "the format" if name.startswith("gpkg") else None
        if whose is not None:
            raise OutputError(
                f"a layer cannot have the name of a table that {whose} keeps for itself",
                advice="name it with --output-layer",
            )
    present = [target.with_suffix(suffix) for suffix in SHAPEFILE_PARTS] if form is SHAPEFILE else [target]
    present = [file for file in (*present, record_file(target)) if file is not None and file.exists()]
    if not present:
        return
    if target.is_dir() and form is not GEODATABASE:
        raise OutputError("is a folder", advice="name a file to write")
    if form is GEODATABASE and target.exists() and not _is_geodatabase(target):
        raise OutputError("exists and is not a File Geodatabase", advice="choose another name")
    if form is GEOPACKAGE:
        refuse_open_database(target)
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


def is_layer_folder(path: Path) -> bool:
    """Whether a folder is one layer: a File Geodatabase, or parts of one GeoParquet layer."""
    from regionalize.io.source import parquet_parts

    return path.is_dir() and (path.suffix.lower() == ".gdb" or bool(parquet_parts(path)))


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
    read, written = parts_of_file(Path(source).resolve()), parts_of_file(target)
    for one in written:
        for other in read:
            same = one == other or (one.exists() and other.exists() and one.samefile(other))
            inside = (is_layer_folder(other) and other in one.parents) or (
                one.suffix.lower() == ".gdb" and one.is_dir() and one in other.parents
            )
            if same or inside:
                raise OutputError(
                    "is the input"
                    if one == target and (same or one.is_dir())
                    else f"would write {one.name}, which is part of the input",
                    advice="the input is never changed: choose another name",
                )


def parts_of_file(path: Path) -> list[Path]:
    """Return a file and, of a shapefile, its companions."""
    if path.suffix.lower() not in {".shp", ".dbf", ".shx"}:
        return [path]
    parts = [path.with_suffix(suffix) for suffix in {*SHAPEFILE_PARTS, *SHAPEFILE_LEFTOVERS}]
    return [path, *sorted(part for part in parts if part != path)]
