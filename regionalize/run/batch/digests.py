"""The files that an item reads: which they are, and what stands for what is in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from regionalize.io.formats import JOURNALS, SHAPEFILE_PARTS
from regionalize.model.record import record_file

_COMPANIONS = {
    ".shp": SHAPEFILE_PARTS,
    ".dbf": SHAPEFILE_PARTS,
    ".tab": (".tab", ".dat", ".map", ".id", ".ind"),
    ".mif": (".mif", ".mid"),
    ".csv": (".csv", ".csvt", ".prj"),
    ".gml": (".gml", ".gfs", ".xsd"),
}
"""What is read besides a file of an ending, by the same name."""
_UPDATED = ".000"
"""Ending of S-57, beside which there may be updates."""
DIGEST_BYTES = 20
Stamp = tuple[str, int, int]


def files_read(path: str | None) -> list[Path] | None:
    """List the files that make up a layer, weights or distances, sorted; None where they are no files.

    Examples
    --------
    >>> [file.name for file in files_read(None)], files_read("https://example.org/a.gpkg")
    (['georgia.gpkg'], None)
    """
    if path is None:
        from regionalize.io.sample import sample_path

        return [Path(sample_path())]
    named = Path(path)
    if named.is_dir():
        return sorted(file for file in named.rglob("*") if file.is_file())
    if not named.is_file():
        return None
    endings = _COMPANIONS.get(named.suffix.lower(), ())
    others = [named.with_suffix(either) for ending in endings for either in (ending, ending.upper())]
    beside = record_file(named)
    others += [] if beside is None else [beside]
    others += [named.with_name(named.name + journal) for journal in JOURNALS]
    return sorted({named, *(other for other in others if other.is_file())})


def stamps(path: str | None) -> tuple[Stamp, ...] | None:
    """Return what tells, without reading them, that files have changed: names, sizes and times."""
    try:
        files = files_read(path)
        found = None if files is None else [(str(file), file.stat()) for file in files]
    except (OSError, ValueError):
        return None
    return None if found is None else tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


class Digests:
    """Digests of inputs; every file is read once, unless it changes."""

    def __init__(self) -> None:
        self.known: dict[Stamp, str | None] = {}

    def of(self, path: str | None) -> str | None:
        """Return what stands for the content of what is read; None where that is not in files alone."""
        marks = stamps(path)
        if not marks:
            return None
        root = Path(path) if path is not None and Path(path).is_dir() else None
        together = hashlib.blake2b(digest_size=DIGEST_BYTES)
        try:
            for mark in marks:
                if mark not in self.known:
                    file = Path(mark[0])
                    self.known[mark] = None if file.suffix == _UPDATED else file_digest(file)
                if self.known[mark] is None:
                    return None
                # a file may be called otherwise tomorrow; within a folder, names are part of the content
                name = Path(mark[0]).suffix if root is None else Path(mark[0]).relative_to(root).as_posix()
                together.update(f"{name}\0{self.known[mark]}\0".encode("utf-8", "surrogatepass"))
        except OSError:
            return None
        return together.hexdigest()


def file_digest(file: Path) -> str:
    """Return what stands for the content of a file: BLAKE2b in hexadecimal.

    Raises
    ------
    OSError
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=DIGEST_BYTES)).hexdigest()
