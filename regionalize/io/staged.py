"""A layer beside the place it is to have: what comes before it is written, and after."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from regionalize.errors import OutputError, listed, located
from regionalize.io.atomic import move_into_place, output_error
from regionalize.io.check_output import SHAPEFILE_LEFTOVERS
from regionalize.io.formats import GEOPACKAGE, SHAPEFILE, ZIPPED_SHAPEFILE, Format, layer_name_of, stem_of
from regionalize.io.geopackage import copy_database, layer_names, staged_database
from regionalize.io.geopackage_metadata import store_history
from regionalize.io.history import history_text
from regionalize.io.styles import renamed_style, store_styles
from regionalize.io.verify import verify
from regionalize.model.record import History, record_file, renamed
from regionalize.model.style import Style

_LITTLE_SPACE = 1 << 16
"""A write that failed with less than this left on the device failed for want of space."""


def place_layer(form: Format, target: Path, folder: Path, layer_name: str | None) -> tuple[Path, str]:
    """Return the file to write into the staging folder, and the name its layer is to have.

    A GeoPackage that a layer is added to is copied there first.

    Raises
    ------
    OutputError
        If it cannot be copied.
    """
    name = layer_name_of(target.name, form, layer_name)
    # in an archive, a backslash ends the name of a folder
    member = f"{stem_of(target.name, form)}.shp".replace("\\", "-")
    staged = folder / (member if form is ZIPPED_SHAPEFILE else target.name)
    if form is GEOPACKAGE and layer_name is not None and target.exists():
        copy_database(target, staged)
        name = next((there for there in layer_names(target) if there.lower() == name.lower()), name)
    return staged, name


def complete_layer(
    staged: Path,
    form: Format,
    name: str,
    columns: list[str],
    rows: int,
    history: History,
    styles: Sequence[Style],
    crs: str | None = None,
) -> tuple[Sequence[Style], tuple[str, ...]]:
    """Verify a layer that has been written, and store its history and styles with it.

    Parameters
    ----------
    staged : Path
        The file, in the staging folder.
    form : Format
    name : str
        Of the layer.
    columns : list of str
        Its columns, as the writer was told them.
    rows : int
        How many rows it must have.
    history, styles
        By these names of columns.
    crs : str, optional
        The reference system that must be there, too.

    Returns
    -------
    styles : sequence of Style
        By the names that columns have in the file.
    notes : tuple of str

    Raises
    ------
    OutputError
        If it is not whole.
    """
    names = verify(staged, form, name, columns, rows, crs)
    kept = history_text(renamed(history, names) if names else history)
    beside = record_file(staged)
    styles = [renamed_style(style, names) for style in styles]
    notes: tuple[str, ...] = ()
    if form is GEOPACKAGE:
        with staged_database(staged, "how columns were made and are shown") as database:
            notes = store_history(database, name, kept) + store_styles(database, name, styles)
    if beside is not None and kept:
        beside.write_text(f"{kept}\n", encoding="utf-8")
    changed = [f"{old} -> {new}" for old, new in names.items()]
    said = f"Columns renamed by the {form.name}: {listed(changed, limit=len(changed))}."
    return styles, (*notes, said) if changed else notes


def put_in_place(staged: Path, form: Format, target: Path, folder: Path) -> None:
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
    obsolete = [old for old in leftovers if old not in new and old.exists()]
    move_into_place(moves, folder, obsolete=obsolete, whole=form is not SHAPEFILE)


@contextmanager
def short_of_space(folder: Path) -> Iterator[None]:
    """Say of a write that failed for want of space that it did."""
    try:
        yield
    except OutputError as error:
        full = "disk is full" in error.reason or "No space left" in error.reason
        if not full and shutil.disk_usage(folder).free >= _LITTLE_SPACE:
            raise
        raise output_error(OSError(errno.ENOSPC, ""), error.file) from error


@contextmanager
def told(path: str | Path) -> Iterator[None]:
    """Say of what goes wrong which output it is about."""
    try:
        with located(str(path)):
            yield
    except OSError as error:
        raise output_error(error, path) from error
