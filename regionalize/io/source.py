"""Find the dataset a person named: a file, a folder, or a member of an archive."""

from __future__ import annotations

import os
import re
import stat
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from regionalize.errors import DataError, UsageError, listed, located, nearest
from regionalize.io import gdal
from regionalize.io.content import BROKEN_ARCHIVE, beginning, check_content, is_gml
from regionalize.io.formats import SHAPEFILE_INDEXES
from regionalize.io.sample import sample_path
from regionalize.model.record import RECORD_FILE

SINGLE = {
    ".shp": "shapefile",
    ".dbf": "shapefile",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".csv": "CSV",
}
"""Formats of one layer per file: no need to ask which layers there are."""
PARQUET = (".parquet", ".geoparquet", ".pq")
VECTOR = (*SINGLE, *PARQUET, ".gpkg", ".gdb", ".kml", ".kmz", ".gml", ".sqlite", ".tab", ".mif", ".zip")
COMPANIONS = (".shx", ".prj", ".cpg", *SHAPEFILE_INDEXES)


@dataclass(frozen=True)
class Source:
    """A dataset, found.

    Attributes
    ----------
    shown : str
        The name to use in messages.
    dataset : str or bytes
        What GDAL opens: a path, a path inside an archive, or the content itself.
    format : str
        ``"shapefile"``, ``"GeoPackage"``, ``"GeoParquet"``, … or ``"other"``.
    path : Path or None
        The file or folder on disk (of an archive: the archive).
    member : str
        The member of the archive, when `path` is one.
    """

    shown: str
    dataset: str | bytes
    format: str
    path: Path | None
    member: str = ""

    def open(self, suffix: str | None = None) -> IO[bytes] | None:
        """Open the file, or its companion with another suffix; None when there is no such companion."""
        if self.member:
            archive = zipfile.ZipFile(self.path or "")
            name = str(PurePosixPath(self.member).with_suffix(suffix)) if suffix else self.member
            by_lower = {other.lower(): other for other in archive.namelist()}
            found = by_lower.get(name.lower())
            try:
                return None if found is None else archive.open(found)
            except BROKEN_ARCHIVE as error:
                raise DataError("the archive is damaged", advice="get the file again") from error
        assert self.path is not None
        for candidate in (suffix, (suffix or "").upper()) if suffix else ("",):
            file = self.path.with_suffix(candidate) if candidate else self.path
            if file.is_file():
                return file.open("rb")
        return None

    def size(self, suffix: str | None = None) -> int:
        """Return the size in bytes of the file or companion, 0 when there is none."""
        file = self.open(suffix)
        if file is None:
            return 0
        with file:
            if isinstance(file, zipfile.ZipExtFile):
                return sum(entry.file_size for entry in self.entries() if entry.filename == file.name)
            return file.seek(0, os.SEEK_END)

    def entries(self) -> list[zipfile.ZipInfo]:
        """Return the archive's entries that make up the dataset."""
        stem = str(PurePosixPath(self.member).with_suffix("")).lower() + "."
        with zipfile.ZipFile(self.path or "") as archive:
            return [
                entry
                for entry in archive.infolist()
                if entry.filename.lower().startswith((stem, f"{self.member.lower()}/"))
            ]


def find_source(path: str | Path | None, layer: str | None) -> tuple[Source, str | None]:
    """Return the dataset behind `path` and the layer to read from it (None: its only one).

    Parameters
    ----------
    path : path, ``"-"`` or None
        None is the bundled sample, ``"-"`` GeoJSON on standard input.
    layer : str or None
        Layer asked for; in an archive of several datasets it may name the dataset.

    Raises
    ------
    DataError
        If there is nothing of that name, or it is not one dataset.
    """
    if path is None:
        found = sample_path()
        return Source(found.name, str(found), "GeoPackage", found), layer
    source, layer = _found(path, layer)
    with located(source.shown):
        head = beginning(source)
        check_content(source, head)
    if is_gml(head) and isinstance(source.dataset, str) and not source.dataset.startswith("/vsi"):
        source = replace(source, dataset=f"{gdal.AS_IT_IS}{source.dataset}")  # nothing is written beside it
    return source, layer


