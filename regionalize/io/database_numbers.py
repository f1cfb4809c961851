"""What stands in columns of numbers of a GeoPackage and is none.

SQLite takes a text in any column, and GDAL the number that it begins with, or 0, without a word.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from regionalize.errors import located, shortened
from regionalize.io import damage
from regionalize.io.database import quoted_name
from regionalize.io.source import Source

if TYPE_CHECKING:
    import pyarrow as pa


Stamp = tuple[int, int, int] | None
_TOGETHER = 500
"""Columns that are looked at in one query: SQLite takes no more than a thousand conditions."""


@dataclass(eq=False)
class NoNumbers(Mapping[str, str]):
    """Columns with something else than numbers among the rows that were read, and what.

    To find it takes a third of the time of reading, so it is looked for when a column is computed with. Of a
    file that is another by then, nothing is asked.

    Parameters
    ----------
    source : Source
        A GeoPackage on the disk.
    layer, fid_name : str
        Its table, and the column that identifies rows.
    fids : pyarrow.ChunkedArray
        Which rows were read.
    attributes : pyarrow.Table
        Their columns.
    heard : mapping of str to str
        What is known already.
    """

    source: Source
    layer: str
    fid_name: str
    fids: pa.ChunkedArray
    attributes: InitVar[pa.Table]
    heard: Mapping[str, str]
    whole: dict[str, bool] = field(init=False)
    """Columns of numbers, and of each whether they are whole numbers."""
    stamp: Stamp = field(init=False)

    def __post_init__(self, attributes: pa.Table) -> None:
        self.whole = _kinds(attributes) if len(self.fids) else {}
        self.stamp = _stamp(self.source)

    def __getitem__(self, column: str) -> str:
        return self._found[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @cached_property
    def _found(self) -> dict[str, str]:
        found, columns = dict(self.heard), list(self.whole.items())
        if _stamp(self.source) == self.stamp:
            with located(self.source.shown, self.layer):
                for at in range(0, len(columns), _TOGETHER):
                    self._look(columns[at : at + _TOGETHER], found)
        return found

    def _look(self, columns: list[tuple[str, bool]], found: dict[str, str]) -> None:
        """Add what is no number in some columns; of each is said whether its numbers are whole."""
        fid, names = quoted_name(self.fid_name), [quoted_name(name) for name, _ in columns]
        kinds = ["'text', 'blob', 'real'" if whole else "'text', 'blob'" for _, whole in columns]
        odd = [f"typeof({name}) IN ({kind})" for name, kind in zip(names, kinds, strict=True)]
        query = (
            f"SELECT {fid}, {', '.join(names)} FROM {quoted_name(self.layer)} "
            f"WHERE {fid} BETWEEN ? AND ? AND ({' OR '.join(odd)})"
        )
        fids = self.fids.to_numpy()
        with damage.database(self.source) as database:
            try:
                rows = database.execute(query, (int(fids.min()), int(fids.max()))).fetchall()
            except sqlite3.OperationalError:  # a view that asks functions of GDAL's
                return
        there = frozenset(fids.tolist()) if rows else frozenset()  # without those that a filter left out
        for number, *values in rows:
            if number in there:
                for (name, whole), value in zip(columns, values, strict=True):
                    if isinstance(value, str | bytes) or (whole and isinstance(value, float)):
                        found.setdefault(name, _said(value))


def _stamp(source: Source) -> Stamp:
    """Return what is another once a file is written to, or replaced; None if it is gone."""
    try:
        found = os.stat(source.path or "")
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _kinds(attributes: pa.Table) -> dict[str, bool]:
    """Return the columns of numbers, and of each whether they are whole numbers."""
    import pyarrow as pa

    kinds = {field.name: field.type for field in attributes.schema}
    return {
        name: pa.types.is_integer(kind)
        for name, kind in kinds.items()
        if pa.types.is_integer(kind) or pa.types.is_floating(kind)
    }


def _said(value: str | bytes | float) -> str:
    if isinstance(value, float):
        return f"{value:g} stands where a whole number should"
    shown = f"'{shortened(value, 40)}'" if isinstance(value, str) else "a run of bytes"
    return f"{shown} stands where a number should"
