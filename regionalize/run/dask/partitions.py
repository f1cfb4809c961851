"""GeoParquet in parts: which rows are where, and how a worker reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regionalize.errors import DataError, located
from regionalize.features.columns import not_numeric
from regionalize.io.column_choice import check_names, choose_columns
from regionalize.io.parquet import (
    ParquetSchema,
    parquet_filtered,
    parquet_layer,
    parquet_origin,
    parquet_schema,
    parquet_understood,
)
from regionalize.io.source import PARQUET, Source
from regionalize.model.layer import Layer, LayerOrigin
from regionalize.model.record import history_of

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST, MOST = 1 << 16, 1 << 18
"""Rows of a part: small ones are put together, and large row groups are cut."""
CELLS = 1 << 21
"""Numbers in a part: of many columns it has fewer rows, since a worker holds several copies at a time."""
PER_WORKER = 4
"""Parts for every worker, where there are rows enough."""


@dataclass(frozen=True)
class Piece:
    """Rows of one row group of a file: from the `start`-th on, `rows` of them."""

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
        No rows: columns, types, reference system, origin, and what was noticed.
    schema : ParquetSchema
        What the files say of their columns.
    parts : tuple of Part
        All rows, in order.
    arrow : pyarrow.Schema
        Types of the columns of every file.
    where : str or None
        Filter of the rows.
    """

    head: Layer
    schema: ParquetSchema
    parts: tuple[Part, ...]
    arrow: pa.Schema
    where: str | None = None

    def __len__(self) -> int:
        """Return how many rows there are before any filter."""
        return sum(part.rows for part in self.parts)

    def about(self) -> About:
        """Return what a worker needs to read a part."""
        return About(self.schema, self.head.origin, self.arrow, self.where)