def _found(path: str | Path, layer: str | None) -> tuple[Source, str | None]:
    """Return what is called so, whatever it holds."""
    shown = str(path)
    if not shown:
        raise UsageError("INPUT is empty", advice="name a file, or leave it out for the bundled sample")
    if shown == "-":
        return _piped("standard input", _standard_input()), layer
    if any("\ud800" <= letter <= "\udfff" for letter in shown):  # GDAL takes UTF-8 only
        raise DataError("the file name is not valid UTF-8", file=shown, advice="rename the file")
    if shown.startswith("/vsi"):
        raise DataError(
            "it is an address of GDAL's, not a file",
            advice="name the file, or the archive that holds it",
            file=shown,
        )
    file = Path(path)
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise _absent(file, error) from error
    if stat.S_ISDIR(mode):
        if parquet_parts(file):
            return Source(shown, str(file), "GeoParquet", file), layer
        if not file.name.lower().endswith(".gdb"):
            raise _folder(file)
    elif not stat.S_ISREG(mode):  # a pipe: <(command)
        with file.open("rb") as pipe:
            return _piped(shown, _content(pipe, shown)), layer
    if not os.access(file, os.R_OK):
        raise DataError("permission to read it is denied", file=shown, advice="check who may read the file")
    if stat.S_ISREG(mode) and file.stat().st_size == 0:
        raise DataError("the file is empty (0 bytes)", file=shown, advice="name another file")
    suffix = file.suffix.lower()
    if suffix == ".zip":
        return _in_archive(file, layer)
    if suffix in COMPANIONS and file.with_suffix(".shp").exists():
        raise DataError(
            "is a companion of a shapefile",
            file=shown,
            advice=f"name {file.with_suffix('.shp').name} instead",
        )
    if suffix == ".dbf" and file.with_suffix(".shp").exists():
        return _found(file.with_suffix(".shp"), layer)
    return Source(shown, _dataset(file), format_of(file.name), file), layer


def _dataset(file: Path) -> str:
    """Return what GDAL opens; under an odd name, it does not see what is in a database's journal only."""
    from regionalize.io.database import open_journals

    dataset = gdal.readable(file)
    busy = open_journals(file.resolve()) if dataset.startswith(gdal.AS_IT_IS) else []
    if busy:
        raise DataError(
            f"another program has it open ({busy[0].name} lies beside it)",
            file=str(file),
            advice="close it there first, or give it a plain name",
        )
    return dataset


