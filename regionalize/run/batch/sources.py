"""What a batch reads: patterns, folders and files, expanded to files in natural order, each once."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

from regionalize.errors import DataError, UsageError, listed, nearest
from regionalize.io.formats import JOURNALS
from regionalize.io.source import COMPANIONS, VECTOR
from regionalize.model.record import RECORD_FILE
from regionalize.run.batch.names import natural

SIDECARS = (*COMPANIONS, ".dbf", ".shp.xml", ".qml", ".sld", ".qmd")
"""Endings of what goes with a shapefile."""
BESIDE_DATABASES = (*JOURNALS, "-shm")
"""What SQLite keeps beside a GeoPackage that is in use."""
TABLES = (".csv", ".dbf", ".json", ".zip")
"""Endings of what is taken from a folder only where there is nothing else: most are no layers."""


def expand(patterns: Sequence[str], out_dir: str | Path | None = None) -> tuple[str, ...]:
    """Return the files that patterns, folders and names stand for, in natural order, each once.

    Parameters
    ----------
    patterns : sequence of str
        ``*``, ``?``, ``[…]`` and ``**`` as in a shell; a folder stands for the layers in it. A name without
        such signs is taken as it is, whether it is there or not: that is the reader's to say.
    out_dir : path, optional
        Where results go: ``**`` does not look there, or the results of one time were read the next.

    Raises
    ------
    UsageError
        Standard input, which can be read only once.
    DataError
        A pattern or a folder without any layer, with the nearest thing there is.
    """
    found: list[str] = []
    for pattern in patterns:
        if pattern == "-":
            raise UsageError(
                "batch reads files, and - is standard input", advice="write what comes in to a file first"
            )
        if not pattern:
            raise UsageError("an INPUT is empty", advice="name a file, a folder or a pattern")
        files = in_order(matching(pattern))
        found += [file for file in files if "**" not in pattern or not within(file, out_dir)]
    if not found:
        raise DataError("matches nothing but what is in --out-dir", file=patterns[0], advice="name layers")
    return tuple(sorted(once(without_companions(found)), key=in_folder_order))


def in_order(files: Iterable[str]) -> tuple[str, ...]:
    """Sort files naturally, and keep of those that are one file the first.

    Examples
    --------
    >>> in_order(["b10.gpkg", "b9.gpkg", "./b9.gpkg"])
    ('b9.gpkg', 'b10.gpkg')
    """
    return tuple(once(sorted(files, key=in_folder_order)))


def once(files: Iterable[str]) -> list[str]:
    """Keep of names that lead to one file the first."""
    seen: dict[str, str] = {}
    for file in files:
        seen.setdefault(os.path.realpath(file), file)
    return list(seen.values())


def in_folder_order(file: str) -> tuple[Any, ...]:
    """Return a key that sorts files by folder, then by name, then by ending."""
    path = PurePath(os.path.normpath(file))
    return (*map(natural, path.parts[:-1]), natural(path.stem), natural(path.suffix))


def matching(pattern: str) -> list[str]:
    """Return what one pattern, folder or name stands for."""
    if os.path.isdir(pattern) and not is_layer(pattern):
        return layers_in(pattern)
    if os.path.lexists(pattern) or not glob.has_magic(pattern):
        return [pattern]
    matches = glob.glob(pattern, recursive=True)
    layers = [match for match in matches if is_layer(match)]
    if layers:
        return layers
    if matches:
        what = listed([os.path.basename(match) for match in sorted(matches, key=in_folder_order)], 3)
        raise DataError(f"matches no layer, only {what}", file=pattern, advice="name vector layers")
    raise DataError("matches nothing", file=pattern, advice=what_there_is(pattern))


def within(file: str, folder: str | Path | None) -> bool:
    """Whether a file is somewhere in a folder."""
    return folder is not None and Path(folder).resolve() in Path(file).resolve().parents


def is_layer(path: str) -> bool:
    """Whether a path is by its name a layer, and not a part of one."""
    lower = path.rstrip("/\\").lower()
    if lower.endswith(".gdb"):
        return True
    if not lower.endswith(VECTOR) or lower.endswith(RECORD_FILE) or os.path.isdir(path):
        return False
    return not (lower.endswith(".dbf") and has_shapefile(path))


def has_shapefile(path: str) -> bool:
    """Whether a file is beside a shapefile of its name."""
    return any(Path(path).with_suffix(suffix).exists() for suffix in (".shp", ".SHP"))


def layers_in(folder: str) -> list[str]:
    """Return the layers in a folder: those with geometry, and only without any such, tables and archives."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"the folder cannot be read ({error.strerror})", file=folder, advice="check who may read it"
        ) from error
    layers = [name for name in names if is_layer(os.path.join(folder, name))]
    layers = [name for name in layers if not name.lower().endswith(TABLES)] or layers
    if not layers:
        inside = [name for name in names if os.path.isdir(os.path.join(folder, name))]
        advice = f"name one of its folders, or '{os.path.join(folder, '**', '*.gpkg')}'" if inside else ""
        raise DataError("the folder holds no layer", file=folder, advice=advice or "name another folder")
    return [os.path.join(folder, name) for name in layers]


def without_companions(files: Sequence[str]) -> list[str]:
    """Leave out what a shell's ``*`` adds of each layer: the other files of a shapefile, journals."""
    named = {os.path.normpath(file).lower() for file in files}

    def belongs(file: str) -> bool:
        lower = os.path.normpath(file).lower()
        if lower.endswith(RECORD_FILE):
            return True
        for ending in SIDECARS:
            if lower.endswith(ending) and f"{lower.removesuffix(ending)}.shp" in named:
                return True
        return any(lower.endswith(mark) and lower.removesuffix(mark) in named for mark in BESIDE_DATABASES)

    return [file for file in files if not belongs(file)]


def what_there_is(pattern: str) -> str:
    """Say what is nearest to a pattern that matches nothing: where its path ends, and what is there."""
    parts = Path(pattern).parts
    folder = Path()
    for part in parts:
        if part == "**":
            break
        if glob.has_magic(part) or not (folder / part).is_dir():
            return inside(folder, part)
        folder = folder / part
    return inside(folder, parts[-1])


def inside(folder: Path, wanted: str) -> str:
    """Say what a folder holds that is like a name or pattern."""
    where = "this folder" if str(folder) == "." else f"'{folder}'"
    try:
        names = sorted((name for name in os.listdir(folder) if not name.startswith(".")), key=natural)
    except OSError as error:
        return f"{where} cannot be read ({error.strerror})"
    layers = [name for name in names if is_layer(os.path.join(folder, name))]
    alike = nearest(wanted, names)
    if alike and not glob.has_magic(wanted):
        return alike
    if layers:
        return f"{where} holds {listed(layers, 3)}"
    return alike or (f"{where} holds {listed(names, 3)}" if names else f"{where} is empty")
