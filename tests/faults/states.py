"""What lies in a folder: old, new, or something else."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OF_BATCHES = (".regionalize", "summary.csv")
"""Records, and a table with seconds: they are new after every batch, whatever came of its runs."""
ALONE = (".gpkg", ".qml", ".md", ".json")
"""Endings of outputs that are put in place by themselves, also where others have the same stem."""
BESIDE = ".run.json"
"""The ending of what tells how a layer was made: it comes with the layer."""
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'sqlite_sequence'"
"""What numbers are next in others is left out."""
NOT_SAID = {"last_change", "timestamp", "update_time", "layer_styles.id"}
"""Columns that say when, or count how often a style was written."""


def files_in(folder: Path) -> dict[str, bytes]:
    """Digests of all files, and names of all folders, by their path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b"folder"
        found[path.relative_to(folder).as_posix()] = hashlib.blake2b(data, digest_size=16).digest()
    return found


def content_of(path: Path) -> Any:
    """What a file holds, equal for files that say the same: dates of writing and identifiers left out."""
    if path.name.endswith(".gpkg"):
        return tables_of(path)
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in sorted(archive.namelist())}
    if path.is_dir() and path.suffix == ".gdb":
        return rows_of(path)
    return path.read_bytes() if path.is_file() else sorted(files_in(path).items())


def tables_of(path: Path) -> dict[str, list[str]]:
    """All rows of a sound database."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        listed = database.execute(TABLES).fetchall()
        found = {}
        for (name,) in listed:
            about = database.execute(f'PRAGMA table_info("{name}")').fetchall()
            kept = [one[1] for one in about if NOT_SAID.isdisjoint({one[1], f"{name}.{one[1]}"})]
            columns = ", ".join(f'"{one}"' for one in kept)
            found[name] = [repr(row) for row in database.execute(f'SELECT {columns} FROM "{name}"')]
        return found


def rows_of(path: Path) -> Any:
    """All rows of a layer, by GDAL."""
    import pyogrio

    frame = pyogrio.read_dataframe(path)
    return frame.to_wkb().to_csv()


@dataclass
class States:
    """What each output of a command may be: its files, before and after.

    Attributes
    ----------
    old, new : dict of str to dict
        By the name of the output, or the first part of those of its files: contents by name of file.
    digests : dict of bytes to content
        Files that have been looked into.
    """

    old: dict[str, dict[str, Any]] = field(default_factory=dict)
    new: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: dict[Any, Any] = field(default_factory=dict)

    def read(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Contents of what lies in a folder; what cannot be read is told as the fault."""
        found: dict[str, dict[str, Any]] = {}
        for path in sorted(one for one in folder.iterdir() if one.name not in OF_BATCHES):
            digest = (path.name, *(sorted(files_in(path).items()) if path.is_dir() else [path.read_bytes()]))
            if digest not in self.seen:
                try:
                    self.seen[digest] = content_of(path)
                except Exception as error:  # whatever a reader finds wrong
                    self.seen[digest] = f"unreadable: {error}"
            found.setdefault(output_of(path.name), {})[path.name] = self.seen[digest]
        return found

    def judge(self, folder: Path) -> dict[str, str]:
        """Say of each output whether it is old, new, or what else."""
        now = self.read(folder)
        return {
            stem: "same"
            if now.get(stem) == self.old.get(stem) == self.new.get(stem)
            else "old"
            if now.get(stem) == self.old.get(stem)
            else "new"
            if now.get(stem) == self.new.get(stem)
            else describe(now.get(stem, {}))
            for stem in sorted({*now, *self.old, *self.new})
        }


def output_of(name: str) -> str:
    """Return what a file is a part of."""
    alone = name.startswith(".") or (name.endswith(ALONE) and not name.endswith(BESIDE))
    return name if alone else name.split(".", maxsplit=1)[0]


def describe(files: dict[str, Any]) -> str:
    """Say what lies there."""
    texts = [
        f"{name} ({value})" if "unreadable" in str(value)[:10] else name for name, value in files.items()
    ]
    return f"neither: {', '.join(texts) or 'nothing'}"


def copy_folder(source: Path, target: Path) -> None:
    """Make one folder like another."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