@dataclass(frozen=True)
class About:
    """What is needed to read any part of a layer."""

    schema: ParquetSchema
    origin: LayerOrigin
    arrow: pa.Schema
    where: str | None


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
        The parts of a folder are taken in the order of their names, numbers in these as numbers.
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
    import pyarrow.parquet as pq

    place = Path(path)
    with located(str(path)):
        files = files_of(place)
        heads = []
        for file in files:
            with located(str(file)), parquet_understood(), pq.ParquetFile(file) as opened:
                heads.append((file, opened.metadata, opened.schema_arrow))
        arrow = heads[0][2]
        for file, _, found in heads[1:]:
            same_columns(file, found, files[0], arrow)
        schema = with_all_kinds(parquet_schema(arrow), [found for _, _, found in heads])
        name = place.stem
        if layer is not None and layer != name:
            raise DataError(f"there is no layer '{layer}'", advice=f"GeoParquet holds one; it is '{name}'")
        origin = parquet_origin(schema, Source(str(path), str(path), "GeoParquet", place), name)
        empty = parquet_layer(arrow.empty_table(), schema, origin)
        check_names(empty.column_names)
        if where is not None:
            parquet_filtered(empty, where)  # can it be understood?
        head = replace(empty, notes=schema.notes, history=history_of(schema.history, empty.column_names))
        count = sum(metadata.num_rows for _, metadata, _ in heads)
        if not count:
            raise DataError("the layer is empty (0 rows)", advice="name another file or layer")
        size = int(np.clip(count // (PER_WORKER * workers), FEWEST, MOST))
        size = max(min(size, CELLS // width(head, columns)), 1)
        groups = [
            (str(file), at, metadata.row_group(at).num_rows)
            for file, metadata, _ in heads
            for at in range(metadata.num_row_groups)
        ]
        return PartedLayer(head, schema, tuple(parts_of(groups, size)), arrow, where)


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
    meant = [name for name in numeric if any(fnmatchcase(name, one) or name == one for one in columns)]
    return max(len(meant if columns else numeric), 1)


def files_of(place: Path) -> list[Path]:
    """Return the Parquet files that are meant: one, or those in a folder.

    Raises
    ------
    DataError
        Nothing there, or no GeoParquet.
    """
    try:
        if place.is_dir():
            found = [
                file
                for file in place.iterdir()
                if file.suffix.lower() in PARQUET and not file.name.startswith(("_", "."))
            ]
            if not found:
                raise DataError(
                    "the folder holds no .parquet file", advice="name a folder of parts, or a file"
                )
            return sorted(found, key=by_number)
        if not place.exists():
            raise DataError("there is no such file", advice="check the name")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", advice="check who may read it") from error
    if place.suffix.lower() not in PARQUET:
        raise DataError(
            "--engine dask reads GeoParquet", advice="write it as .parquet first, such as with ogr2ogr"
        )
    return [place]


def by_number(file: Path) -> tuple[tuple[bool, int, str], ...]:
    """Return what sorts names with the numbers in them as numbers.

    Examples
    --------
    >>> [file.name for file in sorted(map(Path, ("part.10", "part.9", "part.1")), key=by_number)]
    ['part.1', 'part.9', 'part.10']
    """
    words = re.split(r"(\d+)", file.name)
    return tuple((word.isdigit(), int(word) if word.isdigit() else 0, word) for word in words)


def same_columns(file: Path, found: pa.Schema, first: Path, expected: pa.Schema) -> None:
    """Refuse a part that has not the columns of the first."""
    if found.names == expected.names and found.types == expected.types:
        return
    different = next(
        (
            f"'{one.name}' ({one.type}) in place of '{other.name}' ({other.type})"
            for one, other in zip(found, expected, strict=False)
            if (one.name, one.type) != (other.name, other.type)
        ),
        f"{len(found)} in place of {len(expected)}",
    )
    raise DataError(
        f"its columns are not those of {first.name}: {different}",
        advice="write all parts with the same columns",
        file=str(file),
    )


def with_all_kinds(schema: ParquetSchema, found: Sequence[pa.Schema]) -> ParquetSchema:
    """Say which kinds of geometry there are in any of the parts, and nothing of where it is."""
    if schema.geo is None or schema.geometry is None:
        return schema
    kinds: list[set[str]] = []
    for one in found:
        geo = parquet_schema(one).geo or {}
        kinds.append(set(geo.get("columns", {}).get(schema.geometry, {}).get("geometry_types") or []))
    known = (
        sorted(set().union(*kinds)) if all(kinds) else []
    )  # nobody knows those of a part that does not say
    about = {name: value for name, value in schema.about.items() if name != "bbox" or len(found) == 1}
    columns = {**schema.geo["columns"], schema.geometry: {**about, "geometry_types": known}}
    return replace(schema, geo={**schema.geo, "columns": columns})


def parts_of(groups: Sequence[tuple[str, int, int]], size: int) -> list[Part]:
    """Put row groups (file, number, rows) together, or cut them, into parts of about `size` rows.

    Examples
    --------
    >>> [part.rows for part in parts_of([("a", 0, 3), ("a", 1, 4), ("b", 0, 25)], 10)]
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

    for path, group, rows in groups:
        if sum(piece.rows for piece in waiting) + rows > size:
            close()
        cuts = np.linspace(0, rows, -(-rows // size) + 1).round().astype(int).tolist() if rows else []
        for start, stop in pairwise(cuts):
            waiting.append(Piece(path, group, start, stop - start))
            if rows > size:
                close()
    close()
    return parts


def read_part(about: About, part: Part, columns: Sequence[str] | None = None, geometry: bool = True) -> Layer:
    """Read the rows of a part that satisfy the filter.

    Parameters
    ----------
    about : About
        Of the layer.
    part : Part
        Which rows.
    columns : sequence of str, optional
        Columns to return; all by default.
    geometry : bool
        Whether the geometry is read.
    """
    import pyarrow as pa

    left_out = {*about.schema.unnamed, about.schema.geometry}
    choice = choose_columns(
        [name for name in about.arrow.names if name not in left_out], columns, about.where
    )
    names = [*choice.read, *([about.schema.geometry] if geometry and about.schema.geometry else [])]
    tables = [rows_of(piece, names) for piece in part.pieces]
    table = pa.concat_tables(tables) if tables else about.arrow.empty_table().select(names)
    found = parquet_layer(table, about.schema, about.origin)
    if about.where is not None and len(found):
        found = parquet_filtered(found, about.where)
    return replace(found, attributes=found.attributes.select(list(choice.kept)))


def rows_of(piece: Piece, names: list[str]) -> Any:
    """Read the rows of a piece; of a large row group, no more is held than that."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept = []
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
