"""GeoParquet in parts: which rows are where, and how a worker reads them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from regionalize.errors import DataError, legible, located
from regionalize.features.columns import not_numeric
from regionalize.features.ranges import spelled_out
from regionalize.io.parquet import parquet_understood
from regionalize.io.parquet_files import ParquetFiles, RowGroup, open_parquet
from regionalize.io.source import find_source
from regionalize.model.layer import Layer

FEWEST, MOST = 1 << 16, 1 << 18
"""Rows of a part: small ones are put together, and large row groups are cut."""
CELLS = 1 << 21
"""Numbers in a part: of many columns it has fewer rows, since a worker holds several copies at a time."""
PER_WORKER = 4
"""Parts for every worker, where there are rows enough."""


@dataclass(frozen=True)
class Piece:
    """Rows of one row group of a file, by its full path: from the `start`-th on, `rows` of them."""

    path: str
    group: int
    start: int
    rows: int


@dataclass(frozen=True)
class Part:
    """Rows that are worked on together, before any filter: number of the first, and where they are."""

    first: int
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """How many rows these are."""
        return sum(piece.rows for piece in self.pieces)


@dataclass(frozen=True)
class PartedLayer:
    """A layer in parts, none of which has been read.

    Attributes
    ----------
    head : Layer
        No rows: columns, types, reference system, origin, history, and what was noticed.
    files : ParquetFiles
        What a worker needs to read a part.
    parts : tuple of Part
        All rows, in order.
    """

    head: Layer
    files: ParquetFiles
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        """Return how many rows there are before any filter."""
        return sum(part.rows for part in self.parts)


def open_parts(
    path: str | Path,
    *,
    layer: str | None = None,
    where: str | None = None,
    columns: Sequence[str] = (),
    workers: int = 1,
) -> PartedLayer:
    """Find the rows of a GeoParquet file, or of a folder of them, from their metadata alone.

    Parameters
    ----------
    path : path
        What all workers see under the same path.
    layer : str, optional
        Its name: there is only one.
    where : str, optional
        Filter, as `regionalize.io.read.read_layer` takes it; it sees one row at a time.
    columns : sequence of str
        Names or patterns of those that will be worked on; all numeric ones unless given.
    workers : int
        How many there are to share the rows.

    Raises
    ------
    DataError
        What is no GeoParquet, or is damaged, or empty; parts whose columns differ.
    """
    with legible(str(path)):
        source, name = find_source(path, layer)
    with located(source.shown):
        if source.format != "GeoParquet" or source.path is None or source.member:
            raise DataError(
                "--engine dask reads GeoParquet", advice="write it as .parquet first, such as with ogr2ogr"
            )
        files, groups = open_parquet(source, name, where)
        head = files.head()
        count = sum(group.rows for group in groups)
        size = int(np.clip(count // (PER_WORKER * workers), FEWEST, MOST))
        size = max(min(size, CELLS // width(head, columns)), 1)
        return PartedLayer(head, files, tuple(parts_of(groups, size)))


def width(head: Layer, columns: Sequence[str]) -> int:
    """Return how many numeric columns are meant, at least 1.

    Examples
    --------
    >>> import pyarrow as pa
    >>> head = Layer(pa.table({"pop_f": [1.0], "pop_m": [2.0], "name": ["a"], "area": [3]}), None, None)
    >>> width(head, ["pop_*"]), width(head, [])
    (2, 3)
    """
    numeric = [name for name in head.column_names if not not_numeric(head, name)]
    columns = spelled_out(columns, head.column_names)
    meant = [name for name in numeric if any(fnmatchcase(name, one) or name == one for one in columns)]
    return max(len(meant if columns else numeric), 1)


def parts_of(groups: Sequence[RowGroup], size: int) -> list[Part]:
    """Put row groups together, or cut them, into parts of about `size` rows.

    Examples
    --------
    >>> groups = [RowGroup("a", 0, 3), RowGroup("a", 1, 4), RowGroup("b", 0, 25)]
    >>> [part.rows for part in parts_of(groups, 10)]
    [7, 8, 9, 8]
    """
    parts: list[Part] = []
    waiting: list[Piece] = []
    first = 0

    def close() -> None:
        nonlocal first
        if waiting:
            parts.append(Part(first, tuple(waiting)))
            first += parts[-1].rows
            waiting.clear()

    for group in groups:
        if sum(piece.rows for piece in waiting) + group.rows > size:
            close()
        pieces = -(-group.rows // size)
        cuts = np.linspace(0, group.rows, pieces + 1).round().astype(int).tolist() if pieces else []
        for start, stop in pairwise(cuts):
            waiting.append(Piece(os.path.abspath(group.path), group.number, start, stop - start))
            if group.rows > size:
                close()
    close()
    return parts


def read_part(
    files: ParquetFiles, part: Part, columns: Sequence[str] | None = None, geometry: bool = True
) -> Layer:
    """Read the rows of a part that satisfy the filter.

    Parameters
    ----------
    files : ParquetFiles
        Of the layer.
    part : Part
        Which rows.
    columns : sequence of str, optional
        Columns to return; all by default.
    geometry : bool
        Whether the geometry is read.
    """
    import pyarrow as pa

    choice, names = files.choose(columns, geometry)
    tables = [rows_of(piece, names) for piece in part.pieces]
    table = pa.concat_tables(tables) if tables else files.kinds.empty_table().select(names)
    return files.layer(table, choice)


def rows_of(piece: Piece, names: list[str]) -> Any:
    """Read the rows of a piece; of a large row group, no more is held than that."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept = []
    if not os.path.exists(piece.path):
        raise DataError(
            "is not there for a worker",
            file=piece.path,
            advice="put it where all machines see it under the same path",
        )
    with located(piece.path), parquet_understood(), pq.ParquetFile(piece.path, pre_buffer=False) as file:
        at = 0
        for batch in file.iter_batches(FEWEST, row_groups=[piece.group], columns=names, use_threads=False):
            start, stop = max(piece.start - at, 0), min(piece.start + piece.rows - at, len(batch))
            if start < stop:
                kept.append(batch.slice(start, stop - start))
            at += len(batch)
            if at >= piece.start + piece.rows:
                break
        table = pa.Table.from_batches(kept)
        if table.num_rows != piece.rows:
            raise DataError("rows that its metadata tell of are missing", advice="get the file again")
        return table.select(names)