def format_of(name: str) -> str:
    """Name the format an extension stands for."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in PARQUET:
        return "GeoParquet"
    return {".gpkg": "GeoPackage", ".gdb": "File Geodatabase", ".kml": "KML", ".kmz": "KML"}.get(
        suffix, SINGLE.get(suffix, "other")
    )


def _standard_input() -> bytes:
    """Return all that comes in, or refuse to wait for what nobody sends."""
    advice = "pipe GeoJSON into it, or name a file"
    if sys.stdin is None:
        raise DataError("it is closed", file="standard input", advice=advice)
    if sys.stdin.isatty():
        raise DataError("it is the terminal, and nothing is piped in", file="standard input", advice=advice)
    return _content(sys.stdin.buffer, "standard input")


def _content(stream: BinaryIO, shown: str) -> bytes:
    try:
        data = stream.read()
    except OSError as error:
        raise DataError(error.strerror or str(error), file=shown, advice="name a file") from error
    if not data[:4096].strip() and not data.strip():
        raise DataError("nothing came in", file=shown, advice="pipe GeoJSON into it")
    if data[:2] == b"\x1f\x8b":
        raise DataError("what comes in is compressed", file=shown, advice="unpack it first: gunzip -c FILE |")
    return data


def _piped(shown: str, data: bytes) -> Source:
    """Take what came through a pipe for GeoJSON where it looks so, and else for whatever GDAL makes of it."""
    text = data[:4096].lstrip(b"\xef\xbb\xbf\x1e \t\r\n")
    return Source(shown, data, "GeoJSON" if text[:1] in {b"{", b"["} else "other", None)


def _absent(file: Path, error: OSError) -> DataError:
    folder = file.parent
    if isinstance(error, PermissionError):
        return DataError("permission denied", file=str(file), advice="check who may read the folder")
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataError(error.strerror or str(error), file=str(file), advice="name another file")
    if file.is_symlink():
        return DataError(
            f"is a link to '{os.readlink(file)}', and there is no such file",
            file=str(file),
            advice="name the file itself, or mend the link",
        )
    if not folder.is_dir():
        return DataError(f"there is no folder '{folder}'", file=str(file), advice="check the path")
    names = [entry.name for entry in _entries(folder)]
    readable = [name for name in names if _may_be_read(name)]
    likely = nearest(file.name, readable)
    there = f"{'this folder' if str(folder) == '.' else folder} holds {listed(sorted(readable), 5)}"
    return DataError(
        "there is no such file",
        file=str(file),
        advice=likely or nearest(file.name, names) or (there if readable else "check the path"),
    )


def _may_be_read(name: str) -> bool:
    return name.lower().endswith(VECTOR) and not name.endswith(RECORD_FILE)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def parquet_parts(folder: Path) -> list[Path]:
    """Return the parts of a GeoParquet layer that is a folder, in their order; none where it is another.

    The order is that of their names, numbers in them as numbers. A folder in which there are layers of other
    formats too is no layer.
    """
    inside = [entry for entry in _entries(folder) if _may_be_read(entry.name) and entry.name[0] not in "._"]
    if any(entry.suffix.lower() not in PARQUET for entry in inside):
        return []
    return sorted(inside, key=lambda entry: _natural(entry.name))


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that puts part.2 before part.10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _folder(folder: Path) -> DataError:
    inside = sorted(entry.name for entry in _entries(folder) if _may_be_read(entry.name))
    inside = [name for name in inside if not name.lower().endswith(".dbf")] or inside
    advice = f"name one of its files: {listed(inside)}" if inside else "name a file"
    return DataError("is a folder, not a layer", file=str(folder), advice=advice)


def _in_archive(file: Path, layer: str | None) -> tuple[Source, str | None]:
    """Find the dataset in a zip archive, in whatever sub-folder it is."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            locked = any(entry.flag_bits & 1 for entry in entries)
    except BROKEN_ARCHIVE as error:
        raise DataError(
            "the archive is damaged or not a zip file", file=str(file), advice="get the file again"
        ) from error
    members = sorted(set(filter(None, (_dataset_in(entry.filename) for entry in entries))))
    # a table is a dataset only where there is nothing with geometry
    members = [name for name in members if not name.lower().endswith((".csv", ".dbf"))] or members
    if locked and members:
        raise DataError("the archive is encrypted", file=str(file), advice="unpack it first")
    if not members:
        raise DataError(
            "the archive holds no layer",
            file=str(file),
            advice="it should hold a shapefile, GeoPackage or GeoJSON",
        )
    if len(members) > 1:
        named = {
            name: (PurePosixPath(name).stem, str(PurePosixPath(name).with_suffix("")), name)
            for name in members
        }
        chosen = [name for name, called in named.items() if layer in called]
        if len(chosen) != 1:
            stems = [called[0] for called in named.values()]
            names = stems if len(set(stems)) == len(stems) else [called[1] for called in named.values()]
            if layer is None:
                raise DataError(
                    f"holds {len(members)} layers: {listed(names)}",
                    file=str(file),
                    advice="choose one with --layer",
                )
            raise DataError(
                f"there is no layer '{layer}' in the archive"
                if not chosen
                else f"'{layer}' is there more than once",
                file=str(file),
                advice=(nearest(layer, names) if not chosen else "") or f"its layers are {listed(names)}",
            )
        members, layer = chosen, None
    member = members[0]
    inside = member.replace("\\", "/")  # what GDAL takes a backslash for
    dataset = f"/vsizip/{file.absolute()}/{inside}"
    if layer is not None and layer in {str(PurePosixPath(member).with_suffix("")), member}:
        layer = None
    return Source(str(file), dataset, format_of(member), file, member), layer


def _dataset_in(name: str) -> str | None:
    """Return the dataset an archive's entry belongs to, or None."""
    path = PurePosixPath(name)
    if "__MACOSX" in path.parts or path.name.startswith("._") or path.name.endswith(RECORD_FILE):
        return None
    for depth, part in enumerate(path.parts):
        if part.lower().endswith(".gdb"):
            return "/".join(path.parts[: depth + 1])
    known = (*SINGLE, *PARQUET, ".gpkg", ".kml", ".gml", ".sqlite", ".tab", ".mif")
    return name if path.suffix.lower() in known and not name.endswith("/") else None
